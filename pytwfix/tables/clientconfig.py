"""Settings of tables that ask a server or a database: a file, or main.cf (MT-8, MT-14).

`type:/file` has `name = value` lines there (logical lines as in main.cf, values as they stand); `type:name` without a
slash has `name_parameter = value` in main.cf, with $name expanded.
"""

from __future__ import annotations

from pytwfix.contracts.tables import TableError, TableMisconfigured
from pytwfix.tables.driver import Driver, TableContext
from pytwfix.tables.files import read_file
from pytwfix.tables.names import is_table, split_list
from pytwfix.tables.textsource import logical_lines


class ClientConfig:
    """The parameters of one table."""

    def __init__(self, context: TableContext, table: str, rest: str) -> None:
        self.table = table
        self.path = context.path(rest)
        self._context = context
        self._prefix = ""
        self._values: dict[str, str] = {}
        if "/" in rest or rest.startswith("."):
            self._read()
        else:
            self._prefix = rest

    def _read(self) -> None:
        for number, line in logical_lines(read_file(self._context, self.table, self.path)):
            name, equal, value = line.decode("utf-8", "surrogateescape").partition("=")
            if not equal or not name.strip():
                raise TableMisconfigured(self.table, f"{self.path}, line {number}: missing '=' after attribute name")
            self._values[name.strip()] = value.strip()

    def get(self, name: str, default: str = "") -> str:
        """A text parameter."""
        if not self._prefix:
            return self._values.get(name, default)
        value = self._context.parameter(f"{self._prefix}_{name}")
        return default if value is None else value

    def number(self, name: str, default: int) -> int:
        text = self.get(name)
        if not text:
            return default
        if not text.lstrip("-").isdigit():
            raise TableMisconfigured(self.table, f"{self.path}: bad numerical configuration: {name} = {text}")
        return int(text)

    def boolean(self, name: str, default: bool) -> bool:
        text = self.get(name).lower()
        if text not in ("", "yes", "no"):
            raise TableMisconfigured(self.table, f"{self.path}: bad boolean configuration: {name} = {text}")
        return default if not text else text == "yes"


class DomainFilter:
    """`domain = a.example, /file, type:table`: which domains' addresses are asked for at all; everything when empty."""

    def __init__(self, context: TableContext, text: str, flags: int) -> None:
        self._names: set[bytes] = set()
        self._tables: list[Driver] = []
        self._all = not text.strip()
        for word in split_list(text):
            if word.startswith("/"):
                data = read_file(context, "domain", word)
                self._names.update(part for _, line in logical_lines(data) for part in line.lower().split())
            elif is_table(word):
                self._tables.append(context.open(word, flags))
            else:
                self._names.add(word.casefold().encode("utf-8", "surrogateescape"))

    def admits(self, key: bytes) -> bool:
        """Whether to ask for this key: only full addresses of these domains, when there are any. Raises TableError."""
        if self._all:
            return True
        local, at, domain = key.rpartition(b"@")
        if not at or not local:
            return False
        domain = domain.lower()
        return domain in self._names or any(table.get(domain) is not None for table in self._tables)


__all__ = ["ClientConfig", "DomainFilter", "TableError"]
