"""A mail server that keeps what it is sent: SMTP or LMTP, on a port or a UNIX socket, with or without STARTTLS.

By a recipient's local part: `perm...` and `temp...` are refused at RCPT, `dataperm...` and `datatemp...` after the
end of data, at `drop...` the connection is closed, and `slow...` is answered after a second. A sink that is MOODY
says "not now" to so large a part of all recipients.

    python -m tests.kit.sinks PORT [MOODY]

prints `token digest recipient` for each (see tests/kit/senders.py), and ends when its standard input does.
"""

from __future__ import annotations

import contextlib
import random
import socket
import socketserver
import ssl
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.kit.senders import digest
from tests.kit.waiting import wait_for

EXTENSIONS = ("PIPELINING", "8BITMIME", "SMTPUTF8", "DSN", "SIZE 100000000", "ENHANCEDSTATUSCODES")
TOKEN = b"X-Token: "


@dataclass
class Received:
    """One message as it came: addresses and parameters are text, content has CRLF and no dots added."""

    sender: str
    mail_parameters: str
    hello: str
    tls: bool
    recipients: list[str] = field(default_factory=list)
    parameters: list[str] = field(default_factory=list)
    content: bytes = b""
    forwarded: dict[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return self.content.replace(b"\r\n", b"\n").decode("utf-8", "surrogateescape")

    def token(self) -> bytes:
        """The X-Token field, or nothing."""
        _before, found, after = self.content.partition(TOKEN)
        return after.split(b"\r\n", 1)[0].strip() if found else b""


class Sink:
    """Listens from the start; `close` ends it."""

    def __init__(
        self,
        port: int = 0,
        *,
        path: str = "",
        lmtp: bool = False,
        extensions: Sequence[str] = EXTENSIONS,
        tls: ssl.SSLContext | None = None,
        on_message: Callable[[Received], None] | None = None,
        moody: float = 0.0,
        answer: Callable[[Received], str] | None = None,
    ) -> None:
        self.lmtp = lmtp
        self.moody = moody
        self.answer = answer  # the reply to the end of a mail
        self.tls = tls
        self.extensions = [*extensions, *(["STARTTLS"] if tls else [])]
        self.on_message = on_message
        self.messages: list[Received] = []
        self.commands: list[str] = []
        self.sessions = 0
        self.open: set[socket.socket] = set()
        self._server = _unix_server(path, self) if path else _tcp_server(port, self)
        self.port = 0 if path else int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Listen no more, and hang up on who is connected."""
        self._server.shutdown()
        self._server.server_close()
        for connection in list(self.open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)

    def all(self, token: str) -> list[Received]:
        """Every message that has the token in its content or its envelope."""
        return [one for one in list(self.messages) if _mentions(one, token)]

    def find(self, token: str, seconds: float = 20.0, told: Callable[[], str] | None = None) -> Received:
        """The first message with the token; waits for it."""
        told = told or (lambda: f"no message with {token!r} came")
        return wait_for(lambda: next(iter(self.all(token)), None), told, seconds)

    def recipients(self, token: str) -> list[str]:
        """All recipients of all messages with the token, sorted."""
        return sorted(address for one in self.all(token) for address in one.recipients)

    def keep(self, message: Received) -> None:
        self.messages.append(message)
        if self.on_message:
            self.on_message(message)


def _mentions(message: Received, token: str) -> bool:
    raw = token.encode("utf-8", "surrogateescape")
    return raw in message.content or token in message.sender or any(token in one for one in message.recipients)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that is killed in the middle is what some tests are about."""


class _UnixServer(_Server):
    address_family = socket.AF_UNIX


def _handler(sink: Sink) -> Callable[..., Any]:
    return lambda request, _address, _server: _Session(sink, request).run()


def _tcp_server(port: int, sink: Sink) -> _Server:
    return _Server(("127.0.0.1", port), _handler(sink))  # type: ignore[arg-type]


def _unix_server(path: str, sink: Sink) -> _Server:
    return _UnixServer(path, _handler(sink))  # type: ignore[arg-type]


_REFUSALS = {
    "perm": "550 5.1.1 recipient refused by the sink",
    "temp": "450 4.2.1 recipient deferred by the sink",
}
_LATE_REFUSALS = {
    "dataperm": "554 5.7.1 message refused by the sink",
    "datatemp": "451 4.3.0 message deferred by the sink",
}


def _verdict(address: str, replies: dict[str, str]) -> str | None:
    return next((reply for prefix, reply in replies.items() if address.startswith(prefix)), None)


class _Session:
    """One connection."""

    def __init__(self, sink: Sink, connection: socket.socket) -> None:
        self.sink = sink
        self.connection = connection
        self.reader = connection.makefile("rb")
        self.hello = ""
        self.message: Received | None = None
        self.forwarded: dict[str, str] = {}
        self.secure = False

    def run(self) -> None:
        self.sink.sessions += 1
        self.sink.open.add(self.connection)
        if self.sink.port:
            self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.say("220 sink.example ESMTP")
        try:
            while line := self.reader.readline(70000):
                text = line.rstrip(b"\r\n").decode("utf-8", "surrogateescape")
                self.sink.commands.append(text)
                if not self.command(text):
                    break
        except OSError:
            pass
        finally:
            self.sink.open.discard(self.connection)
            self.reader.close()
            self.connection.close()

    def say(self, *lines: str) -> None:
        self.connection.sendall("".join(line + "\r\n" for line in lines).encode())

    def command(self, text: str) -> bool:
        """False when the session is over."""
        verb = text.split(" ", 1)[0].upper()
        act = getattr(self, "on_" + verb.lower(), None) if verb.isalpha() else None
        if act is None:
            self.say("502 5.5.2 not here")
            return True
        return act(text) is not False

    def on_ehlo(self, text: str) -> None:
        self.hello = text.partition(" ")[2]
        self.message = None
        offered = [one for one in self.sink.extensions if one != "STARTTLS" or not self.secure]
        names = ["sink.example", *offered]
        self.say(*["250-" + one for one in names[:-1]], "250 " + names[-1])

    on_lhlo = on_ehlo

    def on_helo(self, text: str) -> None:
        self.hello = text.partition(" ")[2]
        self.say("250 sink.example")

    def on_starttls(self, _text: str) -> None:
        if self.sink.tls is None or self.secure:
            return self.say("502 5.5.1 not now")
        self.say("220 2.0.0 go on")
        self.reader.close()
        self.sink.open.discard(self.connection)
        self.connection = self.sink.tls.wrap_socket(self.connection, server_side=True)
        self.sink.open.add(self.connection)
        self.reader = self.connection.makefile("rb")
        self.secure = True
        return None

    def on_xforward(self, text: str) -> None:
        for word in text.split(" ")[1:]:
            name, _equals, value = word.partition("=")
            self.forwarded[name] = value
        self.say("250 2.0.0 Ok")

    def on_mail(self, text: str) -> None:
        address, parameters = _split(text)
        self.message = Received(address, parameters, self.hello, self.secure, forwarded=dict(self.forwarded))
        self.say("250 2.1.0 Ok")

    def on_rcpt(self, text: str) -> bool | None:
        address, parameters = _split(text)
        if address.startswith("drop"):
            return False
        if address.startswith("slow"):
            time.sleep(1)
        refusal = _verdict(address, _REFUSALS)
        if random.random() < self.sink.moody:
            refusal = "450 4.2.0 not now"
        if refusal is None and self.message is not None:
            self.message.recipients.append(address)
            self.message.parameters.append(parameters)
        self.say(refusal or "250 2.1.5 Ok")
        return None

    def on_data(self, _text: str) -> bool | None:
        message = self.message
        if message is None or not message.recipients:
            self.say("503 5.5.1 need RCPT")
            return None
        self.say("354 go on")
        content = self._content()
        if content is None:
            return False
        message.content = content
        self.message = None
        verdicts = [_verdict(address, _LATE_REFUSALS) for address in message.recipients]
        replies = [verdict or "250 2.0.0 Ok: sunk" for verdict in verdicts]
        if not self.sink.lmtp:
            replies = replies[:1]
        if self.sink.answer:
            replies = [self.sink.answer(message)]
        if any(reply.startswith("250") for reply in replies):
            self.sink.keep(message)
        self.say(*replies)
        return None

    def _content(self) -> bytes | None:
        lines: list[bytes] = []
        while line := self.reader.readline():
            if line == b".\r\n":
                return b"".join(lines)
            lines.append(line[1:] if line.startswith(b".") else line)
        return None

    def on_rset(self, _text: str) -> None:
        self.message = None
        self.say("250 2.0.0 Ok")

    def on_noop(self, _text: str) -> None:
        self.say("250 2.0.0 Ok")

    def on_quit(self, _text: str) -> bool:
        self.say("221 2.0.0 Bye")
        return False


def _split(text: str) -> tuple[str, str]:
    address, _end, parameters = text.partition("<")[2].partition(">")
    return address, parameters.strip()


def main(port: str, moody: str = "0") -> None:
    """A sink as a process of its own."""
    out = sys.stdout.buffer

    def say(message: Received) -> None:
        told = message.token() + b" " + digest(message.content).encode()
        out.write(b"".join(told + b" " + to.encode() + b"\n" for to in message.recipients))
        out.flush()

    sink = Sink(int(port), on_message=say, moody=float(moody))
    out.write(b"listening %d\n" % sink.port)
    out.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
