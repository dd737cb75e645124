"""A search list of tables: `virtual_alias_maps = hash:/a, ldap:/b` (LK-1, LK-2).

The first hit wins; an error aborts the search, is logged and raised; an empty result is an error too. An empty list is
false and cheap: `if not maps: ...` saves the lookup.
"""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.defer import Deferred, fail

from pytwfix.basics.tasks import fired, start
from pytwfix.contracts.host import ILog
from pytwfix.contracts.tables import DEFAULT_FLAGS, ITable, ITables, TableError, TableMisconfigured
from pytwfix.tables.adapter import Table
from pytwfix.tables.driver import TableBusy
from pytwfix.tables.names import split_list


class Maps:
    """`names` is the parameter's value, `title` its name (for the log)."""

    __slots__ = ("_log", "_tables", "direct", "fixed", "title")

    def __init__(
        self, tables: ITables, names: str, title: str, flags: int = DEFAULT_FLAGS, log: ILog | None = None
    ) -> None:
        self._tables: Sequence[ITable] = [tables.open(name, flags) for name in split_list(names)]
        self.title = title
        self.fixed = any(table.fixed for table in self._tables)
        # All answer at once: whole searches may then be made without a Deferred (`get`).
        self.direct = all(isinstance(table, Table) and not table.blocking for table in self._tables)
        context = getattr(tables, "context", None)
        self._log: ILog | None = log or getattr(context, "log", None)

    def __bool__(self) -> bool:
        return bool(self._tables)

    def lookup(self, key: bytes, partial: bool = False) -> Deferred[bytes | None]:
        """The first table's answer that has one. `partial`: ask only the tables that take parts of keys."""
        if self.direct:
            try:
                return fired(self.get(key, partial))
            except TableBusy:
                return start(self._lookup(key, partial))
            except TableError as error:
                return fail(error)
        return start(self._lookup(key, partial))

    def get(self, key: bytes, partial: bool = False) -> bytes | None:
        """The same, at once; only when `direct`. Raises TableError; TableBusy: use `lookup`."""
        for table in self._tables:
            if partial and not table.fixed:
                continue
            try:
                value: bytes | None = table.get(key)  # type: ignore[attr-defined]
            except TableBusy:
                raise
            except TableError as error:
                self._failed(table, key, error)
                raise
            if value is not None:
                return value or self._empty(table, key)
        return None

    async def _lookup(self, key: bytes, partial: bool) -> bytes | None:
        for table in self._tables:
            if partial and not table.fixed:
                continue
            try:
                value = await table.lookup(key)
            except TableError as error:
                self._failed(table, key, error)
                raise
            if value is not None:
                return value or self._empty(table, key)
        return None

    def warn(self, text: str) -> None:
        """A warning in the log that the tables write to."""
        if self._log is not None:
            self._log.warning(text)

    def _failed(self, table: ITable, key: bytes, error: TableError) -> None:
        label = table.driver.label if isinstance(table, Table) else table.name
        self.warn(f'{label} lookup error for "{_shown(key)}"')

    def _empty(self, table: ITable, key: bytes) -> bytes:
        """An empty value says nothing: whoever wrote it wanted "not found", or forgot something."""
        self.warn(f"{self.title} lookup of {_shown(key)} returns an empty string result")
        self.warn(f"{self.title} should return NO RESULT in case of NOT FOUND")
        raise TableMisconfigured(table.name, "empty string result is not allowed")


def _shown(key: bytes) -> str:
    return key[:100].decode("utf-8", "replace")
