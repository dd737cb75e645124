"""mysql:/file.cf: MySQL and MariaDB by the package PyMySQL, `pip install 'pytwfix[mysql]'` (MT-9, NP-6).

hosts (name, inet:name:port, unix:/socket), user, password, dbname, charset, query, option_file, option_group, tls_*.
"""

from __future__ import annotations

from typing import Any

import pymysql

from pytwfix.tables.sqlclient import Row
from pytwfix.tables.sqlhosts import BadQuery, HostedSql, Refused

CONNECT_TIMEOUT = 15
_ESCAPES = {
    0: b"\\0", 10: b"\\n", 13: b"\\r", 26: b"\\Z", 34: b'\\"', 39: b"\\'", 92: b"\\\\",
}  # fmt: skip
_TLS = {
    "tls_cert_file": "ssl_cert", "tls_key_file": "ssl_key", "tls_CAfile": "ssl_ca",
}  # fmt: skip


class MySql(HostedSql):
    def quote(self, text: bytes) -> bytes:
        return b"".join([_ESCAPES.get(octet) or bytes([octet]) for octet in text])

    def connect(self, host: str) -> Any:
        options: dict[str, Any] = {
            "user": self.config.get("user") or None,
            "password": self.config.get("password"),
            "database": self.config.get("dbname") or None,
            "charset": self.config.get("charset", "utf8mb4"),
            "connect_timeout": CONNECT_TIMEOUT,
            "autocommit": True,
            "use_unicode": False,
        }
        options.update(_place(host))
        for name, word in _TLS.items():
            if self.config.get(name):
                options[word] = self.config.get(name)
        if self.config.get("option_file"):
            options["read_default_file"] = self.config.get("option_file")
            options["read_default_group"] = self.config.get("option_group", "client")
        if self.config.boolean("tls_verify_cert", False):
            options["ssl_verify_cert"] = True
        try:
            return pymysql.connect(**options)
        except (pymysql.Error, OSError) as error:
            raise Refused(error) from None

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
