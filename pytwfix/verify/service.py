"""contracts/verification.py's IVerifier: a bounded memory, and the table of address_verify_map behind it (VE-1).

With an empty address_verify_map, or while the table does not work, memory serves alone. A failed address is remembered
only with address_verify_negative_cache.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from twisted.application.service import Service
from twisted.internet.defer import Deferred

from pytwfix.contracts.tables import TableError
from pytwfix.contracts.verification import OK, TODO, Verified
from pytwfix.mail.errors import MailError
from pytwfix.verify import log, probe
from pytwfix.verify.entry import NOTHING, Entry, Times, current, decode, due
from pytwfix.verify.settings import VerifySettings

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall

    from pytwfix.contracts.host import IHost
    from pytwfix.contracts.tables import IWritableTable

MOST = 10000  # addresses in memory
TEXT_LIMIT = 2000


class VerifyService(Service):
    """See the module."""

    def __init__(self, host: IHost) -> None:
        self._host = host
        self._memory: OrderedDict[bytes, Entry] = OrderedDict()
        self._table: IWritableTable | None = None
        self._timer: IDelayedCall | None = None

    def startService(self) -> None:
        super().startService()
        self.reloaded()

    def stopService(self) -> None:
        super().stopService()
        self._cancel()

    def reloaded(self) -> None:
        """The table and the times of now; what is in memory stays."""
        cfg = self._host.settings(VerifySettings)
        name = cfg.address_verify_map
        self._table = self._host.tables.open_writable(name) if name else None
        self._cancel()
        self._schedule()

    def _cancel(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    def _schedule(self) -> None:
        interval = self._host.settings(VerifySettings).address_verify_cache_cleanup_interval
        if interval:
            self._timer = self._host.call_later(interval, self._sweep)

    # IVerifier.

    def query(self, address: bytes) -> Deferred[Verified]:
        return Deferred.fromCoroutine(self._query(address))

    async def _query(self, address: bytes) -> Verified:
        times, now = self._times(), self._host.now()
        entry = current(await self._find(address), times, now)
        if due(entry, times, now):
            await self._keep(address, entry._replace(probed=now))
            self._host.background(self._probe(address), "verify: probe")
        return Verified(entry.status, entry.text)

    def update(self, address: bytes, status: int, text: str) -> Deferred[None]:
        return Deferred.fromCoroutine(self._update(address, status, text))

    async def _update(self, address: bytes, status: int, text: str) -> None:
        now = self._host.now()
        if status != OK:
            old = current(await self._find(address), self._times(), now)
            if old.status == OK:
                await self._keep(address, old._replace(probed=0.0))
                return
            if not self._host.settings(VerifySettings).address_verify_negative_cache:
                self._remember(address, Entry(status, now, now, text[:TEXT_LIMIT]))  # for those who poll now
                return
        await self._keep(address, Entry(status, 0.0, now, text[:TEXT_LIMIT]))

    async def _probe(self, address: bytes) -> None:
        try:
            await probe.send(self._host, address)
        except MailError as error:
            log.not_probed(self._host.log, address, error.reason or error.reply.line())

    def _times(self) -> Times:
        cfg = self._host.settings(VerifySettings)
        return Times(
            cfg.address_verify_positive_expire_time,
            cfg.address_verify_positive_refresh_time,
            cfg.address_verify_negative_expire_time,
            cfg.address_verify_negative_refresh_time,
        )

    # The cache.

    async def _find(self, address: bytes) -> Entry:
        known = self._memory.get(address)
        if known is not None or self._table is None:
            return known or NOTHING
        try:
            found = decode(await self._table.lookup(address))
        except TableError as error:
            self._unusable(error)
            return NOTHING
        if found is not NOTHING:
            self._remember(address, found)
        return found

    async def _keep(self, address: bytes, entry: Entry) -> None:
        self._remember(address, entry)
        if self._table is None:
            return
        if entry.status == TODO and not self._host.settings(VerifySettings).address_verify_negative_cache:
            return
        try:
            await self._table.update(address, entry.encode())
        except TableError as error:
            self._unusable(error)

    def _remember(self, address: bytes, entry: Entry) -> None:
        self._memory[address] = entry
        self._memory.move_to_end(address)
        if len(self._memory) > MOST:
            self._memory.popitem(last=False)

    def _unusable(self, error: TableError) -> None:
        log.unusable(self._host.log, error.reason)
        self._table = None

    def _sweep(self) -> None:
        self._schedule()
        self._host.background(self._clean(), "verify: cleanup of the cache")

    async def _clean(self) -> None:
        """Forget what is too old."""
        times, now = self._times(), self._host.now()
        for address in [one for one, entry in self._memory.items() if current(entry, times, now) is NOTHING]:
            del self._memory[address]
        if self._table is None:
            return
        try:
            for address in await self._host.threads.run(_expired, self._table, times, now):
                if self._table is not None:
                    await self._table.delete(address)
        except TableError as error:
            self._unusable(error)


def _expired(table: IWritableTable, times: Times, now: float) -> list[bytes]:
    """Keys that are too old. Blocks."""
    return [key for key, value in table.items() if current(decode(value), times, now) is NOTHING]
