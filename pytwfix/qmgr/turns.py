"""Letting others have a turn of the reactor in the middle of long work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

if TYPE_CHECKING:
    from pytwfix.contracts.host import IHost


async def pause(host: IHost, seconds: float = 0) -> None:
    """Go on in another turn."""
    turn: Deferred[None] = Deferred()
    host.call_later(seconds, turn.callback, None)
    await turn
