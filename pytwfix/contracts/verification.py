"""Address verification (VE-1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

OK, DEFER, BOUNCE, TODO = 0, 1, 2, 3


class Verified(NamedTuple):
    status: int
    text: str


class IVerifier(Protocol):
    def query(self, address: bytes) -> Deferred[Verified]:
        """What is known; starts a probe when nothing is, or when it is time to refresh."""

    def update(self, address: bytes, status: int, text: str) -> Deferred[None]:
        """A probe's outcome, from a delivery agent."""
