"""Records: what queue files are made of (INVENTORY RF-1, RF-2, RF-3). A type byte, a length, data.

The length has seven bits a byte, low bits first; the high bit says that more follow. Content is one N record a line,
without its line end; a line of `limit` bytes or more begins with L records of that size. Lines are turned into
records, and back, a piece at a time and mostly by C code: `encode_content`, `decode_content`.

Pure and light. What is no sequence of records raises BadRecord.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

SIZE, TIME, FULL_NAME, INSPECT, FILTER, SENDER = b"C", b"T", b"F", b"I", b"L", b"S"
DONE, RECIPIENT, ORIGINAL, CANCELLED, WARN = b"D", b"R", b"O", b"/", b"W"
ATTRIBUTE, KILLED, REDIRECT, FLAGS, DELAY, CREATED = b"A", b"K", b">", b"f", b"d", b"c"
MESSAGE, NORMAL, CONTINUED, PADDING, EXTRACTED = b"M", b"N", b"L", b"w", b"X"
RETURN_RECEIPT, ERRORS_TO, PRIORITY, POINTER, VERP = b"r", b"e", b"P", b"p", b"V"
DSN_RET, DSN_ENVID, DSN_ORCPT, DSN_NOTIFY, MILTERS, END = b"<", b"i", b"o", b"n", b"m", b"E"

KNOWN = frozenset(b"CTFILSDRO/WAK>fdcMNwXrePpV<ionmE")
ENVELOPE_TYPES = frozenset(b"MCTcFILSDRO/WVA>K<ionpwfdm")
CONTENT_TYPES = frozenset(b"XLNwp")
EXTRACTED_TYPES = frozenset(b"EDRO/PreAFIL>Konpw")
ANY_TYPE = frozenset(range(256))

_MAX_LENGTH_BYTES = 5
_MAX_LENGTH = 1 << 30
_TABLE_SIZE = 4096
_prefixes: list[bytes] = []  # of N records by length, made when first needed


class BadRecord(ValueError):
    """No record, or cut off."""


class Record(NamedTuple):
    """`offset` is where it begins, `end` where the next one does; `kind` is the type byte."""

    offset: int
    kind: int
    data: bytes
    end: int


def length_bytes(length: int) -> bytes:
    """A length as records have it."""
    if length < 128:
        return bytes((length,))
    out = bytearray()
    while length >= 128:
        out.append(length & 127 | 128)
        length >>= 7
    out.append(length)
    return bytes(out)


def record(kind: bytes, data: bytes = b"") -> bytes:
    """One record."""
    size = len(data)
    return b"%b%c%b" % (kind, size, data) if size < 128 else kind + length_bytes(size) + data


def padding(size: int) -> bytes:
    """A record that means nothing, of 3 to 16386 octets: always with two length bytes, so that any size can be had."""
    length = size - 3
    return b"%b%c%c%b" % (PADDING, length & 127 | 128, length >> 7, bytes(length))


def attribute(name: bytes, value: bytes) -> bytes:
    """A named attribute."""
    return record(ATTRIBUTE, name + b"=" + value)


def read_header(data: bytes, at: int) -> tuple[int, int, int]:
    """(type, length, where the data begins) of the record at `at`. BadRecord; IndexError when it is cut off."""
    kind, size = data[at], data[at + 1]
    at += 2
    if size >= 128:
        size &= 127
        shift = 7
        while True:
            more = data[at]
            at += 1
            size |= (more & 127) << shift
            if more < 128:
                break
            shift += 7
            if shift >= 7 * _MAX_LENGTH_BYTES:
                raise BadRecord(f"too many length bits, record type {kind}")
        if size > _MAX_LENGTH:
            raise BadRecord(f"record type {kind} has a length of {size}")
    return kind, size, at


def read_record(data: bytes, at: int, base: int = 0, known: frozenset[int] = KNOWN) -> Record:
    """The record at `at` of `data`, which begins at `base` of its file.

    BadRecord when it is not all there, or of a type that is not `known`.
    """
    try:
        kind, size, start = read_header(data, at)
    except IndexError:
        if at >= len(data):
            raise BadRecord("unexpected end of file") from None
        raise BadRecord(f"unexpected EOF reading length, record type {data[at]}") from None
    if kind not in known:
        raise BadRecord(f"unknown record type {kind}")
    if start + size > len(data):
        raise BadRecord(f"unexpected EOF in data, record type {kind} length {size}")
    return Record(base + at, kind, data[start : start + size], base + start + size)


def iterate(data: bytes, base: int = 0) -> Iterator[Record]:
    """All records of `data` in the order in which they lie."""
    at, end = 0, len(data)
    while at < end:
        found = read_record(data, at, base)
        yield found
        at = found.end - base


# -- content ---------------------------------------------------------------------------------------------------------


def _prefix_table() -> list[bytes]:
    _prefixes.extend(b"N" + length_bytes(size) for size in range(_TABLE_SIZE))
    return _prefixes


def encode_content(data: bytes, limit: int) -> bytes:
    """Lines as records. `data` ends with CRLF, or is the last piece of all, whose last line then ends here too."""
    lines = data.split(b"\r\n")
    if not lines[-1]:
        lines.pop()
    sizes = list(map(len, lines))
    if not sizes:
        return b""
    if max(sizes) >= min(limit, _TABLE_SIZE):
        return b"".join([_long_line(line, limit) for line in lines])
    out: list[bytes] = [b""] * (2 * len(lines))
    out[::2] = map((_prefixes or _prefix_table()).__getitem__, sizes)
    out[1::2] = lines
    return b"".join(out)


def _long_line(line: bytes, limit: int) -> bytes:
    if len(line) < limit:
        return record(NORMAL, line)
    whole = len(line) // limit * limit
    parts = [record(CONTINUED, line[at : at + limit]) for at in range(0, whole, limit)]
    parts.append(record(NORMAL, line[whole:]))
    return b"".join(parts)


def split_long(data: bytes, limit: int) -> tuple[bytes, bytes]:
    """The records of the full parts of a line whose end has not come yet, and what is left of it."""
    whole = len(data) // limit * limit
    return b"".join([record(CONTINUED, data[at : at + limit]) for at in range(0, whole, limit)]), data[whole:]


def decode_content(data: bytes) -> tuple[bytes, int, Record | None]:
    """Records N, L and w at the start of `data` as lines with CRLF.

    Gives the lines, how many bytes of `data` they took, and the record that is of another kind and stopped it, if
    one did. A record that is cut off at the end is left for the next call. BadRecord.
    """
    out: list[bytes] = []
    append = out.append
    at, end = 0, len(data)
    while at + 1 < end:
        size = data[at + 1]
        start = at + 2
        if size >= 128:
            try:
                _, size, start = read_header(data, at)
            except IndexError:
                break
        stop = start + size
        if stop > end:
            break
        kind = data[at]
        if kind == 0x4E:
            append(data[start:stop])
            append(b"\r\n")
        elif kind == 0x4C:
            append(data[start:stop])
        elif kind != 0x77:
            return b"".join(out), at, read_record(data, at)
        at = stop
    return b"".join(out), at, None
