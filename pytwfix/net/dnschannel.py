"""Questions to a name server on this machine, over one socket (RFC 1035 4.2).

A port of its own for each question keeps strangers from guessing an answer (RFC 5452). Nobody but this machine can send
from a loopback address, so that there one port does for all of them: it is opened for the first question, and closed
when no answer has been waited for during `linger` seconds. Each question has an ID that no other one under way has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.protocol import DatagramProtocol

from pytwfix.net.dnsexchange import NoReply

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IDelayedCall

    from pytwfix.net.dnsconfig import Server
    from pytwfix.net.dnswire import Question


def is_loopback(address: str) -> bool:
    """Whether what comes from an address comes from this machine."""
    return address.startswith("127.") or address == "::1"


class _Asked(NamedTuple):
    """One question under way: until when, and who is told."""

    question: Question
    until: float
    told: Callable[[bytes | NoReply], None]


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
        self._reactor = reactor
        self._server = server
        self._linger = linger
        self._waiting: dict[int, _Asked] = {}
        self._timer: IDelayedCall | None = None  # one for all questions
        self._due = 0.0  # when it comes
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
        done: Deferred[bytes] = Deferred(lambda _done: self._over(question.ident))

        def told(result: bytes | NoReply) -> None:
            if isinstance(result, NoReply):
                done.errback(result)
            else:
                done.callback(result)

        self.put(question, timeout, told)
        return done

    def put(self, question: Question, timeout: float, told: Callable[[bytes | NoReply], None]) -> None:
        """The same without a Deferred: `told` gets the answer's bytes or NoReply, perhaps before this returns."""
        until = self._reactor.seconds() + timeout
        self._waiting[question.ident] = _Asked(question, until, told)
        if self._timer is None:
            self._due = until
            self._timer = self._reactor.callLater(timeout, self._look)
        elif until < self._due:
            self._due = until
            self._timer.reset(timeout)
        try:
            if self._socket is None:
                self._listen()
            transport: Any = self._socket.transport if self._socket is not None else None
            transport.write(question.wire)
        except (CannotListenError, OSError) as error:
            self._fail(question.ident, getattr(error, "strerror", None) or str(error))

    def _listen(self) -> None:
        interface = "::" if ":" in self._server.address else ""
        made = _Socket(self, self._server)
        self._reactor.listenUDP(0, made, interface=interface, maxPacketSize=65535)
        self._socket = made

    def received(self, data: bytes) -> None:
        """A datagram of the server."""
        asked = self._waiting.get(data[0] << 8 | data[1]) if len(data) > 1 else None
        if asked is not None and asked.question.answered_by(data):
            self._over(asked.question.ident)
            asked.told(data)

    def refused(self, which: _Socket) -> None:
        """Nobody listens there; a socket that we have closed ourselves says so too."""
        if which is self._socket:
            self._close()
            for ident in list(self._waiting):
                self._fail(ident, "connection refused")

    def _fail(self, ident: int, text: str, timed_out: bool = False) -> None:
        asked = self._waiting.get(ident)
        if asked is not None:
            self._over(ident)
            asked.told(NoReply(text, timed_out))

    def _over(self, ident: int) -> None:
        """A question is not under way any more."""
        self._waiting.pop(ident, None)
        if self._waiting:
            return
        if self._socket is None:
            self._no_timer()
        elif self._idle is None:
            self._idle = self._reactor.callLater(self._linger, self._rest)

    def _look(self) -> None:
        """Some time is up: of questions that were answered, mostly."""
        self._timer = None
        now = self._reactor.seconds()
        for ident, asked in list(self._waiting.items()):
            if asked.until <= now:
                self._fail(ident, "timed out", True)
        if self._waiting and self._timer is None:
            self._due = min(asked.until for asked in self._waiting.values())
            self._timer = self._reactor.callLater(self._due - now, self._look)

    def _rest(self) -> None:
        """Close the socket if nobody waits; who is last calls again."""
        self._idle = None
        if not self._waiting:
            self._no_timer()
            self._close()

    def _no_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _close(self) -> None:
        closing, self._socket = self._socket, None
        if closing is not None and closing.transport is not None:
            closing.transport.stopListening()  # type: ignore[attr-defined]
