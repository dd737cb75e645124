"""The protocol of Redis servers, as far as a client of GET, SET and DEL needs it (RESP 2, redis.io/docs/reference).

A request is an array of byte strings; a reply is a simple string, an error, an integer, or a byte string that may be
missing. Pure: bytes in, replies out. Lengths and lines have bounds.
"""

from __future__ import annotations

MAXIMUM_LINE = 4096
MAXIMUM_VALUE = 1 << 20
Reply = bytes | int | None


class RespError(Exception):
    """The server says no; the text is for the log."""


class RespMalformed(Exception):
    """No such language."""


def request(*words: bytes) -> bytes:
    """One command."""
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


class ReplyReader:
    """Takes what arrives until `count` replies are complete. RespError is given as a reply, not raised."""

    def __init__(self, count: int) -> None:
        self._buffer = b""
        self._count = count
        self._replies: list[Reply | RespError] = []

    def receive(self, data: bytes) -> list[Reply | RespError] | None:
        """All replies, or None: more is needed. RespMalformed."""
        self._buffer += data
        while len(self._replies) < self._count:
            line, end, rest = self._buffer.partition(b"\r\n")
            if not end:
                if len(line) > MAXIMUM_LINE:
                    raise RespMalformed("reply is too long")
                return None
            if line[:1] == b"$" and line != b"$-1":
                size = _number(line[1:])
                if not 0 <= size <= MAXIMUM_VALUE:
                    raise RespMalformed("the value is too big")
                if len(rest) < size + 2:
                    return None
                if rest[size : size + 2] != b"\r\n":
                    raise RespMalformed("malformed reply")
                self._take(rest[:size], rest[size + 2 :])
            else:
                self._take(_simple(line), rest)
        return self._replies

    def _take(self, reply: Reply | RespError, rest: bytes) -> None:
        self._replies.append(reply)
        self._buffer = rest


def _simple(line: bytes) -> Reply | RespError:
    kind, text = line[:1], line[1:]
    if kind == b"+":
        return text
    if kind == b"-":
        return RespError(text.decode("utf-8", "replace"))
    if kind == b":":
        return _number(text)
    if line == b"$-1":
        return None
    raise RespMalformed("malformed reply")


def _number(text: bytes) -> int:
    try:
        return int(text)
    except ValueError:
        raise RespMalformed("malformed reply") from None
