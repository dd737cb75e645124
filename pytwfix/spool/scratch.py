"""Content that must wait before it goes to the queue or elsewhere: in a file without a name (SD-48, QD-1).

Small content stays in memory. Disk calls are made in threads, one after the other; OSError comes with the Deferred.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

if TYPE_CHECKING:
    from pytwfix.contracts.host import IHost

_PIECE = 1 << 16


class Scratch:
    """Write, then read it all once, then close. `folder` is where the file would be if it had a name."""

    __slots__ = ("_fd", "_folder", "_host", "_pending", "_size")

    def __init__(self, host: IHost, folder: str) -> None:
        self._host = host
        self._folder = folder
        self._fd = -1
        self._pending: list[bytes] = []
        self._size = 0

    def write(self, data: bytes) -> Deferred[None] | None:
        """A Deferred: wait before the next piece."""
        self._pending.append(data)
        self._size += len(data)
        if self._size < _PIECE:
            return None
        self._size = 0
        pieces, self._pending = self._pending, []
        return self._host.threads.run(self._append, b"".join(pieces))

    def _append(self, data: bytes) -> None:
        disk = self._host.disk
        if self._fd < 0:
            self._fd = disk.open(self._folder, os.O_TMPFILE | os.O_RDWR, 0o600)
        view = memoryview(data)
        while view:
            view = view[disk.write(self._fd, bytes(view)) :]

    async def pieces(self) -> AsyncIterator[bytes]:
        """All of it, in large pieces."""
        at = 0
        while self._fd >= 0:
            data: bytes = await self._host.threads.run(self._host.disk.pread, self._fd, _PIECE, at)
            if not data:
                break
            at += len(data)
            yield data
        if self._pending:
            yield b"".join(self._pending)

    def close(self) -> None:
        fd, self._fd = self._fd, -1
        self._pending = []
        if fd >= 0:
            self._host.background(self._host.threads.run(self._host.disk.close, fd), "scratch file")
