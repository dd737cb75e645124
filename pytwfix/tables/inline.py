"""inline:{ key=value, { key = text with spaces } }: a table written in main.cf (MT-6)."""

from __future__ import annotations

from collections.abc import Iterator

from pytwfix.contracts.tables import TableMisconfigured
from pytwfix.tables.driver import Driver, TableContext
from pytwfix.tables.names import balanced, split_list


class Inline(Driver):
    names_files = True
    readonly = "map requires O_RDONLY access mode"

    def __init__(self, context: TableContext, kind: str, rest: str, flags: int) -> None:
        super().__init__(context, kind, rest, flags)
        self._values: dict[bytes, bytes] = {}
        body, problem = balanced(rest) if rest.startswith("{") else ("", "no brace")
        entries = split_list(body)
        if problem or rest == "{}":
            raise TableMisconfigured(self.name, self._hint("bad syntax: "))
        if not entries:
            raise TableMisconfigured(self.name, self._hint("empty table: "))
        for entry in entries:
            self._add(entry)

    def _hint(self, problem: str) -> str:
        return f'{problem}"{self.name}"; need "{self.kind}:{{name=value...}}"'

    def _add(self, entry: str) -> None:
        if entry.startswith("{"):
            entry, problem = balanced(entry)
            if problem:
                raise TableMisconfigured(self.name, self._hint(f"{problem}: "))
            if not entry:
                raise TableMisconfigured(self.name, self._hint("no key found; expected format: key = value: "))
        key, equal, value = entry.partition("=")
        key = key.strip()
        if not equal or " " in key or "\t" in key:
            raise TableMisconfigured(self.name, self._hint("missing '=' after attribute name: "))
        self._values[self.folded(key.encode("utf-8", "surrogateescape"))] = value.strip().encode(
            "utf-8", "surrogateescape"
        )

    def find(self, key: bytes) -> bytes | None:
        return self._values.get(key)

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        return iter(list(self._values.items()))


class Internal(Driver):
    """internal:name, a table in the process's memory that programs fill."""

    def __init__(self, context: TableContext, kind: str, rest: str, flags: int) -> None:
        super().__init__(context, kind, rest, flags)
        self._values: dict[bytes, bytes] = {}

    def find(self, key: bytes) -> bytes | None:
        return self._values.get(key)

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        return iter(list(self._values.items()))

    def update(self, key: bytes, value: bytes) -> None:
        self._values[key] = value

    def delete(self, key: bytes) -> bool:
        return self._values.pop(key, None) is not None
