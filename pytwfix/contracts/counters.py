"""anvil: who does what how often (AN-1, SD-47)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

# Events that are counted by rate.
MESSAGE, RECIPIENT, NEWTLS, AUTH = "message", "recipient", "newtls", "auth"


class ICounters(Protocol):
    """`service` is the smtpd service's name, `client` an address or network prefix. In one process
    answers come at once."""

    def connect(self, service: str, client: str) -> Deferred[tuple[int, int]]:
        """Count a connection; (connections at once, connections in this time unit)."""

    def disconnect(self, service: str, client: str) -> None: ...
    def event(self, service: str, client: str, kind: str) -> Deferred[int]:
        """Count an event; its number in this time unit."""

    def peek(self, service: str, client: str, kind: str) -> Deferred[int]: ...
