"""Commands: real processes, each of a few milliseconds."""

from __future__ import annotations

import os
import time

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.contracts.asuser import AsUserError, CommandResult, CommandRun
from pytwfix.keeper.command import finish, start

_PATH = {"PATH": "/usr/bin:/bin"}


def run(*argv: str, data: bytes = b"", **options: object) -> CommandResult:
    return finish(start(CommandRun(argv, _PATH, data, **options)))  # type: ignore[arg-type]


class CommandTests(SynchronousTestCase):
    def test_input_output_status(self) -> None:
        """LO-5: the mail on standard input, both outputs back, the exit status."""
        result = run("sh", "-c", "cat; echo err >&2; exit 67", data=b"mail\n")
        self.assertEqual(result, CommandResult(67, b"mail\nerr\n"))

    def test_signal(self) -> None:
        """LO-5: minus the signal."""
        self.assertEqual(run("sh", "-c", "kill -9 $$").status, -9)

    def test_time_limit(self) -> None:
        """LO-5: command_time_limit ends the command and what it has started."""
        began = time.monotonic()
        result = run("sh", "-c", "echo begun; sleep 60 & sleep 60", time_limit=0.2)
        self.assertTrue(result.timed_out)
        self.assertEqual(result.output, b"begun\n")
        self.assertLess(time.monotonic() - began, 5)

    def test_much_output_and_unread_input(self) -> None:
        """LO-5: a command need not read, and may say more than is kept."""
        result = run("sh", "-c", "head -c 300000 /dev/zero; exit 1", data=b"x" * 300_000, output_limit=100)
        self.assertEqual((result.status, result.output), (1, bytes(100)))

    def test_environment_and_directory(self) -> None:
        """LO-5, PI-1: nothing but the given environment; the given directory; umask 077."""
        self.assertEqual(
            run("sh", "-c", "env | grep -v ^PWD | grep -v ^_; pwd; umask", directory="/").output,
            b"PATH=/usr/bin:/bin\n/\n0077\n",
        )

    def test_not_there(self) -> None:
        """LO-5: a command that does not exist is told as such, a directory too."""
        error = self.assertRaises(AsUserError, run, "/no/such")
        self.assertEqual((error.kind, error.text), ("missing", "execvp /no/such: No such file or directory"))
        error = self.assertRaises(AsUserError, run, "true", directory="/no/such")
        self.assertEqual(error.text, "cannot change directory to /no/such: No such file or directory")

    def test_chroot_needs_root(self) -> None:
        """PI-1: chroot= is refused with a reason."""
        error = self.assertRaises(AsUserError, run, "true", chroot="/")
        self.assertEqual(error.text, "chroot /: not possible without root rights")

    def test_file_limit(self) -> None:
        """LO-4: mailbox_size_limit holds for files that commands write."""
        name = os.path.abspath(self.mktemp())
        result = run("sh", "-c", f"sleep 0.05; head -c 5000 /dev/zero >{name}", file_limit=1000)
        self.assertNotEqual(result.status, 0)
        self.assertEqual(os.path.getsize(name), 1000)

    def test_no_descriptor_leaks(self) -> None:
        """Commands come and go; descriptors do not add up."""
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(5):
            run("true")
        self.assertEqual(len(os.listdir("/proc/self/fd")), before)
