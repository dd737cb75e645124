"""tlsmgr: TLS sessions of the client side, shared (TM-1, TL-5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred


class ITlsSessions(Protocol):
    def lookup(self, cache: str, key: str) -> Deferred[bytes | None]: ...
    def update(self, cache: str, key: str, session: bytes) -> None: ...
    def delete(self, cache: str, key: str) -> None: ...
