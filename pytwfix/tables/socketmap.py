"""socketmap:inet:host:port:name and socketmap:unix:path:name (MT-7, NP-2)."""

from __future__ import annotations

import socket

from pytwfix.contracts.tables import TableMisconfigured, TableUnavailable
from pytwfix.dialogs import socketmap
from pytwfix.tables.driver import Driver, TableContext
from pytwfix.tables.serverpool import Pool, host_port

TIMEOUT = 100.0
IDLE = 10.0


class SocketMap(Driver):
    fixed = False
    blocking = True
    readonly = "map requires O_RDONLY access mode"

    def __init__(self, context: TableContext, kind: str, rest: str, flags: int) -> None:
        super().__init__(context, kind, rest, flags)
        where, _, name = rest.rpartition(":")
        family, _, place = where.partition(":")
        try:
            address: tuple[str, int] | str = host_port(place) if family == "inet" else context.path(place)
        except ValueError as error:
            raise TableMisconfigured(self.name, f"{self.name}: {error}") from None
        if family not in ("inet", "unix") or not place or not name:
            raise TableMisconfigured(
                self.name, f"bad syntax: {self.name}: need inet:host:port:name or unix:pathname:name"
            )
        self._name = name.encode("utf-8", "surrogateescape")
        self._pool = Pool(address, TIMEOUT, IDLE)
        self._most_asked = context.number("socketmap_max_query_size", socketmap.MAXIMUM_REQUEST)
        self._most_told = context.number("socketmap_max_reply_size", socketmap.MAXIMUM_REPLY)

    def find(self, key: bytes) -> bytes | None:
        try:
            data = socketmap.request(self._name, key, self._most_asked)
            reply = self._pool.exchange(lambda connection: _exchange(connection, data, self._most_told))
            return socketmap.answer(reply).value
        except (OSError, socketmap.SocketmapError) as error:
            self.context.log.warning(f"{self.name}: {error}")
            raise TableUnavailable(self.name, str(error)) from None

    def close(self) -> None:
        self._pool.close()


def _exchange(connection: socket.socket, data: bytes, limit: int) -> bytes:
    connection.sendall(data)
    reader = socketmap.ReplyReader(limit)
    while True:
        received = connection.recv(65536)
        if not received:
            raise ConnectionError("lost connection")
        reply = reader.receive(received)
        if reply is not None:
            return reply
