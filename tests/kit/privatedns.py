"""A name server that some processes see as the only one: a mount namespace of their own with another resolv.conf.

It answers on port 53 of a loopback address that nobody else uses, so that a real Postfix can be asked the same as we.
"""

from __future__ import annotations

import os
import random
import shutil
import socket
import socketserver
import struct
import tempfile
import threading
from typing import Any

from twisted.trial.unittest import SkipTest

from tests.kit.nameserver import NameServer, Zone


class PrivateDns:
    """`prefix` is what a command is started with to ask it. SkipTest where that cannot be done."""

    def __init__(self, zone: Zone) -> None:
        if os.geteuid() != 0 or not shutil.which("unshare"):
            raise SkipTest("a name server for some processes alone needs root and unshare")
        self.server = NameServer(zone)
        self._servers = self._listen()
        for server in self._servers:
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        self._folder = tempfile.TemporaryDirectory(prefix="pytwfix-dns-")
        os.chmod(self._folder.name, 0o755)
        path = f"{self._folder.name}/resolv.conf"
        with open(path, "w", encoding="ascii") as file:
            file.write(f"nameserver {self.address}\noptions timeout:2 attempts:1\n")
        script = f'mount --bind {path} /etc/resolv.conf && exec "$0" "$@"'
        self.prefix = ["unshare", "-m", "sh", "-c", script]

    def _listen(self) -> list[socketserver.BaseServer]:
        for _ in range(20):
            self.address = f"127.{random.randrange(2, 250)}.{random.randrange(250)}.{random.randrange(1, 250)}"
            try:
                datagrams = _Datagrams((self.address, 53), self.server)
            except OSError as error:
                reason = error
                continue
            return [datagrams, _Streams((self.address, 53), self.server)]
        raise SkipTest(f"no port 53 for a name server: {reason}")

    def close(self) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()
        self._folder.cleanup()


class _Datagrams(socketserver.ThreadingUDPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], names: NameServer) -> None:
        self.names = names
        super().__init__(address, _Datagram)


class _Datagram(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        server: Any = self.server
        data, replies = self.request
        for answer in server.names.answers(data, "udp"):
            replies.sendto(answer, self.client_address)


class _Streams(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], names: NameServer) -> None:
        self.names = names
        super().__init__(address, _Stream)


class _Stream(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        server: Any = self.server
        connection: socket.socket = self.request
        while head := self.rfile.read(2):
            data = self.rfile.read(struct.unpack("!H", head)[0])
            for answer in server.names.answers(data, "tcp"):
                connection.sendall(struct.pack("!H", len(answer)) + answer)
