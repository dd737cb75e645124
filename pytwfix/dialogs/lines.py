"""Lines on the wire: command lines and the body of a mail.

RFC 5321 sections 2.3.8, 4.1.1.4, 4.5.2; INVENTORY SD-16, SD-19, OB-7.

A body leaves here as content: CRLF line ends, dots un-stuffed, in pieces as large as they came. It ends at CRLF.CRLF
alone, unless the lenient rules of `smtpd_forbid_bare_newline = no` hold, where any LF ends a line and CRs before it
do not count. Nothing here raises.
"""

from __future__ import annotations

import re

from pytwfix.basics.lineends import strays

# A line that grows beyond this without a line end leaves in parts.
LINE_PART = 65536

_LENIENT_END = re.compile(rb"(?:\A|(?<=\n))\.\r*\n")
_LENIENT_END_INSIDE = re.compile(rb"(?<=\n)\.\r*\n")
_ANY_LINE_END = re.compile(rb"\r*\n")
_BARE_LF = re.compile(rb"(?<!\r)\n")


class LineBuffer:
    """Bytes received and not yet used."""

    __slots__ = ("_scanned", "data")

    def __init__(self) -> None:
        self.data = bytearray()
        self._scanned = 0

    def __len__(self) -> int:
        return len(self.data)

    def add(self, data: bytes) -> None:
        self.data += data

    def clear(self) -> None:
        self.data.clear()
        self._scanned = 0

    def line(self) -> bytes | None:
        """The next line up to and with its LF, or None when it is not complete."""
        end = self.data.find(b"\n", self._scanned) + 1
        if not end:
            self._scanned = len(self.data)
            return None
        return self.take(end)

    def take(self, size: int) -> bytes:
        """The next `size` bytes, or what there is."""
        data = bytes(self.data[:size])
        del self.data[:size]
        self._scanned = 0
        return data


class Normalizer:
    """Content of any line ends made content with CRLF, piece by piece. Remembers a CR that may belong to a LF."""

    __slots__ = ("_held", "_lenient", "bare_lf", "line_start", "tidy")

    def __init__(self, lenient: bool) -> None:
        self.bare_lf = False
        self.line_start = True
        self.tidy = False
        self._lenient = lenient
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """`data` may end anywhere; CRs at its end are held back until it is known what follows."""
        if self._held:
            data, self._held = self._held + data, b""
        if data.endswith(b"\r"):
            kept = data.rstrip(b"\r")
            self._held = data[len(kept) :][-LINE_PART:]
            data = kept
        data = self.complete(data)
        if data:
            self.line_start = data.endswith(b"\n")
        return data

    def complete(self, data: bytes) -> bytes:
        """`data` does not end in the middle of a line end."""
        bare_cr, bare_lf = strays(data)
        self.tidy = not bare_cr
        if bare_lf:
            self.bare_lf = True
            data = (_ANY_LINE_END if self._lenient else _BARE_LF).sub(b"\r\n", data)
        elif bare_cr and self._lenient and b"\r\r\n" in data:
            data = _ANY_LINE_END.sub(b"\r\n", data)
        return data

    def finish(self) -> bytes:
        """What was held back, and a line end if the last line has none."""
        held, self._held = self._held, b""
        if self.line_start and not held:
            return b""
        self.line_start = True
        return (b"" if self._lenient else held) + b"\r\n"


class DataBody:
    """The body after DATA: ends at a dot, dots are un-stuffed."""

    __slots__ = ("_at_start", "_crlf", "_lenient", "_lines")

    def __init__(self, lenient: bool = False) -> None:
        self._lines = Normalizer(lenient)
        self._lenient = lenient
        self._at_start = True  # the buffer starts at the start of a line
        self._crlf = True  # and that line follows CRLF

    @property
    def bare_lf(self) -> bool:
        """Whether a LF without CR was seen."""
        return self._lines.bare_lf

    @property
    def tidy(self) -> bool:
        """Whether no CR stood alone in what was taken last."""
        return self._lines.tidy

    def take(self, buffer: LineBuffer) -> tuple[bytes, bool]:
        """Content that is ready (b"" for none yet), and whether the body has ended."""
        size, skip, ended = (self._lenient_cut if self._lenient else self._strict_cut)(buffer.data)
        raw = buffer.take(size)
        if skip:
            buffer.take(skip)
        return self._content(raw), ended

    def _strict_cut(self, data: bytearray) -> tuple[int, int, bool]:
        if self._crlf and data.startswith(b".\r\n"):
            return 0, 3, True
        end = data.find(b"\r\n.\r\n")
        if end >= 0:
            return end + 2, 3, True
        return self._line_cut(data), 0, False

    def _lenient_cut(self, data: bytearray) -> tuple[int, int, bool]:
        start = 0 if self._at_start and data.startswith(b".") else data.find(b"\n.")
        found = (_LENIENT_END if self._at_start else _LENIENT_END_INSIDE).search(data, start) if start >= 0 else None
        if found:
            return found.start(), found.end() - found.start(), True
        return self._line_cut(data), 0, False

    def _line_cut(self, data: bytearray) -> int:
        """Up to the last line end; of a very long line all but its last CRs."""
        size = data.rfind(b"\n") + 1
        if size or len(data) < LINE_PART:
            return size
        return len(data.rstrip(b"\r")) or len(data) - 1

    def _content(self, raw: bytes) -> bytes:
        if not raw:
            return raw
        at_start = self._at_start
        self._at_start = raw.endswith(b"\n")
        self._crlf = raw.endswith(b"\r\n")
        data = self._lines.complete(raw)
        if at_start and data.startswith(b"."):
            data = data[1:]
        return data.replace(b"\r\n.", b"\r\n")


class ChunkBody:
    """The body of one BDAT: so many bytes (RFC 3030). Line ends go through the mail's one `Normalizer`."""

    __slots__ = ("_lines", "left")

    def __init__(self, size: int, lines: Normalizer) -> None:
        self.left = size
        self._lines = lines

    def take(self, buffer: LineBuffer) -> bytes:
        """Content that is ready; the chunk has ended when `left` is 0."""
        raw = buffer.take(min(self.left, len(buffer)))
        self.left -= len(raw)
        return self._lines.feed(raw)
