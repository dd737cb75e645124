"""Connections to a table server: blocking, one for each lookup under way, kept for the next (NP-1, NP-2).

Used in threads (the drivers are `blocking`). A kept connection may have been closed by the server meanwhile: the
request is then made once more on a new one.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from pytwfix.basics.socketpath import reachable

T = TypeVar("T")


class Pool:
    """`address` is (host, port) or a UNIX socket's path. Exchanges raise OSError. `greet` makes a new connection ready,
    and gives the socket to use."""

    def __init__(
        self,
        address: tuple[str, int] | str,
        timeout: float,
        keep: float,
        greet: Callable[[socket.socket], socket.socket] | None = None,
    ) -> None:
        self._address = address
        self._timeout = timeout
        self._keep = keep
        self._greet = greet
        self._idle: list[tuple[float, socket.socket]] = []
        self._mutex = threading.Lock()

    def exchange(self, talk: Callable[[socket.socket], T]) -> T:
        """Let `talk` send a request and read its reply; it raises OSError, also for EOF."""
        kept = self._take()
        if kept is not None:
            try:
                return self._talk(kept, talk)
            except TimeoutError:
                raise  # it is slow, not gone: once is enough
            except OSError:
                pass
        return self._talk(self._connect(), talk)

    def _talk(self, connection: socket.socket, talk: Callable[[socket.socket], T]) -> T:
        try:
            result = talk(connection)
        except BaseException:
            connection.close()
            raise
        with self._mutex:
            self._idle.append((time.monotonic(), connection))
        return result

    def _take(self) -> socket.socket | None:
        with self._mutex:
            while self._idle:
                since, connection = self._idle.pop()
                if time.monotonic() - since < self._keep:
                    return connection
                connection.close()
        return None

    def _connect(self) -> socket.socket:
        connection = self._plain()
        if self._greet is None:
            return connection
        try:
            return self._greet(connection)
        except BaseException:
            connection.close()
            raise

    def _plain(self) -> socket.socket:
        if isinstance(self._address, tuple):
            return socket.create_connection(self._address, self._timeout)
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(self._timeout)
        try:
            with reachable(self._address) as name:
                connection.connect(name)
        except OSError:
            connection.close()
            raise
        return connection

    def close(self) -> None:
        with self._mutex:
            for _, connection in self._idle:
                connection.close()
            self._idle.clear()


def host_port(text: str) -> tuple[str, int]:
    """`host:port` or `[v6]:port`; a service's name will do for the port. ValueError."""
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port:
        raise ValueError(f"need host:port instead of {text}")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    if port.isdigit():
        return host, int(port)
    try:
        return host, socket.getservbyname(port, "tcp")
    except OSError:
        raise ValueError(f"unknown service: {port}") from None
