"""hash: and btree: tables where there is no Berkeley DB library (MT-1).

Served from `/file.lmdb` if that is there and not older than the text, else from an LMDB file that this process makes
from the text `/file` under data_directory, and makes again when the text changes. Said once a table in the log.
"""

from __future__ import annotations

import hashlib
import os

from pytwfix.contracts.tables import TableMisconfigured
from pytwfix.tables.build import Duplicates, collect, create
from pytwfix.tables.driver import Driver, TableContext
from pytwfix.tables.files import Watch, read_file, stamp
from pytwfix.tables.lmdbtable import Lmdb
from pytwfix.tables.names import split_list
from pytwfix.tables.textsource import entries, folder

HINT = "pip install 'pytwfix[berkeleydb]'"


def substitute(context: TableContext, kind: str, rest: str, flags: int) -> Driver:
    """A table with the same content. TableMisconfigured when there is no text to make it from."""
    path = context.path(rest)
    source, beside = stamp(context, path), stamp(context, path + Lmdb.suffix)
    if beside is not None and (source is None or beside[1] >= source[1]):
        table: Driver = Lmdb(context, kind, rest, flags)
    elif source is not None:
        table = FromText(context, kind, rest, flags)
    else:
        raise TableMisconfigured(f"{kind}:{rest}", f"open database {path}.db: there is no Berkeley DB here: {HINT}")
    where = getattr(table, "path", "")
    context.log.info(f"{kind}:{rest}: there is no Berkeley DB here ({HINT}): served from {where}")
    return table


def made_path(context: TableContext, path: str) -> str:
    """Where the file made from a text lies, without `.lmdb`."""
    name = hashlib.sha256(os.fsencode(os.path.abspath(path))).hexdigest()[:16]
    return f"{context.data_directory}/tables/{os.path.basename(path)}-{name}"


class FromText(Lmdb):
    """An LMDB file made from a text."""

    def __init__(self, context: TableContext, kind: str, rest: str, flags: int) -> None:
        self._source = context.path(rest)
        self._made = made_path(context, self._source)
        self._text = Watch(context, self._source)
        self.context, self.rest, self.flags = context, rest, flags
        self.name = f"{kind}:{rest}"
        self._make(bool(flags & 1))
        super().__init__(context, kind, rest, flags, path=self._made + Lmdb.suffix)

    def _make(self, fold: bool) -> None:
        context = self.context
        data = read_file(context, self.name, self._source)
        warn = context.log.warning
        if self._is_alias_file():
            from pytwfix.tables.aliassource import alias_entries

            found = alias_entries(data, self._source, warn)
        else:
            found = entries(data, self._source, warn)
        content = collect(found, folder(fold, True), Duplicates.WARN, self._source, warn)
        try:
            os.makedirs(os.path.dirname(self._made), 0o700, exist_ok=True)
            create(context, "lmdb", self._made, content, 0o600, True)
        except OSError as error:
            raise TableMisconfigured(self.name, f"{self._made}: {error.strerror}") from None

    def _is_alias_file(self) -> bool:
        lists = [self.context.parameter(name) or "" for name in ("alias_database", "alias_maps")]
        return any(name.partition(":")[2] == self.rest for text in lists for name in split_list(text))

    def find(self, key: bytes) -> bytes | None:
        if self._text.changed():
            try:
                self._make(self.fold)
            except TableMisconfigured as error:
                self.context.log.error(f"{error.reason}; the old content of {self.name} stays in use")
        return super().find(key)
