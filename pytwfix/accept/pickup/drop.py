"""Making and reading maildrop files (INVENTORY QU-1, QU-3, QU-4, ST-1). Blocking: daemons call it in a thread.

A file is complete when its x bit is set. OSError passes through.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pytwfix.contracts.host import IDisk

MAILDROP, CORRUPT = "maildrop", "corrupt"
_COMPLETE = 0o100
_REGULAR = 0o100000
_CHUNK = 1 << 20


def write(disk: IDisk, directory: str, data: bytes, when: float, owner: tuple[int, int] | None = None) -> str:
    """A new durable file; the answer is its name, which is a queue ID. `directory` is the queue directory, `owner`
    (uid, gid) somebody else to whom the file is given."""
    folder = f"{directory}/{MAILDROP}"
    micro = int(when * 1000000) % 1000000
    temporary = f"{folder}/{micro}.{os.getpid()}"
    fd = disk.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        name = f"{micro:05X}{disk.fstat(fd).st_ino:X}"
        _write_all(disk, fd, data)
        if owner is not None:
            disk.fchown(fd, *owner)
        disk.fchmod(fd, 0o700)
        disk.fsync(fd)
        disk.rename(temporary, f"{folder}/{name}")
    except BaseException:
        disk.unlink(temporary)
        raise
    finally:
        disk.close(fd)
    _sync_folder(disk, folder)
    return name


def _write_all(disk: IDisk, fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[disk.write(fd, bytes(view[:_CHUNK])) :]


def _sync_folder(disk: IDisk, folder: str) -> None:
    fd = disk.open(folder, os.O_RDONLY)
    try:
        disk.fsync(fd)
    finally:
        disk.close(fd)


def names(disk: IDisk, directory: str) -> list[str]:
    """All that is in maildrop/, in the order of names."""
    try:
        return sorted(disk.listdir(f"{directory}/{MAILDROP}"))
    except FileNotFoundError:
        return []


def read(disk: IDisk, path: str) -> tuple[int, bytes] | None:
    """(owner, content) of a complete file; None for one that is still written, or is none of ours.

    A symbolic link is not followed, and a file with a second name is not believed.
    """
    fd = disk.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        status = disk.fstat(fd)
        if status.st_mode & 0o170000 != _REGULAR or not status.st_mode & _COMPLETE or status.st_nlink != 1:
            return None
        parts: list[bytes] = []
        while part := disk.read(fd, _CHUNK):
            parts.append(part)
        return status.st_uid, b"".join(parts)
    finally:
        disk.close(fd)
