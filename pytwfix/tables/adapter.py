"""From a driver that answers at once, or blocks, to a table that answers by a Deferred (contracts/tables.py).

What is in memory or mapped into it answers by `succeed`; a driver that may block runs in the host's threads.
"""

from __future__ import annotations

from collections.abc import Iterator

from twisted.internet.defer import Deferred, fail, succeed

from pytwfix.contracts.host import IThreads
from pytwfix.contracts.tables import TableError
from pytwfix.tables.driver import Driver, TableBusy


class Table:
    """ITable and IWritableTable over a driver. `get` is the driver's, for callers that may not wait: only where
    `blocking` is false."""

    __slots__ = ("_threads", "blocking", "driver", "fixed", "get", "name")

    def __init__(self, driver: Driver, threads: IThreads) -> None:
        self.driver = driver
        self.name = driver.name
        self.fixed = driver.fixed
        self.blocking = driver.blocking
        self.get = driver.get
        self._threads = threads

    def lookup(self, key: bytes) -> Deferred[bytes | None]:
        """The value of `key`, or None. Errback: TableError."""
        if self.blocking:
            return self._threads.run(self.get, key)
        try:
            return succeed(self.get(key))
        except TableBusy:
            return self._threads.run(self.driver.get_waiting, key)
        except TableError as error:
            return fail(error)

    def update(self, key: bytes, value: bytes) -> Deferred[None]:
        return self._threads.run(self.driver.put, key, value)

    def delete(self, key: bytes) -> Deferred[bool]:
        return self._threads.run(self.driver.drop, key)

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        return self.driver.items()

    def close(self) -> None:
        self.driver.close()
