"""8-bit text made 7-bit, on arrival or for a server that knows no better (RFC 2045 section 6.7; INVENTORY CL-9, SM-6).

A part that says 8bit or binary becomes quoted-printable, what is made of parts says 7bit. Lines are bytes without line
ends. Pure.
"""

from __future__ import annotations

import re

_SPECIAL = re.compile(rb"[^\t -<>-~]")
_LINE = 76
_QUOTED = b"Content-Transfer-Encoding: quoted-printable\r\n"
_PLAIN = b"Content-Transfer-Encoding: 7bit\r\n"
CONVERTED = (b"8bit", b"binary")


def encoding_field(encoding: bytes, composite: bool) -> bytes:
    """The field that stands for one that said `encoding`; b"" when that one may stay."""
    if encoding not in CONVERTED:
        return b""
    return _PLAIN if composite else _QUOTED


def quoted_printable(line: bytes) -> list[bytes]:
    """One line of text as one or more lines."""
    encoded = _SPECIAL.sub(lambda match: b"=%02X" % match.group()[0], line)
    if encoded[-1:] in (b" ", b"\t"):
        encoded = encoded[:-1] + b"=%02X" % encoded[-1]
    out: list[bytes] = []
    while len(encoded) > _LINE:
        cut = _LINE - 1
        if b"=" in encoded[cut - 2 : cut]:  # not inside =XX
            cut = encoded.rindex(b"=", 0, cut)
        out.append(encoded[:cut] + b"=")
        encoded = encoded[cut:]
    out.append(encoded)
    return out
