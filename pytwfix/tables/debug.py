"""debug:type:name: another table, and a log line for every question to it (LK-12)."""

from __future__ import annotations

from collections.abc import Iterator

from pytwfix.contracts.tables import TableError
from pytwfix.tables.driver import Driver, TableBusy, TableContext


class Debug(Driver):
    def __init__(self, context: TableContext, inner: Driver) -> None:
        super().__init__(context, "debug", inner.name, inner.flags)
        self.fixed = inner.fixed
        self.blocking = inner.blocking
        self._inner = inner

    def get(self, key: bytes) -> bytes | None:
        shown = key.decode("utf-8", "replace")
        try:
            value = self._inner.get(key)
        except TableBusy:
            raise  # it will be asked again
        except TableError:
            self.context.log.info(f'{self._inner.name} lookup: "{shown}" = "error"')
            raise
        answer = "not_found" if value is None else value.decode("utf-8", "replace")
        self.context.log.info(f'{self._inner.name} lookup: "{shown}" = "{answer}"')
        return value

    find = get

    def wait_for_writer(self) -> None:
        self._inner.wait_for_writer()

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        return self._inner.items()

    def update(self, key: bytes, value: bytes) -> None:
        self._inner.put(key, value)

    def delete(self, key: bytes) -> bool:
        return self._inner.drop(key)

    def close(self) -> None:
        self._inner.close()
