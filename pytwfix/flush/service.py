"""contracts/flushing.py's IFlusher (INVENTORY FL-1).

What is added in one turn of the reactor is written together, in a thread. A log that nobody asked for in
fast_flush_refresh_time is delivered and begun anew; one that stays empty for fast_flush_purge_time is removed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.application.service import Service
from twisted.internet.defer import Deferred

from pytwfix.contracts.tables import PARENT, TableError
from pytwfix.flush import log
from pytwfix.flush.logfile import LogFiles, file_name
from pytwfix.flush.settings import FlushSettings
from pytwfix.tables.matchlists import DomainList
from pytwfix.tables.names import split_list

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall

    from pytwfix.contracts.host import IHost

INTERVAL = 1000.0  # the wake-up time in master.cf


class FlushService(Service):
    """IFlusher."""

    def __init__(self, host: IHost) -> None:
        self._host = host
        self._cfg: FlushSettings | None = None
        self._domains: DomainList | None = None
        self._waiting: dict[str, list[str]] = {}
        self._timer: IDelayedCall | None = None

    def startService(self) -> None:
        super().startService()
        self._timer = self._host.call_later(INTERVAL, self._wake)

    def stopService(self) -> None:
        super().stopService()
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None

    # -- IFlusher ------------------------------------------------------------------------------------------------------

    def add(self, site: str, queue_id: str) -> None:
        if not self._settings().fast_flush_domains:
            return
        if not self._waiting:
            self._host.call_later(0, self._begin)
        self._waiting.setdefault(site, []).append(queue_id)

    def take(self, site: str) -> Deferred[list[str]]:
        return Deferred.fromCoroutine(self._take(site))

    async def _take(self, site: str) -> list[str]:
        if not await self._eligible(site):
            raise ValueError(f'Flush service is not configured for destination "{site}"')
        await self._write()
        try:
            found: list[str] = await self._host.threads.run(self._files().take, file_name(site))
        except OSError as error:
            log.trouble(self._host.log, f"read fast flush logfile {site}", error)
            raise ValueError("fast flush log is unavailable") from error
        return found

    # -- inside --------------------------------------------------------------------------------------------------------

    def _settings(self) -> FlushSettings:
        cfg = self._host.settings(FlushSettings)
        if cfg is not self._cfg:
            parents = split_list(cfg.parent_domain_matches_subdomains)
            flags = PARENT if "fast_flush_domains" in parents else 0
            self._domains = DomainList(self._host.tables, cfg.fast_flush_domains, "fast_flush_domains", flags)
            self._cfg = cfg
        return cfg

    def _files(self) -> LogFiles:
        return LogFiles(self._host.disk, f"{self._settings().queue_directory}/flush")

    async def _eligible(self, site: str) -> bool:
        """Whether a log is kept for a site."""
        self._settings()
        assert self._domains is not None
        if not site or site.startswith("."):
            return False
        try:
            return await self._domains.match(site)
        except TableError as error:
            log.trouble(self._host.log, "fast_flush_domains", error)
            return False

    def _begin(self) -> None:
        self._host.background(self._write(), "fast flush logs")

    async def _write(self) -> None:
        waiting, self._waiting = self._waiting, {}
        for site, queue_ids in waiting.items():
            if not await self._eligible(site):
                continue
            try:
                await self._host.threads.run(self._files().append, file_name(site), queue_ids)
            except OSError as error:
                log.trouble(self._host.log, f"write fast flush logfile {site}", error)

    def _wake(self) -> None:
        self._timer = self._host.call_later(INTERVAL, self._wake)
        self._host.background(self._refresh(), "refresh of fast flush logs")

    async def _refresh(self) -> None:
        cfg, host = self._settings(), self._host
        files, now = self._files(), host.now()
        try:
            for name in await host.threads.run(files.unread, now - cfg.fast_flush_refresh_time):
                for queue_id in await host.threads.run(files.take, name):
                    await host.peers.queue.deliver_now(queue_id)
            await host.threads.run(files.purge, now - cfg.fast_flush_purge_time)
        except OSError as error:
            log.trouble(host.log, "fast flush logs", error)
