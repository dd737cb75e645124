"""Directories and the lock of an instance (INVENTORY QU-1, MA-4)."""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.spool.exclusive import AlreadyRunning, InstanceLock, running
from pytwfix.spool.layout import DIRECTORIES, Layout


class Directories(SynchronousTestCase):
    def setUp(self) -> None:
        self.path = os.path.abspath(self.mktemp())
        self.layout = Layout(self.path, "root", "root")

    def test_created(self) -> None:
        """QU-1: names and modes."""
        self.assertEqual(self.layout.create(), [item.name for item in DIRECTORIES])
        self.assertEqual(self.layout.create(), [])
        modes = {name: os.stat(f"{self.path}/{name}").st_mode & 0o7777 for name in os.listdir(self.path)}
        self.assertEqual((modes["deferred"], modes["maildrop"], modes["public"]), (0o700, 0o730, 0o710))
        self.assertEqual(self.layout.check(), [])

    def test_complaints(self) -> None:
        self.layout.create()
        os.rmdir(f"{self.path}/trace")
        os.chmod(f"{self.path}/hold", 0o777)
        self.assertEqual(
            self.layout.check(),
            [f"group or other writable: {self.path}/hold", f"missing directory: {self.path}/trace"],
        )


class Locks(SynchronousTestCase):
    def setUp(self) -> None:
        self.path = os.path.abspath(self.mktemp())
        os.makedirs(f"{self.path}/pid")

    def test_one_instance(self) -> None:
        """MA-4: the second one is told who runs."""
        lock = InstanceLock(self.path, self.path)
        self.assertEqual(running(self.path), 0)
        lock.acquire()
        with open(f"{self.path}/pid/master.pid") as file:
            self.assertEqual(file.read(), f"{os.getpid():32d}\n")
        self.assertEqual(running(self.path), os.getpid())
        error = self.assertRaises(AlreadyRunning, InstanceLock(self.path).acquire)
        self.assertEqual(error.pid, os.getpid())
        self.assertIn("already running", str(error))
        lock.release()
        self.assertEqual(running(self.path), 0)
        InstanceLock(self.path, self.path).acquire()

    def test_the_data_directory_counts_too(self) -> None:
        data = f"{self.path}/data"
        os.mkdir(data)
        first = InstanceLock(self.path, data)
        first.acquire()
        other = os.path.abspath(self.mktemp())
        os.makedirs(f"{other}/pid")
        self.assertRaises(AlreadyRunning, InstanceLock(other, data).acquire)
        self.assertEqual(running(other), 0)
        first.release()
