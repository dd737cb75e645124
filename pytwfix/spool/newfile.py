"""A queue file that is being written (contracts/queue.py INewMessage; INVENTORY RF-4, QU-3).

The envelope is complete only at the end, but stands before the content. A small mail waits in memory and goes to disk
in one write. A large one is written as it comes, behind a gap; at the end the envelope goes into the gap, a pointer
record leads over what is left of it, and recipients that did not fit go behind the content, where Postfix has those
that it takes from headers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, fail

from pytwfix.contracts.queue import INCOMING, QueueError
from pytwfix.mail.envelope import Envelope, Recipient
from pytwfix.spool import envelopes, records
from pytwfix.spool.commit import PendingFile, write_all

if TYPE_CHECKING:
    from pytwfix.spool.store import QueueStore

MEMORY = 1 << 18  # octets of content that wait in memory
_WRITE = 1 << 16  # octets that are written at a time, of a large mail
_GAP = 1 << 13
_POINTER_SIZE = 17
_PADDING_HEAD = 3
_CONTENT = records.record(records.MESSAGE)
_EXTRACTED = records.record(records.EXTRACTED)
_END = records.record(records.END)


class NewMessage:
    """INewMessage. `fd` is the open file, without a name unless `temporary` says so."""

    __slots__ = (
        "_keep", "_open", "_pieces", "_rest", "_spilled", "_store", "_written", "fd", "queue_id", "size", "temporary",
    )  # fmt: skip

    def __init__(self, store: QueueStore, queue_id: str, fd: int, temporary: str) -> None:
        self._store = store
        self.queue_id = queue_id
        self.fd = fd
        self.temporary = temporary
        self.size = 0
        self._pieces: list[bytes] = []  # records that are not written yet
        self._keep: list[bytes] | None = []  # the content as it came, while the mail is small
        self._rest = b""  # the begin of a line that has not ended
        self._spilled = False
        self._written = 0  # of `size`
        self._open = True

    def content(self, data: bytes) -> Deferred[None] | None:
        if self._keep is not None:
            self._keep.append(data)
        text = self._encode(data)
        if not text:
            return None
        self._pieces.append(text)
        self.size += len(text)
        if self.size - self._written < (_WRITE if self._spilled else MEMORY):
            return None
        self._keep = None
        try:
            self._spill()
        except OSError as error:
            self.abort()
            return fail(QueueError(f"write queue file: {error.strerror}"))
        return None

    def _encode(self, data: bytes) -> bytes:
        limit = self._store.line_limit
        if self._rest:
            data, self._rest = self._rest + data, b""
        if data.endswith(b"\r\n"):
            return records.encode_content(data, limit)
        whole, end, rest = data.rpartition(b"\r\n")
        long, self._rest = records.split_long(rest, limit)
        return records.encode_content(whole + end, limit) + long if end else long

    def _spill(self) -> None:
        """Write what there is. The first time the gap is left before it."""
        if not self._open:
            return
        pieces, self._pieces = self._pieces, []
        self._written = self.size
        if not self._spilled:
            self._spilled = True
            pieces.insert(0, bytes(_GAP))
        write_all(self._store.disk, self.fd, pieces)

    def commit(self, envelope: Envelope, queue: str = INCOMING) -> Deferred[Envelope]:
        if not self._open:
            return fail(QueueError(f"{self.queue_id}: the file is closed"))
        if self._rest:
            text = records.encode_content(self._rest, self._store.line_limit)
            self._pieces.append(text)
            self.size += len(text)
            if self._keep is not None:
                self._keep.append(b"\r\n")
        envelope.queue_id = self.queue_id
        envelope.size = self.size
        try:
            data = self._finish_large(envelope) if self._spilled else self._finish_small(envelope)
        except OSError as error:
            self.abort()
            return fail(QueueError(f"write queue file: {error.strerror}"))
        self._open = False
        return self._store.commit(self, data, envelope, queue, self._keep)

    def _finish_small(self, envelope: Envelope) -> list[bytes]:
        front = envelopes.front(envelope)
        position = envelopes.SIZE_RECORD_LENGTH + len(front)
        addressed = envelopes.recipients(envelope.recipients, position)
        start = position + len(addressed) + len(_CONTENT)
        return [self._size_record(envelope, start), front, addressed, _CONTENT, *self._pieces, _EXTRACTED,
                envelopes.tail(envelope), _END]  # fmt: skip

    def _finish_large(self, envelope: Envelope) -> list[bytes]:
        front = self._size_record(envelope, _GAP) + envelopes.front(envelope)
        room = _GAP - len(_CONTENT) - _POINTER_SIZE - _PADDING_HEAD
        first, others = self._fitting(envelope, room - len(front))
        front += envelopes.recipients(first, len(front))
        if len(front) > room:
            raise OSError(0, "envelope is too large")
        front += records.record(records.POINTER, b"%15d" % (_GAP - len(_CONTENT)))
        front += records.padding(_GAP - len(_CONTENT) - len(front))
        tail = envelopes.tail(envelope)
        position = _GAP + self.size + len(_EXTRACTED) + len(tail)
        more = envelopes.recipients(others, position)
        self._store.disk.pwrite(self.fd, front + _CONTENT, 0)
        return [*self._pieces, _EXTRACTED, tail, more, _END]

    @staticmethod
    def _fitting(envelope: Envelope, room: int) -> tuple[list[Recipient], list[Recipient]]:
        """Recipients whose records fit in so many octets, and the others."""
        everyone = envelope.recipients
        count = 0
        for recipient in everyone:
            room -= len(recipient.address) + len(recipient.original) + len(recipient.orcpt) + 60
            if room < 0:
                break
            count += 1
        return everyone[:count], everyone[count:]

    def _size_record(self, envelope: Envelope, offset: int) -> bytes:
        envelope.content_offset = offset
        flags = envelopes.flags_of(envelope)
        return envelopes.size_record(
            self.size, offset, len(envelope.recipients), flags, self.size, envelope.sendopts
        )

    def abort(self) -> None:
        if not self._open:
            return
        self._open = False
        self._pieces.clear()
        self._keep = None
        self._store.discard(self.fd, self.temporary)

    def file(self, data: list[bytes], folder: str, name: str) -> PendingFile:
        return PendingFile(self.fd, data, folder, name, self.temporary)
