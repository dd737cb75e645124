"""Plain answers, read without a library: addresses, names and mail servers of the very name that was asked for.

A listing in a DNSBL, the name of a client and the servers of a sender's domain are answered so; dnspython takes four
times as long for each. What has aliases, other records or odd names in its answer is left to it.
"""

from __future__ import annotations

import re
import socket
import struct
from typing import NamedTuple

from pytwfix.net.dnsnegative import after_name

A, NS, PTR, MX, AAAA = 1, 2, 12, 15, 28
_OPT, _IN = 41, 1
_RECORD = struct.Struct("!HHIH")  # type, class, TTL, length of data
_COUNTS = struct.Struct("!HHHH")
_LABEL = re.compile(rb"[A-Za-z0-9_-]+\Z")
_POINTER = b"\xc0\x0c"  # to the name in the question
_MOST = 64  # records


class Plain(NamedTuple):
    """The records in order, without repetition: address text, host name or (preference, host name)."""

    ttl: int
    records: tuple[str | tuple[int, str], ...]


def records(data: bytes, start: int, kind: int) -> Plain | None:
    """The answer to a question that ends at `start`; None when this is another kind of answer."""
    questions, answers, authorities, others = _COUNTS.unpack_from(data, 4)
    if questions != 1 or not 0 < answers <= _MOST or data[3] & 15 or kind not in (A, NS, PTR, MX, AAAA):
        return None
    try:
        at, lifetimes, found = start, [], []
        for _ in range(answers):
            at = _owned(data, at, start)
            rtype, group, ttl, length = _RECORD.unpack_from(data, at)
            at += _RECORD.size
            if rtype != kind or group != _IN or ttl >= 1 << 31 or at + length > len(data):
                return None
            found.append(_value(data, at, length, kind))
            lifetimes.append(ttl)
            at += length
        _plain(data, at, authorities + others)
    except (struct.error, IndexError, ValueError):
        return None
    return Plain(min(lifetimes), tuple(dict.fromkeys(found)))


def _owned(data: bytes, at: int, start: int) -> int:
    """Behind the owner's name, which must be the one that was asked for. ValueError."""
    if data[at : at + 2] == _POINTER:
        return at + 2
    name = data[12 : start - 4]
    if data[at : at + len(name)].lower() != name.lower():
        raise ValueError("another name")
    return at + len(name)


def _value(data: bytes, at: int, length: int, kind: int) -> str | tuple[int, str]:
    if kind == A:
        if length != 4:
            raise ValueError("no address")
        return socket.inet_ntoa(data[at : at + 4])
    if kind == AAAA:
        if length != 16 or data[at : at + 10] == bytes(10):  # what is mapped is written in more than one way
            raise ValueError("no plain address")
        return socket.inet_ntop(socket.AF_INET6, data[at : at + 16])
    skip = 2 if kind == MX else 0
    name, end = _name(data, at + skip)
    if end != at + length:
        raise ValueError("more than a name")
    return (data[at] << 8 | data[at + 1], name) if skip else name


def _name(data: bytes, at: int) -> tuple[str, int]:
    """(a name without its last dot, where it ends). ValueError for what would have to be escaped."""
    labels: list[str] = []
    end, limit, total = 0, at, 0
    while size := data[at]:
        if size >= 0xC0:
            target = (size & 0x3F) << 8 | data[at + 1]
            end = end or at + 2
            if target >= limit:
                raise ValueError("a name that points forward")
            at = limit = target
            continue
        label = data[at + 1 : at + 1 + size]
        total += size + 1
        if size > 63 or total > 254 or not _LABEL.match(label):
            raise ValueError("an odd label")
        labels.append(label.decode("ascii"))
        at += 1 + size
    if not labels:
        raise ValueError("the root")
    return ".".join(labels), end or at + 1


def _plain(data: bytes, at: int, count: int) -> None:
    """ValueError when one of the records that follow changes the meaning of the answer (RFC 6891 section 6.1.3)."""
    for _ in range(count):
        at = after_name(data, at)
        kind, _size, flags, length = _RECORD.unpack_from(data, at)
        if kind == _OPT and flags >> 24:
            raise ValueError("an extended code")
        at += _RECORD.size + length
    if at > len(data):
        raise ValueError("cut off")
