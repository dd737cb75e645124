"""IAsUser as the user who runs the daemon."""

from __future__ import annotations

import os
import socket
from typing import Any

from twisted.internet import reactor
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase, TestCase

from pytwfix.contracts.asuser import AsUserError, CommandRun, FileRead, Identity, MailboxWrite
from pytwfix.keeper.inprocess import InProcess
from tests.kit.host import InstantThreads

_WHO = Identity(4711, 4711)


class FileTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.users = InProcess(InstantThreads(), self.clock)
        self.base = os.path.abspath(self.mktemp())
        os.makedirs(self.base)

    def test_write_and_read(self) -> None:
        """LO-4, LO-6: whoever is named, it is this process that acts."""
        self.successResultOf(self.users.write(_WHO, MailboxWrite(self.base + "/mb", b"x\n")))
        self.assertEqual(
            self.successResultOf(self.users.read(Identity(os.geteuid(), 0), FileRead(self.base + "/mb"))), b"x\n"
        )

    def test_lock_attempts(self) -> None:
        """LO-4: deliver_lock_attempts at deliver_lock_delay, without holding a thread."""
        lock = self.base + "/mb.lock"
        os.close(os.open(lock, os.O_CREAT))
        request = MailboxWrite(self.base + "/mb", b"x", ("dotlock",), lock_attempts=3, lock_delay=1.0)
        waiting = self.users.write(_WHO, request)
        self.clock.advance(1.0)
        self.assertNoResult(waiting)
        os.unlink(lock)
        self.clock.advance(1.0)
        self.successResultOf(waiting)
        os.close(os.open(lock, os.O_CREAT))
        waiting = self.users.write(_WHO, request)
        self.clock.pump([1.0, 1.0])
        self.assertEqual(self.failureResultOf(waiting, AsUserError).value.kind, "locked")


class CommandTests(TestCase):
    timeout = 20

    def setUp(self) -> None:
        self.users = InProcess(InstantThreads(), reactor)

    async def test_run(self) -> None:
        """LO-5: input, output, status."""
        result = await self.users.run(_WHO, CommandRun(["sh", "-c", "cat; exit 2"], {"PATH": "/usr/bin:/bin"}, b"in"))
        self.assertEqual((result.status, result.output), (2, b"in"))

    async def test_failures(self) -> None:
        """LO-5, PI-1: a command that is not there; chroot."""
        for request in (CommandRun(["/no/such"], {}, b""), CommandRun(["true"], {}, b"", chroot="/")):
            try:
                await self.users.run(_WHO, request)
            except AsUserError:
                continue
            raise AssertionError("not refused")

    async def test_spawn(self) -> None:
        """SP-1: the socket itself is the command's input and output, and blocks as programs expect."""
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        ours.settimeout(5)
        ended: Any = self.users.spawn(
            _WHO, CommandRun(["sh", "-c", "read x; echo got $x"], {"PATH": "/bin:/usr/bin"}, b""), theirs.fileno()
        )
        ours.sendall(b"hello\n")
        result = await ended
        self.assertEqual((result.status, ours.recv(100)), (0, b"got hello\n"))
        ours.close()
        theirs.close()

    async def test_stop(self) -> None:
        """What still runs is ended with the daemon."""
        ended = self.users.run(_WHO, CommandRun(["sleep", "60"], {"PATH": "/usr/bin:/bin"}, b""))
        clock: Any = reactor
        clock.callLater(0.1, self.users.stop)
        self.assertEqual((await ended).status, -9)
