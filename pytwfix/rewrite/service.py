"""contracts/rewriting.py's IRewriter (INVENTORY TR-1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.application.service import Service
from twisted.internet.defer import Deferred

from pytwfix.basics.tasks import fired, start
from pytwfix.contracts.rewriting import CLASS_DEFAULT, FAILED, Resolved
from pytwfix.contracts.tables import TableError
from pytwfix.rewrite import log
from pytwfix.rewrite.configuration import Configuration, Routes
from pytwfix.rewrite.resolve import resolve
from pytwfix.rewrite.rewrite import complete
from pytwfix.rewrite.settings import RewriteSettings

if TYPE_CHECKING:
    from pytwfix.contracts.host import IHost

_REMEMBER = 2000
UNAVAILABLE = "4.3.0 address resolver failure"


class RewriteService(Service):
    """Answers at once where it can. Settings are looked at anew at each question: a reload changes the object."""

    def __init__(self, host: IHost) -> None:
        self._host = host
        self._config: Configuration | None = None
        self._known: dict[tuple[bytes, bool], Resolved] = {}

    def rewrite(self, context: str, address: bytes) -> Deferred[bytes]:
        config = self._configuration()
        if context == "local":
            rewritten = complete(config.local, address)
            if config.old_dot and rewritten != address:
                self._told_old_dot(config, address, rewritten)
            return fired(rewritten)
        return fired(complete(config.remote if context == "remote" else config.incomplete, address))

    def _told_old_dot(self, config: Configuration, address: bytes, rewritten: bytes) -> None:
        """Say that the old default of append_dot_mydomain made the difference, if it did (V-3)."""
        without = complete(config.local._replace(domain=b""), address)
        if without != rewritten:
            log.old_append_dot(self._host.log, without.rpartition(b"@")[2], rewritten.rpartition(b"@")[2])

    def resolve(self, sender: bytes, address: bytes, verify: bool = False) -> Deferred[Resolved]:
        config = self._configuration()
        known = self._known.get((address, verify))
        if known is not None:
            return fired(known)
        routes = config.probe if verify else config.mail
        return start(self._resolve(config, routes, sender, address, verify))

    async def _resolve(
        self, config: Configuration, routes: Routes, sender: bytes, address: bytes, verify: bool
    ) -> Resolved:
        try:
            answer = await resolve(config, routes, self._host.log, sender, address)
        except TableError:  # the tables have logged it
            return Resolved("retry", UNAVAILABLE, address, FAILED | CLASS_DEFAULT)
        if config.steady and config is self._config:
            if len(self._known) >= _REMEMBER:
                self._known.clear()
            self._known[address, verify] = answer
        return answer

    def _configuration(self) -> Configuration:
        cfg = self._host.settings(RewriteSettings)
        config = self._config
        if config is None or config.settings is not cfg:
            config = self._config = Configuration(self._host, cfg)
            self._known.clear()
        return config
