"""contracts/verification.py's IVerifier: a bounded memory, and the table of address_verify_map behind it (VE-1).

With an empty address_verify_map, or while the table does not work, memory serves alone. A failed address is remembered
only with address_verify_negative_cache; without it a failure is told to those who wait for it, and forgotten. The sweep
comes some time after the last one, also if that was before a restart: the table says when it was, as Postfix's does.
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
_POLLING = 10.0  # seconds for which a failure that is not kept is told
_SWEPT = b"_LAST_CACHE_CLEANUP_COMPLETED_"  # a key that is no address


class VerifyService(Service):
    """See the module."""

    def __init__(self, host: IHost) -> None:
        self._host = host
        self._memory: OrderedDict[bytes, Entry] = OrderedDict()
        self._told: dict[bytes, tuple[float, Verified]] = {}  # failures that are not kept
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
        self._table = self._host.tables.open_writable(name, 0) if name else None  # 0: keys as they are
        self._cancel()
        if cfg.address_verify_cache_cleanup_interval:
            self._host.background(self._begin(), "verify: first cleanup of the cache")

    def _cancel(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    async def _begin(self) -> None:
        """The first sweep comes when it is due."""
        last = 0
        if self._table is not None:
            try:
                value = await self._table.lookup(_SWEPT) or b""
                last = int(value) if value.isdigit() else 0
            except TableError as error:
                self._unusable(error)
        self._schedule(last)

    def _schedule(self, last: float) -> None:
        interval = self._host.settings(VerifySettings).address_verify_cache_cleanup_interval
        self._cancel()
        if interval and self.running:
            self._timer = self._host.call_later(max(0.0, last + interval - self._host.now()), self._sweep)

    # IVerifier.

    def query(self, address: bytes) -> Deferred[Verified]:
        return Deferred.fromCoroutine(self._query(address))

    async def _query(self, address: bytes) -> Verified:
        times, now = self._times(), self._host.now()
        told = self._told.get(address)
        if told is not None and told[0] > now:
            return told[1]
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
                return  # the probe stays noted, so that the next one comes after a while
            if not self._host.settings(VerifySettings).address_verify_negative_cache:
                self._tell(address, Verified(status, text[:TEXT_LIMIT]), now)
                return
        await self._keep(address, Entry(status, 0.0, now, text[:TEXT_LIMIT]))

    def _tell(self, address: bytes, verified: Verified, now: float) -> None:
        """Only to those who ask right now."""
        self._memory.pop(address, None)
        self._told = {key: told for key, told in self._told.items() if told[0] > now}
        self._told[address] = (now + _POLLING, verified)

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
        self._schedule(self._host.now())
        self._host.background(self._clean(), "verify: cleanup of the cache")

    async def _clean(self) -> None:
        """Forget what is too old."""
        times, now = self._times(), self._host.now()
        old = [one for one, entry in self._memory.items() if current(entry, times, now) is NOTHING]
        for address in old:
            del self._memory[address]
        if self._table is None:
            log.cleaned(self._host.log, "internal:verify", len(self._memory), len(old))
            return
        try:
            await self._clean_table(self._table, times, now)
        except TableError as error:
            self._unusable(error)

    async def _clean_table(self, table: IWritableTable, times: Times, now: float) -> None:
        kept, old = await self._host.threads.run(_sorted, table, times, now)
        for address in old:
            await table.delete(address)
        await table.update(_SWEPT, b"%d" % now)
        log.cleaned(self._host.log, table.name, kept, len(old))


def _sorted(table: IWritableTable, times: Times, now: float) -> tuple[int, list[bytes]]:
    """How many entries are good, and the keys of those that are too old. Blocks."""
    old = [key for key, value in table.items() if key != _SWEPT and current(decode(value), times, now) is NOTHING]
    return sum(key != _SWEPT for key, _value in table.items()) - len(old), old
