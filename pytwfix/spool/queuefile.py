"""Reading a queue file that Postfix or we wrote (INVENTORY RF-4, QU-6): size record, envelope, content, extracted.

CorruptMessage for what makes no sense.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytwfix.contracts.queue import CorruptMessage
from pytwfix.spool import records
from pytwfix.spool.cursor import POINTER, Cursor, Read
from pytwfix.spool.envelopes import EnvelopeReader
from pytwfix.spool.records import BadRecord

_PIECE = 1 << 16
_USUAL = frozenset(b"CTASODR")  # of what is allowed, what has no meaning for the way through the file
_MESSAGE, _EXTRACTED, _END = records.MESSAGE[0], records.EXTRACTED[0], records.END[0]


def read_envelope(read: Read, queue_id: str) -> EnvelopeReader:
    """The whole envelope: what is before the content and what is behind it. CorruptMessage."""
    reader = EnvelopeReader(queue_id)
    try:
        _read_all(Cursor(read), reader)
    except BadRecord as error:
        raise CorruptMessage(str(error)) from None
    reader.finish()
    return reader


def _read_all(cursor: Cursor, reader: EnvelopeReader) -> None:
    _records_until(cursor, reader, records.ENVELOPE_TYPES, _MESSAGE)
    if reader.data_offset < 0:
        _skip_content(cursor, reader)
    else:
        cursor.at = reader.data_offset + reader.data_size
        item = cursor.next()
        if item is None or item.kind != _EXTRACTED:
            raise CorruptMessage("content does not end where it should")
    _records_until(cursor, reader, records.EXTRACTED_TYPES, _END)


def _records_until(cursor: Cursor, reader: EnvelopeReader, allowed: frozenset[int], last: int) -> None:
    usual = allowed & _USUAL
    while True:
        cursor.each(reader.take, usual)
        item = cursor.next()
        if item is None:
            raise CorruptMessage("unexpected end of file")
        if item.kind not in allowed:
            raise CorruptMessage(f"unexpected record type {item.kind} at {item.offset}")
        if item.kind == last:
            return
        reader.take(item.kind, item.data, item.offset)


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
    try:
        yield from _pieces(read, offset)
    except BadRecord as error:
        raise CorruptMessage(str(error)) from None


def _pieces(read: Read, offset: int) -> Iterator[bytes]:
    at, size, jumps = offset, _PIECE, Cursor(read)
    while True:
        data = read(size, at)
        text, used, stop = records.decode_content(data)
        if text:
            yield text
        if stop is not None:
            if stop.kind == _EXTRACTED:
                return
            if stop.kind != POINTER:
                raise BadRecord(f"unexpected record type {stop.kind} in content")
            jumps.at = at + stop.end
            jumps.jump(stop)
            at, size = jumps.at, _PIECE
        elif used:
            at, size = at + used, _PIECE
        elif len(data) < size:
            raise BadRecord("unexpected end of content")
        else:
            size *= 2  # a record that is larger than a piece
