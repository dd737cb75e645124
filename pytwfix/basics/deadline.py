"""A time limit that moves with every request, on one delayed call.

The call is left alone as long as it comes early enough: it looks at the clock then. To cancel and make one for each
request costs more than all else that waits for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from twisted.internet.interfaces import IDelayedCall


class IClock(Protocol):
    """As much of a host as tells the time."""

    def monotonic(self) -> float: ...
    def call_later(self, seconds: float, function: Callable[..., Any], *args: Any) -> IDelayedCall: ...


class Deadline:
    """`expired` is called when the time is up; a limit that was cleared, or moved on, never is."""

    __slots__ = ("_clock", "_due", "_expired", "_timer", "_until")

    def __init__(self, clock: IClock, expired: Callable[[], None]) -> None:
        self._clock = clock
        self._expired = expired
        self._timer: IDelayedCall | None = None
        self._due = 0.0  # when the call comes
        self._until: float | None = None

    def set(self, seconds: float) -> None:
        """So long from now."""
        until = self._until = self._clock.monotonic() + seconds
        if self._timer is None:
            self._due = until
            self._timer = self._clock.call_later(seconds, self._tick)
        elif until < self._due:
            self._due = until
            self._timer.reset(seconds)

    def clear(self) -> None:
        """No limit, until the next one is set."""
        self._until = None

    def close(self) -> None:
        """No limit any more."""
        self._until = None
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _tick(self) -> None:
        self._timer = None
        until = self._until
        if until is None:
            return
        left = until - self._clock.monotonic()
        if left > 0:
            self._due = until
            self._timer = self._clock.call_later(left, self._tick)
        else:
            self._until = None
            self._expired()
