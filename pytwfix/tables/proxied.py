"""proxy:type:name whose answers come from another process (LK-12, NP-9).

`ask` is ITableProxy of that process. As a member of unionmap and the like the table is a driver that blocks: its thread
waits for the reactor's. Alone it is a `ProxyTable`, which needs no thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from pytwfix.contracts.tables import TableError, TableUnavailable
from pytwfix.tables.adapter import Table
from pytwfix.tables.driver import Driver, TableContext

if TYPE_CHECKING:
    from pytwfix.contracts.host import IThreads
    from pytwfix.contracts.proxying import ITableProxy

T = TypeVar("T")
PATIENCE = 3600.0  # seconds: the other process answers, or its end is noticed, long before


class Proxied(Driver):
    """`inner` says what kind of table it is; it is never asked."""

    blocking = True

    def __init__(
        self,
        context: TableContext,
        inner: Driver,
        ask: ITableProxy,
        in_reactor: Callable[[Callable[[], None]], object],
        writable: bool = False,
    ) -> None:
        self.fixed = inner.fixed
        super().__init__(context, "proxy", inner.name, inner.flags)
        self.writable = writable
        self.remote = ask
        self._in_reactor = in_reactor

    def ask(self, key: bytes) -> Deferred[bytes | None]:
        """In the reactor's thread."""
        return _table_errors(self.name, self.remote.lookup(self.rest, self.flags, key, self.writable))

    def find(self, key: bytes) -> bytes | None:
        return self.get(key)

    def get(self, key: bytes) -> bytes | None:
        return self._await(lambda: self.ask(key))

    def put(self, key: bytes, value: bytes) -> None:
        self._await(lambda: self.remote.update(self.rest, self.flags, key, value))

    def drop(self, key: bytes) -> bool:
        return self._await(lambda: self.remote.delete(self.rest, self.flags, key))

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        found: list[tuple[bytes, bytes]] = self._await(lambda: self.remote.items(self.rest, self.flags))
        return iter(found)

    def _await(self, call: Callable[[], Deferred[T]]) -> T:
        """From another thread than the reactor's."""
        done = threading.Event()
        results: list[Any] = []

        def tell(result: Any) -> None:
            results.append(result)
            done.set()

        def begin() -> None:
            _table_errors(self.name, call()).addBoth(tell)

        self._in_reactor(begin)
        if not done.wait(PATIENCE):
            raise TableUnavailable(self.name, "no answer")
        if isinstance(results[0], Failure):
            results[0].raiseException()
        answer: T = results[0]
        return answer


class ProxyTable(Table):
    """ITable and IWritableTable, without threads."""

    __slots__ = ()
    driver: Proxied

    def __init__(self, driver: Proxied, threads: IThreads) -> None:
        super().__init__(driver, threads)

    def lookup(self, key: bytes) -> Deferred[bytes | None]:
        return self.driver.ask(key)

    def update(self, key: bytes, value: bytes) -> Deferred[None]:
        driver = self.driver
        return _table_errors(self.name, driver.remote.update(driver.rest, driver.flags, key, value))

    def delete(self, key: bytes) -> Deferred[bool]:
        driver = self.driver
        return _table_errors(self.name, driver.remote.delete(driver.rest, driver.flags, key))


def _table_errors(name: str, answer: Deferred[T]) -> Deferred[T]:
    """The other process may have gone: that is TableUnavailable too."""

    def failed(failure: Failure) -> Failure:
        if failure.check(TableError):
            return failure
        return Failure(TableUnavailable(name, f"proxymap: {failure.getErrorMessage()}"))

    return answer.addErrback(failed)
