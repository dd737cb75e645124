"""The commonest answer of all, read without a library: there is no such name, or no such record (RFC 2308).

Nearly every question to a list of bad clients is answered so, and to read it with dnspython costs a fifth of a
millisecond. What is not plain (aliases, more than one record, an extended code) is left to it.
"""

from __future__ import annotations

import struct

_SOA, _OPT, _IN = 6, 41, 1
_RECORD = struct.Struct("!HHIH")  # type, class, TTL, length of data
_FIVE = struct.Struct("!IIIII")
_COUNTS = struct.Struct("!HHHH")


def lifetime(data: bytes, start: int) -> int | None:
    """How long "there is none" holds, in seconds, 0 when nobody says; None when this is another kind of answer.
    `start` is where the question ends."""
    questions, answers, authorities, others = _COUNTS.unpack_from(data, 4)
    if questions != 1 or answers or authorities > 1 or others > 1:
        return None
    try:
        at, seconds = _authority(data, start) if authorities else (start, 0)
        return seconds if not others or _plain(data, at) else None
    except (struct.error, IndexError, ValueError):
        return None


def _authority(data: bytes, at: int) -> tuple[int, int]:
    """(where the SOA record ends, its lifetime for negative answers). ValueError: it is another record."""
    at = after_name(data, at)
    kind, group, ttl, length = _RECORD.unpack_from(data, at)
    if kind != _SOA or group != _IN:
        raise ValueError("no SOA")
    begin = at + _RECORD.size
    at = after_name(data, after_name(data, begin))
    minimum: int = _FIVE.unpack_from(data, at)[4]
    if at + _FIVE.size != begin + length or ttl >= 1 << 31:
        raise ValueError("a bad SOA")
    return begin + length, min(ttl, minimum)


def _plain(data: bytes, at: int) -> bool:
    """Whether the last record is an OPT that adds nothing to the code (RFC 6891 section 6.1.3)."""
    kind, _size, flags, length = _RECORD.unpack_from(data, at + 1)
    return data[at] == 0 and kind == _OPT and not flags >> 24 and at + 1 + _RECORD.size + length <= len(data)


def after_name(data: bytes, at: int) -> int:
    """Where a name ends in a message. ValueError, IndexError."""
    while True:
        size = data[at]
        if size >= 0xC0:
            if (size & 0x3F) << 8 | data[at + 1] >= at:
                raise ValueError("a name that points forward")
            return at + 2
        if size > 63:
            raise ValueError("a bad label")
        at += 1 + size
        if not size:
            return at
