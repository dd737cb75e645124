"""Making the file of an indexed table: what postmap and postalias do (PM-1 to PM-4, PM-7).

hash, btree and cdb are written beside the old file, flushed and renamed: readers see the old or the new one, never a
part. lmdb is rewritten in one transaction, because its readers (Postfix's too) keep the file open. The file gets the
source's read permissions, and is made as the source's owner when root runs us. Raises TableError and OSError.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator

from pytwfix.contracts.tables import TableError, TableMisconfigured
from pytwfix.tables.contents import encoded
from pytwfix.tables.driver import Driver, TableContext
from pytwfix.tables.textsource import shown

Entry = tuple[int, bytes, bytes]  # line number, key, value
SUFFIXES = {"hash": ".db", "btree": ".db", "cdb": ".cdb", "lmdb": ".lmdb"}
BERKELEY = ("hash", "btree")
# Types that are not even opened for a change.
READ_ONLY = frozenset((
    "cidr", "inline", "ldap", "mongodb", "mysql", "nis", "pcre", "pgsql", "pipemap", "randmap", "regexp", "socketmap",
    "sqlite", "tcp", "texthash", "unionmap", "unix",
))  # fmt: skip
DEFAULT_MODE = 0o644


class Duplicates:
    """What becomes of a key that comes twice."""

    WARN, IGNORE, REPLACE = "warn", "ignore", "replace"


def buildable(kind: str) -> bool:
    return kind in SUFFIXES


def stored_as(kind: str) -> str:
    """The type whose file it is: without a Berkeley DB library hash and btree are lmdb (substitute)."""
    if kind in BERKELEY:
        from pytwfix.tables import berkeley

        return kind if berkeley.db is not None else "lmdb"
    return kind


def table_path(kind: str, source: str) -> str:
    return source + SUFFIXES[stored_as(kind)]


def duplicate_label(kind: str, source: str) -> str:
    """How the warning of a duplicate names the table."""
    return {"lmdb": f"lmdb:{source}", "cdb": source}.get(kind, source + SUFFIXES[kind])


def collect(
    entries: Iterable[Entry], fold: Callable[[bytes], bytes], duplicates: str, label: str, warn: Callable[[str], None]
) -> dict[bytes, bytes]:
    """The content of a new table, in the order of its source."""
    content: dict[bytes, bytes] = {}
    for _, key, value in entries:
        folded = fold(key)
        if folded in content and duplicates != Duplicates.REPLACE:
            if duplicates == Duplicates.WARN:
                warn(f'{label}: duplicate entry: "{shown(folded)}"')
            continue
        content[folded] = value
    return content


def with_files(entries: Iterable[Entry], path: str, warn: Callable[[str], None]) -> Iterator[Entry]:
    """Values that name files, replaced by the files' contents in base64 (postmap -F, LK-11)."""
    for number, key, value in entries:
        names = value.replace(b",", b" ").split()
        try:
            contents = [_content(os.fsdecode(name)) for name in names]
        except OSError as error:
            reason = os.strerror(error.errno or 0)
            warn(f"{path}, line {number}: open {error.filename}: {reason}: skipping this entry")
            continue
        yield number, key, encoded(contents)


def _content(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def source_mode(status: os.stat_result, default_permissions: bool) -> int:
    """The new file's mode: 0644 without what the source does not allow to group and others."""
    if default_permissions:
        return DEFAULT_MODE
    return 0o600 | status.st_mode & 0o044


def create(
    context: TableContext, kind: str, source: str, content: dict[bytes, bytes], mode: int, nul: bool
) -> None:
    """Write the table's file."""
    target = table_path(kind, context.path(source))
    if stored_as(kind) == "lmdb":
        _create_lmdb(context, source, target, content, mode, nul)
        return
    temporary = f"{target}.tmp{os.getpid()}"
    fd = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        if kind == "cdb":
            from pytwfix.tables.cdb import write_cdb

            rows = content.items()
            write_cdb(fd, rows if not nul else ((key + b"\0", value + b"\0") for key, value in rows))
        else:
            from pytwfix.tables.berkeley import write_berkeley

            write_berkeley(temporary, kind, content, nul)
        os.fchmod(fd, mode)
        os.fsync(fd)
        os.rename(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise
    finally:
        os.close(fd)
    _sync_directory(target)


def _create_lmdb(
    context: TableContext, source: str, target: str, content: dict[bytes, bytes], mode: int, nul: bool
) -> None:
    from pytwfix.tables.lmdbtable import Lmdb

    fd = os.open(target, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, mode)
    os.fchmod(fd, mode)
    os.close(fd)
    table = Lmdb(context, "lmdb", source, 0, path=target, writable=True)
    try:
        table.replace(content, nul)
    finally:
        table.close()


def _sync_directory(target: str) -> None:
    fd = os.open(os.path.dirname(target) or ".", os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    except OSError:
        pass  # some file systems do not flush directories
    finally:
        os.close(fd)


def open_for_update(context: TableContext, kind: str, rest: str, flags: int, make: bool = False) -> Driver:
    """A table that takes updates and deletes; `make` makes the file when there is none."""
    if kind in READ_ONLY:
        raise TableMisconfigured(f"{kind}:{rest}", f"{kind}:{rest} map requires O_RDONLY access mode")
    if kind not in SUFFIXES:
        driver = context.open(f"{kind}:{rest}", flags)
        if driver.readonly:
            text = driver.readonly
            raise TableMisconfigured(driver.name, f"{driver.name} {text}" if text.startswith("map ") else text)
        return driver
    if kind == "cdb":
        from pytwfix.tables.cdb import Cdb

        raise TableMisconfigured(f"{kind}:{rest}", Cdb.readonly)
    path = table_path(kind, context.path(rest))
    if make and not os.path.exists(path):
        create(context, kind, rest, {}, DEFAULT_MODE, True)
    if kind == "lmdb":
        from pytwfix.tables.lmdbtable import Lmdb

        return Lmdb(context, kind, rest, flags, writable=True)
    from pytwfix.tables.berkeley import make_writable

    return make_writable(context, kind, rest, flags)


def add(table: Driver, entries: Iterable[Entry], duplicates: str, label: str, warn: Callable[[str], None]) -> None:
    """Entries into an existing table (postmap -i)."""
    table.begin_update()
    try:
        for _, key, value in entries:
            folded = table.folded(key)
            if duplicates != Duplicates.REPLACE and table.find(folded) is not None:
                if duplicates == Duplicates.WARN:
                    warn(f'{label}: duplicate entry: "{shown(folded)}"')
                continue
            table.update(folded, value)
    finally:
        table.end_update()


__all__ = ["Duplicates", "TableError", "add", "buildable", "collect", "create", "open_for_update", "with_files"]
