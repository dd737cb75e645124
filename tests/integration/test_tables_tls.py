"""Tables over TLS against real servers: Redis, MariaDB, PostgreSQL, those that are installed (MT-9, MT-10)."""

from __future__ import annotations

import os
from typing import Any

from pytwfix.contracts.tables import TableUnavailable
from tests.kit import tableservers
from tests.kit.certificates import authority, leaf
from tests.kit.servercase import ServerCase
from tests.kit.tables import replace_file


class _Tls(ServerCase):
    """`lookup` finds b"v" for b"k" when TLS is as it should be."""

    def authority(self, name: str = "Test CA") -> str:
        path: str = os.path.abspath(self.mktemp())
        replace_file(path, authority(name))
        return path

    def refused(self, table: Any) -> None:
        """Temporary trouble, told in the log; what was asked for does not come."""
        before = len(self.tables.log.lines)
        self.assertRaises(TableUnavailable, table.get, b"k")
        self.assertGreater(len(self.tables.log.lines), before)


class RedisTls(_Tls):
    @classmethod
    def make(cls) -> tableservers.Server:
        return tableservers.RedisServer(leaf("127.0.0.1", "localhost"))

    def config(self, *lines: str, host: str = "localhost") -> Any:
        text = "\n".join((f"hosts = inet:{host}:{self.server.port}", "password = secret", "timeout = 2", *lines))
        return self.table("redis", text + "\n")

    def test_verified(self) -> None:
        """The authority is ours and the name is the host's; values are written and read."""
        table = self.config("tls = yes", f"tls_CAfile = {self.authority()}")
        table.put(b"k", b"v")
        self.assertEqual(b"v", table.get(b"k"))

    def test_not_verified(self) -> None:
        """Another authority, or none that is known."""
        self.refused(self.config("tls = yes", f"tls_CAfile = {self.authority('Other CA')}"))
        self.refused(self.config("tls = yes"))

    def test_unchecked(self) -> None:
        """tls_verify_cert = no takes any certificate."""
        table = self.config("tls = yes", "tls_verify_cert = no")
        table.put(b"k", b"v")
        self.assertEqual(b"v", table.get(b"k"))

    def test_plain(self) -> None:
        """A client that speaks no TLS gets nothing of a server that does."""
        self.refused(self.config())


class MariaDBTls(_Tls):
    @classmethod
    def make(cls) -> tableservers.Server:
        server = tableservers.MariaDB(leaf("127.0.0.1", "localhost"))
        server.sql(
            "create database mail; create user mail@localhost identified by 'secret' require ssl; "
            "grant select on mail.* to mail@localhost; use mail;"
            "create table t (k varchar(9), v varchar(9)); insert into t values ('k', 'v');"
        )
        return server

    def config(self, *lines: str) -> Any:
        login = "user = mail\npassword = secret\ndbname = mail\ntimeout = 2"
        query = "query = SELECT v FROM t WHERE k = '%s'"
        text = "\n".join((f"hosts = inet:localhost:{self.server.port}", login, query, *lines))
        return self.table("mysql", text + "\n")

    def test_verified(self) -> None:
        """MT-9: tls_CAfile and tls_verify_cert; the account is for TLS alone."""
        found = self.config(f"tls_CAfile = {self.authority()}", "tls_verify_cert = yes").get(b"k")
        self.assertEqual(b"v", found)

    def test_not_verified(self) -> None:
        self.refused(self.config(f"tls_CAfile = {self.authority('Other CA')}", "tls_verify_cert = yes"))

    def test_offered(self) -> None:
        """Without a word about it the driver takes the TLS that a server offers, as MariaDB's own client does."""
        self.assertEqual(b"v", self.config().get(b"k"))


class PostgreSQLTls(_Tls):
    @classmethod
    def make(cls) -> tableservers.Server:
        server = tableservers.PostgreSQL(leaf("127.0.0.1", "localhost"))
        server.sql("create table t (k text, v text); insert into t values ('k', 'v');\n")
        return server

    def config(self, *options: str) -> Any:
        uri = f"postgresql://mail@localhost:{self.server.port}/postgres?{'&'.join(options)}"
        query = "query = SELECT v FROM t WHERE k = '%s' AND (SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid())"
        return self.table("pgsql", f"hosts = {uri}\ntimeout = 2\n{query}\n")

    def test_verified(self) -> None:
        """MT-10: libpq's own options in a URI; the server says that the connection has TLS."""
        found = self.config("sslmode=verify-full", f"sslrootcert={self.authority()}").get(b"k")
        self.assertEqual(b"v", found)

    def test_not_verified(self) -> None:
        self.refused(self.config("sslmode=verify-full", f"sslrootcert={self.authority('Other CA')}"))

    def test_no_tls(self) -> None:
        """The query tells when there is none."""
        self.assertIsNone(self.config("sslmode=disable").get(b"k"))
