"""One step after another when a step may be done at once or later: no Deferred for what is done at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    Waiting = Deferred[None] | None
else:
    Waiting = Any


def after(waiting: Waiting, step: Callable[[], Waiting]) -> Waiting:
    """`step` now, or when `waiting` has fired."""
    if waiting is None:
        return step()
    return waiting.addCallback(lambda _: step())


def settled(waiting: Deferred[None]) -> Waiting:
    """None for a Deferred that has fired without a failure: nobody needs to wait for it."""
    return None if waiting.called and getattr(waiting, "result", waiting) is None else waiting
