"""hash: and btree: tables where there is no Berkeley DB library (MT-1, PR-3).

Served from `/file.lmdb`, which postmap and postalias make then, else from an LMDB file below data_directory: made from
the text `/file` by the mail system, and made again when the text changes. `prepare` makes all of these at start, as
the user who may read every text, and says in the log what is served from where. Commands make nothing: without any
index they say so, as Postfix's do. A new text is read in a thread (TableBusy). Raises TableError.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pytwfix.contracts.tables import TableMisconfigured, TableUnavailable
from pytwfix.tables.build import Duplicates, collect, create
from pytwfix.tables.driver import Driver, TableBusy, TableContext
from pytwfix.tables.files import Watch, read_file, stamp
from pytwfix.tables.lmdbtable import Lmdb
from pytwfix.tables.names import split_list
from pytwfix.tables.textsource import entries, folder

HINT = "pip install 'pytwfix[berkeleydb]'"
MISSING = f"there is no Berkeley DB here ({HINT})"


def substitute(context: TableContext, kind: str, rest: str, flags: int, writable: bool = False) -> Driver:
    """A table with the same content."""
    path = context.path(rest)
    if writable or stamp(context, path + Lmdb.suffix) is not None:
        return Beside(context, kind, rest, flags, writable=writable)
    if stamp(context, path) is not None and context.makes:
        return FromText(context, kind, rest, flags)
    made = made_path(context, path) + Lmdb.suffix
    if stamp(context, made) is not None:
        return Beside(context, kind, rest, flags, path=made)
    name, file = f"{kind}:{rest}", f"open database {path}.db"
    if stamp(context, path + ".db") is not None:
        raise TableMisconfigured(name, f"{file}: {MISSING}: make {path}{Lmdb.suffix} by postmap or postalias")
    raise TableUnavailable(name, f"{file}: No such file or directory")


def made_path(context: TableContext, path: str) -> str:
    """Where the file made from a text lies, without `.lmdb`."""
    name = hashlib.sha256(os.fsencode(os.path.abspath(path))).hexdigest()[:16]
    return f"{context.data_directory}/tables/{os.path.basename(path)}-{name}"


@contextmanager
def _acting_as(owner: tuple[int, int] | None) -> Iterator[None]:
    """Files are made as their reader, so that root follows no link that he has put in his directory."""
    if owner is None or os.geteuid() != 0 or owner[0] == 0:
        yield
        return
    os.setegid(owner[1])
    os.seteuid(owner[0])
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


def make(context: TableContext, kind: str, rest: str, owner: tuple[int, int] | None = None) -> str:
    """The file below data_directory as its text says, unless it is that already; its path, without `.lmdb`. `owner`
    (uid, gid) shall have it: for a process without threads."""
    source = context.path(rest)
    made = made_path(context, source)
    name = f"{kind}:{rest}"
    text, old = stamp(context, source), stamp(context, made + Lmdb.suffix)
    if text is not None and old is not None and text[1] == old[1]:
        return made
    data = read_file(context, name, source)
    warn = context.log.warning
    if _is_alias_file(context, rest):
        from pytwfix.tables.aliassource import alias_entries

        found = alias_entries(data, source, warn)
    else:
        found = entries(data, source, warn)
    content = collect(found, folder(True, True), Duplicates.WARN, source, warn)
    try:
        with _acting_as(owner):
            os.makedirs(os.path.dirname(made), 0o700, exist_ok=True)
            create(context, "lmdb", made, content, 0o600, True)
            if text is not None:
                os.utime(made + Lmdb.suffix, ns=(text[1], text[1]))
    except OSError as error:
        raise TableMisconfigured(name, f"{made}: {os.strerror(error.errno or 0)}") from None
    return made


def _is_alias_file(context: TableContext, rest: str) -> bool:
    lists = [context.parameter(name) or "" for name in ("alias_database", "alias_maps")]
    names = [name.removeprefix("proxy:") for text in lists for name in split_list(text)]
    return any(name.partition(":")[2] == rest for name in names)


class Beside(Lmdb):
    """An LMDB file under the name of a Berkeley DB table."""

    def __init__(
        self, context: TableContext, kind: str, rest: str, flags: int, path: str = "", writable: bool = False
    ) -> None:
        super().__init__(context, kind, rest, flags, path, writable)
        self.label = f"{self.name}.db"


class FromText(Beside):
    """One that is made from a text, and follows it."""

    def __init__(self, context: TableContext, kind: str, rest: str, flags: int) -> None:
        self._text = Watch(context, context.path(rest))
        self._stale = False
        self._mutex = threading.Lock()
        made = make(context, kind, rest)
        super().__init__(context, kind, rest, flags, path=made + Lmdb.suffix)

    def find(self, key: bytes) -> bytes | None:
        if self._stale or self._text.changed():
            self._stale = True
            raise TableBusy(self.name, "the text has changed")
        return super().find(key)

    def wait_for_writer(self) -> None:
        with self._mutex:
            if not self._stale:
                return
            try:
                make(self.context, self.kind, self.rest)
            except (TableMisconfigured, TableUnavailable) as error:
                self.context.log.error(f"{error.reason}; the old content of {self.name} stays in use")
            self._stale = False
