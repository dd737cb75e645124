"""commands/postlock.py."""

from __future__ import annotations

import fcntl
import os
import sys
import time

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.commands import postlock
from tests.kit.commands import CommandQueue


class PostLock(SynchronousTestCase):
    def setUp(self) -> None:
        self.queue = CommandQueue(
            self.mktemp(), mailbox_delivery_lock="fcntl, dotlock", deliver_lock_attempts="3", deliver_lock_delay="7s"
        )
        self.path = f"{self.queue.directory}/box"
        self.slept: list[float] = []
        self.patch(time, "sleep", self.slept.append)

    def lock(self, *words: str) -> tuple[int, str]:
        code, _, said = self.queue.run(postlock.main, *words)
        return code, said

    def python(self, text: str) -> list[str]:
        return [sys.executable, "-c", text]

    def test_command(self) -> None:
        """PLK, LO-4: while the command runs the lock file is there, and its exit status is ours."""
        seen = self.python(f"import os, sys; sys.exit(20 + os.path.exists({self.path + '.lock'!r}))")
        self.assertEqual(self.lock(self.path, *seen), (21, ""))
        self.assertEqual(self.lock("-l", "fcntl", self.path, *seen), (20, ""))
        self.assertFalse(os.path.exists(self.path + ".lock"))
        self.assertEqual(os.stat(self.path).st_mode & 0o777, 0o600)

    def test_signal(self) -> None:
        """PLK: 1 for a command that a signal ended, or that is not there."""
        self.assertEqual(self.lock(self.path, *self.python("import os; os.kill(os.getpid(), 9)")), (1, ""))
        text = "postlock: fatal: execvp /nonesuch: No such file or directory\n"
        self.assertEqual(self.lock(self.path, "/nonesuch"), (1, text))

    def test_lock_file_of_another(self) -> None:
        """PLK, LO-4: deliver_lock_attempts tries, deliver_lock_delay apart; a stale lock file is taken over."""
        name = self.path + ".lock"
        with open(name, "w", encoding="ascii"):
            pass
        text = f"postlock: fatal: open file {self.path}: unable to create lock file {name}: File exists\n"
        self.assertEqual(self.lock(self.path, "true"), (75, text))
        self.assertEqual(self.slept, [7, 7])
        os.utime(name, (1, 1))
        self.assertEqual(self.lock(self.path, *self.python("raise SystemExit(3)")), (3, ""))

    def test_lock_of_another(self) -> None:
        """PLK: the file itself is locked by somebody else."""
        with open(self.path, "w", encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            code, said = self.lock("-l", "dotlock, flock", self.path, "true")
        text = "unable to lock for exclusive access: Resource temporarily unavailable\n"
        self.assertEqual((code, said), (75, f"postlock: fatal: open file {self.path}: {text}"))
        self.assertFalse(os.path.exists(self.path + ".lock"))

    def test_mistakes(self) -> None:
        """PLK: 75 for all that is wrong before the command."""
        self.assertEqual(self.lock(self.path)[0], 75)
        self.assertIn("usage: postlock", self.lock("-x")[1])
        text = 'postlock: fatal: unknown mailbox_delivery_lock value "foo" in "fcntl foo"\n'
        self.assertEqual(self.lock("-l", "fcntl foo", self.path, "true"), (75, text))
        text = f"postlock: fatal: open file {self.queue.directory}: cannot open file: Is a directory\n"
        self.assertEqual(self.lock("-l", "flock", self.queue.directory, "true"), (75, text))
