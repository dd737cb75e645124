"""Files that are replaced whole, and locks."""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.basics.atomicfile import FileLock, write_atomically


class TestWrite(SynchronousTestCase):
    def setUp(self) -> None:
        self.path = os.path.join(self.mktemp(), "x")
        os.makedirs(os.path.dirname(self.path))

    def read(self) -> bytes:
        with open(self.path, "rb") as file:
            return file.read()

    def test_replace(self) -> None:
        """PC-7: the new content, the old mode, and no temporary file left."""
        write_atomically(self.path, b"one", 0o640)
        write_atomically(self.path, b"two")
        self.assertEqual(self.read(), b"two")
        self.assertEqual(os.stat(self.path).st_mode & 0o777, 0o640)
        self.assertEqual(os.listdir(os.path.dirname(self.path)), ["x"])

    def test_failure_leaves_the_old(self) -> None:
        """An error on the way: the old file is untouched, the temporary one gone."""
        write_atomically(self.path, b"one")
        self.assertRaises(TypeError, write_atomically, self.path, "text")
        self.assertEqual(self.read(), b"one")
        self.assertEqual(os.listdir(os.path.dirname(self.path)), ["x"])

    def test_lock(self) -> None:
        """A second holder is told at once when it does not wait."""
        for how in ("flock",):
            with FileLock(self.path, how):
                self.assertRaises(BlockingIOError, FileLock(self.path, how, wait=False).__enter__)
            with FileLock(self.path, how, wait=False) as fd:
                self.assertGreater(fd, 2)
        self.assertRaises(ValueError, FileLock(self.path, "nosuch").__enter__)
