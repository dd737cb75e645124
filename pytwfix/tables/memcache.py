"""memcache:/file.cf: memcached's text protocol, with another table behind it (MT-12, NP-3).

memcache (inet:host:port or unix:/path), key_format, domain, timeout, ttl, flags, max_try, retry_pause, data_size_limit,
line_size_limit, backup. A value that only the backup has is put into the cache.
"""

from __future__ import annotations

import hashlib
import socket
import time
from collections.abc import Callable
from typing import TypeVar

from pytwfix.contracts.tables import TableMisconfigured, TableUnavailable
from pytwfix.tables.clientconfig import ClientConfig, DomainFilter
from pytwfix.tables.driver import Driver, TableContext
from pytwfix.tables.expansion import BadTemplate, Template
from pytwfix.tables.serverpool import Pool, host_port

T = TypeVar("T")
MAXIMUM_KEY = 250


class Malformed(Exception):
    """The server talks nonsense; a new connection would not help."""


class Memcache(Driver):
    blocking = True

    def __init__(self, context: TableContext, kind: str, rest: str, flags: int) -> None:
        super().__init__(context, kind, rest, flags)
        config = ClientConfig(context, self.name, rest)
        try:
            self._format = Template(config.get("key_format", "%s"))
            place = config.get("memcache", "inet:localhost:11211")
            family, _, where = place.partition(":")
            address: tuple[str, int] | str = where if family == "unix" else host_port(where)
        except (BadTemplate, ValueError) as error:
            raise TableMisconfigured(self.name, f"{config.path}: {error}") from None
        self.fixed = not self._format.partial
        self._digest = config.get("key_digest")
        self._domains = DomainFilter(context, config.get("domain"), flags)
        self._tries = max(1, config.number("max_try", 2))
        self._pause = config.number("retry_pause", 1)
        self._ttl = config.number("ttl", 3600)
        self._flags = config.number("flags", 0)
        self._line_limit = config.number("line_size_limit", 1024)
        self._size_limit = config.number("data_size_limit", 10240)
        self._pool = Pool(address, float(config.number("timeout", 2)), 60.0)
        backup = config.get("backup")
        self._backup = context.open(backup, flags) if backup else None

    def find(self, key: bytes) -> bytes | None:
        if not self._domains.admits(key):
            return None
        name = self._name(key)
        if name is None:
            return None
        try:
            value = self._talk(lambda connection: self._read(connection, name))
        except TableUnavailable:
            if self._backup is None:
                raise
            return self._backup.get(key)
        if value is None and self._backup is not None:
            value = self._backup.get(key)
            if value is not None:
                self._set(name, value)
        return value

    def update(self, key: bytes, value: bytes) -> None:
        name = self._name(key)
        if self._backup is not None:
            self._backup.put(key, value)
        if name is not None:
            self._set(name, value)

    def delete(self, key: bytes) -> bool:
        name = self._name(key)
        gone = self._backup.drop(key) if self._backup is not None else False
        if name is None:
            return gone
        answer = self._talk(lambda connection: self._line(connection, b"delete " + name + b"\r\n"))
        return answer == b"DELETED" or gone

    def _name(self, key: bytes) -> bytes | None:
        """The key as the server has it; None for one that it cannot have."""
        name = self._format.query(key, lambda part: part)
        if name is not None and self._digest:
            name = hashlib.new(self._digest, name, usedforsecurity=False).hexdigest().encode()
        if not name or len(name) > MAXIMUM_KEY or any(octet <= 32 or octet == 127 for octet in name):
            return None
        return name

    def _set(self, name: bytes, value: bytes) -> None:
        if len(value) > self._size_limit:
            return
        request = b"set %s %d %d %d\r\n%s\r\n" % (name, self._flags, self._ttl, len(value), value)
        self._talk(lambda connection: self._line(connection, request))

    def _talk(self, exchange: Callable[[socket.socket], T]) -> T:
        reason = ""
        for attempt in range(self._tries):
            if attempt:
                time.sleep(self._pause)  # in a thread: the driver is `blocking`
            try:
                return self._pool.exchange(exchange)
            except (OSError, Malformed) as error:
                reason = str(error)
                self.context.log.warning(f"{self.name}: {reason}")
        raise TableUnavailable(self.name, reason)

    def _read(self, connection: socket.socket, name: bytes) -> bytes | None:
        connection.sendall(b"get " + name + b"\r\n")
        with connection.makefile("rb") as file:
            head = file.readline(self._line_limit)
            if not head:
                raise ConnectionError("lost connection")
            if head == b"END\r\n":
                return None
            words = head.split()
            if len(words) != 4 or words[:2] != [b"VALUE", name] or not words[3].isdigit():
                raise Malformed(f"malformed reply: {head[:100]!r}")
            size = int(words[3])
            if size > self._size_limit:
                raise Malformed("the value is too big")
            data = file.read(size + 2)
            if len(data) != size + 2 or file.readline(self._line_limit) != b"END\r\n":
                raise Malformed("malformed reply")
            return data[:-2]

    def _line(self, connection: socket.socket, request: bytes) -> bytes:
        connection.sendall(request)
        with connection.makefile("rb") as file:
            line = file.readline(self._line_limit)
        if not line.endswith(b"\n"):
            raise ConnectionError("lost connection")
        return line.strip()

    def close(self) -> None:
        self._pool.close()
