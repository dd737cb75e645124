"""contracts/proxying.py's ITableProxy over the tables of this process (PX-1, NP-9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.application.service import Service
from twisted.internet.defer import Deferred, fail

from pytwfix.contracts.tables import TableMisconfigured
from pytwfix.proxymap import log
from pytwfix.proxymap.settings import ProxymapSettings
from pytwfix.tables.approved import approved

if TYPE_CHECKING:
    from pytwfix.contracts.host import IHost
    from pytwfix.contracts.tables import IWritableTable


class ProxymapService(Service):
    """See the module."""

    remote = False

    def __init__(self, host: IHost) -> None:
        self._host = host
        self._lists: tuple[str, str] = ("", "")
        self._names: tuple[frozenset[str], frozenset[str]] = (frozenset(), frozenset())

    def lookup(self, name: str, flags: int, key: bytes, writable: bool = False) -> Deferred[bytes | None]:
        if not self._may(name, writable):
            return fail(_refused(name))
        if writable:
            return self._writable(name, flags).lookup(key)
        return self._host.tables.open(name, flags).lookup(key)

    def update(self, name: str, flags: int, key: bytes, value: bytes) -> Deferred[None]:
        if not self._may(name, True):
            return fail(_refused(name))
        return self._writable(name, flags).update(key, value)

    def delete(self, name: str, flags: int, key: bytes) -> Deferred[bool]:
        if not self._may(name, True):
            return fail(_refused(name))
        return self._writable(name, flags).delete(key)

    def items(self, name: str, flags: int) -> Deferred[list[tuple[bytes, bytes]]]:
        if not self._may(name, True):
            return fail(_refused(name))
        table = self._writable(name, flags)
        return self._host.threads.run(lambda: list(table.items()))

    def _writable(self, name: str, flags: int) -> IWritableTable:
        return self._host.tables.open_writable(name, flags)

    def _may(self, name: str, writable: bool) -> bool:
        """Whether main.cf lists the table; said in the log when it does not."""
        cfg = self._host.settings(ProxymapSettings)
        lists = (cfg.proxy_read_maps, cfg.proxy_write_maps)
        if lists != self._lists:
            self._lists, self._names = lists, (approved(lists[0]), approved(lists[1]))
        if name in self._names[writable]:
            return True
        log.unapproved(self._host.log, name, writable)
        return False


def _refused(name: str) -> TableMisconfigured:
    return TableMisconfigured(f"proxy:{name}", f'proxymap service is not configured for table "{name}"')
