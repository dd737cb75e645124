"""tcp:host:port (MT-7, NP-1)."""

from __future__ import annotations

import socket

from pytwfix.contracts.tables import TableMisconfigured, TableUnavailable
from pytwfix.dialogs import tcp_table
from pytwfix.tables.driver import Driver, TableContext
from pytwfix.tables.serverpool import Pool, host_port

TIMEOUT = 100.0
IDLE = 100.0


class Tcp(Driver):
    fixed = False
    blocking = True
    readonly = "map requires O_RDONLY access mode"

    def __init__(self, context: TableContext, kind: str, rest: str, flags: int) -> None:
        super().__init__(context, kind, rest, flags)
        try:
            self._pool = Pool(host_port(rest), TIMEOUT, IDLE)
        except ValueError as error:
            raise TableMisconfigured(self.name, f"{self.name}: {error}") from None

    def find(self, key: bytes) -> bytes | None:
        try:
            data = tcp_table.request(key)
            line = self._pool.exchange(lambda connection: _exchange(connection, data))
            return tcp_table.answer(line).value
        except (OSError, tcp_table.TcpTableError) as error:
            self.context.log.warning(f"{self.name}: {error}")
            raise TableUnavailable(self.name, str(error)) from None

    def close(self) -> None:
        self._pool.close()


def _exchange(connection: socket.socket, data: bytes) -> bytes:
    connection.sendall(data)
    buffer = b""
    while b"\n" not in buffer:
        received = connection.recv(tcp_table.MAXIMUM_LINE + 1)
        if not received:
            raise ConnectionError("lost connection")
        buffer += received
        if len(buffer) > tcp_table.MAXIMUM_LINE:
            raise tcp_table.TcpTableError("reply is too long")
    return buffer.partition(b"\n")[0].rstrip(b"\r")
