"""basics/sending.py, on a real socket."""

from __future__ import annotations

import socket

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.basics.sending import send_at_once, unsent


class _Transport:
    """The part of Twisted's TCP transport that is used."""

    def __init__(self) -> None:
        self.socket, self.peer = socket.socketpair()
        self.socket.setblocking(False)
        self.dataBuffer = b""
        self._tempDataBuffer: list[bytes] = []


class Sending(SynchronousTestCase):
    def setUp(self) -> None:
        self.tcp = _Transport()
        self.addCleanup(self.tcp.socket.close)
        self.addCleanup(self.tcp.peer.close)

    def test_sent(self) -> None:
        self.assertEqual(b"", send_at_once(self.tcp, b"250 ok\r\n"))
        self.assertEqual(b"250 ok\r\n", self.tcp.peer.recv(100))

    def test_behind_others(self) -> None:
        """What waits goes first."""
        for self.tcp.dataBuffer, self.tcp._tempDataBuffer in ((b"first", []), (b"", [b"first"])):
            self.assertTrue(unsent(self.tcp))
            self.assertEqual(b"second", send_at_once(self.tcp, b"second"))

    def test_full(self) -> None:
        """The rest comes back, and all of it once nothing goes."""
        data = bytes(10_000_000)
        rest = send_at_once(self.tcp, data)
        self.assertTrue(0 < len(rest) < len(data))
        self.assertEqual(rest, send_at_once(self.tcp, rest))

    def test_gone(self) -> None:
        """The transport is given it and finds out."""
        self.tcp.socket.close()
        self.assertEqual(b"x", send_at_once(self.tcp, b"x"))
