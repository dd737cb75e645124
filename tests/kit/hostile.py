"""Next hops that misbehave: a server whose every step can be told to say something else, nothing, or goodbye.

A script is a dict of a step to what happens there: bytes to be sent, DROP, RESET, STALL, or a function of the session.
Steps are `banner`, the verbs, `content` (after its first line) and `end` (after the dot). What a script does not name
goes as it should. A list is for one time each; its last one stays.
"""

from __future__ import annotations

import contextlib
import socket
import socketserver
import ssl
import struct
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

DROP, RESET, STALL = "drop", "reset", "stall"
Action = bytes | str | Callable[["Session"], None]
Script = Mapping[str, Action | list[Action]]
_STALL = 30.0  # seconds: longer than anybody waits
USUAL: Script = {
    "banner": b"220 hostile.example ESMTP\r\n",
    "EHLO": b"250-hostile.example\r\n250-PIPELINING\r\n250-SIZE 10000000\r\n250 8BITMIME\r\n",
    "HELO": b"250 hostile.example\r\n",
    "LHLO": b"250-hostile.example\r\n250 PIPELINING\r\n",
    "MAIL": b"250 2.1.0 Ok\r\n",
    "RCPT": b"250 2.1.5 Ok\r\n",
    "DATA": b"354 go\r\n",
    "end": b"250 2.0.0 Ok: queued as 1\r\n",
    "RSET": b"250 2.0.0 Ok\r\n",
    "QUIT": b"221 2.0.0 Bye\r\n",
}


class Hostile:
    """One server on a port of loopback. `commands` are all lines that came, the content aside."""

    def __init__(self, script: Script, address: str = "127.0.0.1", port: int = 0) -> None:
        self.script = {**USUAL, **script}
        self.commands: list[str] = []
        self.mails = 0
        self.sessions = 0
        self._server = _Server((address, port), self)
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], hostile: Hostile) -> None:
        self.hostile = hostile
        super().__init__(address, _Handler)


class _Handler(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        self.server.hostile.sessions += 1
        session = Session(self.server.hostile, self.request)
        with contextlib.suppress(OSError, EOFError):
            session.run()


class Session:
    """One connection; `connection` is another one once TLS has begun."""

    def __init__(self, hostile: Hostile, connection: socket.socket) -> None:
        self.hostile = hostile
        self.connection: Any = connection
        self._buffer = b""
        self._times: dict[str, int] = {}

    def run(self) -> None:
        self.connection.settimeout(_STALL)
        self.step("banner")
        while True:
            line = self.line()
            self.hostile.commands.append(line.decode("utf-8", "replace"))
            verb = line.split(None, 1)[0].upper().decode("ascii", "replace") if line.split() else ""
            self.step(verb)
            if verb == "DATA" and self._goes_on():
                self._content()
            if verb == "QUIT":
                return

    def _goes_on(self) -> bool:
        said = self._said("DATA", self._times["DATA"] - 1)
        return isinstance(said, bytes) and said.startswith(b"354")

    def _content(self) -> None:
        self.line()
        self.step("content")
        while self.line() != b".":
            pass
        self.hostile.mails += 1
        self.step("end")

    def line(self) -> bytes:
        while b"\n" not in self._buffer:
            data = self.connection.recv(65536)
            if not data:
                raise EOFError
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.rstrip(b"\r")

    def _said(self, step: str, time: int) -> Action | None:
        action = self.hostile.script.get(step)
        if isinstance(action, list):
            return action[min(time, len(action) - 1)]
        return action

    def step(self, name: str) -> None:
        time_of = self._times.get(name, 0)
        self._times[name] = time_of + 1
        action = self._said(name, time_of)
        if action is None:
            if name != "content":
                self.say(b"500 5.5.2 what\r\n")
        elif isinstance(action, bytes):
            self.say(action)
        elif action == STALL:
            time.sleep(_STALL)
            raise EOFError
        elif action in (DROP, RESET):
            self.end(action == RESET)
        else:
            assert not isinstance(action, str)
            action(self)

    def say(self, data: bytes) -> None:
        self.connection.sendall(data)

    def end(self, reset: bool = False) -> None:
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        else:
            self.connection.shutdown(socket.SHUT_RDWR)
        raise EOFError

    def start_tls(self, context: ssl.SSLContext) -> None:
        self.connection = context.wrap_socket(self.connection, server_side=True)
        self.connection.settimeout(_STALL)
        self._buffer = b""
