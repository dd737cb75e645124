"""Records of maildrop files: a type octet, a length in groups of seven bits, data (INVENTORY RF-1 to RF-4).

Pure, and imported by commands that must start fast. ValueError for bytes that are no records.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Types, as octets.
SIZE, TIME, FULLNAME, FILTER, SENDER, DONE, RECIPIENT, ORIGINAL = b"C", b"T", b"F", b"L", b"S", b"D", b"R", b"O"
ATTRIBUTE, CONTENT, NORMAL, CONTINUED, EXTRACTED, END = b"A", b"M", b"N", b"L", b"X", b"E"
POINTER, REDIRECT, VERP = b"p", b">", b"V"
_LONGEST_LINE = 2048

# What an ordinary user may hand in (RF-3).
ENVELOPE_TYPES, CONTENT_TYPES, EXTRACTED_TYPES = b"MCFSRVAin", b"XLN", b"EAR"


def record(kind: bytes, data: bytes) -> bytes:
    """One record."""
    size = len(data)
    if size < 128:
        return kind + bytes((size,)) + data
    length = bytearray()
    while size >= 128:
        length.append(size & 127 | 128)
        size >>= 7
    length.append(size)
    return kind + bytes(length) + data


def attribute(name: str, value: bytes) -> bytes:
    """A named attribute."""
    return record(ATTRIBUTE, name.encode() + b"=" + value)


def lines(content: Iterable[bytes]) -> Iterator[bytes]:
    """Content records of lines without line ends; long ones in pieces."""
    for line in content:
        while len(line) > _LONGEST_LINE:
            yield record(CONTINUED, line[:_LONGEST_LINE])
            line = line[_LONGEST_LINE:]
        yield record(NORMAL, line)


def parse(data: bytes, start: int = 0) -> Iterator[tuple[bytes, bytes]]:
    """(type, data) of each record up to the end record. Pointers are followed, each once."""
    at, size = start, len(data)
    followed: set[int] = set()
    while at < size:
        kind = data[at : at + 1]
        length, at = _length(data, at + 1)
        value = data[at : at + length]
        if len(value) != length:
            raise ValueError(f"unexpected EOF in data, record type {kind[0]} length {length}")
        at += length
        if kind == POINTER:
            target = _target(value)
            if target and at not in followed:
                followed.add(at)
                at = target
            continue
        yield kind, value
        if kind == END:
            return
    raise ValueError("unexpected end of file")


def _length(data: bytes, at: int) -> tuple[int, int]:
    length = shift = 0
    while True:
        if at >= len(data):
            raise ValueError("unexpected EOF in record length")
        octet = data[at]
        at += 1
        length |= (octet & 127) << shift
        if octet < 128:
            return length, at
        shift += 7
        if shift > 28:
            raise ValueError("bad record length")


def _target(value: bytes) -> int:
    try:
        return int(value)
    except ValueError:
        raise ValueError("bad pointer record") from None
