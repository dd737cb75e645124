"""Which mail waits for which site (FL-1): for `postqueue -s` and ETRN, without reading the whole deferred queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred


class IFlusher(Protocol):
    """Logs of queue IDs, for the sites in fast_flush_domains alone."""

    def add(self, site: str, queue_id: str) -> None:
        """A message was deferred, and `site` is the domain of one of its recipients. Other sites are ignored."""

    def take(self, site: str) -> Deferred[list[str]]:
        """The messages that wait for a site; its log is empty afterwards. ValueError: no log is kept for it."""
