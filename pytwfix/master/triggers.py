"""public/pickup, public/qmgr, public/showq: what other programs know of Postfix's sockets (MA-8, MA-11).

A trigger is one byte, or several, and the end: `W` wake up; to the queue manager also `I` incoming, `D` deferred, `F`
flush, `A` all (QM-10).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.protocol import Factory, Protocol

from pytwfix.master import showqsocket

if TYPE_CHECKING:
    from pytwfix.master.host import ServiceHost

_LIMIT = 64
_PATIENCE = 10.0


class Trigger(Protocol):
    """Reads a few bytes and acts at once."""

    transport: Any = None

    def __init__(self, act: Any, call_later: Any) -> None:
        self._act = act
        self._call_later = call_later
        self._seen = 0
        self._timer: Any = None

    def connectionMade(self) -> None:
        self._timer = self._call_later(_PATIENCE, self.transport.abortConnection)

    def dataReceived(self, data: bytes) -> None:
        self._seen += len(data)
        self._act(data)
        if self._seen > _LIMIT:
            self.transport.abortConnection()

    def connectionLost(self, reason: Any = None) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()


def trigger_factory(host: ServiceHost, service: Any) -> IProtocolFactory | None:
    """What serves a socket of pickup, qmgr or showq; None for a program that has none."""
    if host.program in ("qmgr", "oqmgr"):
        act = _queue(host, service)
    elif host.program == "pickup":
        act = lambda _data: service.trigger()  # noqa: E731
    elif host.program == "showq":
        return showqsocket.factory(host)  # type: ignore[no-any-return]
    else:
        return None
    factory: Any = Factory()
    factory.noisy = False
    factory.buildProtocol = lambda _address: Trigger(act, host.call_later)
    return factory  # type: ignore[no-any-return]


def _queue(host: ServiceHost, service: Any) -> Any:
    def act(data: bytes) -> None:
        if b"F" in data:
            host.background(service.flush(), "flush of the queue")
        elif data.strip(b"\0"):
            service.trigger(b"I" in data or b"A" in data, b"D" in data or b"A" in data)

    return act
