"""Packets to and from one filter, over a socket (MI-1).

Every wait has a time limit. ConnectionError, with the words that the log has, for whatever ends it.
"""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Any

from twisted.internet import tcp, unix
from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.defer import Deferred, fail
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.error import ConnectError, ConnectionRefusedError, DNSLookupError, TimeoutError
from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import ClientFactory, Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from pytwfix.basics.deadline import Deadline
from pytwfix.basics.sending import send_at_once
from pytwfix.basics.tasks import fired
from pytwfix.dialogs.milter import CONTINUE, PROGRESS, MilterError, Packets

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytwfix.contracts.host import IHost
    from pytwfix.net.milter.filters import Filter

TIMED_OUT = "Connection timed out"
LOST = "Connection lost"
_GOODBYE = 10.0


class FilterGone(Exception):
    """The filter hung up, or does not answer."""


@implementer(IPushProducer)
class MilterConnection(Protocol):
    """One request at a time: `send`, then `packet` for each answer; or `exchange` for those of which nothing is
    expected but to go on. Also the producer that the transport slows down."""

    def __init__(self, host: IHost, made: Callable[[MilterConnection], None]) -> None:
        self._made = made
        self._packets = Packets()
        self._left: list[bytes] = []  # what is said after a `continue`, the next one last
        self._seconds = 0.0  # the time for each of them
        self.said = 0  # requests of the last exchange
        self._waiting: Deferred[bytes] | None = None
        self._blocked: Deferred[None] | None = None
        self._limit = Deadline(host, self._timed_out)
        self._lost = ""
        self._heard = False  # since we last said something
        self._tcp: Any = None
        self._direct = False  # bytes may go straight to the socket
        self._quick = False  # the kernel can be asked to acknowledge at once

    def connectionMade(self) -> None:
        self._tcp = self.transport
        self._direct = type(self._tcp) in (tcp.Client, unix.Client)
        self._quick = type(self._tcp) is tcp.Client and hasattr(socket, "TCP_QUICKACK")
        set_no_delay = getattr(self._tcp, "setTcpNoDelay", None)
        if set_no_delay is not None:
            set_no_delay(True)
        self._tcp.registerProducer(self, True)
        self._made(self)

    def send(self, data: bytes, timeout: float) -> Deferred[None] | None:
        """A Deferred when the filter is slow to take it: wait before more is sent. Errback: FilterGone."""
        if self._lost:
            return None  # `packet` says so
        self._heard = False
        if self._direct and self._blocked is None:
            data = send_at_once(self._tcp, data)
        if data:
            self._tcp.write(data)
        if self._blocked is not None:
            self._limit.set(timeout)
        return self._blocked

    def packet(self, timeout: float) -> Deferred[bytes]:
        """The next one. Errback: MilterError, FilterGone."""
        try:
            found = self._next()
        except MilterError:
            return fail(Failure())
        if found is not None:
            return fired(found)
        if self._lost:
            return fail(FilterGone(self._lost))
        if self._heard:
            self._acknowledge()
        waiting: Deferred[bytes] = Deferred()
        self._waiting = waiting
        self._limit.set(timeout)
        return waiting

    def exchange(self, requests: list[bytes], timeout: float) -> Deferred[bytes]:
        """Say these one after the other, each when the one before was answered by `continue`: the first other answer,
        or the last one; `said` tells how far it came. Errback as `packet`. (A filter hears of each header field, and to
        wake a coroutine for each would cost more than all else that is done for it.)"""
        self._left = requests[:0:-1]
        self._seconds = timeout
        self.said = 1
        self.send(requests[0], timeout)  # what the filter is slow to take is waited for with its answer
        return self.packet(timeout)

    def _next(self) -> bytes | None:
        """The next answer that an exchange does not deal with. MilterError."""
        found = self._packets.next()
        while found is not None and self._left:
            if found == CONTINUE:
                self.said += 1
                self.send(self._left.pop(), self._seconds)
            elif found[:1] != PROGRESS:
                self._left = []
                break
            self._limit.set(self._seconds)
            found = self._packets.next()
        return found

    def _acknowledge(self) -> None:
        """Of an answer in pieces a filter that leaves Nagle's algorithm on sends the first alone, and the rest when the
        kernel has acknowledged it; that takes 40 ms with nothing to send along."""
        if self._quick:
            self._tcp.getHandle().setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    def close(self) -> None:
        """Nothing more is expected. A filter that does not take our last words is cut off."""
        if self._lost or self._tcp is None:
            return
        self._lost = LOST
        self._limit.set(_GOODBYE)
        self._tcp.unregisterProducer()
        self._tcp.loseConnection()

    def abort(self) -> None:
        self._lost = self._lost or LOST
        self._limit.close()
        if self._tcp is not None:
            self._tcp.abortConnection()

    # From Twisted.

    def dataReceived(self, data: bytes) -> None:
        self._heard = True
        self._packets.receive(data)
        waiting = self._waiting
        if waiting is None:
            return
        try:
            found = self._next()
        except MilterError:
            self._waiting = None
            self._limit.clear()
            waiting.errback(Failure())
            return
        if found is not None:
            self._waiting = None
            self._limit.clear()
            waiting.callback(found)
        elif self._heard:
            self._acknowledge()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._end(LOST)

    def pauseProducing(self) -> None:
        if self._blocked is None and not self._lost:
            self._blocked = Deferred()

    def resumeProducing(self) -> None:
        blocked, self._blocked = self._blocked, None
        if blocked is not None:
            if self._waiting is None:
                self._limit.clear()
            blocked.callback(None)

    def stopProducing(self) -> None:
        """connectionLost says it all."""

    def _timed_out(self) -> None:
        self._end(TIMED_OUT)
        self._tcp.abortConnection()

    def _end(self, why: str) -> None:
        self._lost = self._lost or why
        self._limit.close()
        waiting, self._waiting = self._waiting, None
        blocked, self._blocked = self._blocked, None
        for one in (blocked, waiting):
            if one is not None:
                one.errback(FilterGone(self._lost))


class _Dial(ClientFactory):
    """One attempt; `made` fires with the connection, or errs with FilterGone and the system's words for it."""

    noisy = False

    def __init__(self, host: IHost, timeout: float) -> None:
        self.made: Deferred[MilterConnection] = Deferred()
        self._host = host
        # Whoever connects has a time limit of his own, but a name server that does not answer is not under it.
        self._timer = host.call_later(timeout, self._too_late)

    def buildProtocol(self, addr: object) -> MilterConnection:
        return MilterConnection(self._host, self._connected)

    def _connected(self, connection: MilterConnection) -> None:
        if self.made.called:
            connection.abort()
            return
        self._timer.cancel()
        self.made.callback(connection)

    def clientConnectionFailed(self, connector: object, reason: Failure) -> None:
        self.failed(reason)

    def failed(self, reason: Failure) -> None:
        if not self.made.called:
            self._timer.cancel()
            self.made.errback(FilterGone(_words(reason.value)))

    def _too_late(self) -> None:
        self.made.errback(FilterGone(TIMED_OUT))


def connect(host: IHost, to: Filter) -> Deferred[MilterConnection]:
    """Errback: FilterGone with the system's words for it. OSError: nobody knows the name of the port."""
    reactor, timeout = host.reactor, to.connect_timeout
    port = 0
    if to.kind != "unix":
        port = int(to.port) if to.port.isdecimal() else socket.getservbyname(to.port, "tcp")
    dial = _Dial(host, timeout)
    if to.kind == "unix":
        directory = host.parameter("queue_directory") or ""
        reactor.connectUNIX(to.host if to.host.startswith("/") else f"{directory}/{to.host}", dial, timeout)
    elif isIPAddress(to.host) or isIPv6Address(to.host):
        reactor.connectTCP(to.host, port, dial, timeout)
    else:
        endpoint: Any = HostnameEndpoint(reactor, to.host, port, timeout=timeout)
        endpoint.connect(dial).addErrback(dial.failed)
    return dial.made


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
