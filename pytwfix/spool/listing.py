"""What files a queue directory has (INVENTORY QU-2, QU-4). Light; blocks; raises OSError."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from pytwfix.contracts.queue import CORRUPT, QueueEntry
from pytwfix.mail.queueid import valid

if TYPE_CHECKING:
    from pytwfix.contracts.host import IDisk

_COMPLETE = stat.S_IXUSR


def list_folder(disk: IDisk, queue: str, folder: str) -> tuple[list[QueueEntry], list[str]]:
    """(complete files, subdirectories) of one directory. What goes away meanwhile is left out."""
    entries: list[QueueEntry] = []
    inner: list[str] = []
    for name in disk.listdir(folder):
        path = f"{folder}/{name}"
        try:
            found = disk.lstat(path)
        except FileNotFoundError:
            continue
        mode = found.st_mode
        if stat.S_ISDIR(mode):
            if len(name) == 1:
                inner.append(path)
        elif stat.S_ISREG(mode) and valid(name) and (mode & _COMPLETE or queue == CORRUPT):
            entries.append(QueueEntry(queue, name, found.st_size, found.st_mtime, stat.S_IMODE(mode)))
    return entries, inner
