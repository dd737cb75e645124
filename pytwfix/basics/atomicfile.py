"""Files that are seen whole or not at all: a temporary file beside the real one, fsync, rename. And locks.

For commands and the master; rooms go through the host's disk. Raises OSError.
"""

from __future__ import annotations

import fcntl
import os


def write_atomically(path: str, data: bytes, mode: int | None = None) -> None:
    """Replace `path` by `data`. Mode and owner stay those of the old file; a new one gets `mode`, 0o644 unless said."""
    try:
        old: os.stat_result | None = os.stat(path)
    except FileNotFoundError:
        old = None
    if mode is None:
        mode = 0o644 if old is None else old.st_mode & 0o7777
    temporary = f"{path}.tmp"
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        try:
            _fill(fd, data)
            os.fchmod(fd, mode)
            if old is not None and os.geteuid() == 0:
                os.fchown(fd, old.st_uid, old.st_gid)
            os.fsync(fd)
        finally:
            os.close(fd)
        os.rename(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    _sync_directory(os.path.dirname(path) or ".")


def _fill(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _sync_directory(path: str) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


class FileLock:
    """A lock on a file as long as the `with` block lasts. `how` is "flock" or "fcntl", or both with a comma."""

    def __init__(self, path: str, how: str = "flock", exclusive: bool = True, wait: bool = True) -> None:
        self._path = path
        self._ways = [way.strip() for way in how.split(",")]
        self._operation = (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | (0 if wait else fcntl.LOCK_NB)
        self._exclusive = exclusive
        self._fd = -1

    def __enter__(self) -> int:
        """The descriptor of the locked file; BlockingIOError when another holds it and we do not wait."""
        flags = os.O_RDWR | os.O_CREAT if self._exclusive else os.O_RDONLY
        self._fd = os.open(self._path, flags | os.O_CLOEXEC, 0o600)
        try:
            lock(self._fd, self._ways, self._operation)
        except BaseException:
            os.close(self._fd)
            raise
        return self._fd

    def __exit__(self, *exc: object) -> None:
        os.close(self._fd)


def lock(fd: int, ways: list[str], operation: int) -> None:
    """Lock an open file in all `ways`; OSError when it is held and LOCK_NB is set. Closing it unlocks."""
    for way in ways:
        if way == "flock":
            fcntl.flock(fd, operation)
        elif way == "fcntl":
            fcntl.lockf(fd, operation)
        else:
            raise ValueError(f"unknown lock type: {way}")
