"""mysql:/file.cf: MySQL and MariaDB by the package PyMySQL, `pip install 'pytwfix[mysql]'` (MT-9, NP-6).

hosts (name, inet:name:port, unix:/socket), user, password, dbname, charset, query, option_file, option_group,
require_result_set, tls_cert_file, tls_key_file, tls_CAfile, tls_CApath, tls_ciphers, tls_verify_cert.
"""

from __future__ import annotations

import ssl
from typing import Any

import pymysql

from pytwfix.tables.clienttls import client_tls
from pytwfix.tables.sqlclient import Row
from pytwfix.tables.sqlhosts import BadQuery, HostedSql, Refused, Slow

CONNECT_TIMEOUT = 15
_TLS = ("tls_cert_file", "tls_key_file", "tls_CAfile", "tls_CApath", "tls_ciphers", "tls_verify_cert")
_LOST = 2013  # the server went away in the middle, or was silent for too long


class MySql(HostedSql):
    def quote(self, connection: Any, text: bytes) -> bytes:
        literal: str = connection.escape(text.decode("utf-8", "surrogateescape"))
        return literal[1:-1].encode("utf-8", "surrogateescape")

    def connect(self, host: str) -> Any:
        options: dict[str, Any] = {
            "user": self.config.get("user") or None,
            "password": self.config.get("password"),
            "database": self.config.get("dbname") or None,
            "charset": self.config.get("charset", "utf8mb4"),
            "connect_timeout": min(CONNECT_TIMEOUT, self.timeout),
            "read_timeout": self.timeout,
            "write_timeout": self.timeout,
            "autocommit": True,
            "use_unicode": False,
            **_place(host),
        }
        if any(self.config.get(name) for name in _TLS):  # else TLS is used where the server offers it
            options["ssl"] = self._tls()
        if self.config.get("option_file"):
            options["read_default_file"] = self.config.get("option_file")
            options["read_default_group"] = self.config.get("option_group", "client")
        try:
            return pymysql.connect(**options)
        except (pymysql.Error, OSError, ValueError) as error:
            raise Refused(error) from None

    def _tls(self) -> ssl.SSLContext:
        """Refused for files that cannot be used."""
        get = self.config.get
        try:
            return client_tls(
                get("tls_CAfile"), get("tls_CApath"), self.config.boolean("tls_verify_cert", False),
                get("tls_cert_file"), get("tls_key_file"), get("tls_ciphers"),
            )  # fmt: skip
        except (OSError, ValueError) as error:
            raise Refused(f"TLS: {error}") from None

    def ask(self, connection: Any, query: bytes) -> list[Row]:
        try:
            with connection.cursor() as cursor:
                cursor.execute(query)
                if cursor.description is None:
                    if self.config.boolean("require_result_set", True):
                        raise BadQuery("the query returned no result set")
                    return []
                return [[_bytes(value) for value in row] for row in cursor.fetchall()]
        except (pymysql.OperationalError, pymysql.InterfaceError, OSError) as error:
            if error.args and error.args[0] == _LOST and "timed out" in str(error):
                raise Slow(error) from None
            raise Refused(error) from None
        except pymysql.Error as error:
            raise BadQuery(error) from None


def _bytes(value: object) -> bytes | None:
    if value is None or isinstance(value, bytes):
        return value
    return str(value).encode()


def _place(host: str) -> dict[str, Any]:
    """The driver's words for one of `hosts`."""
    if host.startswith("unix:"):
        return {"unix_socket": host[5:]}
    name, colon, port = host.removeprefix("inet:").rpartition(":")
    return {"host": name.strip("[]"), "port": int(port)} if colon and port.isdigit() else {"host": name + colon + port}
