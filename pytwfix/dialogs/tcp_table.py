"""The tcp_table(5) protocol's client side (NP-1): `get KEY`, answered by `200 value`, `500 text` or `400 text`.

Keys and values have white space, % and what does not print as %XX. Pure. A line has at most 4096 bytes.
"""

from __future__ import annotations

import re
from typing import NamedTuple

MAXIMUM_LINE = 4096
_ENCODED = re.compile(rb"%([0-9A-Fa-f]{2})")


class TcpTableError(Exception):
    """The server asks to try again, or talks nonsense; the text is for the log."""


class Answer(NamedTuple):
    """`value` is None when the key is not there."""

    value: bytes | None


def encode(text: bytes) -> bytes:
    """White space, control characters, % and bytes above 126 as %XX."""
    return b"".join(bytes([octet]) if 32 < octet < 127 and octet != 0x25 else b"%%%02X" % octet for octet in text)


def decode(text: bytes) -> bytes:
    """%XX as bytes. TcpTableError for a % without two digits."""
    if text.count(b"%") != len(_ENCODED.findall(text)):
        raise TcpTableError(f"malformed reply: {text[:100].decode('ascii', 'replace')}")
    return _ENCODED.sub(lambda found: bytes([int(found[1], 16)]), text)


def request(key: bytes) -> bytes:
    """The line to send. TcpTableError for a key that is too long."""
    line = b"get " + encode(key) + b"\n"
    if len(line) > MAXIMUM_LINE:
        raise TcpTableError("request is too long")
    return line


def answer(line: bytes) -> Answer:
    """What a reply line (without its end) says."""
    code, text = line[:4], line[4:]
    if code == b"200 ":
        return Answer(decode(text))
    if code == b"500 ":
        return Answer(None)
    shown = line[:100].decode("utf-8", "replace")
    raise TcpTableError(f"table lookup error: {shown}" if code == b"400 " else f"malformed reply: {shown}")
