"""Questions to a name server on this machine, over one socket (RFC 1035 4.2).

A port of its own for each question keeps strangers from guessing an answer (RFC 5452). Nobody but this machine can send
from a loopback address, so that there one port does for all of them: it is opened for the first question, and closed
when no answer has been waited for during `linger` seconds. Each question has an ID that no other one under way has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.protocol import DatagramProtocol

from pytwfix.net.dnsexchange import Wait

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall

    from pytwfix.net.dnsconfig import Server
    from pytwfix.net.dnswire import Question


def is_loopback(address: str) -> bool:
    """Whether what comes from an address comes from this machine."""
    return address.startswith("127.") or address == "::1"


class _Shared(Wait):
    """One question over a socket that others use too."""

    def __init__(self, channel: Channel, question: Question, timeout: float) -> None:
        super().__init__(channel.reactor, question, timeout)
        self._channel = channel

    def close(self) -> None:
        self._channel.done(self.question.ident)


class _Socket(DatagramProtocol):
    """The socket of a channel, until it is closed or refused."""

    noisy = False

    def __init__(self, channel: Channel, server: Server) -> None:
        self._channel = channel
        self._server = server

    def startProtocol(self) -> None:
        transport: Any = self.transport
        transport.connect(*self._server)

    def datagramReceived(self, data: bytes, addr: Any) -> None:
        self._channel.received(data)

    def connectionRefused(self) -> None:
        self._channel.refused(self)

    def stopProtocol(self) -> None:
        # With epoll a refusal is the end of the port.
        self._channel.refused(self)


class Channel:
    """All that is asked of one server."""

    def __init__(self, reactor: Any, server: Server, linger: float) -> None:
        self.reactor = reactor
        self._server = server
        self._linger = linger
        self._waiting: dict[int, _Shared] = {}
        self._idle: IDelayedCall | None = None
        self._socket: _Socket | None = None

    @property
    def busy(self) -> int:
        """Questions under way."""
        return len(self._waiting)

    def under_way(self, ident: int) -> bool:
        """Whether a question has this ID already."""
        return ident in self._waiting

    def ask(self, question: Question, timeout: float) -> Deferred[bytes]:
        """Fires with the answer's bytes. Errback: NoReply."""
        wait = self._waiting[question.ident] = _Shared(self, question, timeout)
        try:
            if self._socket is None:
                self._listen()
            transport: Any = self._socket.transport if self._socket is not None else None
            transport.write(question.wire)
        except (CannotListenError, OSError) as error:
            wait.fail(getattr(error, "strerror", None) or str(error))
        return wait.done

    def _listen(self) -> None:
        interface = "::" if ":" in self._server.address else ""
        made = _Socket(self, self._server)
        self.reactor.listenUDP(0, made, interface=interface, maxPacketSize=65535)
        self._socket = made

    def received(self, data: bytes) -> None:
        """A datagram of the server."""
        wait = self._waiting.get(data[0] << 8 | data[1]) if len(data) > 1 else None
        if wait is not None:
            wait.answer(data)

    def refused(self, which: _Socket) -> None:
        """Nobody listens there; a socket that we have closed ourselves says so too."""
        if which is self._socket:
            self._close()
            for wait in list(self._waiting.values()):
                wait.fail("connection refused")

    def done(self, ident: int) -> None:
        """A question is not under way any more."""
        self._waiting.pop(ident, None)
        if not self._waiting and self._idle is None and self._socket is not None:
            self._idle = self.reactor.callLater(self._linger, self._rest)

    def _rest(self) -> None:
        """Close the socket if nobody waits; who is last calls again."""
        self._idle = None
        if not self._waiting:
            self._close()

    def _close(self) -> None:
        closing, self._socket = self._socket, None
        if closing is not None and closing.transport is not None:
            closing.transport.stopListening()  # type: ignore[attr-defined]
