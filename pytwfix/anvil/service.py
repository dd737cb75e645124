"""Counts of connections and events for each service and client (AN-1).

A client's counts start anew with each time unit; an entry is forgotten when it has no connection and its time unit is
over. Everything answers at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.application.service import Service
from twisted.internet.defer import Deferred

from pytwfix.anvil import log
from pytwfix.anvil.settings import AnvilSettings
from pytwfix.basics.tasks import fired
from pytwfix.contracts import counters

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall

    from pytwfix.contracts.host import IHost

_CONNECT = "connection"
_KINDS = (_CONNECT, counters.MESSAGE, counters.RECIPIENT, counters.NEWTLS, counters.AUTH)


class _Client:
    """`rates` of this time unit, which began at `since`."""

    __slots__ = ("at_once", "rates", "since")

    def __init__(self, now: float) -> None:
        self.at_once = 0
        self.since = now
        self.rates: dict[str, int] = {}


class AnvilService(Service):
    """ICounters."""

    def __init__(self, host: IHost) -> None:
        self._host = host
        self._clients: dict[str, _Client] = {}
        self._most: dict[str, tuple[int, str, float]] = {}  # kind -> count, ident, when
        self._most_at_once = (0, "", 0.0)
        self._most_clients = (0, 0.0)
        self._status: IDelayedCall | None = None
        self._sweep: IDelayedCall | None = None
        self._unit = 60
        self._update = 600

    def startService(self) -> None:
        super().startService()
        self._bind()
        self._status = self._host.call_later(self._update, self._report)
        self._sweep = self._host.call_later(self._unit, self._forget)

    def stopService(self) -> None:
        super().stopService()
        for call in (self._status, self._sweep):
            if call is not None and call.active():
                call.cancel()
        self._statistics()

    def _bind(self) -> None:
        cfg = self._host.settings(AnvilSettings)
        self._unit = cfg.anvil_rate_time_unit
        self._update = cfg.anvil_status_update_time

    # ICounters.

    def connect(self, service: str, client: str) -> Deferred[tuple[int, int]]:
        """Count a connection; (connections at once, connections in this time unit)."""
        ident = f"{service}:{client}"
        entry = self._entry(ident)
        entry.at_once += 1
        if entry.at_once > self._most_at_once[0]:
            self._most_at_once = (entry.at_once, ident, self._host.now())
        return fired((entry.at_once, self._count(entry, ident, _CONNECT)))

    def disconnect(self, service: str, client: str) -> None:
        entry = self._clients.get(f"{service}:{client}")
        if entry is not None and entry.at_once:
            entry.at_once -= 1

    def event(self, service: str, client: str, kind: str) -> Deferred[int]:
        """Count an event; its number in this time unit."""
        ident = f"{service}:{client}"
        return fired(self._count(self._entry(ident), ident, kind))

    def peek(self, service: str, client: str, kind: str) -> Deferred[int]:
        entry = self._clients.get(f"{service}:{client}")
        if entry is None or self._host.monotonic() - entry.since >= self._unit:
            return fired(0)
        return fired(entry.rates.get(kind, 0))

    def _entry(self, ident: str) -> _Client:
        now = self._host.monotonic()
        entry = self._clients.get(ident)
        if entry is None:
            entry = self._clients[ident] = _Client(now)
            if len(self._clients) > self._most_clients[0]:
                self._most_clients = (len(self._clients), self._host.now())
        elif now - entry.since >= self._unit:
            entry.since = now
            entry.rates.clear()
        return entry

    def _count(self, entry: _Client, ident: str, kind: str) -> int:
        count = entry.rates[kind] = entry.rates.get(kind, 0) + 1
        most = self._most.get(kind)
        if most is None or count > most[0]:
            self._most[kind] = (count, ident, self._host.now())
        return count

    # Now and then.

    def _forget(self) -> None:
        now = self._host.monotonic()
        old = [name for name, entry in self._clients.items() if not entry.at_once and now - entry.since >= self._unit]
        for name in old:
            del self._clients[name]
        self._bind()
        self._sweep = self._host.call_later(self._unit, self._forget)

    def _report(self) -> None:
        self._statistics()
        self._status = self._host.call_later(self._update, self._report)

    def _statistics(self) -> None:
        """The peaks since the last report; silent when there were none."""
        out = self._host.log
        for kind in _KINDS:
            most = self._most.get(kind)
            if most is not None:
                log.rate(out, kind, most[0], self._unit, most[1], most[2])
            if kind == _CONNECT and self._most_at_once[0]:
                log.at_once(out, *self._most_at_once)
        if self._most_clients[0]:
            log.cache(out, *self._most_clients)
        self._most.clear()
        self._most_at_once = (0, "", 0.0)
        self._most_clients = (0, 0.0)
