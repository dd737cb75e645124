"""Aliases by name, and whose rights stand behind them (LO-2, AL-2, AL-4, RX-8).

A name is looked up in lower case, with its extension first, in external (quoted) form and then as it is. The rights are
those of the owner of the table's file; for root, and for tables that are no files, those of default_privs.
"""

from __future__ import annotations

from typing import NamedTuple

from pytwfix.contracts.host import IHost
from pytwfix.contracts.tables import FOLD_FIX, NO_PROXY, NO_REGSUB, NO_UNAUTH, UTF8_REQUEST, ITable, TableError
from pytwfix.deliver.local import log
from pytwfix.deliver.mailbox import printable
from pytwfix.tables.addresses import quoted_local
from pytwfix.tables.names import split_list

FLAGS = FOLD_FIX | UTF8_REQUEST | NO_REGSUB | NO_PROXY | NO_UNAUTH
# What file a table of this type is made of.
_SUFFIXES = {"hash": ".db", "btree": ".db", "lmdb": ".lmdb", "cdb": ".cdb", "dbm": ".pag", "sdbm": ".pag"}
_SUFFIXES["texthash"] = ""


class Alias(NamedTuple):
    """`name` is the key that matched, `extended` whether it had the extension, `owner` a uid (0: default_privs)."""

    name: bytes
    value: bytes
    extended: bool
    owner: int


class Aliases:
    """alias_maps. Errback of `find`: TableError."""

    def __init__(self, host: IHost, names: str) -> None:
        self._host = host
        self._tables: list[ITable] = [host.tables.open(name, FLAGS) for name in split_list(names)]

    async def find(self, user: bytes, rest: bytes = b"") -> Alias | None:
        """`user` in lower case; `rest` is the delimiter and the extension."""
        names = [(user + rest.lower(), True), (user, False)] if rest else [(user, False)]
        for table in self._tables:
            for name, extended in names:
                value = await self._ask(table, name)
                if value is not None:
                    return Alias(name, value, extended, await self._owner(table))
        return None

    async def _ask(self, table: ITable, name: bytes) -> bytes | None:
        try:
            quoted = quoted_local(name)
            value = await table.lookup(quoted)
            if value is None and quoted != name:
                value = await table.lookup(name)
        except TableError:
            log.alias_lookup(self._host.log, table.name, printable(name))
            raise
        return value

    async def _owner(self, table: ITable) -> int:
        kind, _, path = table.name.partition(":")
        if kind not in _SUFFIXES:
            return 0
        try:
            info = await self._host.threads.run(self._host.disk.stat, path + _SUFFIXES[kind])
        except OSError:
            return 0
        return int(info.st_uid)
