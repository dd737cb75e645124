"""From a driver that answers at once, or blocks, to a table that answers by a Deferred (contracts/tables.py).

What is in memory or mapped into it answers at once; a driver that may block runs in the host's threads. While a
driver is busy (TableBusy), one thread waits for it on behalf of all questions. A driver that blocks has at most MOST
questions under way, and so a server at most so many connections: one that is slow leaves threads for others.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, fail
from twisted.python.failure import Failure

from pytwfix.basics.tasks import fired
from pytwfix.contracts.host import IThreads
from pytwfix.contracts.tables import TableError, TableUnavailable
from pytwfix.tables.driver import Driver, TableBusy

T = TypeVar("T")
MOST = 8


class Table:
    """ITable and IWritableTable over a driver. `get` is the driver's, for callers that may not wait: only where
    `blocking` is false."""

    __slots__ = ("_queued", "_threads", "_under_way", "_waiting", "blocking", "driver", "fixed", "get", "name")

    def __init__(self, driver: Driver, threads: IThreads) -> None:
        self.driver = driver
        self.name = driver.name
        self.fixed = driver.fixed
        self.blocking = driver.blocking
        self.get = driver.get
        self._threads = threads
        self._under_way = 0
        self._queued: deque[tuple[bytes, Deferred[bytes | None]]] = deque()
        self._waiting: list[tuple[bytes, Deferred[bytes | None]]] | None = None

    def lookup(self, key: bytes) -> Deferred[bytes | None]:
        """The value of `key`, or None. Errback: TableError."""
        if self.blocking:
            return self._in_thread(key)
        try:
            return fired(self.get(key))
        except TableBusy:
            return self._when_free(key)
        except TableError as error:
            return fail(error)

    def _in_thread(self, key: bytes) -> Deferred[bytes | None]:
        if self._under_way >= MOST:
            answer: Deferred[bytes | None] = Deferred()
            self._queued.append((key, answer))
            return answer
        self._under_way += 1
        return self._threads.run(self.driver.get_waiting, key).addBoth(self._next)

    def _next(self, result: T) -> T:
        self._under_way -= 1
        if self._queued:
            key, answer = self._queued.popleft()
            self._in_thread(key).chainDeferred(answer)
        return result

    def _when_free(self, key: bytes) -> Deferred[bytes | None]:
        answer: Deferred[bytes | None] = Deferred()
        if self._waiting is None:
            self._waiting = [(key, answer)]
            self._threads.run(self.driver.wait_for_writer).addBoth(self._free)
        else:
            self._waiting.append((key, answer))
        return answer

    def _free(self, result: Any) -> None:
        waiting, self._waiting = self._waiting or [], None
        for key, answer in waiting:
            if isinstance(result, Failure):
                answer.errback(TableUnavailable(self.name, str(result.value)))
            else:
                self.lookup(key).chainDeferred(answer)

    def update(self, key: bytes, value: bytes) -> Deferred[None]:
        return self._threads.run(self.driver.put, key, value)

    def delete(self, key: bytes) -> Deferred[bool]:
        return self._threads.run(self.driver.drop, key)

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        return self.driver.items()

    def close(self) -> None:
        self.driver.close()
