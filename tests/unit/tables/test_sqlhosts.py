"""SQL servers: hosts that fail, connections that are kept, how MySQL and PostgreSQL quote (MT-9, MT-10)."""

from __future__ import annotations

import os
import time
from typing import Any

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from pytwfix.contracts.tables import TableMisconfigured, TableUnavailable
from pytwfix.tables.sqlclient import Row
from pytwfix.tables.sqlhosts import BadQuery, HostedSql, Refused, Slow
from tests.kit.tables import MemoryTables, replace_file


class Connection:
    def __init__(self, host: str) -> None:
        self.host = host
        self.closed = False
        self.gone = False
        self.slow = False

    def close(self) -> None:
        self.closed = True


class Memory(HostedSql):
    """Servers in memory: `down` are hosts that refuse."""

    down: set[str]
    made: list[Connection]
    queries: list[bytes]

    def connect(self, host: str) -> Connection:
        if host in self.down:
            raise Refused("connection\n refused")
        connection = Connection(host)
        self.made.append(connection)
        return connection

    def ask(self, connection: Connection, query: bytes) -> list[Row]:
        if connection.gone or connection.host in self.down:
            raise Refused("gone away")
        if connection.slow:
            raise Slow("no answer")
        if b"syntax" in query:
            raise BadQuery("syntax error")
        self.queries.append(query)
        return [[b"v", None]]

    def quote(self, connection: Connection, text: bytes) -> bytes:
        return text.replace(b"'", b"''")


class HostTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.tables = MemoryTables()
        self.config = os.path.abspath(self.mktemp())
        self.now = 1000.0
        self.patch(time, "monotonic", lambda: self.now)

    def table(self, text: str) -> Memory:
        replace_file(self.config, f"query = SELECT '%s'\n{text}\n".encode())
        table = Memory(self.tables.context, "mysql", self.config, 1)
        table.down, table.made, table.queries = set(), [], []
        return table

    def test_kept(self) -> None:
        """NP-6: a connection is used again, until it was idle for idle_interval; closed with the table."""
        table = self.table("idle_interval = 10")
        for _ in range(3):
            self.assertEqual(table.get(b"O'Hara"), b"v")
        self.assertEqual(table.queries[0], b"SELECT 'o''hara'")
        self.assertEqual([one.host for one in table.made], ["localhost"])
        self.now += 11
        table.get(b"a")
        self.assertEqual([one.closed for one in table.made], [True, False])
        table.close()
        self.assertTrue(table.made[1].closed)

    def test_closed_by_the_server(self) -> None:
        """A kept connection that has gone is no failure."""
        table = self.table("")
        table.get(b"a")
        table.made[0].gone = True
        self.assertEqual(table.get(b"a"), b"v")
        self.assertTrue(table.made[0].closed)
        self.assertEqual(self.tables.log.lines, [])

    def test_slow(self) -> None:
        """NP-6: a server that does not answer in time is not asked again for the same key; another one is."""
        for hosts, made in (("one", 1), ("one, two", 2)):
            table = self.table(f"hosts = {hosts}")
            table.get(b"a")
            table.made[0].slow = True
            if made == 1:
                self.assertRaises(TableUnavailable, table.get, b"a")
            else:
                self.assertEqual(table.get(b"a"), b"v")
                self.assertNotEqual(table.made[1].host, table.made[0].host)
            self.assertEqual(len(table.made), made)

    def test_failed_hosts_rest(self) -> None:
        """NP-6: the other host is asked, and a failed one not before retry_interval is over."""
        table = self.table("hosts = one, two\nretry_interval = 60")
        table.down = {"one", "two"}
        self.assertRaises(TableUnavailable, table.get, b"a")
        self.assertEqual(sorted(self.tables.log.lines[:2]), [
            f"warning: mysql:{self.config}: host {name}: connection refused" for name in ("one", "two")
        ])
        table.down = set()
        self.assertRaises(TableUnavailable, table.get, b"a")
        self.now += 61
        self.assertEqual(table.get(b"a"), b"v")

    def test_a_host_alone_does_not_rest(self) -> None:
        """NP-6."""
        table = self.table("hosts = one")
        table.down = {"one"}
        self.assertRaises(TableUnavailable, table.get, b"a")
        table.down = set()
        self.assertEqual(table.get(b"a"), b"v")

    def test_bad_query(self) -> None:
        """MT-9: another host would say the same."""
        table = self.table("hosts = one, two")
        error = self.assertRaises(TableUnavailable, table.get, b"syntax")
        self.assertEqual(error.reason, "query failed: syntax error")
        self.assertEqual(len(table.made), 1)
        self.assertTrue(table.made[0].closed)

    def test_old_form(self) -> None:
        """MT-9: table, select_field, where_field."""
        replace_file(self.config, b"table = t\nselect_field = s\nwhere_field = w\nadditional_conditions = AND a\n")
        table = Memory(self.tables.context, "mysql", self.config, 1)
        table.down, table.made, table.queries = set(), [], []
        table.get(b"k")
        self.assertEqual(table.queries, [b"SELECT s FROM t WHERE w = 'k' AND a"])
        replace_file(self.config, b"table = t\n")
        self.assertRaises(TableMisconfigured, Memory, self.tables.context, "mysql", self.config, 1)


class DriverTests(SynchronousTestCase):
    def driver(self, kind: str, text: str) -> Any:
        config = os.path.abspath(self.mktemp())
        replace_file(config, f"query = SELECT '%s'\n{text}\n".encode())
        try:
            return MemoryTables().driver(f"{kind}:{config}")
        except TableMisconfigured as error:
            if "pip install" in error.reason:
                raise SkipTest(error.reason) from None
            raise

    def test_mysql(self) -> None:
        """MT-9, NP-6: what is quoted, and the forms of a host."""
        driver = self.driver("mysql", "")
        import pymysql

        from pytwfix.tables.mysql import _place

        connection = pymysql.Connection(defer_connect=True)
        connection.server_status = 0
        self.assertEqual(driver.quote(connection, b"a'\"\\\0\n\r\x1a\xc3"), b"a\\'\\\"\\\\\\0\\n\\r\\Z\xc3")
        self.assertFalse(self.driver("mysql", "tls_ciphers = HIGH")._tls().check_hostname)
        self.assertTrue(self.driver("mysql", "tls_verify_cert = yes")._tls().check_hostname)
        self.assertRaises(Refused, self.driver("mysql", "tls_CAfile = /nowhere")._tls)

        self.assertEqual(_place("unix:/run/s"), {"unix_socket": "/run/s"})
        self.assertEqual(_place("inet:db:3307"), {"host": "db", "port": 3307})
        self.assertEqual(_place("db.example"), {"host": "db.example"})

    def test_pgsql(self) -> None:
        """MT-10, NP-7: the same for PostgreSQL; select_function; without hosts libpq's own default."""
        driver = self.driver("pgsql", "")
        self.assertEqual(driver.hosts, [""])
        from pytwfix.tables.pgsql import _place

        self.assertEqual(_place("unix:/run"), {"host": "/run"})
        self.assertEqual(_place("inet:[::1]:5433"), {"host": "::1", "port": "5433"})
        self.assertEqual(_place("::1"), {"host": "::1"})
        self.assertEqual(_place(""), {"host": None})
