"""static:value and static:{value with spaces}: the same answer to every key (MT-6)."""

from __future__ import annotations

from pytwfix.contracts.tables import TableMisconfigured
from pytwfix.tables.driver import Driver, TableContext
from pytwfix.tables.names import balanced


class Static(Driver):
    fixed = True
    names_files = True

    def __init__(self, context: TableContext, kind: str, rest: str, flags: int) -> None:
        super().__init__(context, kind, rest, flags)
        value = rest
        if rest.startswith("{"):
            value, problem = balanced(rest)
            if problem:
                raise TableMisconfigured(self.name, f"bad static:name syntax: {problem}")
        self.value = value.encode("utf-8", "surrogateescape")

    def get(self, key: bytes) -> bytes | None:
        return self.value

    find = get
