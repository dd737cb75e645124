"""contracts/tlssessions.py's ITlsSessions: a bounded memory for each cache, and the table that main.cf names behind it.

`<cache>_tls_session_cache_database` keeps sessions over a restart; what its table cannot do is logged once, and memory
goes on alone. A session is forgotten `<cache>_tls_session_cache_timeout` seconds after it was made.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred, succeed

from pytwfix.basics.durations import parse_duration
from pytwfix.contracts.tables import TableError
from pytwfix.tlsmgr import log

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall

    from pytwfix.contracts.host import IHost
    from pytwfix.contracts.tables import IWritableTable

CACHES = ("smtp", "lmtp", "smtpd")
MOST = 5000  # sessions in memory for each cache: some 2 KB each
_SWEEP = 1000.0  # the wake-up time in master.cf


class TlsmgrService(Service):
    """See the module."""

    def __init__(self, host: IHost) -> None:
        self._host = host
        self._caches: dict[str, SessionCache] = {}
        self._timer: IDelayedCall | None = None

    def startService(self) -> None:
        super().startService()
        self._timer = self._host.call_later(_SWEEP, self._sweep)

    def stopService(self) -> None:
        super().stopService()
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    def reloaded(self) -> None:
        """Other tables, other times; what is in memory stays."""
        for cache in self._caches.values():
            cache.bind()

    # ITlsSessions.

    def lookup(self, cache: str, key: str) -> Deferred[bytes | None]:
        return self._cache(cache).lookup(key)

    def update(self, cache: str, key: str, session: bytes) -> None:
        self._cache(cache).update(key, session)

    def delete(self, cache: str, key: str) -> None:
        self._cache(cache).delete(key)

    def _cache(self, name: str) -> SessionCache:
        if name not in CACHES:
            raise ValueError(f"no TLS session cache is called {name}")
        found = self._caches.get(name)
        if found is None:
            found = self._caches[name] = SessionCache(self._host, name)
        return found

    def _sweep(self) -> None:
        self._timer = self._host.call_later(_SWEEP, self._sweep)
        for cache in self._caches.values():
            self._host.background(cache.sweep(), "tlsmgr: old sessions")


class SessionCache:
    """One cache. Values in the table are `expiry:session`."""

    def __init__(self, host: IHost, name: str) -> None:
        self._host = host
        self._name = name
        self._memory: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
        self._table: IWritableTable | None = None
        self._timeout = 0.0
        self.bind()

    def bind(self) -> None:
        """Take the settings of now."""
        prefix = f"{self._name}_tls_session_cache"
        self._timeout = float(parse_duration(self._host.parameter(f"{prefix}_timeout") or "3600s"))
        database = self._host.parameter(f"{prefix}_database") or ""
        self._table = self._host.tables.open_writable(database, 0) if database else None  # 0: keys as they are

    def lookup(self, key: str) -> Deferred[bytes | None]:
        known = self._memory.get(key)
        if known is not None:
            if known[0] > self._host.now():
                return succeed(known[1])
            self.delete(key)
            return succeed(None)
        if self._table is None:
            return succeed(None)
        return Deferred.fromCoroutine(self._read(self._table, key))

    async def _read(self, table: IWritableTable, key: str) -> bytes | None:
        try:
            value = await table.lookup(key.encode())
        except TableError as error:
            self._unusable(error)
            return None
        expiry, session = _split(value)
        if expiry <= self._host.now():
            return None
        self._remember(key, expiry, session)
        return session

    def update(self, key: str, session: bytes) -> None:
        if not session or self._timeout <= 0:
            return
        expiry = self._host.now() + self._timeout
        self._remember(key, expiry, session)
        if self._table is not None:
            value = b"%d:%b" % (expiry, session)
            self._host.background(self._written(self._table.update(key.encode(), value)), "tlsmgr: update")

    def delete(self, key: str) -> None:
        self._memory.pop(key, None)
        if self._table is not None:
            self._host.background(self._written(self._table.delete(key.encode())), "tlsmgr: delete")

    def _remember(self, key: str, expiry: float, session: bytes) -> None:
        memory = self._memory
        memory[key] = (expiry, session)
        memory.move_to_end(key)
        if len(memory) > MOST:
            memory.popitem(last=False)

    async def _written(self, work: Deferred[Any]) -> None:
        try:
            await work
        except TableError as error:
            self._unusable(error)

    def _unusable(self, error: TableError) -> None:
        log.unusable(self._host.log, self._name, error.reason)
        self._table = None

    async def sweep(self) -> None:
        """Forget what is too old, in memory and in the table."""
        now = self._host.now()
        for key in [key for key, (expiry, _) in self._memory.items() if expiry <= now]:
            del self._memory[key]
        if self._table is None:
            return
        try:
            for old in await self._host.threads.run(_expired, self._table, now):
                if self._table is not None:
                    await self._table.delete(old)
        except TableError as error:
            self._unusable(error)


def _expired(table: IWritableTable, now: float) -> list[bytes]:
    """Keys of old sessions. Blocks."""
    return [key for key, value in table.items() if _split(value)[0] <= now]


def _split(value: bytes | None) -> tuple[float, bytes]:
    """(expiry, session); (0, b"") for what makes no sense."""
    expiry, colon, session = (value or b"").partition(b":")
    return (float(expiry), session) if colon and expiry.isdigit() else (0.0, b"")
