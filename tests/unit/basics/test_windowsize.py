"""tcp_windowsize on a socket."""

from __future__ import annotations

import socket

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.basics.windowsize import set_window
from pytwfix.master.sockets import Place, bind


class WindowTests(SynchronousTestCase):
    def test_sizes(self) -> None:
        """SV-8: both buffers, as the kernel doubles them; 0 is the system's choice, and UNIX sockets have none."""
        with socket.socket() as one, socket.socket() as other, socket.socket(socket.AF_UNIX) as local:
            before = other.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
            set_window(one, 16384)
            set_window(other, 0)
            set_window(local, 16384)
            for option in socket.SO_RCVBUF, socket.SO_SNDBUF:
                self.assertEqual(32768, one.getsockopt(socket.SOL_SOCKET, option))
            self.assertEqual(before, other.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF))

    def test_listening(self) -> None:
        """A connection that is accepted has the listening socket's."""
        with bind(Place("x/inet", socket.AF_INET, "127.0.0.1"), 8192) as made:
            self.assertEqual(16384, made.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF))
