"""logs/switch.py: a log that moves."""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.logs.destinations import FileLog, MemoryLog
from pytwfix.logs.switch import LogSwitch


class Switch(SynchronousTestCase):
    """LG-17: at a reload lines go elsewhere, for all who hold the log."""

    def test_moved(self) -> None:
        first, second = MemoryLog(), MemoryLog()
        log = LogSwitch(first)
        log.write("a: ", 6, "1")
        log.point(second)
        log.write("a: ", 6, "2")
        log.reopen(7)
        self.assertEqual((first.lines, second.lines), (["a: 1"], ["a: 2"]))
        self.assertEqual(log.fileno(), -1)

    def test_file(self) -> None:
        """PX-4: what was gathered goes into the old file, the rest into the new one."""
        path = self.mktemp()
        log = LogSwitch(FileLog(path))
        log.write("a: ", 6, "1")
        os.rename(path, path + ".old")
        log.reopen()
        log.write("a: ", 6, "2")
        log.flush()
        with open(path + ".old") as old, open(path) as new:
            self.assertTrue(old.read().endswith("a: 1\n"))
            self.assertTrue(new.read().endswith("a: 2\n"))
        self.assertGreater(log.fileno(), 2)
        os.close(log.fileno())
