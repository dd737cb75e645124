"""The lines of a message that header and body checks see, for `postmap -q - -h/-b/-m` (PM-1, RX-7).

Headers are whole, with their newlines; body lines are without. With MIME the headers of parts, and of messages in them,
are headers too. Units: bytes with LF line ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_FIELD = re.compile(rb"([!-9;-~]+)([ \t]*):")
_TYPE = re.compile(rb"content-type[ \t]*:[ \t\n]*([^;\s]+)(.*)", re.IGNORECASE | re.DOTALL)
_BOUNDARY = re.compile(rb';[ \t\n]*boundary[ \t\n]*=[ \t\n]*(?:"((?:[^"\\]|\\.)*)"|([^;\s]+))', re.IGNORECASE)

HEADER, MIME_HEADER, BODY = "header", "mime", "body"


def message_lines(data: bytes, mime: bool) -> Iterator[tuple[str, bytes]]:
    """(HEADER, MIME_HEADER or BODY; text) of everything in a message, in its order."""
    lines = data.split(b"\n")
    if lines and not lines[-1]:
        lines.pop()
    yield from _Message(lines, mime).run()


class _Message:
    def __init__(self, lines: list[bytes], mime: bool) -> None:
        self._lines = lines
        self._mime = mime
        self._index = 0
        self._boundaries: list[bytes] = []  # of the multiparts that are open, outermost first
        self._type = b""

    def run(self) -> Iterator[tuple[str, bytes]]:
        yield from self._headers(HEADER)
        if self._index < len(self._lines) and self._lines[self._index]:
            yield BODY, b""  # a body that begins without an empty line
        yield from self._body()

    def _headers(self, kind: str) -> Iterator[tuple[str, bytes]]:
        """Header fields up to the first line that is none."""
        self._type = b""
        while self._index < len(self._lines):
            line = self._lines[self._index]
            name = _FIELD.match(line)
            if name is None:
                return
            self._index += 1
            field = [name[1] + line[name.end(2) :]]  # white space in front of the colon goes
            while self._index < len(self._lines) and self._lines[self._index][:1] in (b" ", b"\t"):
                field.append(self._lines[self._index])
                self._index += 1
            whole = b"\n".join(field)
            if self._mime:
                self._content_type(whole)
            yield kind, whole

    def _content_type(self, field: bytes) -> None:
        found = _TYPE.match(field)
        if not found:
            return
        self._type = found[1].lower()
        boundary = _BOUNDARY.search(found[2])
        if self._type.startswith(b"multipart/") and boundary:
            self._boundaries.append(boundary[1] if boundary[1] is not None else boundary[2])

    def _body(self) -> Iterator[tuple[str, bytes]]:
        while self._index < len(self._lines):
            line = self._lines[self._index]
            self._index += 1
            yield BODY, line
            if not line and self._type == b"message/rfc822":
                yield from self._headers(MIME_HEADER)
            elif line.startswith(b"--") and self._boundaries:
                yield from self._delimiter(line.rstrip())
            elif self._type == b"message/rfc822":
                self._type = b""

    def _delimiter(self, line: bytes) -> Iterator[tuple[str, bytes]]:
        """What follows a boundary: a part's headers; the boundaries inside it are over."""
        for depth in range(len(self._boundaries) - 1, -1, -1):
            boundary = b"--" + self._boundaries[depth]
            if line == boundary:
                del self._boundaries[depth + 1 :]
                yield from self._headers(MIME_HEADER)
                return
            if line == boundary + b"--":
                del self._boundaries[depth:]
                self._type = b""
                return
