"""Taking messages from incoming/ and deferred/, one of each in turns (INVENTORY QM-2, QM-3, SC-2, SC-8).

There is one scan at a time. It waits while the active queue is full, and now and then for a turn of the reactor. What
is asked for while a queue is scanned is done when that is over. Of deferred/ only files whose time has come are taken,
unless all were asked for.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING

from pytwfix.contracts.queue import DEFERRED, INCOMING, QueueEntry
from pytwfix.qmgr.turns import pause

if TYPE_CHECKING:
    from pytwfix.contracts.host import IHost
    from pytwfix.qmgr.active import Active

_TOGETHER = 10  # messages that are taken in one turn of the reactor
_SKIPPED = 500  # files that are passed over in one turn
Admit = Callable[[str, str, bool], Awaitable[bool]]


class _Queue:
    """What was asked for of one queue, and how far its scan is."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.wanted = False
        self.all = False  # whatever its time
        self.flushed = False
        self.entries: AsyncIterator[QueueEntry] | None = None
        self.takes_all = self.is_flushed = False  # of the scan under way

    def ask(self, everything: bool, flushed: bool) -> None:
        self.wanted = True
        self.all = self.all or everything
        self.flushed = self.flushed or flushed


class Scanner:
    """See the module. `admit` takes one message, told its queue, its ID and whether it was asked for."""

    def __init__(self, host: IHost, active: Active, admit: Admit) -> None:
        self._host = host
        self._active = active
        self._admit = admit
        self._incoming = _Queue(INCOMING)
        self._deferred = _Queue(DEFERRED)
        self._running = False
        self._stopped = False
        self._taken = self._skipped = 0

    def request(
        self, incoming: bool = False, deferred: bool = False, everything: bool = False, flushed: bool = False
    ) -> None:
        """Scan these queues. `everything`: also what is not due yet; `flushed`: because somebody asked for it."""
        if incoming:
            self._incoming.ask(everything, flushed)
        if deferred:
            self._deferred.ask(everything, flushed)
        if not self._running and not self._stopped:
            self._running = True
            self._host.background(self._run(), "queue scan")

    def stop(self) -> None:
        self._stopped = True

    async def _run(self) -> None:
        try:
            while not self._stopped:
                took = await self._step(self._incoming)
                took = await self._step(self._deferred) or took
                if not took and not self._incoming.wanted and not self._deferred.wanted:
                    return
        finally:
            self._running = False

    async def _step(self, queue: _Queue) -> bool:
        """Take one message of a queue; False when there is none."""
        if queue.entries is None:
            if not queue.wanted:
                return False
            queue.takes_all, queue.is_flushed = queue.all, queue.flushed
            queue.wanted = queue.all = queue.flushed = False
            queue.entries = aiter(self._host.peers.store.scan(queue.name))
        await self._active.room()
        entry = await self._next(queue)
        if entry is None or self._stopped:
            queue.entries = None
            return False
        await self._admit(queue.name, entry.queue_id, queue.is_flushed)
        self._taken += 1
        if self._taken >= _TOGETHER:
            self._taken = 0
            await pause(self._host)
        return True

    async def _next(self, queue: _Queue) -> QueueEntry | None:
        """The next file that is due."""
        assert queue.entries is not None
        async for entry in queue.entries:
            if queue.name == INCOMING or queue.takes_all or entry.mtime <= self._host.now():
                return entry
            self._skipped += 1
            if self._skipped >= _SKIPPED:
                self._skipped = 0
                await pause(self._host)
        return None
