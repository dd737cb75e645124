"""Connections that smtpd makes: to policy services, authentication servers, a filter (SD-40, SD-41, SD-48).

`unix:path` (below queue_directory unless it starts with "/"), `inet:host:port`, or a bare one of either. Both the
connection and each wait on it have a time limit; ValueError for what is no endpoint.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.endpoints import HostnameEndpoint, UNIXClientEndpoint
from twisted.internet.error import TimeoutError as Expired
from twisted.internet.error import UserError
from twisted.internet.protocol import Factory, Protocol

from pytwfix.basics.hostport import parse_hostport

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from pytwfix.contracts.host import IHost

    P = TypeVar("P", bound=Protocol)
    T = TypeVar("T")


class Endpoint:
    """Where to connect. `text` is what main.cf says, for the log."""

    __slots__ = ("_host", "_name", "_path", "_port", "text")

    def __init__(self, host: IHost, text: str, local: bool = False) -> None:
        """`local`: what has no kind is a path."""
        self._host = host
        self.text = text
        self._path = self._name = ""
        self._port = 0
        kind, colon, rest = text.partition(":")
        if kind == "unix" and colon:
            self._path = self._absolute(rest)
        elif local and kind != "inet":
            self._path = self._absolute(text)
        else:
            found = parse_hostport(rest if kind == "inet" and colon else text, "localhost")
            self._name, self._port = found.host, _number(found.port)

    def _absolute(self, path: str) -> str:
        if not path:
            raise ValueError(f"no path in {self.text}")
        return path if path.startswith("/") else f"{self._host.parameter('queue_directory') or ''}/{path}"

    def connect(self, make: Callable[[], P], seconds: float) -> Deferred[P]:
        """A connection with a new protocol. Errback: as Twisted's endpoints, or TimeoutError."""
        factory: Any = Factory.forProtocol(make)  # type: ignore[arg-type]
        factory.noisy = False
        reactor = self._host.reactor
        end: Any
        if self._path:
            end = UNIXClientEndpoint(reactor, self._path, timeout=seconds)
        else:
            end = HostnameEndpoint(reactor, self._name, self._port, timeout=seconds)
        connecting: Deferred[P] = end.connect(factory)
        return limited(self._host, connecting, seconds)


def limited(host: IHost, waiting: Deferred[T], seconds: float) -> Deferred[T]:
    """The same Deferred, which fails with TimeoutError when it takes longer."""
    timer = host.call_later(seconds, waiting.cancel)

    def done(result: Any) -> Any:
        if timer.active():
            timer.cancel()
        elif getattr(result, "check", None) is not None and result.check(CancelledError):
            raise TimeoutError("timeout")
        return result

    return waiting.addBoth(done)


def _number(port: str) -> int:
    if not port.isdecimal():
        import socket

        try:
            return socket.getservbyname(port, "tcp")
        except OSError:
            raise ValueError(f"unknown service: {port}") from None
    return int(port)


def because(error: Exception) -> str:
    """A failure in the words of the C library, as Postfix logs it."""
    if isinstance(error, (CancelledError, TimeoutError, Expired, UserError)):  # our own time limit
        return "Connection timed out"
    number = getattr(error, "osError", None) or getattr(error, "errno", None)
    return os.strerror(number) if isinstance(number, int) else str(error) or type(error).__name__
