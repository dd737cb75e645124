"""Try again while a mailbox is locked by somebody else (LO-4: deliver_lock_attempts, deliver_lock_delay).

The waiting is done on the asking side, by a timer, so that neither a thread nor a user's helper process is held. What
we write to one mailbox ourselves is written in turn: our deliveries do not lock each other out, and keep their order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, DeferredLock

from pytwfix.contracts.asuser import AsUserError, MailboxWrite


class Attempts:
    """All writes of a process; `call_later` is the reactor's."""

    def __init__(self, call_later: Callable[..., Any]) -> None:
        self._call_later = call_later
        self._turns: dict[str, DeferredLock] = {}

    def write(self, once: Callable[[], Deferred[int]], request: MailboxWrite) -> Deferred[int]:
        """`once` until it is done, fails for another reason than a lock, or was tried `lock_attempts` times."""
        if request.path.endswith("/"):
            return once()  # a Maildir has no locks
        return Deferred.fromCoroutine(self._write(once, request))

    async def _write(self, once: Callable[[], Deferred[int]], request: MailboxWrite) -> int:
        for left in range(max(1, request.lock_attempts) - 1, -1, -1):
            try:
                return await self._in_turn(once, request.path)
            except AsUserError as error:
                if error.kind != "locked" or not left:
                    raise
                await pause(request.lock_delay, self._call_later)
        raise AssertionError("unreachable")

    async def _in_turn(self, once: Callable[[], Deferred[int]], path: str) -> int:
        turn = self._turns.get(path)
        if turn is None:
            turn = self._turns[path] = DeferredLock()
        try:
            return await turn.run(once)
        finally:
            if not turn.locked:
                self._turns.pop(path, None)


def pause(seconds: float, call_later: Callable[..., Any]) -> Deferred[None]:
    """Fires after `seconds`."""
    waiting: Deferred[None] = Deferred()
    call_later(seconds, waiting.callback, None)
    return waiting
