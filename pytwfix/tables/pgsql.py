"""pgsql:/file.cf: PostgreSQL by the package psycopg, `pip install 'pytwfix[pgsql]'` (MT-10, NP-7).

hosts (name, inet:name:port, unix:/directory, or a postgresql:// URI), user, password, dbname, encoding, query,
select_function. TLS as libpq has it: in a URI (`?sslmode=verify-full`), or by its environment.
"""

from __future__ import annotations

import select
import time
from typing import Any

import psycopg
from psycopg.pq import Escaping, ExecStatus

from pytwfix.tables.sqlclient import Row
from pytwfix.tables.sqlhosts import BadQuery, HostedSql, Refused, Slow

CONNECT_TIMEOUT = 15


class PgSql(HostedSql):
    null_is_empty = True

    def _query_text(self) -> str:
        function = self.config.get("select_function")
        if not self.config.get("query") and function:
            return f"SELECT {function}('%s')"
        return super()._query_text()

    def default_hosts(self) -> list[str]:
        return [""]

    def quote(self, connection: Any, text: bytes) -> bytes:
        try:
            return bytes(Escaping(connection.pgconn).escape_string(text))
        except psycopg.Error as error:
            raise BadQuery(error) from None  # not of the connection's encoding

    def connect(self, host: str) -> Any:
        seconds = min(CONNECT_TIMEOUT, self.timeout)
        options: dict[str, Any] = {}
        if not host.startswith(("postgresql://", "postgres://")):
            options = {
                "user": self.config.get("user") or None,
                "password": self.config.get("password") or None,
                "dbname": self.config.get("dbname") or None,
                **_place(host),
            }
            host = ""
        try:
            connection = psycopg.connect(host, connect_timeout=seconds, autocommit=True, **options)
            connection.execute("SET standard_conforming_strings = on")
            connection.execute("SELECT set_config('client_encoding', %s, false)", [self.config.get("encoding", "UTF8")])
        except psycopg.Error as error:
            raise Refused(error) from None
        return connection

    def ask(self, connection: Any, query: bytes) -> list[Row]:
        try:
            result = self._result(connection.pgconn, query)
        except psycopg.Error as error:
            raise Refused(error) from None
        if result.status == ExecStatus.TUPLES_OK:
            columns = range(result.nfields)
            return [[result.get_value(row, column) for column in columns] for row in range(result.ntuples)]
        text = (result.error_message or b"no result set").decode("utf-8", "replace")
        if connection.pgconn.status != 0:
            raise Refused(text)
        raise BadQuery(text)

    def _result(self, wire: Any, query: bytes) -> Any:
        """The last result of the query; libpq itself would wait for ever."""
        end = time.monotonic() + self.timeout
        wire.send_query(query)
        last: Any = None
        while True:
            while wire.is_busy():
                if not select.select([wire.socket], [], [], max(0.0, end - time.monotonic()))[0]:
                    raise Slow(f"no answer in {self.timeout} seconds")
                wire.consume_input()
            result = wire.get_result()
            if result is None:
                return last
            last = result


def _place(host: str) -> dict[str, Any]:
    """libpq's words for one of `hosts`."""
    if host.startswith("unix:"):
        return {"host": host[5:]}
    name = host.removeprefix("inet:")
    name, colon, port = name.rpartition(":") if name.count(":") == 1 or "]:" in name else (name, "", "")
    place: dict[str, Any] = {"host": name.strip("[]") or None}
    if colon:
        place["port"] = port
    return place
