"""The disk as it is: contracts/host.py's IDisk by `os`. All calls block and raise OSError."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Sequence


class Disk:
    """Thin names for `os` functions, so that a test can hand a room another disk."""

    open = staticmethod(os.open)
    close = staticmethod(os.close)
    read = staticmethod(os.read)
    pread = staticmethod(os.pread)
    write = staticmethod(os.write)
    pwrite = staticmethod(os.pwrite)
    fsync = staticmethod(os.fsync)
    fdatasync = staticmethod(os.fdatasync)
    ftruncate = staticmethod(os.ftruncate)
    fstat = staticmethod(os.fstat)
    fchmod = staticmethod(os.fchmod)
    fchown = staticmethod(os.fchown)
    stat = staticmethod(os.stat)
    lstat = staticmethod(os.lstat)
    rename = staticmethod(os.rename)
    unlink = staticmethod(os.unlink)
    mkdir = staticmethod(os.mkdir)
    chmod = staticmethod(os.chmod)
    listdir = staticmethod(os.listdir)
    statvfs = staticmethod(os.statvfs)

    @staticmethod
    def writev(fd: int, data: Sequence[bytes]) -> int:
        return os.writev(fd, data)

    @staticmethod
    def link(source: str, target: str) -> None:
        """Follows a symbolic source, which is an absolute path: gives a name to /proc/self/fd/N."""
        # Only with a descriptor, which an absolute path leaves unused, does Python call linkat(2): link(2) does not
        # follow.
        os.link(source, target, src_dir_fd=0, follow_symlinks=True)

    @staticmethod
    def utime(path: str, when: float) -> None:
        os.utime(path, (when, when))

    @staticmethod
    def lock(fd: int, exclusive: bool = True, wait: bool = False) -> bool:
        """flock the file; False when another holds it and `wait` is not set."""
        how = fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH
        try:
            fcntl.flock(fd, how if wait else how | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
