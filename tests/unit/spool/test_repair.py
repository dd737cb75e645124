"""Names and places of queue files (INVENTORY QU-7, PS-22)."""

from __future__ import annotations

import os
import time

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.spool.repair import Repair
from tests.kit.spool import Spool


class Repairs(SynchronousTestCase):
    def setUp(self) -> None:
        self.spool = Spool(self.mktemp())
        self.warnings: list[str] = []

    def _repair(self, long_ids: bool = False, **how: bool) -> Repair:
        repair = Repair(self.spool.store.paths, long_ids, self.warnings.append)
        repair.run((), how.pop("structure", True), how.pop("purge", True), **how)
        return repair

    def _files(self, queue: str) -> list[str]:
        paths = [f"{folder}/{name}" for folder, _, names in os.walk(f"{self.spool.path}/{queue}") for name in names]
        return sorted(os.path.relpath(path, self.spool.path) for path in paths)

    def test_order_stays(self) -> None:
        queue_id = self.spool.put(b"\r\n", b"r@x", queue="deferred").queue_id
        self.assertEqual(self._repair().renamed, 0)
        self.assertEqual(self._files("deferred"), [f"deferred/{queue_id[0]}/{queue_id}"])
        self.assertEqual(self.warnings, [])

    def test_subdirectories(self) -> None:
        """Another hash_queue_depth, or hash_queue_names."""
        queue_id = self.spool.put(b"\r\n", b"r@x", queue="deferred").queue_id
        os.rename(f"{self.spool.path}/deferred/{queue_id[0]}/{queue_id}", f"{self.spool.path}/deferred/{queue_id}")
        os.mkdir(f"{self.spool.path}/hold/A")
        held = self.spool.put(b"\r\n", b"r@x", queue="hold").queue_id
        os.rename(f"{self.spool.path}/hold/{held}", f"{self.spool.path}/hold/A/{held}")
        self._repair()
        self.assertEqual(self._files("deferred"), [f"deferred/{queue_id[0]}/{queue_id}"])
        self.assertEqual(self._files("hold"), [f"hold/{held}"])

    def test_inode(self) -> None:
        """A copy of the queue has other inodes: names follow, and those of the logs with them."""
        queue_id = self.spool.put(b"\r\n", b"r@x", queue="hold").queue_id
        wrong = queue_id[:5] + "F" + queue_id[5:]
        os.rename(f"{self.spool.path}/hold/{queue_id}", f"{self.spool.path}/hold/{wrong}")
        os.mkdir(f"{self.spool.path}/defer/{wrong[0]}")
        with open(f"{self.spool.path}/defer/{wrong[0]}/{wrong}", "w"):
            pass
        self.assertEqual(self._repair().renamed, 1)
        self.assertEqual(self._files("hold"), [f"hold/{queue_id}"])
        self.assertEqual(self._files("defer"), [f"defer/{queue_id[0]}/{queue_id}"])

    def test_exchanged(self) -> None:
        """Files that have the names of others."""
        ids = [self.spool.put(b"\r\n", b"r@x", queue="hold").queue_id for _ in range(3)]
        folder = f"{self.spool.path}/hold/"
        os.rename(folder + ids[2], folder + "00000FFFFFFF")
        os.rename(folder + ids[1], folder + ids[2])
        os.rename(folder + ids[0], folder + ids[1])
        self.assertEqual(self._repair().renamed, 3)
        self.assertEqual(self._files("hold"), sorted("hold/" + name for name in ids))

    def test_temporary_files(self) -> None:
        """Seven days old and not complete."""
        for name, age in (("1.2", 8), ("3.4", 1), ("ABCDE12", 8)):
            path = f"{self.spool.path}/incoming/{name}"
            with open(path, "w"):
                pass
            os.utime(path, (time.time() - age * 86400,) * 2)
        self._repair(structure=False)
        self.assertEqual(self._files("incoming"), ["incoming/3.4"])
        self.assertEqual(self.warnings, ["bogus file name: incoming/3.4"])

    def test_long_names_need_not_match(self) -> None:
        spool = self.spool = Spool(self.mktemp(), enable_long_queue_ids="yes")
        queue_id = spool.put(b"\r\n", b"r@x", queue="hold").queue_id
        os.rename(f"{spool.path}/hold/{queue_id}", f"{spool.path}/hold/{queue_id}B")
        self._repair(True)
        self.assertEqual(self._files("hold"), [f"hold/{queue_id}B"])
        self.assertEqual(self._repair(True, rename_long=True).renamed, 1)
        self.assertEqual(self._files("hold"), [f"hold/{queue_id}"])
