"""Putting the queue's files in order (INVENTORY QU-7, PS-22). Light; for postsuper and the start of the daemon.

A file belongs into the subdirectory that its name says, and its name says its inode number: after a restore from
backup, or a change of hash_queue_depth, neither may be true. Temporary files that nobody completes are removed. Blocks.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator

from pytwfix.mail.queueid import inode_of, is_long, valid, with_inode
from pytwfix.spool.paths import QueuePaths

MESSAGES = ("maildrop", "incoming", "active", "deferred", "hold")
LOGS = ("defer", "bounce", "trace")
ALL = (*LOGS, *MESSAGES, "flush")
_TEMPORARY_AGE = 7 * 86400
_PASSES = 3


class Repair:
    """One run over `queues`. `warn` is told of names that mean nothing."""

    def __init__(self, paths: QueuePaths, long_ids: bool, warn: Callable[[str], None]) -> None:
        self._paths = paths
        self._long = long_ids
        self._warn = warn
        self.renamed = 0  # files whose name did not match their inode

    def run(self, queues: Iterable[str], structure: bool, purge: bool, rename_long: bool = False) -> None:
        """`structure`: names and subdirectories; `purge`: old temporary files. `rename_long`: long names are looked at
        too, although they need not match. OSError."""
        wanted = tuple(queues) or ALL
        for _ in range(_PASSES):
            before = self.renamed
            for queue in wanted:
                for path in list(_files(f"{self._paths.directory}/{queue}")):
                    self._look(queue, path, structure, purge, rename_long)
            if self.renamed == before:
                return

    def _look(self, queue: str, path: str, structure: bool, purge: bool, rename_long: bool) -> None:
        try:
            status = os.lstat(path)
        except FileNotFoundError:
            return
        if queue in MESSAGES and not status.st_mode & stat.S_IXUSR and time.time() - status.st_mtime > _TEMPORARY_AGE:
            if purge:
                os.unlink(path)
            return
        name = os.path.basename(path)
        if queue == "flush":
            return
        if not valid(name):
            self._warn(f"bogus file name: {path[len(self._paths.directory) + 1 :]}")
            return
        if structure and stat.S_ISREG(status.st_mode):
            self._arrange(queue, path, name, status.st_ino, rename_long)

    def _arrange(self, queue: str, path: str, name: str, inode: int, rename_long: bool) -> None:
        new = name
        if queue in MESSAGES and not (is_long(name) and self._long and not rename_long):
            try:
                if inode_of(name) != inode:
                    new = with_inode(name, inode, self._long, int(time.time()))
            except ValueError:
                self._warn(f"bogus file name: {path[len(self._paths.directory) + 1 :]}")
                return
        target = self._paths.path(queue, new)
        if target == path:
            return
        if os.path.lexists(target):
            return  # that file will move too, perhaps: the next pass looks again
        move(self._paths, queue, path, new)
        if new != name:
            self.renamed += 1
            for log in LOGS:
                old = self._paths.path(log, name)
                if os.path.lexists(old):
                    move(self._paths, log, old, new)


def move(paths: QueuePaths, queue: str, path: str, name: str) -> None:
    """Rename a file into a queue, whose subdirectories are made. OSError."""
    target = paths.path(queue, name)
    try:
        os.rename(path, target)
    except FileNotFoundError:
        for folder in paths.missing_folders(queue, name):
            if not os.path.isdir(folder):
                os.mkdir(folder, 0o700)
        os.rename(path, target)


def _files(folder: str) -> Iterator[str]:
    """All files of a queue; subdirectories have names of one character."""
    try:
        names = sorted(os.listdir(folder))
    except FileNotFoundError:
        return
    for name in names:
        path = f"{folder}/{name}"
        if len(name) == 1 and os.path.isdir(path):
            yield from _files(path)
        else:
            yield path
