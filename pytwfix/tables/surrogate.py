"""Stands in for a table that cannot be opened: mail waits, the daemon lives (LK-13)."""

from __future__ import annotations

from typing import NoReturn

from pytwfix.contracts.tables import TableError
from pytwfix.tables.driver import Driver, TableContext


class Surrogate(Driver):
    """Every question fails with the reason that opening it failed. Counts as a pattern table (LK-2)."""

    fixed = False

    def __init__(self, context: TableContext, name: str, error: TableError) -> None:
        kind, _, rest = name.partition(":")
        super().__init__(context, kind, rest, 0)
        self.name = name
        self.error = error

    def find(self, key: bytes) -> NoReturn:
        self.context.log.warning(f"{self.name} is unavailable. {self.error.reason}")
        raise type(self.error)(self.name, self.error.reason)

    def delete(self, key: bytes) -> NoReturn:
        self.find(key)

    def update(self, key: bytes, value: bytes) -> NoReturn:
        self.find(key)
