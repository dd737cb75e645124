"""The clients that a server has: counted against its process limit, told when it stops, waited for (HOUSE 3)."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytwfix.contracts.host import IHost


class Stoppable(Protocol):
    """A connection. `stop` lets it end when it comes to rest."""

    def stop(self) -> None: ...


class Sessions:
    """`what` names a session in the log, should one fail. Whoever begins one has asked `host.connected`."""

    def __init__(self, host: IHost, what: str) -> None:
        self._host = host
        self._what = what
        self._wires: set[Stoppable] = set()
        self._stopped: Deferred[None] | None = None

    def begin(self, wire: Stoppable, run: Callable[[], Awaitable[None]]) -> None:
        """A session over a connection that stands."""
        self._wires.add(wire)
        self._host.background(self._run(wire, run), self._what)

    async def _run(self, wire: Stoppable, run: Callable[[], Awaitable[None]]) -> None:
        try:
            await run()
        finally:
            self._wires.discard(wire)
            self._host.disconnected()
            stopped = self._stopped
            if stopped is not None and not self._wires:
                self._stopped = None
                stopped.callback(None)

    def stop(self) -> Deferred[None] | None:
        """Fires when the last has gone; None when there is none."""
        if not self._wires:
            return None
        stopped = self._stopped = Deferred()
        for wire in list(self._wires):
            wire.stop()
        return stopped


class Connections(Factory):
    """`connection` makes the protocol for a new client, or None to turn it away."""

    noisy = False

    def __init__(self, connection: Callable[[], Any]) -> None:
        self._connection = connection

    def buildProtocol(self, addr: IAddress | None) -> Any:
        return self._connection()
