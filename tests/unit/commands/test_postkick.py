"""commands/postkick.py."""

from __future__ import annotations

import os
import socket

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.commands import postkick
from tests.kit.commands import CommandQueue

_DOWN = "postkick: warning: Cannot contact class public service it - perhaps the mail system is down\n"


class PostKick(SynchronousTestCase):
    def setUp(self) -> None:
        self.queue = CommandQueue(self.mktemp())
        os.makedirs(f"{self.queue.spool.path}/public", exist_ok=True)
        self.path = f"{self.queue.spool.path}/public/it"

    def kick(self, *words: str) -> tuple[int, str]:
        code, out, said = self.queue.run(postkick.main, *words)
        self.assertEqual(out, "")
        return code, said

    def listen(self) -> socket.socket:
        """A socket of a short name, moved to its place: that may lie too deep for one."""
        found = socket.socket(socket.AF_UNIX)
        self.addCleanup(found.close)
        folder = os.open(os.path.dirname(self.path), os.O_PATH)
        self.addCleanup(os.close, folder)
        found.bind(f"/proc/self/fd/{folder}/it")
        return found

    def test_socket(self) -> None:
        """PK-2, MA-8: the request with a NUL byte behind it, and the end."""
        listener = self.listen()
        listener.listen()
        self.assertEqual(self.kick("public", "it", "WF"), (0, ""))
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as file:
            self.assertEqual(file.read(), b"WF\0")

    def test_fifo(self) -> None:
        """PK-2, MA-11: a service may have a FIFO instead."""
        os.mkfifo(self.path)
        self.assertEqual(self.kick("public", "it", "W"), (1, _DOWN))
        reader = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        self.assertEqual(self.kick("public", "it", "W"), (0, ""))
        self.assertEqual(os.read(reader, 10), b"W\0")

    def test_nobody(self) -> None:
        """PK-2: no such socket, nobody listens, no socket at all."""
        lookup = "postkick: warning: unable to look up public/it: No such file or directory\n"
        self.assertEqual(self.kick("public", "it", "W"), (1, lookup + _DOWN))
        self.listen()
        self.assertEqual(self.kick("public", "it", "W"), (1, _DOWN))
        os.unlink(self.path)
        with open(self.path, "w", encoding="ascii"):
            pass
        self.assertEqual(
            self.kick("public", "it", "W"), (1, "postkick: warning: public/it is not a socket or a fifo\n" + _DOWN)
        )

    def test_usage(self) -> None:
        usage = "postkick: fatal: usage: postkick [-c config_dir] [-v] class service request\n"
        self.assertEqual(self.kick("public"), (1, usage))
        self.assertEqual(self.kick("-Z"), (1, "postkick: invalid option -- 'Z'\n" + usage))
