"""How one room finds another: contracts/host.py's IPeers over what this process has, and proxies for the rest.

`Switchboard` is one for each process; `Peers` one for each service, because main.cf may name another cleanup or rewrite
service for it (cleanup_service_name, rewrite_service_name).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytwfix.master.settings import MasterSettings

if TYPE_CHECKING:
    from pytwfix.contracts.delivery import IDeliveryAgent
    from pytwfix.master.host import ServiceHost


class Switchboard:
    """`services` are rooms by their name in master.cf, `one` those of which a process has one, by contract."""

    def __init__(self) -> None:
        self.services: dict[str, Any] = {}
        self.one: dict[str, Any] = {}
        self.agents = Agents()


class Agents:
    """IDeliveryAgents: those of this process, and whoever knows of others."""

    def __init__(self) -> None:
        self.local: dict[str, IDeliveryAgent] = {}
        self.limits: dict[str, int] = {}
        self.remote: Any = None  # IDeliveryAgents of other processes

    def agent(self, transport: str) -> IDeliveryAgent | None:
        found = self.local.get(transport)
        if found is None and self.remote is not None:
            found = self.remote.agent(transport)
        return found

    def limit(self, transport: str) -> int:
        return self.limits.get(transport, 0)


class Peers:
    """IPeers for one service."""

    def __init__(self, board: Switchboard) -> None:
        self._board = board
        self._host: ServiceHost | None = None
        self._names: dict[str, str] = {}
        self._named_by: Any = None  # the snapshot that `_names` are from

    def attach(self, host: ServiceHost) -> None:
        self._host = host

    @property
    def cleanup(self) -> Any:
        return self._named("cleanup_service_name", "cleanup")

    @property
    def rewriter(self) -> Any:
        return self._named("rewrite_service_name", "rewrite")

    def _named(self, parameter: str, usual: str) -> Any:
        services = self._board.services
        host = self._host
        if host is None:
            return services[usual]
        if self._named_by is not host.snapshot:
            self._named_by = host.snapshot
            self._names.clear()
        name = self._names.get(parameter)
        if name is None:
            name = self._names[parameter] = getattr(host.settings(MasterSettings), parameter)
        return services.get(name) or services[usual]

    @property
    def queue(self) -> Any:
        return self._board.one["queue"]

    @property
    def store(self) -> Any:
        return self._board.one["store"]

    @property
    def reports(self) -> Any:
        return self._board.one["reports"]

    @property
    def agents(self) -> Any:
        return self._board.agents

    @property
    def verifier(self) -> Any:
        return self._board.one["verifier"]

    @property
    def counters(self) -> Any:
        return self._board.one["counters"]

    @property
    def tls_sessions(self) -> Any:
        return self._board.one["tls_sessions"]

    @property
    def proxymap(self) -> Any:
        """None in a process that has none and knows of none: it opens its tables itself."""
        return self._board.one.get("proxymap")

    @property
    def flusher(self) -> Any:
        return self._board.one["flusher"]

    @property
    def asuser(self) -> Any:
        return self._board.one["asuser"]

    @property
    def control(self) -> Any:
        return self._board.one["control"]
