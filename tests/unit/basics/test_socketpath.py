"""Local sockets with long names."""

from __future__ import annotations

import os
import socket

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.basics.socketpath import reachable


class SocketPaths(SynchronousTestCase):
    def test_short(self) -> None:
        with reachable("/tmp/s") as name:
            self.assertEqual(name, "/tmp/s")

    def test_long(self) -> None:
        """MA-11: a queue directory may lie deep."""
        folder = os.path.abspath(self.mktemp()) + "/" + "d" * 120
        os.makedirs(folder)
        path = folder + "/socket"
        server, client = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
        self.addCleanup(server.close)
        self.addCleanup(client.close)
        with reachable(path) as name:
            server.bind(name)
        server.listen(1)
        self.assertTrue(os.path.exists(path))
        with reachable(path) as name:
            client.connect(name)

    def test_no_folder(self) -> None:
        with self.assertRaises(FileNotFoundError), reachable("/nonexistent/" + "d" * 120):
            pass
