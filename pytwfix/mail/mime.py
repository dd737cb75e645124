"""Which line of a mail belongs to what (RFC 2045, RFC 2046; INVENTORY CL-9).

After the header of the mail `Structure.open` says what follows; `line` then tells of each line whether it is text, a
boundary, or part of a header, and `open` is called again at the end of each such header. Beyond `nesting` levels
everything is text. Pure; a broken structure is text too.
"""

from __future__ import annotations

import re

BODY, BOUNDARY, PART_HEADER, NESTED_HEADER = "body", "boundary", "part", "nested"
_BOUNDARY = re.compile(rb'boundary\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;]+))', re.IGNORECASE)
_QUOTED_OR_COMMENT = re.compile(rb'"(?:[^"\\]|\\.)*"|\\.|[()]', re.DOTALL)
_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)
_TYPE = re.compile(rb"\s*([^\s/;]+)\s*/\s*([^\s;]+)")
_ENCODED = (b"quoted-printable", b"base64")
_8BIT = (b"8bit", b"binary")


def without_comments(value: bytes) -> bytes:
    """A structured field's value (RFC 5322 section 3.2.2): a space for each comment."""
    if b"(" not in value:
        return value
    out: list[bytes] = []
    depth = start = 0
    for match in _QUOTED_OR_COMMENT.finditer(value):
        mark = match.group()
        if mark == b"(":
            if not depth:
                out.append(value[start : match.start()])
            depth += 1
        elif mark == b")" and depth:
            depth -= 1
            start = match.end()
    if not depth:
        out.append(value[start:])
    return b" ".join(out)


def has_parts(content_type: bytes) -> bool:
    """Whether text of this type may have headers in it."""
    content_type = without_comments(content_type)
    match = _TYPE.match(content_type)
    kind = match.group(1).lower() if match else b""
    if kind == b"message" and match:
        return match.group(2).lower() in (b"rfc822", b"global")
    return kind == b"multipart" and _BOUNDARY.search(content_type) is not None


class _Level:
    __slots__ = ("digest", "mark")

    def __init__(self, mark: bytes, digest: bool) -> None:
        self.mark = mark
        self.digest = digest


class Structure:
    """Where in a mail one is. `state` is one of the words above, without BOUNDARY."""

    __slots__ = ("_boundary_limit", "_depth", "_levels", "_nesting", "bad_encoding", "composite", "domain", "state")

    def __init__(self, nesting: int, boundary_limit: int) -> None:
        self._nesting = nesting
        self._boundary_limit = boundary_limit
        self._levels: list[_Level] = []
        self._depth = 0
        self.state = BODY
        self.domain = b"7bit"  # how the text of this part is encoded
        self.composite = False  # what follows the header that has ended is made of parts
        self.bad_encoding = False  # a multipart or message part that is encoded itself

    def open(self, content_type: bytes, encoding: bytes) -> None:
        """A header has ended."""
        content_type, encoding = without_comments(content_type), without_comments(encoding).strip()
        main, sub = self._type(content_type)
        nested = main == b"message" and sub in (b"rfc822", b"global")
        composite = main == b"multipart" or nested
        whole = main == b"message" and sub in (b"partial", b"external-body")  # 7bit, RFC 2046 section 5.2
        self.bad_encoding = (composite and encoding in _ENCODED) or (whole and encoding in _8BIT)
        self.state = BODY
        self.composite = composite and self._depth < self._nesting
        self.domain = b"7bit" if self.composite else encoding or b"7bit"  # the text around parts has no encoding
        if not self.composite:
            return
        if main == b"message":
            self._depth += 1
            self.state = NESTED_HEADER
            return
        match = _BOUNDARY.search(content_type)
        if match:
            mark = (_ESCAPE.sub(rb"\1", match.group(1) or b"") or match.group(2) or b"")[: self._boundary_limit]
            self._depth += 1
            self._levels.append(_Level(b"--" + mark, sub == b"digest"))

    def _type(self, content_type: bytes) -> tuple[bytes, bytes]:
        match = _TYPE.match(content_type)
        if match:
            return match.group(1).lower(), match.group(2).lower()
        if self.state == PART_HEADER and self._levels and self._levels[-1].digest:
            return b"message", b"rfc822"
        return b"text", b"plain"

    def line(self, line: bytes) -> str:
        """What the line is. A header's empty line belongs to the header."""
        if self._levels and line[:2] == b"--":
            for index in range(len(self._levels) - 1, -1, -1):
                mark = self._levels[index].mark
                if line.startswith(mark):
                    self._at_boundary(index, line[len(mark) : len(mark) + 2] == b"--")
                    return BOUNDARY
        return self.state

    def _at_boundary(self, index: int, last: bool) -> None:
        del self._levels[index if last else index + 1 :]
        self._depth = len(self._levels)
        self.domain = b"7bit"
        self.state = BODY if last else PART_HEADER
