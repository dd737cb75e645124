"""Content that waits for the verdict of filters, which want to see a whole mail and may change it (MI-8, CL-10).

The header stays in memory; so does a small body, while a large one goes to a file without a name. What goes wrong with
that file is a QueueError.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, TypeVar

from pytwfix.basics.tasks import start
from pytwfix.cleanup.sequence import Waiting, settled
from pytwfix.contracts.queue import QueueError

if TYPE_CHECKING:
    from pytwfix.contracts.host import IHost

MEMORY = 1 << 18  # octets of a body that wait in memory
_READ = 1 << 18
_T = TypeVar("_T")


class Spool:
    """Text that is written once, and read any number of times."""

    __slots__ = ("_fd", "_host", "_pieces", "_waiting", "last", "size")

    def __init__(self, host: IHost) -> None:
        self._host = host
        self._pieces: list[bytes] = []
        self._waiting = 0  # octets in memory
        self._fd = -1
        self.size = 0
        self.last = b""  # the last two octets

    def write(self, data: bytes) -> Waiting:
        """A Deferred asks to wait before the next piece."""
        if not data:
            return None
        self.size += len(data)
        self.last = (self.last + data[-2:])[-2:]
        self._pieces.append(data)
        self._waiting += len(data)
        if self._waiting <= MEMORY:
            return None
        return settled(start(self._flush()))

    async def _flush(self) -> None:
        pieces, self._pieces, self._waiting = self._pieces, [], 0
        await self._call(self._append, b"".join(pieces))

    async def pieces(self, size: int) -> AsyncIterator[bytes]:
        """All of it in pieces of `size` octets; the last one may be shorter."""
        if self._fd < 0:
            text = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
            for start in range(0, len(text), size):
                yield text if len(text) <= size else text[start : start + size]
            return
        if self._pieces:
            await self._flush()
        rest = b""
        for start in range(0, self.size, _READ):
            text = rest + await self._call(self._host.disk.pread, self._fd, _READ, start)
            whole = len(text) - len(text) % size
            for at in range(0, whole, size):
                yield text[at : at + size]
            rest = text[whole:]
        if rest:
            yield rest

    def close(self) -> None:
        self._pieces = []
        fd, self._fd = self._fd, -1
        if fd >= 0:
            self._host.disk.close(fd)

    async def _call(self, function: Callable[..., _T], *args: object) -> _T:
        try:
            return await self._host.threads.run(function, *args)
        except OSError as error:
            raise QueueError(f"held content: {error.strerror}") from error

    # -- in a thread -----------------------------------------------------------------------------------------------

    def _append(self, data: bytes) -> None:
        if self._fd < 0:
            self._fd = self._open()
        while data:
            data = data[self._host.disk.write(self._fd, data) :]

    def _open(self) -> int:
        disk, folder = self._host.disk, f"{self._host.parameter('queue_directory')}/incoming"
        try:
            return disk.open(folder, os.O_TMPFILE | os.O_RDWR, 0o600)
        except OSError:  # a file system that has no such files
            path = f"{folder}/held.{self._host.random.bytes(8).hex()}"
            fd = disk.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
            disk.unlink(path)
            return fd


class Held:
    """A mail as it was written: header and body apart."""

    __slots__ = ("_begun", "_pieces", "_tail", "body")

    def __init__(self, host: IHost) -> None:
        self.body = Spool(host)
        self._begun = False  # the header has ended
        self._pieces: list[bytes] = []  # of the header
        self._tail = b"\r\n"  # the last octets of the header; as if a line had ended before it

    @property
    def header(self) -> bytes:
        return b"".join(self._pieces)

    def write(self, data: bytes) -> Waiting:
        if self._begun:
            return self.body.write(data)
        seen = len(self._tail)
        text = self._tail + data
        end = text.find(b"\r\n\r\n")
        if end < 0:
            self._pieces.append(data)
            self._tail = text[-3:]
            return None
        self._begun = True
        end += 2 - seen  # where in `data` the header ends: before it when the last line end came earlier
        if end >= 0:
            self._pieces.append(data[:end])
            return self.body.write(data[end + 2 :])
        self._pieces = [self.header[:end]]
        return self.body.write(data[end + 2 :])

    def finish(self) -> Waiting:
        """All was written: the last line ends as all others do."""
        if self.body.size and self.body.last != b"\r\n":
            return self.body.write(b"\n" if self.body.last[-1:] == b"\r" else b"\r\n")
        return None

    @property
    def separated(self) -> bool:
        """There is an empty line behind the header."""
        return self._begun

    def replace(self, body: Spool) -> None:
        """Another body in place of this one."""
        old, self.body = self.body, body
        self._begun = True
        old.close()

    def close(self) -> None:
        self.body.close()
