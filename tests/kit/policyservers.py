"""Policy services: one that answers as a test says, Debian's postgrey, and policyd-spf for spawn (SD-40)."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import socketserver
import subprocess
import tempfile
import threading
from collections.abc import Callable
from typing import Any

from twisted.trial.unittest import SkipTest

from tests.kit.waiting import free_port, listens, wait_for

Request = dict[str, str]
STALL, HANGUP = "(no answer)", "(hang up)"


class ScriptedPolicy:
    """Answers each request with `answer(request)`: an action, STALL or HANGUP. `requests` are those that came."""

    def __init__(self, answer: Callable[[Request], str], path: str = "") -> None:
        self.answer = answer
        self.requests: list[Request] = []
        self.connections = 0
        self.port = 0 if path else free_port()
        self._path = path
        self._open: set[socket.socket] = set()
        self._server: socketserver.BaseServer | None = None
        self.start()

    def start(self) -> None:
        """Listen, on the same place as before."""
        where: Any = self._path or ("127.0.0.1", self.port)
        if self._path and os.path.exists(self._path):
            os.unlink(self._path)
        kind: Any = _UnixServer if self._path else _TcpServer
        self._server = kind(where, lambda connection, *rest: self._serve(connection))
        if self._path:
            os.chmod(self._path, 0o666)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Listen no more, and hang up on everybody."""
        server, self._server = self._server, None
        if server is None:
            return
        server.shutdown()
        server.server_close()
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        wait_for(lambda: not self._open or None)

    def of(self, sender: str) -> list[Request]:
        return [request for request in self.requests if request["sender"] == sender]

    def _serve(self, connection: socket.socket) -> None:
        self.connections += 1
        self._open.add(connection)
        try:
            with connection.makefile("rb") as stream:
                while request := _request(stream):
                    self.requests.append(request)
                    action = self.answer(request)
                    if action == HANGUP:
                        return
                    if action != STALL:
                        connection.sendall(f"action={action}\n\n".encode())
        except OSError:
            pass
        finally:
            self._open.discard(connection)
            connection.close()


def _request(stream: Any) -> Request:
    out: Request = {}
    while (line := stream.readline().decode().rstrip("\n")) != "":
        name, _, value = line.partition("=")
        out[name] = value
    return out


class _TcpServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


class _UnixServer(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


class Postgrey:
    """Greylisting with a delay of one second; `name` is what main.cf calls it. SkipTest where it is not installed."""

    def __init__(self) -> None:
        program = shutil.which("postgrey", path="/usr/sbin:/usr/bin:/sbin")
        try:
            account = pwd.getpwnam("postgrey")
        except KeyError:
            program = None
        if program is None or os.geteuid() != 0:
            raise SkipTest("needs root and postgrey")
        self._folder = tempfile.mkdtemp(prefix="pytwfix-postgrey-")
        os.chown(self._folder, account.pw_uid, account.pw_gid)
        port = free_port()
        self.name = f"inet:127.0.0.1:{port}"
        argv = [program, f"--inet=127.0.0.1:{port}", f"--dbdir={self._folder}", f"--pidfile={self._folder}/pid"]
        argv += ["--delay=1", "--auto-whitelist-clients=0"]
        self._child = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(lambda: listens(port))

    def close(self) -> None:
        self._child.terminate()
        self._child.wait(10)
        shutil.rmtree(self._folder, ignore_errors=True)


def policyd_spf(service: str) -> str:
    """A line of master.cf that spawns it. SkipTest where it is not installed."""
    program = shutil.which("policyd-spf")
    if program is None:
        raise SkipTest("policyd-spf is not installed")
    return f"{service} unix - n n - 0 spawn user=nobody argv={program} @CONFIG@/spf.conf"
