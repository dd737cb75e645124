"""proxymap and proxywrite: one process opens a table for all (LK-12, NP-9, PX-1).

`remote` is false where the tables are this process's own: there `proxy:` means nothing. Names are without `proxy:`; one
that proxy_read_maps, or proxy_write_maps, does not list is TableMisconfigured. Errback: TableError.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred


class ITableProxy(Protocol):
    remote: bool

    def lookup(self, name: str, flags: int, key: bytes, writable: bool = False) -> Deferred[bytes | None]:
        """`writable`: of a table that is opened for updates, as caches are."""

    def update(self, name: str, flags: int, key: bytes, value: bytes) -> Deferred[None]: ...
    def delete(self, name: str, flags: int, key: bytes) -> Deferred[bool]: ...
    def items(self, name: str, flags: int) -> Deferred[list[tuple[bytes, bytes]]]:
        """All keys and values of a table that is opened for updates."""
