"""The socketmap protocol's client side (NP-2): a netstring `name key`, and a netstring that answers.

    OK data      NOTFOUND      TEMP reason      TIMEOUT reason      PERM reason

Pure: bytes in, an answer out. Limits: socketmap_max_query_size and socketmap_max_reply_size.
"""

from __future__ import annotations

from typing import NamedTuple

MAXIMUM_REQUEST = 10000
MAXIMUM_REPLY = 100000


class SocketmapError(Exception):
    """The server, or the protocol, failed; the text is for the log."""


class Answer(NamedTuple):
    """`value` is None when the key is not there."""

    value: bytes | None


def request(name: bytes, key: bytes, limit: int = MAXIMUM_REQUEST) -> bytes:
    """The bytes to send. SocketmapError for a key with which they are more than `limit`."""
    text = name + b" " + key
    if len(text) > limit:
        raise SocketmapError("request is too long")
    return b"%d:%s," % (len(text), text)


class ReplyReader:
    """Takes what arrives until one netstring, of `limit` bytes at most, is complete."""

    def __init__(self, limit: int = MAXIMUM_REPLY) -> None:
        self._buffer = b""
        self._limit = limit

    def receive(self, data: bytes) -> bytes | None:
        """The netstring's content, or None: more is needed. SocketmapError for what is no netstring."""
        self._buffer += data
        size, colon, rest = self._buffer.partition(b":")
        if not size.isdigit() and (size or colon):
            raise SocketmapError("netstring format error while receiving data")
        if not colon:
            if len(size) > 9:
                raise SocketmapError("netstring format error while receiving data")
            return None
        length = int(size)
        if length > self._limit:
            raise SocketmapError("netstring too large while receiving data")
        if len(rest) <= length:
            return None
        if rest[length : length + 1] != b",":
            raise SocketmapError("netstring format error while receiving data")
        return rest[:length]


def answer(reply: bytes) -> Answer:
    """What a reply says. SocketmapError for TEMP, TIMEOUT, PERM and anything else."""
    status, _, text = reply.partition(b" ")
    if status == b"OK":
        return Answer(text)
    if status == b"NOTFOUND":
        return Answer(None)
    shown = text.decode("utf-8", "replace")
    kinds = {b"TEMP": "temporary error", b"TIMEOUT": "timeout error", b"PERM": "permanent error"}
    if status in kinds:
        raise SocketmapError(f"server reports a {kinds[status]}: {shown}")
    raise SocketmapError(f"unexpected reply: {reply[:100].decode('utf-8', 'replace')}")
