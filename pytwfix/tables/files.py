"""Reading a table's file, and noticing that it has changed (SV-4).

Postfix ends the process that has an old table open; here the table is read again, and the file looked at once a second
at most. A new file that cannot be read is logged, and the old content stays.
"""

from __future__ import annotations

import os

from pytwfix.contracts.tables import TableMisconfigured, TableUnavailable
from pytwfix.tables.driver import TableContext

CHECK_INTERVAL = 1.0  # seconds between two looks at a file
Stamp = tuple[int, int, int]


def stamp(context: TableContext, path: str) -> Stamp | None:
    """What tells one version of a file from the next; None: there is no such file."""
    try:
        status = context.disk.stat(path)
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


def read_file(context: TableContext, table: str, path: str, what: str = "open") -> bytes:
    """The whole file. TableUnavailable `open PATH: No such file or directory`."""
    disk = context.disk
    try:
        fd = disk.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise unreadable(table, what, path, error) from None
    try:
        chunks = []
        while chunk := disk.read(fd, 1 << 20):
            chunks.append(chunk)
    except OSError as error:
        raise unreadable(table, what, path, error) from None
    finally:
        disk.close(fd)
    return b"".join(chunks)


def unreadable(table: str, what: str, path: str, error: OSError) -> TableUnavailable | TableMisconfigured:
    """The error for a file that cannot be opened; a right that is missing needs a human."""
    reason = f"{what} {path}: {os.strerror(error.errno or 0)}"
    return TableMisconfigured(table, reason) if isinstance(error, PermissionError) else TableUnavailable(table, reason)


class Watch:
    """Whether a file is another one than before; asks the disk once a second."""

    __slots__ = ("_context", "_due", "path", "stamp")

    def __init__(self, context: TableContext, path: str) -> None:
        self._context = context
        self.path = path
        self.stamp = stamp(context, path)
        self._due = context.clock() + CHECK_INTERVAL

    def changed(self) -> bool:
        """True once for each new version; a file that is gone for the moment is no new version."""
        now = self._context.clock()
        if now < self._due:
            return False
        self._due = now + CHECK_INTERVAL
        current = stamp(self._context, self.path)
        if current is None or current == self.stamp:
            return False
        self.stamp = current
        return True
