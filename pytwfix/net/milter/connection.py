"""Packets to and from one filter, over a socket (MI-1).

Every wait has a time limit. ConnectionError, with the words that the log has, for whatever ends it.
"""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Any

from twisted.internet import tcp, unix
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.endpoints import HostnameEndpoint, TCP4ClientEndpoint, TCP6ClientEndpoint, UNIXClientEndpoint
from twisted.internet.error import ConnectError, ConnectionRefusedError, DNSLookupError, TimeoutError
from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from pytwfix.basics.sending import send_at_once
from pytwfix.dialogs.milter import MilterError, Packets

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall

    from pytwfix.contracts.host import IHost
    from pytwfix.net.milter.filters import Filter

TIMED_OUT = "Connection timed out"
LOST = "Connection lost"
_GOODBYE = 10.0


class FilterGone(Exception):
    """The filter hung up, or does not answer."""


@implementer(IPushProducer)
class MilterConnection(Protocol):
    """One request at a time: `send`, then `packet` for each answer. Also the producer that the transport slows down."""

    def __init__(self, host: IHost) -> None:
        self._host = host
        self._packets = Packets()
        self._waiting: Deferred[bytes] | None = None
        self._blocked: Deferred[None] | None = None
        self._timer: IDelayedCall | None = None
        self._lost = ""
        self._tcp: Any = None
        self._direct = False  # bytes may go straight to the socket

    def connectionMade(self) -> None:
        self._tcp = self.transport
        self._direct = type(self._tcp) in (tcp.Client, unix.Client)
        set_no_delay = getattr(self._tcp, "setTcpNoDelay", None)
        if set_no_delay is not None:
            set_no_delay(True)
        self._tcp.registerProducer(self, True)

    def send(self, data: bytes, timeout: float) -> Deferred[None] | None:
        """A Deferred when the filter is slow to take it: wait before more is sent. Errback: FilterGone."""
        if self._lost:
            return None  # `packet` says so
        if self._direct and self._blocked is None:
            data = send_at_once(self._tcp, data)
        if data:
            self._tcp.write(data)
        if self._blocked is not None:
            self._limit(timeout)
        return self._blocked

    def packet(self, timeout: float) -> Deferred[bytes]:
        """The next one. Errback: MilterError, FilterGone."""
        try:
            found = self._packets.next()
        except MilterError:
            return fail(Failure())
        if found is not None:
            return succeed(found)
        if self._lost:
            return fail(FilterGone(self._lost))
        waiting: Deferred[bytes] = Deferred()
        self._waiting = waiting
        self._limit(timeout)
        return waiting

    def close(self) -> None:
        """Nothing more is expected. A filter that does not take our last words is cut off."""
        if self._lost or self._tcp is None:
            return
        self._lost = LOST
        self._limit(_GOODBYE)
        self._tcp.unregisterProducer()
        self._tcp.loseConnection()

    def abort(self) -> None:
        self._lost = self._lost or LOST
        self._no_limit()
        if self._tcp is not None:
            self._tcp.abortConnection()

    # From Twisted.

    def dataReceived(self, data: bytes) -> None:
        self._packets.receive(data)
        waiting = self._waiting
        if waiting is None:
            return
        try:
            found = self._packets.next()
        except MilterError:
            self._waiting = None
            self._no_limit()
            waiting.errback(Failure())
            return
        if found is not None:
            self._waiting = None
            self._no_limit()
            waiting.callback(found)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._end(LOST)

    def pauseProducing(self) -> None:
        if self._blocked is None and not self._lost:
            self._blocked = Deferred()

    def resumeProducing(self) -> None:
        blocked, self._blocked = self._blocked, None
        if blocked is not None:
            if self._waiting is None:
                self._no_limit()
            blocked.callback(None)

    def stopProducing(self) -> None:
        """connectionLost says it all."""

    # Time limits.

    def _limit(self, seconds: float) -> None:
        self._no_limit()
        self._timer = self._host.call_later(seconds, self._timed_out)

    def _no_limit(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None

    def _timed_out(self) -> None:
        self._timer = None
        self._end(TIMED_OUT)
        self._tcp.abortConnection()

    def _end(self, why: str) -> None:
        self._lost = self._lost or why
        self._no_limit()
        waiting, self._waiting = self._waiting, None
        blocked, self._blocked = self._blocked, None
        for one in (blocked, waiting):
            if one is not None:
                one.errback(FilterGone(self._lost))


def connect(host: IHost, to: Filter) -> Deferred[MilterConnection]:
    """Errback: FilterGone with the system's words for it."""
    factory: Any = Factory.forProtocol(lambda: MilterConnection(host))  # type: ignore[arg-type]
    factory.noisy = False
    made: Deferred[MilterConnection] = Deferred()
    # Endpoints have time limits of their own, but a name server that does not answer is not under them.
    timer = host.call_later(to.connect_timeout, lambda: made.errback(FilterGone(TIMED_OUT)))

    def connected(connection: MilterConnection) -> None:
        if made.called:
            connection.abort()
            return
        timer.cancel()
        made.callback(connection)

    def failed(failure: Failure) -> None:
        if not made.called:
            timer.cancel()
            made.errback(FilterGone(_words(failure.value)))

    connecting: Any = _endpoint(host, to).connect(factory)
    connecting.addCallbacks(connected, failed)
    return made


def _endpoint(host: IHost, to: Filter) -> Any:
    reactor, timeout = host.reactor, to.connect_timeout
    if to.kind == "unix":
        directory = host.parameter("queue_directory") or ""
        path = to.host if to.host.startswith("/") else f"{directory}/{to.host}"
        return UNIXClientEndpoint(reactor, path, timeout=timeout)
    port = int(to.port) if to.port.isdecimal() else socket.getservbyname(to.port, "tcp")
    try:
        socket.inet_pton(socket.AF_INET6 if ":" in to.host else socket.AF_INET, to.host)
    except OSError:
        return HostnameEndpoint(reactor, to.host, port, timeout=timeout)
    kind = TCP6ClientEndpoint if ":" in to.host else TCP4ClientEndpoint
    return kind(reactor, to.host, port, timeout=timeout)


def _words(error: BaseException | None) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "Connection refused"
    if isinstance(error, TimeoutError):
        return TIMED_OUT
    if isinstance(error, DNSLookupError):
        return "host not found"
    if isinstance(error, ConnectError) and isinstance(error.osError, int):
        return os.strerror(error.osError)
    number = getattr(error, "errno", None) or getattr(getattr(error, "osError", None), "errno", None)
    return os.strerror(number) if isinstance(number, int) else str(error)
