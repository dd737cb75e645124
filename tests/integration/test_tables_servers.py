"""Tables against real servers: answers, and what becomes of them when a server stops, comes back, or is slow.

PostgreSQL, MariaDB, memcached, Redis (MT-8 to MT-12, NP-3, NP-6, NP-7): those that are installed.
"""

from __future__ import annotations

import os
from typing import Any

from twisted.internet.defer import DeferredList
from twisted.trial.unittest import TestCase

from pytwfix.contracts.tables import TableError, TableUnavailable
from pytwfix.master.threads import Threads
from pytwfix.tables.adapter import MOST, Table
from tests.kit import tableservers
from tests.kit.servercase import Current, ServerCase
from tests.kit.tables import MemoryTables, replace_file

NASTY = [b"o'hara@d", b'quo"te@d', b"back\\slash@d", b"'; drop table users; --@d", b"%s@d", "é@d".encode(), b"*(x)@d"]


class PostgreSQLTests(ServerCase):
    @classmethod
    def make(cls) -> tableservers.Server:
        server = tableservers.PostgreSQL()
        values = ", ".join(f"($k${key.decode()}$k$, {place}, 'v{place}')" for place, key in enumerate(NASTY))
        server.sql(
            f"create table users (name text, id int, value text); insert into users values {values}, ('two@d', 8, 'b'),"
            "('two@d', 7, 'a'), ('null@d', 9, null);\n"
            "create function find(text) returns setof text as 'select value from users where name = $1 order by id' "
            "language sql;\n"
        )
        return server

    def config(self, text: str, hosts: str = "") -> Any:
        hosts = hosts or f"inet:127.0.0.1:{self.server.port}"
        return self.table("pgsql", f"hosts = {hosts}\nuser = mail\ndbname = postgres\ntimeout = 1\n{text}\n")

    def test_lookups(self) -> None:
        """MT-8, MT-10, NP-7: rows are joined, quoting is the library's, NULL is nothing."""
        table = self.config("query = SELECT value FROM users WHERE name = '%s' ORDER BY id")
        self.assertEqual([table.get(key) for key in NASTY], [b"v%d" % place for place in range(len(NASTY))])
        self.assertEqual([table.get(b"TWO@d"), table.get(b"no@d"), table.get(b"null@d")], [b"a,b", None, None])

    def test_forms(self) -> None:
        """MT-10: select_function, the old form, a URI, a UNIX socket, several columns."""
        self.assertEqual(self.config("select_function = find").get(b"two@d"), b"a,b")
        old = self.config("table = users\nselect_field = value\nwhere_field = name\nadditional_conditions = AND id = 7")
        self.assertEqual(old.get(b"two@d"), b"a")
        uri = f"postgresql://mail@127.0.0.1:{self.server.port}/postgres"
        columns = self.config("query = SELECT id, value FROM users WHERE name = '%s' AND id = 7", uri)
        self.assertEqual(columns.get(b"two@d"), b"7,a")
        self.assertEqual(self.config("query = SELECT '%u'", f"{uri}?application_name=x").get(b"u@d"), b"u")

    def test_errors(self) -> None:
        """MT-8, LK-13: bad SQL and too many rows are errors, with the server's words in the log."""
        self.assertRaises(TableError, self.config("query = SELEC '%s'").get, b"a")
        self.assertIn("syntax error", self.tables.log.lines[-1])
        limit = self.config("query = SELECT value FROM users WHERE name = '%s'\nexpansion_limit = 1")
        self.assertRaises(TableError, limit.get, b"two@d")
        self.assertEqual(limit.get(NASTY[0]), b"v0")

    def test_outage(self) -> None:
        """NP-7, LK-13."""
        self.outage(self.config("query = SELECT value FROM users WHERE name = '%s' ORDER BY id"), b"two@d", b"a,b")

    def test_slow_query(self) -> None:
        """NP-7: a query that takes too long is given up; the next one has another connection."""
        table = self.config("query = SELECT 'v' FROM pg_sleep(CASE '%s' WHEN 'slow' THEN 20 ELSE 0 END)")
        self.assertEqual(table.get(b"quick"), b"v")
        self.assertRaises(TableUnavailable, table.get, b"slow")
        self.assertEqual(table.get(b"quick"), b"v")

    def test_another_host(self) -> None:
        """NP-6: the host that works answers; the other one rests."""
        table = self.config(
            "query = SELECT '%s'\nretry_interval = 60", f"inet:127.0.0.1:1, inet:127.0.0.1:{self.server.port}"
        )
        self.assertEqual([table.get(b"a") for _ in range(10)], [b"a"] * 10)
        self.assertLessEqual(len(self.tables.log.lines), 1)


class MariaDBTests(ServerCase):
    @classmethod
    def make(cls) -> tableservers.Server:
        server = tableservers.MariaDB()
        values = ", ".join(f"(0x{key.hex()}, {place}, 'v{place}')" for place, key in enumerate(NASTY))
        server.sql(
            "create database mail; create user mail@localhost identified by 'secret'; "
            "grant select on mail.* to mail@localhost; use mail;"
            "create table users (name varchar(99) charset utf8mb4 collate utf8mb4_bin, id int, value varchar(99));"
            f"insert into users values {values}, ('two@d', 8, 'b'), ('two@d', 7, 'a'), ('null@d', 9, null);"
        )
        return server

    def config(self, text: str, hosts: str = "") -> Any:
        hosts = hosts or f"inet:127.0.0.1:{self.server.port}"
        login = "user = mail\npassword = secret\ndbname = mail"
        return self.table("mysql", f"hosts = {hosts}\n{login}\ntimeout = 1\n{text}\n")

    def test_lookups(self) -> None:
        """MT-8, MT-9: rows are joined, quoting is the driver's."""
        table = self.config("query = SELECT value FROM users WHERE name = '%s' ORDER BY id")
        self.assertEqual([table.get(key) for key in NASTY], [b"v%d" % place for place in range(len(NASTY))])
        self.assertEqual([table.get(b"TWO@d"), table.get(b"no@d"), table.get(b"null@d")], [b"a,b", None, None])

    def test_forms(self) -> None:
        """MT-9, NP-6: a UNIX socket, an option file, the old form, statements without rows."""
        old = "table = users\nselect_field = value\nwhere_field = name\nadditional_conditions = AND id = 7"
        self.assertEqual(self.config(old, f"unix:{self.server.directory}/s").get(b"two@d"), b"a")
        options = os.path.abspath(self.mktemp())
        replace_file(options, b"[client]\nuser = nobody\n[pytwfix]\nuser = mail\npassword = secret\ndatabase = mail\n")
        text = f"hosts = unix:{self.server.directory}/s\noption_file = {options}\noption_group = pytwfix\n"
        self.assertEqual(self.table("mysql", text + "query = SELECT value FROM users WHERE id = 7").get(b"x"), b"a")
        self.assertRaises(TableError, self.config("query = SET @x = '%s'").get, b"a")
        self.assertIsNone(self.config("query = SET @x = '%s'\nrequire_result_set = no").get(b"a"))

    def test_outage(self) -> None:
        """NP-6, LK-13."""
        self.outage(self.config("query = SELECT value FROM users WHERE name = '%s' ORDER BY id"), b"two@d", b"a,b")

    def test_errors(self) -> None:
        """MT-9, LK-13."""
        self.assertRaises(TableError, self.config("query = SELEC '%s'").get, b"a")
        self.assertIn("SQL syntax", self.tables.log.lines[-1])
        wrong = self.config("query = SELECT '%s'\npassword = wrong")
        self.assertRaises(TableUnavailable, wrong.get, b"a")
        self.assertIn("Access denied", self.tables.log.lines[-1])


class MemcachedTests(ServerCase):
    @classmethod
    def make(cls) -> tableservers.Server:
        return tableservers.Memcached()

    def config(self, text: str = "") -> Any:
        place = f"memcache = inet:127.0.0.1:{self.server.port}"
        return self.table("memcache", f"{place}\nkey_format = p:%s\ntimeout = 1\nmax_try = 1\n{text}\n")

    def test_values(self) -> None:
        """MT-12, NP-3: what is written is read, until it is deleted."""
        table = self.config()
        self.assertIsNone(table.get(b"x"))
        table.put(b"X", b"value\r\nEND")
        self.assertEqual(table.get(b"x"), b"value\r\nEND")
        self.assertEqual([table.drop(b"x"), table.drop(b"x"), table.get(b"x")], [True, False, None])

    def test_backup(self) -> None:
        """NP-3: what only the backup knows goes into the cache; without the cache the backup answers."""
        table = self.config("backup = inline:{b=2}")
        self.assertEqual(table.get(b"b"), b"2")
        self.assertEqual(self.config().get(b"b"), b"2")
        self.server.stop()
        self.assertEqual(table.get(b"b"), b"2")
        self.assertRaises(TableUnavailable, self.config().get, b"b")
        self.server.start()
        self.assertIsNone(self.config().get(b"b"))

    def test_slow(self) -> None:
        """NP-3, LK-13."""
        table = self.config()
        table.put(b"a", b"1")
        self.server.pause()
        try:
            self.assertRaises(TableUnavailable, table.get, b"a")
        finally:
            self.server.resume()
        self.assertEqual(table.get(b"a"), b"1")


class RedisTests(ServerCase):
    @classmethod
    def make(cls) -> tableservers.Server:
        return tableservers.RedisServer()

    def config(self, text: str = "") -> Any:
        place = f"hosts = inet:127.0.0.1:{self.server.port}"
        return self.table("redis", f"{place}\npassword = secret\ntimeout = 1\nkey_format = p:%s\n{text}\n")

    def test_values(self) -> None:
        """MT-12: as with memcache: written, read, deleted; any bytes; databases of their own; a time to live."""
        table = self.config("ttl = 100")
        for key in NASTY:
            table.put(key, b"<\r\n" + key)
        self.assertEqual([table.get(key) for key in NASTY], [b"<\r\n" + key for key in NASTY])
        self.assertIsNone(self.config("database = 3").get(NASTY[0]))
        self.assertEqual([table.drop(NASTY[0]), table.drop(NASTY[0]), table.get(NASTY[0])], [True, False, None])

    def test_errors(self) -> None:
        """LK-13: the server's word."""
        self.assertRaises(TableUnavailable, self.config("password = wrong").get, b"a")
        self.assertIn("WRONGPASS", self.tables.log.lines[-1])

    def test_outage(self) -> None:
        """LK-13. What was in memory is gone with the server."""
        table = self.config("key_format = %s")
        for _ in range(2):
            table.put(b"a", b"1")
            self.assertEqual(table.get(b"a"), b"1")
            self.server.stop()
            self.assertRaises(TableUnavailable, table.get, b"a")
            self.server.start()
            self.assertIsNone(table.get(b"a"))
        self.server.pause()
        try:
            self.assertRaises(TableUnavailable, table.get, b"a")
        finally:
            self.server.resume()
        self.assertIsNone(table.get(b"a"))


class BoundTests(TestCase):
    """Many questions at once have few connections."""

    def setUp(self) -> None:
        Current.end()
        self.server = tableservers.RedisServer()
        self.addCleanup(self.server.remove)

    async def test_connections(self) -> None:
        """MT-8: a table has at most MOST questions under way, and connections; all are answered."""
        from twisted.internet import reactor

        threads = Threads(reactor)
        self.addCleanup(threads.stop)
        config = os.path.abspath(self.mktemp())
        replace_file(config, f"hosts = inet:127.0.0.1:{self.server.port}\npassword = secret\n".encode())
        driver: Any = MemoryTables().driver(f"redis:{config}")
        self.addCleanup(driver.close)
        driver.put(b"k", b"v")
        table = Table(driver, threads)
        found = await DeferredList([table.lookup(b"k") for _ in range(200)])
        self.assertEqual(found, [(True, b"v")] * 200)
        (pool,) = driver._pools.values()
        self.assertLessEqual(len(pool._idle), MOST)
