"""spawn: a command for each connection."""

from __future__ import annotations

import os
import pwd
import socket
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.contracts.asuser import CommandResult, CommandRun, Identity
from pytwfix.spawn.arguments import ArgumentError, parse
from pytwfix.spawn.service import SpawnService
from tests.kit.host import MemoryHost


class SlowSpawner:
    """IAsUser whose commands end when the test says so."""

    one_user = False

    def __init__(self) -> None:
        self.started: list[tuple[Identity, CommandRun, int]] = []
        self.end: Deferred[CommandResult] = Deferred()

    def spawn(self, who: Identity, request: CommandRun, connection: int) -> Deferred[CommandResult]:
        self.started.append((who, request, connection))
        return self.end


class Connection:
    """A transport over one end of a real socket pair."""

    def __init__(self) -> None:
        self._socket, self.other = socket.socketpair()
        self.calls: list[str] = []

    def fileno(self) -> int:
        return self._socket.fileno()

    def __getattr__(self, name: str) -> Any:
        return lambda *args: self.calls.append(name)

    def close(self) -> None:
        self._socket.close()
        self.other.close()


class SpawnTests(SynchronousTestCase):
    def start(self, line: str) -> None:
        self.asuser = SlowSpawner()
        main = {"policy-spf_time_limit": "3600s", "mail_owner": "postfix"}
        self.host = MemoryHost(main, "policy-spf", "spawn", asuser=self.asuser)
        self.connection = Connection()
        self.addCleanup(self.connection.close)
        protocol = SpawnService(self.host, line.split()).factory().buildProtocol(None)  # type: ignore[arg-type]
        assert protocol is not None
        protocol.makeConnection(self.connection)  # type: ignore[arg-type]

    def test_command(self) -> None:
        """SP-1: the connection is the command's; nothing is read here; it is closed when the command has ended."""
        self.start("user=nobody argv=/usr/bin/policyd-spf /etc/conf")
        nobody = pwd.getpwnam("nobody")
        ((who, request, fd),) = self.asuser.started
        self.assertEqual(
            (who, list(request.argv)), (Identity(nobody.pw_uid, nobody.pw_gid), ["/usr/bin/policyd-spf", "/etc/conf"])
        )
        self.assertEqual((request.time_limit, fd), (3600.0, self.connection.fileno()))
        self.assertEqual(self.connection.calls, ["pauseProducing"])
        os.set_blocking(fd, True)
        self.asuser.end.callback(CommandResult(3, b""))
        self.assertEqual(self.connection.calls, ["pauseProducing", "resumeProducing", "loseConnection"])
        self.assertFalse(os.get_blocking(fd))
        self.assertEqual(self.host.log.lines, ["warning: command /usr/bin/policyd-spf exit status 3"])

    def test_refused(self) -> None:
        """SP-1: root is refused, and the connection closed."""
        self.start("user=root argv=/bin/x")
        self.assertEqual(self.asuser.started, [])
        self.assertIn("specifies root privileges", self.host.log.lines[0])
        self.assertIn("loseConnection", self.connection.calls)

    def test_arguments(self) -> None:
        """SP-1: user= and argv= only."""
        self.assertEqual(parse(["user=a:b", "argv=/x", "{ y  z }"]).argv, ["/x", "y  z"])
        for words in (["argv=/x"], ["user=a"], ["user=a", "flags=R", "argv=/x"], []):
            self.assertRaises(ArgumentError, parse, words)
