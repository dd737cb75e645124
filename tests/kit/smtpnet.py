"""A network in memory with SMTP servers on it: a Clock that connects, and a server that says what a test wants."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone, ConnectionRefusedError
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.python.failure import Failure

Reply = bytes | None | Callable[["SmtpServer"], Any]
EHLO = b"250-mx.dest.example\r\n250-PIPELINING\r\n250-SIZE 1000000\r\n250-DSN\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n"


class SmtpServer(Protocol):
    """Speaks SMTP by rule: `replies` by the beginning of a command, the longest that fits; None is silence from then.

    "." stands for the end of data, "greeting" for the greeting. A callable is called with the server.
    """

    transport: Any

    def __init__(self, **replies: Reply) -> None:
        self.replies: dict[str, Reply] = {
            "greeting": b"220 mx.dest.example ESMTP\r\n",
            "EHLO": EHLO,
            "LHLO": EHLO,
            "HELO": b"250 mx.dest.example\r\n",
            "MAIL": b"250 2.1.0 Ok\r\n",
            "RCPT": b"250 2.1.5 Ok\r\n",
            "DATA": b"354 go on\r\n",
            "RSET": b"250 2.0.0 Ok\r\n",
            "QUIT": b"221 2.0.0 Bye\r\n",
            "XFORWARD": b"250 2.0.0 Ok\r\n",
            ".": b"250 2.0.0 Ok: queued as 4711\r\n",
        }
        self.replies.update(replies)
        self.commands: list[bytes] = []
        self.mails: list[bytes] = []
        self.writes: list[bytes] = []
        self.gone = False
        self._buffer = b""
        self.in_data = False
        self._silent = False

    def rules(self, replies: dict[str, Reply]) -> SmtpServer:
        self.replies.update(replies)
        return self

    def connectionMade(self) -> None:
        self.gone = self.in_data = False
        self._buffer = b""
        self._say("greeting")

    def connectionLost(self, reason: Failure = Failure(ConnectionDone())) -> None:  # noqa: B008
        self.gone = True

    def dataReceived(self, data: bytes) -> None:
        self.writes.append(data)
        self._buffer += data
        while self._buffer and not self.gone:
            if self.in_data:
                if not self._content():
                    return
            else:
                line, end, rest = self._buffer.partition(b"\r\n")
                if not end:
                    return
                self._buffer = rest
                self._command(line)

    def _content(self) -> bool:
        whole = b"\r\n" + self._buffer
        content, end, rest = whole.partition(b"\r\n.\r\n")
        if not end:
            return False
        self._buffer, self.in_data = rest, False
        self.mails.append(content[2:] + b"\r\n" if content else b"")
        self._say(".")
        return True

    def _command(self, line: bytes) -> None:
        self.commands.append(line)
        text = line.decode("utf-8", "replace")
        found = [key for key in self.replies if text.upper().startswith(key.upper()) and key != "."]
        if not found:
            self.transport.write(b"500 5.5.2 what\r\n")
            return
        key = max(found, key=len)
        self._say(key)

    def _say(self, key: str) -> None:
        reply = self.replies[key]
        self._silent = self._silent or reply is None
        if self._silent:
            return
        if callable(reply):
            reply = reply(self)
        if isinstance(reply, bytes):
            if key == "DATA" and reply.startswith(b"3"):
                self.in_data = True
            self.transport.write(reply)
            if key == "QUIT":
                self.transport.loseConnection()

    def hang_up(self, _server: Any = None) -> None:
        """For a rule: close without a word."""
        self.gone = True
        self.transport.abortConnection()


class _Side:
    """One end of a connection in memory."""

    def __init__(self, net: MemoryNet, host: str, port: int) -> None:
        self._net = net
        self.peer: _Side
        self.protocol: Any = None
        self.closed = False
        self.address = IPv4Address("TCP", host, port)
        self.producer: Any = None

    def write(self, data: bytes) -> None:
        if not self.closed:
            self._net.later(self.peer.arrive, data)

    def writeSequence(self, data: list[bytes]) -> None:
        self.write(b"".join(data))

    def arrive(self, data: bytes) -> None:
        if not self.closed:
            self.protocol.dataReceived(data)

    def loseConnection(self) -> None:
        self._net.later(self.shut)

    abortConnection = loseConnection

    def shut(self) -> None:
        for side in (self, self.peer):
            if not side.closed:
                side.closed = True
                side.protocol.connectionLost(Failure(ConnectionDone()))

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        self.producer = producer

    def unregisterProducer(self) -> None:
        self.producer = None

    def getPeer(self) -> IPv4Address:
        return self.address

    getHost = getPeer


class MemoryNet(Clock):
    """The reactor of a host in memory. `servers` by (address, port) or path: what makes a protocol, or an error."""

    def __init__(self) -> None:
        super().__init__()
        self.servers: dict[Any, Callable[[], Protocol] | Exception | None] = {}
        self.made: list[Any] = []  # every server protocol, in order
        self.asked: list[Any] = []  # every place that was connected to
        self.bound: list[Any] = []

    def later(self, function: Callable[..., Any], *args: Any) -> None:
        self.callLater(0, function, *args)

    def settle(self) -> None:
        """Everything that is under way arrives."""
        while any(call.getTime() <= self.seconds() for call in self.getDelayedCalls()):
            self.advance(0)

    def connectTCP(self, host: str, port: int, factory: Any, timeout: Any = 30, bindAddress: Any = None) -> None:
        self.bound.append(bindAddress)
        self._connect((host, port), host, port, factory)

    def connectUNIX(self, address: str, factory: Any, timeout: Any = 30) -> None:
        self._connect(address, address, 0, factory)

    def _connect(self, key: Any, host: str, port: int, factory: Any) -> None:
        self.asked.append(key)
        made = self.servers.get(key, ConnectionRefusedError(osError=111))
        if made is None:
            return  # nobody ever answers
        if isinstance(made, Exception):
            self.later(factory.clientConnectionFailed, None, Failure(made))
            return
        self.later(self._connected, made, host, port, factory)

    def _connected(self, made: Callable[[], Protocol], host: str, port: int, factory: Any) -> None:
        server, client = made(), factory.buildProtocol(None)
        self.made.append(server)
        here, there = _Side(self, host, port), _Side(self, host, port)
        here.peer, there.peer = there, here
        here.protocol, there.protocol = client, server
        client.makeConnection(here)
        server.makeConnection(there)
