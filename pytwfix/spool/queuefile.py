"""Reading a queue file that Postfix or we wrote (INVENTORY RF-4, QU-6): size record, envelope, content, extracted.

A milter's changes make records point elsewhere in the file (`p`): reading follows them. All is done by `pread` of a
few KiB at a time, so that it does not matter how large the content is. CorruptMessage for what makes no sense.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pytwfix.contracts.queue import CorruptMessage
from pytwfix.spool import records
from pytwfix.spool.envelopes import EnvelopeReader, number
from pytwfix.spool.records import BadRecord, Record

Read = Callable[[int, int], bytes]  # (size, offset) -> bytes, fewer at the end of the file

_CHUNK = 8192
_PIECE = 1 << 16
_MOST_JUMPS = 100_000
_MESSAGE, _EXTRACTED, _END, _POINTER, _PADDING = (
    kind[0] for kind in (records.MESSAGE, records.EXTRACTED, records.END, records.POINTER, records.PADDING)
)


class Cursor:
    """Goes through the records of a file, follows pointers and leaves padding out."""

    def __init__(self, read: Read, at: int = 0) -> None:
        self._read = read
        self._data = b""
        self._base = 0
        self._jumps = 0
        self.at = at

    def next(self) -> Record | None:
        """The next record, None at the end of the file."""
        while True:
            item = self._next()
            if item is None or item.kind not in (_POINTER, _PADDING):
                return item
            if item.kind == _POINTER:
                self.jump(item)

    def jump(self, item: Record) -> None:
        """Go where a pointer points: 0 is nowhere."""
        target = number(item.data)
        self._jumps += 1
        if target < 0 or self._jumps > _MOST_JUMPS:
            raise CorruptMessage("bad pointer record")
        if target:
            self.at = target

    def _next(self) -> Record | None:
        place = self.at - self._base
        if not 0 <= place < len(self._data):
            self._fill(_CHUNK)
            if not self._data:
                return None
            place = 0
        try:
            item = records.read_record(self._data, place, self._base)
        except BadRecord:
            item = self._cut_off()
        self.at = item.end
        return item

    def _cut_off(self) -> Record:
        """A record that begins near the end of what was read, or is larger."""
        self._fill(_CHUNK)
        try:
            _, size, start = records.read_header(self._data, 0)
            if start + size > len(self._data):
                self._fill(start + size)
            return records.read_record(self._data, 0, self._base)
        except IndexError:
            raise CorruptMessage("unexpected end of file") from None
        except BadRecord as error:
            raise CorruptMessage(str(error)) from None

    def _fill(self, size: int) -> None:
        self._base = self.at
        self._data = self._read(size, self.at)


def read_envelope(read: Read, queue_id: str) -> EnvelopeReader:
    """The whole envelope: what is before the content and what is behind it. CorruptMessage."""
    reader = EnvelopeReader(queue_id)
    cursor = Cursor(read)
    _records_until(cursor, reader, records.ENVELOPE_TYPES, _MESSAGE)
    if reader.data_offset < 0:
        _skip_content(cursor, reader)
    else:
        cursor.at = reader.data_offset + reader.data_size
        item = cursor.next()
        if item is None or item.kind != _EXTRACTED:
            raise CorruptMessage("content does not end where it should")
    _records_until(cursor, reader, records.EXTRACTED_TYPES, _END)
    reader.finish()
    return reader


def _records_until(cursor: Cursor, reader: EnvelopeReader, allowed: frozenset[int], last: int) -> None:
    while True:
        item = cursor.next()
        if item is None:
            raise CorruptMessage("unexpected end of file")
        if item.kind not in allowed:
            raise CorruptMessage(f"unexpected record type {item.kind} at {item.offset}")
        if item.kind == last:
            return
        reader.take(item)


def _skip_content(cursor: Cursor, reader: EnvelopeReader) -> None:
    """Without a size record (maildrop files) the content is gone through."""
    start = cursor.at
    while True:
        item = cursor.next()
        if item is None or item.kind not in records.CONTENT_TYPES:
            raise CorruptMessage("unexpected end of content")
        if item.kind == _EXTRACTED:
            reader.data_offset = reader.envelope.content_offset = start
            reader.data_size = reader.envelope.size = item.offset - start
            return


def read_content(read: Read, offset: int) -> Iterator[bytes]:
    """The content in pieces with CRLF line ends. CorruptMessage."""
    at, size, jumps = offset, _PIECE, Cursor(read)
    while True:
        data = read(size, at)
        try:
            text, used, stop = records.decode_content(data)
        except BadRecord as error:
            raise CorruptMessage(str(error)) from None
        if text:
            yield text
        if stop is not None:
            if stop.kind == _EXTRACTED:
                return
            if stop.kind != _POINTER:
                raise CorruptMessage(f"unexpected record type {stop.kind} in content")
            jumps.at = at + stop.end
            jumps.jump(stop)
            at, size = jumps.at, _PIECE
            continue
        if not used:
            if len(data) < size:
                raise CorruptMessage("unexpected end of content")
            size *= 2  # a record that is larger than a piece
            continue
        at, size = at + used, _PIECE
