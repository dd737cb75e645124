"""deliver/smtp/stscache.py: the files, also when several threads write them, or one ends half-way."""

from __future__ import annotations

import errno
import os
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.basics.disk import Disk
from pytwfix.deliver.smtp.stscache import Known, StsCache
from pytwfix.mail.mtasts import parse_policy


def known(mx: str, ident: str = "1") -> Known:
    return Known(ident, 100.0, parse_policy(f"version: STSv1\nmode: enforce\nmx: {mx}\nmax_age: 60\n"))


class Meddled(Disk):
    """Does something else, once, before a file is written; or writes a part of it alone."""

    def __init__(self) -> None:
        super().__init__()
        self.before: list[object] = []
        self.short = False

    def write(self, fd: int, data: Any) -> int:
        if self.before:
            act = self.before.pop()
            assert callable(act)
            act()
        return super().write(fd, data[:10] if self.short else data)


class Files(SynchronousTestCase):
    def setUp(self) -> None:
        self.disk = Meddled()
        self.folder = self.mktemp()
        self.cache = StsCache(self.disk, self.folder)

    def test_kept(self) -> None:
        self.cache.keep("a.example", known("mx.a.example"))
        self.assertEqual(known("mx.a.example"), StsCache(Disk(), self.folder).read("a.example"))
        self.assertIsNone(self.cache.read("b.example"))

    def test_two_at_once(self) -> None:
        """Two threads of one process keep two policies: none becomes the other's."""
        self.disk.before = [lambda: self.cache.keep("b.example", known("mx.b.example"))]
        self.cache.keep("a.example", known("mx.a.example"))
        self.assertEqual(known("mx.a.example"), self.cache.read("a.example"))
        self.assertEqual(known("mx.b.example"), self.cache.read("b.example"))
        self.assertEqual(["a.example", "b.example"], sorted(os.listdir(self.folder)))

    def test_not_whole(self) -> None:
        """What could not be written whole leaves the old file, and nothing beside it."""
        self.cache.keep("a.example", known("mx.a.example"))
        self.disk.short = True
        error = self.assertRaises(OSError, self.cache.keep, "a.example", known("mx.other.example"))
        self.assertEqual(errno.ENOSPC, error.errno)
        self.assertEqual(known("mx.a.example"), self.cache.read("a.example"))
        self.assertEqual(["a.example"], os.listdir(self.folder))

    def test_left_over(self) -> None:
        """Files that a process left when it was killed do not keep the next one from writing."""
        self.cache.keep("a.example", known("mx.a.example"))
        for number in range(4000):
            with open(f"{self.folder}/.{os.getpid()}.{number}.new", "w", encoding="ascii"):
                pass
        self.cache.keep("a.example", known("mx.b.example"))
        self.assertEqual(known("mx.b.example"), self.cache.read("a.example"))
