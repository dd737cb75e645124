"""A queued message in hand (contracts/queue.py IMessage; INVENTORY ST-2, ST-6, ST-7).

It holds the file open, and locked if asked for; one that is in memory whole opens it for its marks alone. Recipients
that are done are marked in the file once at the end of the turn: not at all when the message is removed in the same
turn, which is what happens to most.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from pytwfix.contracts.queue import QueueError
from pytwfix.mail.envelope import Envelope, Recipient
from pytwfix.spool import records
from pytwfix.spool.queuefile import read_content

if TYPE_CHECKING:
    from pytwfix.spool.store import QueueStore


class Message:
    """IMessage."""

    __slots__ = ("_content", "_fd", "_open", "_store", "_todo", "envelope", "queue_id", "trace_offset", "warn_offset")

    def __init__(self, store: QueueStore, envelope: Envelope, fd: int, content: list[bytes] | None) -> None:
        self._store = store
        self.envelope = envelope
        self.queue_id = envelope.queue_id
        self._fd = fd
        self._content = content
        self._todo: list[Recipient] = []
        self._open = True
        self.warn_offset = -1
        self.trace_offset = -1

    @property
    def fd(self) -> int:
        return self._fd

    async def body(self) -> AsyncIterator[bytes]:
        content = self.cached()
        if content is not None:
            yield content
            return
        for piece in read_content(self._read, self.envelope.content_offset):
            yield piece

    def _read(self, size: int, offset: int) -> bytes:
        try:
            return self._store.disk.pread(self._fd, size, offset)
        except OSError as error:
            raise QueueError(f"{self.queue_id}: read: {error.strerror}") from None

    def cached(self) -> bytes | None:
        content = self._content
        if content is None:
            return None
        if len(content) != 1:
            content[:] = [b"".join(content)]
        return content[0]

    def done(self, recipient: Recipient) -> None:
        recipient.done = True
        if recipient.offset >= 0:
            if not self._todo:
                self._store.marking(self)
            self._todo.append(recipient)

    def mark(self) -> None:
        """Write the marks that are due. OSError."""
        todo, self._todo = self._todo, []
        fd = self._fd if self._fd >= 0 else self._store.open_active(self.queue_id)
        try:
            for recipient in todo:
                self._store.disk.pwrite(fd, records.DONE, recipient.offset)
        finally:
            if fd != self._fd:
                self._store.disk.close(fd)

    def forget_marks(self) -> None:
        """The file is gone."""
        self._todo.clear()

    def close(self) -> None:
        """The file is closed at once, or when its marks are written."""
        if not self._open:
            return
        self._open = False
        if not self._todo:
            self.release()

    @property
    def closed(self) -> bool:
        return not self._open

    def release(self) -> None:
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            self._store.disk.close(fd)
