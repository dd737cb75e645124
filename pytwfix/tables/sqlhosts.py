"""SQL servers: which host to ask, connections kept for the next question, hosts that failed (NP-6, MT-9, MT-10).

Hosts are tried in random order; one that failed rests for retry_interval seconds, unless it is the only one. A
connection that was idle for idle_interval seconds is closed. A server that does not answer within `timeout` seconds
(a parameter of ours) has failed; it is not asked a second time for the same key. Thread-safe: a connection is used by
one lookup at a time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from pytwfix.contracts.tables import TableMisconfigured
from pytwfix.tables.driver import TableContext
from pytwfix.tables.sqlclient import MakeQuery, Row, SqlTable

RETRY_INTERVAL = 60
IDLE_INTERVAL = 60
TIMEOUT = 30


class _ServerError(Exception):
    """What a server or its driver says, in one line for the log."""

    def __init__(self, reason: object) -> None:
        super().__init__(" ".join(str(reason).split()))


class Refused(_ServerError):
    """A host cannot be used: the next one is tried."""


class Slow(Refused):
    """It did not answer in time."""


class BadQuery(_ServerError):
    """The server answers, but not to this query: another host would say the same."""


class HostedSql(SqlTable):
    """Subclasses say `connect`, `quote` and `ask`, which raise Refused, Slow or BadQuery."""

    def __init__(self, context: TableContext, kind: str, rest: str, flags: int) -> None:
        super().__init__(context, kind, rest, flags)
        self.hosts = self.config.get("hosts").replace(",", " ").split() or self.default_hosts()
        if not self.hosts:
            raise TableMisconfigured(self.name, f"{self.config.path}: no hosts")
        self._retry = self.config.number("retry_interval", RETRY_INTERVAL)
        self._keep = self.config.number("idle_interval", IDLE_INTERVAL)
        self.timeout = max(1, self.config.number("timeout", TIMEOUT))
        self._idle: list[tuple[float, str, Any]] = []
        self._failed: dict[str, float] = {}
        self._mutex = threading.Lock()

    def default_hosts(self) -> list[str]:
        return ["localhost"]

    def connect(self, host: str) -> Any:
        raise NotImplementedError

    def quote(self, connection: Any, text: bytes) -> bytes:
        """Text as part of a string in single quotes."""
        raise NotImplementedError

    def ask(self, connection: Any, query: bytes) -> list[Row]:
        raise NotImplementedError

    def rows(self, make: MakeQuery) -> list[Row]:
        slow = ""
        last: Refused | str = "all hosts have failed lately"
        kept = self._take()
        if kept is not None:
            slow, connection = kept
            try:
                return self._use(slow, lambda: connection, make)
            except Slow as error:
                last = error
                self._note(slow, error)
            except Refused:
                slow = ""  # the server may have closed it: that is no failure
        for host in self._candidates():
            if host == slow:
                continue
            try:
                return self._use(host, lambda host=host: self.connect(host), make)  # type: ignore[misc]
            except Refused as error:
                last = error
                self._note(host, error)
        raise self.unavailable(str(last))

    def _note(self, host: str, error: Refused) -> None:
        self.context.log.warning(f"{self.name}: host {host}: {error}")
        with self._mutex:
            self._failed[host] = time.monotonic()

    def _use(self, host: str, connection_of: Callable[[], Any], make: MakeQuery) -> list[Row]:
        connection = connection_of()
        try:
            rows = self.ask(connection, make(lambda text: self.quote(connection, text)))
        except BadQuery as error:
            self._close(connection)
            raise self.unavailable(f"query failed: {error}") from None
        except Refused:
            self._close(connection)
            raise
        with self._mutex:
            self._idle.append((time.monotonic(), host, connection))
        return rows

    def _candidates(self) -> list[str]:
        hosts = list(self.hosts)
        self.context.random.shuffle(hosts)
        if len(hosts) == 1:
            return hosts
        now = time.monotonic()
        with self._mutex:
            return [host for host in hosts if now - self._failed.get(host, -self._retry) >= self._retry]

    def _take(self) -> tuple[str, Any] | None:
        with self._mutex:
            while self._idle:
                since, host, connection = self._idle.pop()
                if time.monotonic() - since < self._keep:
                    return host, connection
                self._close(connection)
        return None

    def _close(self, connection: Any) -> None:
        try:
            connection.close()
        except Exception:  # a driver's own errors: the connection is given up anyway
            pass

    def close(self) -> None:
        with self._mutex:
            for _, _, connection in self._idle:
                self._close(connection)
            self._idle.clear()
