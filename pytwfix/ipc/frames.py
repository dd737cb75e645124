"""The byte stream between two processes: frames of a length and that many octets of msgpack (HOUSE 5).

One frame carries a list of messages: all that were ready in one turn of the reactor. Malformed says that the stream
makes no sense, after which the connection is of no use.
"""

from __future__ import annotations

import struct
from typing import Any

import msgpack

# What one frame may hold. An envelope of 100,000 recipients takes about 10 MB.
LARGEST = 1 << 26
_HEAD = struct.Struct(">I")
_HEAD_SIZE = _HEAD.size


class Malformed(ValueError):
    """The other side sent what cannot be."""


class Reader:
    """Cuts a stream into lists of messages. Never holds more than one frame and the piece that came last."""

    __slots__ = ("_kept", "_needed")

    def __init__(self) -> None:
        self._kept = bytearray()
        self._needed = _HEAD_SIZE

    def feed(self, data: bytes) -> list[Any]:
        """The messages that are complete, tuples; Malformed."""
        kept = self._kept
        if not kept and len(data) > _HEAD_SIZE and _HEAD.unpack_from(data)[0] == len(data) - _HEAD_SIZE:
            return list(_messages(memoryview(data)[_HEAD_SIZE:]))
        kept += data
        if len(kept) < self._needed:
            return []
        found: list[Any] = []
        at = 0
        with memoryview(kept) as view:
            while len(kept) - at >= _HEAD_SIZE:
                length: int = _HEAD.unpack_from(view, at)[0]
                if length > LARGEST:
                    raise Malformed("frame is too long")
                self._needed = _HEAD_SIZE + length
                if len(kept) - at < self._needed:
                    break
                at += self._needed
                found += _messages(view[at - length : at])
                self._needed = _HEAD_SIZE
        del kept[:at]
        return found


def _messages(body: memoryview) -> tuple[Any, ...]:
    try:
        found = msgpack.unpackb(body, use_list=False, unicode_errors="surrogateescape")
    except Exception as error:  # msgpack has many kinds, not all of one family
        raise Malformed(f"frame: {error}") from None
    if type(found) is not tuple:
        raise Malformed("frame: not a list")
    return found


class Writer:
    """Makes frames of messages."""

    __slots__ = ("_pack",)

    def __init__(self) -> None:
        self._pack = msgpack.Packer(unicode_errors="surrogateescape").pack

    def frames(self, messages: list[Any]) -> tuple[bytes, list[Any]]:
        """The bytes to send, and the messages that cannot be sent, which are left out."""
        try:
            body: bytes = self._pack(messages)
        except Exception:  # a value that msgpack does not know: find out whose
            body = b""
        if body and len(body) <= LARGEST:
            return _HEAD.pack(len(body)) + body, []
        if len(messages) == 1:
            return b"", messages
        middle = len(messages) // 2
        first, bad = self.frames(messages[:middle])
        second, worse = self.frames(messages[middle:])
        return first + second, bad + worse
