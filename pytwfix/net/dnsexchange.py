"""One question to one name server: a datagram from a port of its own, or a TCP connection (RFC 1035 4.2, RFC 5452).

The kernel chooses the port at random and, as the socket is connected, takes datagrams of that server alone; what does
not answer the very question is ignored, and the wait goes on. Errback: NoReply.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.protocol import ClientFactory, DatagramProtocol, Protocol, connectionDone
from twisted.python.failure import Failure

if TYPE_CHECKING:
    from twisted.internet.interfaces import IAddress, IConnector, IDelayedCall

    from pytwfix.net.dnsconfig import Server
    from pytwfix.net.dnswire import Question


class NoReply(Exception):
    """The server did not answer; `timed_out` tells silence from a refusal."""

    def __init__(self, text: str, timed_out: bool = False) -> None:
        super().__init__(text)
        self.timed_out = timed_out


class Wait:
    """One answer or one failure, before the time is up."""

    def __init__(self, reactor: Any, question: Question, timeout: float) -> None:
        self.done: Deferred[bytes] = Deferred(lambda _done: self._end())
        self.question = question
        self._open = True
        self._timer: IDelayedCall | None = reactor.callLater(timeout, self._expired)

    def answer(self, data: bytes) -> None:
        if self._open and self.question.answered_by(data):
            self._end()
            self.done.callback(data)

    def fail(self, text: str, timed_out: bool = False) -> None:
        if self._open:
            self._end()
            self.done.errback(NoReply(text, timed_out))

    def _expired(self) -> None:
        self._timer = None
        self.fail("timed out", True)

    def _end(self) -> None:
        self._open = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.close()

    def close(self) -> None:
        """Let go of the socket."""


class _Datagram(Wait, DatagramProtocol):
    noisy = False

    def __init__(self, reactor: Any, server: Server, question: Question, timeout: float) -> None:
        super().__init__(reactor, question, timeout)
        self._server = server
        self._stopped = False

    def startProtocol(self) -> None:
        transport: Any = self.transport
        transport.connect(*self._server)
        try:
            transport.write(self.question.wire)
        except OSError as error:
            self.fail(error.strerror or str(error))

    def datagramReceived(self, data: bytes, addr: Any) -> None:
        self.answer(data)

    def connectionRefused(self) -> None:
        self.fail("connection refused")

    def stopProtocol(self) -> None:
        # With epoll a refusal is the end of the port.
        self._stopped = True
        self.fail("connection refused")

    def close(self) -> None:
        if self.transport is not None and not self._stopped:
            self.transport.stopListening()  # type: ignore[attr-defined]


class _Stream(Protocol):
    """Length, message."""

    def __init__(self, wait: _Connection) -> None:
        self._wait = wait
        self._data = b""

    def connectionMade(self) -> None:
        wire = self._wait.question.wire
        assert self.transport is not None
        self.transport.write(struct.pack("!H", len(wire)) + wire)

    def dataReceived(self, data: bytes) -> None:
        self._data += data
        while len(self._data) >= 2:
            end = 2 + (self._data[0] << 8 | self._data[1])
            if len(self._data) < end:
                return
            message, self._data = self._data[2:end], self._data[end:]
            self._wait.answer(message)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._wait.fail("connection closed")


class _Connection(Wait, ClientFactory):
    noisy = False

    def __init__(self, reactor: Any, server: Server, question: Question, timeout: float) -> None:
        super().__init__(reactor, question, timeout)
        self._connector: IConnector = reactor.connectTCP(server.address, server.port, self, timeout)

    def buildProtocol(self, addr: IAddress | None) -> Protocol:
        return _Stream(self)

    def clientConnectionFailed(self, connector: IConnector, reason: Failure) -> None:
        self.fail(reason.getErrorMessage())

    def close(self) -> None:
        self._connector.disconnect()


def ask_datagram(reactor: Any, server: Server, question: Question, timeout: float) -> Deferred[bytes]:
    """Fires with the answer's bytes."""
    wait = _Datagram(reactor, server, question, timeout)
    try:
        reactor.listenUDP(0, wait, interface="::" if ":" in server.address else "", maxPacketSize=65535)
    except (CannotListenError, OSError) as error:
        wait.fail(str(error))
    return wait.done


def ask_stream(reactor: Any, server: Server, question: Question, timeout: float) -> Deferred[bytes]:
    """The same over TCP: for answers that are too large for a datagram."""
    return _Connection(reactor, server, question, timeout).done
