"""Records of maildrop files, made and read in order (INVENTORY RF-1 to RF-4); the codec is spool/records.

Pure, and imported by commands that must start fast. ValueError for bytes that are no records.
"""

from __future__ import annotations

from pytwfix.spool import records as codec
from pytwfix.spool.records import record as record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SIZE, TIME, FULLNAME, SENDER = codec.SIZE, codec.TIME, codec.FULL_NAME, codec.SENDER
DONE, RECIPIENT, ORIGINAL, ATTRIBUTE = codec.DONE, codec.RECIPIENT, codec.ORIGINAL, codec.ATTRIBUTE
CONTENT, NORMAL, CONTINUED, EXTRACTED = codec.MESSAGE, codec.NORMAL, codec.CONTINUED, codec.EXTRACTED
POINTER, VERP, END = codec.POINTER, codec.VERP, codec.END
_LONGEST_LINE = 2048

# What an ordinary user may hand in (RF-3).
ENVELOPE_TYPES, CONTENT_TYPES, EXTRACTED_TYPES = b"MCFSRVAin", b"XLN", b"EAR"


class Unfinished(ValueError):
    """The records are whole, but the last one is not there: whoever wrote them stopped."""


def attribute(name: str, value: bytes) -> bytes:
    """A named attribute."""
    return codec.attribute(name.encode(), value)


def lines(content: Iterable[bytes]) -> bytes:
    """Content records of lines without line ends; long ones in pieces."""
    text = b"".join(line + b"\r\n" for line in content)
    return codec.encode_content(text, _LONGEST_LINE)


def parse(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(type, data) of each record up to the end record, without which Unfinished is raised.

    Pointers are followed, each once.
    """
    at, size = 0, len(data)
    followed: set[int] = set()
    while at < size:
        kind, value, at = _next(data, at)
        if kind == POINTER:
            target = _target(value)
            if target and at not in followed:
                followed.add(at)
                at = target
            continue
        yield kind, value
        if kind == END:
            return
    raise Unfinished("unexpected end of file")


def _next(data: bytes, at: int) -> tuple[bytes, bytes, int]:
    """(type, data, where the next one begins) of the record at `at`."""
    try:
        kind, size, start = codec.read_header(data, at)
    except IndexError:
        raise ValueError("unexpected EOF in record length") from None
    value = data[start : start + size]
    if len(value) != size:
        raise ValueError(f"unexpected EOF in data, record type {kind} length {size}")
    return bytes((kind,)), value, start + size


def _target(value: bytes) -> int:
    try:
        return int(value)
    except ValueError:
        raise ValueError("bad pointer record") from None
