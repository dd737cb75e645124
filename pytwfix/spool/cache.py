"""Fresh small messages, kept in memory from commit to delivery, so that they need not be read again."""

from __future__ import annotations

from collections import OrderedDict

from pytwfix.mail.envelope import Envelope

LIMIT = 1 << 24  # octets of content
_ENTRY_COST = 2000  # what an envelope takes, about


class FreshMessages:
    """Envelope and content by queue ID; the oldest go first when there are too many."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._total = 0
        self._entries: OrderedDict[str, tuple[Envelope, list[bytes], int]] = OrderedDict()

    def put(self, envelope: Envelope, content: list[bytes]) -> None:
        size = envelope.size + _ENTRY_COST
        self.drop(envelope.queue_id)
        self._entries[envelope.queue_id] = (envelope, content, size)
        self._total += size
        while self._total > self._limit and self._entries:
            self._total -= self._entries.popitem(last=False)[1][2]

    def get(self, queue_id: str) -> tuple[Envelope, list[bytes]] | None:
        entry = self._entries.get(queue_id)
        return None if entry is None else entry[:2]

    def drop(self, queue_id: str) -> None:
        entry = self._entries.pop(queue_id, None)
        if entry is not None:
            self._total -= entry[2]
