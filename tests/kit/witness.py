"""A next hop that offers what a test says, takes everything, and keeps what it was told: commands and content of each
mail, by the word in its subject."""

from __future__ import annotations

import contextlib
import re
import socketserver
import threading
from collections.abc import Sequence
from typing import NamedTuple

_KEPT = (b"AUTH", b"XFORWARD")


class Heard(NamedTuple):
    """`commands` from AUTH or MAIL on."""

    commands: list[bytes]
    content: bytes


class Witness:
    """`keywords` are its answer to EHLO; None: it knows HELO alone."""

    def __init__(self, keywords: Sequence[str] | None) -> None:
        self.keywords = keywords
        self.mails: dict[str, Heard] = {}
        self._server = _Server(("127.0.0.1", 0), self)
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def ehlo(self) -> bytes:
        if self.keywords is None:
            return b"500 5.5.1 what\r\n"
        words = ["witness.example", *self.keywords]
        lines = [f"250-{word}\r\n" for word in words[:-1]]
        return "".join([*lines, f"250 {words[-1]}\r\n"]).encode()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], witness: Witness) -> None:
        self.witness = witness
        super().__init__(address, _Handler)


class _Handler(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            self._talk()

    def _talk(self) -> None:
        before: list[bytes] = []
        commands: list[bytes] = []
        self.wfile.write(b"220 witness.example ESMTP\r\n")
        while line := self.rfile.readline():
            verb = line.split()[0].upper() if line.split() else b""
            answer = b"250 2.0.0 Ok\r\n"
            if verb in _KEPT:
                before.append(line)
                answer = b"235 2.7.0 Ok\r\n" if verb == b"AUTH" else answer
            elif verb == b"EHLO":
                answer = self.server.witness.ehlo()
            elif verb == b"MAIL":
                commands = [line]
            elif verb == b"RCPT":
                commands.append(line)
            elif verb == b"DATA":
                self._content([*before, *commands])
                before = []
            self.wfile.write(b"221 2.0.0 Bye\r\n" if verb == b"QUIT" else answer)
            if verb == b"QUIT":
                return

    def _content(self, commands: list[bytes]) -> None:
        self.wfile.write(b"354 go\r\n")
        lines: list[bytes] = []
        while (line := self.rfile.readline()) != b".\r\n":
            if not line:
                raise OSError("cut off")
            lines.append(line)
        content = b"".join(lines)
        subject = re.search(rb"^Subject: (\S+)", content, re.MULTILINE)
        self.server.witness.mails[subject.group(1).decode() if subject else ""] = Heard(commands, content)
