"""Tables made of tables or values: pipemap, unionmap, randmap (MT-6)."""

from __future__ import annotations

from pytwfix.contracts.tables import TableMisconfigured
from pytwfix.tables.driver import Driver, TableContext
from pytwfix.tables.names import balanced, split_list
from pytwfix.tables.textsource import folder, is_utf8


def _elements(table: Driver, what: str) -> list[str]:
    """What stands between the braces. TableMisconfigured for anything else, or nothing."""
    body, problem = balanced(table.rest) if table.rest.startswith("{") else ("", "no brace")
    elements = split_list(body)
    if problem or not elements:
        raise TableMisconfigured(table.name, _hint(table, what))
    return elements


def _hint(table: Driver, what: str) -> str:
    return f'bad syntax: "{table.name}"; need "{table.kind}:{{{what}...}}"'


class _OfTables(Driver):
    """FIXED or PATTERN, and blocking, as its members are (LK-2)."""

    readonly = "map requires O_RDONLY access mode"

    def __init__(self, context: TableContext, kind: str, rest: str, flags: int) -> None:
        super().__init__(context, kind, rest, flags)
        self.members = [self._member(name, flags) for name in _elements(self, "type:name")]
        self.fixed = all(member.fixed for member in self.members)
        self.blocking = any(member.blocking for member in self.members)
        self.fold = self.members[0].fold  # Postfix 3.7 lets the first member decide for all of them
        self.folded = folder(self.fold, self.utf8)

    def _member(self, name: str, flags: int) -> Driver:
        if ":" not in name:
            raise TableMisconfigured(self.name, _hint(self, "type:name"))
        return self.context.open(name, flags)

    def _refused(self, key: bytes) -> bool:
        """Whether a key is none for these tables (LK-10)."""
        if key.isascii() or not self.utf8 or is_utf8(key):
            return False
        self.warn_not_utf8(key)
        return True

    def wait_for_writer(self) -> None:
        for member in self.members:
            member.wait_for_writer()


class PipeMap(_OfTables):
    """pipemap:{a,b}: the first table's answer is the question to the second."""

    def get(self, key: bytes) -> bytes | None:
        value: bytes | None = None if self._refused(key) else key
        for member in self.members:
            if value is None:
                return None
            value = member.get(value)
        return value

    find = get


class UnionMap(_OfTables):
    """unionmap:{a,b}: the answers of all tables, joined by commas.

    When the first table folds keys, all are asked for the folded key: a pcre table behind an inline one sees small
    letters, one in front of it the key as it was given.
    """

    def get(self, key: bytes) -> bytes | None:
        if self._refused(key):
            return None
        key = self.folded(key)
        joined = b""
        for member in self.members:
            value = member.get(key)
            if value is not None:
                joined += b"," + value if joined else value
        return joined or None

    find = get


class RandMap(Driver):
    """randmap:{a,b}: one of the values, each as often as another."""

    fixed = False
    readonly = "map requires O_RDONLY access mode"

    def __init__(self, context: TableContext, kind: str, rest: str, flags: int) -> None:
        super().__init__(context, kind, rest, flags)
        self._values = [value.encode("utf-8", "surrogateescape") for value in _elements(self, "value")]

    def find(self, key: bytes) -> bytes | None:
        return self._values[self.context.random.randrange(len(self._values))]
