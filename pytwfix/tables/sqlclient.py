"""What the SQL tables have in common: the query for a key, and one result from the rows (MT-8, MT-9, MT-10)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pytwfix.contracts.tables import TableMisconfigured, TableUnavailable
from pytwfix.tables.clientconfig import ClientConfig, DomainFilter
from pytwfix.tables.driver import Driver, TableContext
from pytwfix.tables.expansion import BadTemplate, Quote, Template
from pytwfix.tables.textsource import shown

Row = Iterable[bytes | None]
MakeQuery = Callable[[Quote], bytes]  # the query, with texts quoted as the connection wants it


class SqlTable(Driver):
    """Subclasses run a query, and say how a text in it is quoted."""

    blocking = True
    all_columns = True  # else the first only
    null_is_empty = False  # NULL is worth a warning, as an empty text is

    def __init__(self, context: TableContext, kind: str, rest: str, flags: int) -> None:
        super().__init__(context, kind, rest, flags)
        self.config = ClientConfig(context, self.name, rest)
        try:
            self._query = Template(self._query_text())
            self._format = Template(self.config.get("result_format", "%s"))
        except BadTemplate as error:
            raise TableMisconfigured(self.name, f"{self.config.path}: {error}") from None
        self._domains = DomainFilter(context, self.config.get("domain"), flags)
        self._limit = self.config.number("expansion_limit", 0)
        self.fixed = not (self._query.partial or self._format.letters & set("UD123456789"))

    def _query_text(self) -> str:
        query = self.config.get("query")
        if query:
            return query
        table, select, where = (self.config.get(name) for name in ("table", "select_field", "where_field"))
        if not table or not select or not where:
            raise TableMisconfigured(self.name, f"{self.config.path}: need query, or table, select_field, where_field")
        return f"SELECT {select} FROM {table} WHERE {where} = '%s' {self.config.get('additional_conditions')}"

    def rows(self, make: MakeQuery) -> list[Row]:
        """Make the query and run it. TableError, after a warning."""
        raise NotImplementedError

    def unavailable(self, reason: str) -> TableUnavailable:
        """Warn, and make the error to raise."""
        self.context.log.warning(f"{self.name}: {reason}")
        return TableUnavailable(self.name, reason)

    def find(self, key: bytes) -> bytes | None:
        if not key and "s" in {letter.lower() for letter in self._query.letters}:
            self.context.log.warning(f'table "{self.name}": empty query string -- ignored')
            return None
        if not self._domains.admits(key):
            return None
        if self._query.query(key, _as_it_is) is None:
            return None  # a part of the key that the query wants is not there
        return self._joined(key, self.rows(lambda quote: self._query.query(key, quote) or b""))

    def _joined(self, key: bytes, rows: list[Row]) -> bytes | None:
        results: list[bytes] = []
        for row in rows:
            for value in list(row)[: None if self.all_columns else 1]:
                if value is None and not self.null_is_empty:
                    continue
                if not value:
                    text = f'empty lookup result for: "{shown(key)}" -- ignored'
                    self.context.log.warning(f'table "{self.name}": {text}')
                    continue
                result = self._format.result(key, value)
                if result is not None:
                    results.append(result)
                    if self._limit and len(results) > self._limit:
                        raise self.unavailable(f"expansion limit exceeded for key: '{shown(key)}'")
        return b",".join(results) if results else None


def _as_it_is(text: bytes) -> bytes:
    return text
