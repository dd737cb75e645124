"""Answers and failures until their time is over (RFC 1035, RFC 2308): bounded, oldest forgotten first. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytwfix.contracts.dns import Answer, DnsError

    Outcome = Answer | DnsError

LONGEST = 86400  # seconds that an answer is kept at most
LONGEST_FAILURE = 3600


class Cache:
    """Keys are (name in lower case, type)."""

    __slots__ = ("_clock", "_items", "_most")

    def __init__(self, clock: Callable[[], float], most: int = 20000) -> None:
        self._clock = clock
        self._most = most
        self._items: dict[tuple[str, str], tuple[float, Outcome]] = {}

    def get(self, key: tuple[str, str]) -> Outcome | None:
        item = self._items.get(key)
        if item is None:
            return None
        if item[0] <= self._clock():
            del self._items[key]
            return None
        return item[1]

    def put(self, key: tuple[str, str], outcome: Outcome, ttl: int) -> None:
        if ttl <= 0:
            return
        items = self._items
        items.pop(key, None)
        if len(items) >= self._most:
            self._shrink()
        items[key] = (self._clock() + ttl, outcome)

    def _shrink(self) -> None:
        """Drop what is over; if that is little, the oldest tenth too."""
        items, now = self._items, self._clock()
        for key in [key for key, item in items.items() if item[0] <= now]:
            del items[key]
        surplus = len(items) - self._most * 9 // 10
        for key in list(items)[: max(surplus, 0)]:
            del items[key]

    def clear(self) -> None:
        self._items.clear()
