"""Passing over records that nobody wants to see."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.spool.cursor import Cursor
from pytwfix.spool.records import record

A, R = b"AR"


class Skip(SynchronousTestCase):
    def rest(self, data: bytes, piece: int) -> list[tuple[int, int]]:
        """(offset, length) of what is seen when attributes are skipped, read in pieces of this size."""
        cursor = Cursor(lambda size, offset: data[offset : offset + max(piece, size if size != 8192 else 0)])
        seen: list[tuple[int, int]] = []
        while True:
            cursor.skip(A)
            item = cursor.next()
            if item is None:
                return seen
            if item.kind != A:
                seen.append((item.offset, len(item.data)))

    def test_skip(self) -> None:
        """RF-1: whatever the lengths, and wherever what was read ends, the other records are all seen."""
        data, places = b"", []
        for size in (0, 1, 5, 126, 127, 128, 129, 300, 0, 2):
            data += record(b"A", b"a" * size) * 3
            places.append((len(data), size))
            data += record(b"R", b"r" * size)
        for piece in (400, 401, 517, 8192):
            self.assertEqual(self.rest(data, piece), places, piece)
