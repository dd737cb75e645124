"""cdb files as they are written: exact, and in little memory (MT-1, PM-1)."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Iterator

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.tables import cdb

COUNT = 20_000


def rows() -> Iterator[tuple[bytes, bytes]]:
    for number in range(COUNT):
        yield b"key%d" % number, b"v" * 100 + b"%d" % number


class WriteTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.path = self.mktemp()
        self.fd = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        self.addCleanup(os.close, self.fd)

    def test_all_is_found(self) -> None:
        """MT-1: each key, in the source's order too, and no other."""
        cdb.write_cdb(self.fd, rows())
        reader = cdb.Reader(self.path)
        self.addCleanup(reader.close)
        self.assertEqual(list(reader.items()), list(rows()))
        self.assertTrue(all(reader.get(key) == value for key, value in rows()))
        self.assertIsNone(reader.get(b"key"))

    def test_memory(self) -> None:
        """PM-1: records are not kept: less than 20 bytes an entry, and a buffer."""
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        cdb.write_cdb(self.fd, rows())
        self.assertLess(tracemalloc.get_traced_memory()[1], 20 * COUNT + 250_000)

    def test_too_big(self) -> None:
        """MT-1: positions have 32 bits."""
        self.assertRaises(ValueError, cdb._check_size, 1 << 32)
        cdb._check_size((1 << 32) - 1)
