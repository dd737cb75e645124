"""sqlite:/file.cf: a query to an SQLite database (MT-10): dbpath, query, result_format, domain, expansion_limit.

Opened read-only, on first use; in a thread, because another program may hold the file's lock.
"""

from __future__ import annotations

import sqlite3
import threading

from pytwfix.contracts.tables import TableMisconfigured, TableUnavailable
from pytwfix.tables.driver import TableContext
from pytwfix.tables.sqlclient import MakeQuery, Row, SqlTable

BUSY_SECONDS = 5.0


class Sqlite(SqlTable):
    all_columns = False

    def __init__(self, context: TableContext, kind: str, rest: str, flags: int) -> None:
        super().__init__(context, kind, rest, flags)
        self._path = self.config.get("dbpath")
        if not self._path:
            raise TableMisconfigured(self.name, f"{self.config.path}: missing dbpath")
        self._mutex = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def rows(self, make: MakeQuery) -> list[Row]:
        try:
            text = make(_quote).decode()
        except UnicodeDecodeError:
            return []
        if "\0" in text:
            return []  # no text of SQLite's has one
        with self._mutex:
            try:
                return list(self._open().execute(text).fetchall())
            except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
                self._forget()
                reason = f"dict_sqlite_lookup: {self.config.path}: SQL prepare failed: {error}?"
                raise TableUnavailable(self.name, reason) from None

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            name = self._path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
            self._connection = sqlite3.connect(
                f"file:{name}?mode=ro", timeout=BUSY_SECONDS, uri=True, check_same_thread=False, isolation_level=None
            )
            self._connection.execute("SELECT 1")
            self._connection.text_factory = bytes
        return self._connection

    def _joined(self, key: bytes, rows: list[Row]) -> bytes | None:
        return super()._joined(key, [[_bytes(value) for value in row] for row in rows])

    def _forget(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def close(self) -> None:
        with self._mutex:
            self._forget()


def _quote(text: bytes) -> bytes:
    return text.replace(b"'", b"''")


def _bytes(value: object) -> bytes | None:
    """A column as text: SQLite's values have types of their own."""
    if value is None or isinstance(value, bytes):
        return value
    return str(value).encode()
