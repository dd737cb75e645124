"""A connection over which much is sent, as fast as the other side takes it and no faster."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import Protocol
from zope.interface import implementer


@implementer(IPushProducer)
class Outflow(Protocol):
    """`gone` once the connection is lost; await `room` before writing more."""

    transport: Any = None

    def __init__(self) -> None:
        self.gone = False
        self._blocked: Deferred[None] | None = None

    def connectionMade(self) -> None:
        self.transport.registerProducer(self, True)

    def connectionLost(self, reason: Any = None) -> None:
        self.gone = True
        self.resumeProducing()

    def room(self) -> Deferred[None]:
        """Fires when the other side has read most of what was sent, or has gone."""
        return succeed(None) if self._blocked is None else self._blocked

    def write(self, data: bytes) -> None:
        if not self.gone:
            self.transport.write(data)

    def finish(self) -> None:
        """Hang up when all is sent."""
        if not self.gone:
            self.transport.unregisterProducer()
            self.transport.loseConnection()

    # From the transport.

    def pauseProducing(self) -> None:
        if self._blocked is None and not self.gone:
            self._blocked = Deferred()

    def resumeProducing(self) -> None:
        blocked, self._blocked = self._blocked, None
        if blocked is not None:
            blocked.callback(None)

    def stopProducing(self) -> None:
        """connectionLost says it."""
