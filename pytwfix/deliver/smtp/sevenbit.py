"""A mail with 8-bit text for a server that takes 7-bit text alone (RFC 6152 section 3; INVENTORY SM-6).

Parts that say 8bit or binary become quoted-printable, in the mail itself and in what is nested in it. Text that is
8-bit without saying so is not touched, nor are headers. Content has CRLF line ends. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytwfix.mail.mime import BODY, BOUNDARY, Structure
from pytwfix.mail.sevenbit import CONVERTED, encoding_field, quoted_printable

_TYPE, _ENCODING = b"content-type", b"content-transfer-encoding"


def downgraded(content: bytes, nesting: int, boundary_limit: int) -> bytes:
    """The content in 7-bit form."""
    conversion = _Conversion(nesting, boundary_limit)
    out: list[bytes] = []
    lines = content.split(b"\r\n")
    last = lines.pop()
    for line in lines:
        out += conversion.line(line)
    if last:
        out += conversion.line(last)
    out += conversion.end_header()
    return b"\r\n".join(out) + (b"" if last else b"\r\n") if out else content


class _Conversion:
    """Line after line. A header is kept back until it has ended: its encoding may have to be another one."""

    def __init__(self, nesting: int, boundary_limit: int) -> None:
        self._structure = Structure(nesting, boundary_limit)
        self._fields: list[list[bytes]] = []
        self._in_header = True
        self._converting = False

    def line(self, line: bytes) -> list[bytes]:
        if self._in_header:
            return self._header_line(line)
        kind = self._structure.line(line)
        if kind == BOUNDARY:
            self._in_header = self._structure.state != BODY
            self._converting = False
            return [line]
        if self._converting and not (line.isascii() and len(line) <= 76 and b"=" not in line):
            return quoted_printable(line)
        return [line]

    def _header_line(self, line: bytes) -> list[bytes]:
        if self._structure.line(line) == BOUNDARY:
            out = self.end_header()
            self._in_header = self._structure.state != BODY
            return [*out, line]
        if line[:1] in (b" ", b"\t") and self._fields:
            self._fields[-1].append(line)
            return []
        if line and b":" in line:
            self._fields.append([line])
            return []
        out = self.end_header()
        return [*out, *(self.line(line) if line else [line])]

    def end_header(self) -> list[bytes]:
        """The header as it goes out; what follows is known now."""
        if not self._in_header:
            return []
        self._in_header = False
        fields, self._fields = self._fields, []
        encoding = self._value(fields, _ENCODING).lower()
        self._structure.open(self._value(fields, _TYPE), encoding)
        composite = self._structure.composite
        self._in_header = self._structure.state != BODY
        self._converting = encoding in CONVERTED and not composite
        instead = encoding_field(encoding, composite).rstrip(b"\r\n")
        out = list(self._written(fields, instead))
        return out

    def _value(self, fields: list[list[bytes]], name: bytes) -> bytes:
        value = b""
        for field in fields:
            word, _, rest = b" ".join(field).partition(b":")
            if word.strip().lower() == name:
                value = rest.strip()
        return value

    def _written(self, fields: list[list[bytes]], instead: bytes) -> Iterator[bytes]:
        for field in fields:
            if instead and field[0].partition(b":")[0].strip().lower() == _ENCODING:
                continue
            yield from field
        if instead:
            yield instead
