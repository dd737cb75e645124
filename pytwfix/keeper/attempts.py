"""Try again while a mailbox is locked by somebody else (LO-4: deliver_lock_attempts, deliver_lock_delay).

The waiting is done on the asking side, by a timer, so that neither a thread nor a user's helper process is held.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred

from pytwfix.contracts.asuser import AsUserError, MailboxWrite


async def write_with_attempts(
    once: Callable[[], Deferred[None]], request: MailboxWrite, call_later: Callable[..., Any]
) -> None:
    """`once` until it is done, fails for another reason than a lock, or was tried `lock_attempts` times."""
    for left in range(max(1, request.lock_attempts) - 1, -1, -1):
        try:
            await once()
        except AsUserError as error:
            if error.kind != "locked" or not left:
                raise
            await pause(request.lock_delay, call_later)
        else:
            return


def pause(seconds: float, call_later: Callable[..., Any]) -> Deferred[None]:
    """Fires after `seconds`."""
    waiting: Deferred[None] = Deferred()
    call_later(seconds, waiting.callback, None)
    return waiting
