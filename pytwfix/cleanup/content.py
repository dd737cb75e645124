"""Where the header ends and the body begins, and the line ends in between (RFC 5322 section 2.1; OB-8, OB-11).

Content comes in pieces of any size with CRLF line ends. The header is gathered until it ends: at an empty line, or at
a line that cannot be in a header (an empty line is then put in). After that pieces pass through. A CR or LF that is not
part of a CRLF becomes a space (cleanup_replace_stray_cr_lf).
"""

from __future__ import annotations

import re
from typing import Protocol

from pytwfix.basics.lineends import strays
from pytwfix.cleanup.sequence import Waiting, after

_LINES = re.compile(rb"(?:(?:[!-9;-~]++[ \t]*+:|[ \t])[^\n]*+\n)*")
_BEGINNING = re.compile(rb"[!-9;-~]++[ \t]*+:|[ \t]|[!-9;-~]*+[ \t]*+\Z")
_STRAY = re.compile(rb"\r(?!\n)|(?<!\r)\n")
_CONTINUATION = re.compile(rb"(?:[ \t][^\n]*+\n)*")
_FIELD_START = re.compile(rb"\n(?=[^ \t])")
_LONGEST = 1 << 20  # of a field that is kept to its end; header_size_limit cuts it much shorter
_AT_LINE, _IN_LINE = 1, 2  # where in a field that is too long one is
_BATCH = 1 << 16  # of header lines that are handed on before the header has ended


class IParts(Protocol):
    """Who gets the header and the body. Each may answer with a Deferred: the next call comes after it."""

    def header(self, block: bytes) -> Waiting:
        """Complete header fields."""

    def end_of_header(self, empty_line: bytes) -> Waiting:
        """CRLF, or b"" when the mail ends in its header."""

    def text(self, data: bytes) -> Waiting:
        """A piece of the body."""


class Content:
    """Splits what is written. `clean` says whether stray CR and LF are replaced."""

    __slots__ = (
        "_buffer",
        "_clean",
        "_in_header",
        "_last",
        "_parts",
        "_scanned",
        "_skipping",
        "_tail",
        "repaired",
    )

    def __init__(self, parts: IParts, clean: bool) -> None:
        self._parts = parts
        self._clean = clean
        self._buffer = b""
        self._scanned = 0
        self._last = 0  # where in the buffer the last field begins
        self._skipping = 0
        self._tail = b""
        self._in_header = True
        self.repaired = False  # the header ended without an empty line

    def write(self, data: bytes, tidy: bool = False) -> Waiting:
        """The next piece. `tidy`: the caller knows that no CR or LF of it stands alone."""
        if self._tail:
            data, self._tail, tidy = self._tail + data, b"", False
        if data[-1:] == b"\r":  # its LF is still to come
            data, self._tail = data[:-1], b"\r"
        if self._clean and not tidy and True in strays(data):
            data = _STRAY.sub(b" ", data)
        if self._in_header:
            return self._header(data)
        return self._parts.text(data) if data else None

    def finish(self) -> Waiting:
        """Everything has been written: the last line may lack its end, and the header its empty line."""
        rest = b" " if self._clean and self._tail else self._tail
        self._tail = b""
        if not self._in_header:
            return self._parts.text(rest) if rest else None
        block = self._buffer + rest
        if block and not block.endswith(b"\n"):
            block += b"\r\n"
        self._buffer = b""
        self._scanned = self._last = 0
        waiting = self._header(block) if block else None
        return after(waiting, self._close)

    def _close(self) -> Waiting:
        if not self._in_header:
            return None
        self._in_header = False
        block, self._buffer = self._buffer, b""
        return after(self._parts.header(block) if block else None, lambda: self._parts.end_of_header(b""))

    def _header(self, data: bytes) -> Waiting:
        buffer = self._buffer + data if self._buffer else data
        if self._skipping:
            buffer = self._skip(buffer)
            if not buffer:
                return None
        end = self._scan(buffer)
        if end < 0:
            self._buffer = buffer
            return self._flush() if len(buffer) > _BATCH else None
        self._in_header = False
        self._buffer = b""
        if buffer.startswith(b"\r\n", end):
            body = end + 2
        else:
            body = end
            self.repaired = True
        return self._end(buffer[:end], buffer[body:])

    def _scan(self, buffer: bytes) -> int:
        """Where the header ends, -1: not yet. What is before `_scanned` need not be looked at again."""
        if not self._scanned and buffer[:1] in (b" ", b"\t"):
            return 0
        begin = self._scanned
        matched = _LINES.match(buffer, begin)
        self._scanned = end = matched.end() if matched else begin
        if end >= len(buffer):
            return -1
        if buffer.find(b"\n", end) < 0:
            return -1 if _BEGINNING.match(buffer, end) or b"\r\n".startswith(buffer[end:]) else end
        return end

    def _flush(self) -> Waiting:
        """A header without end: hand on all fields but the last, which may go on; that too when it is too long."""
        block, scanned = self._buffer, self._scanned
        for match in _FIELD_START.finditer(block, self._last, scanned):
            self._last = match.end()
        cut = self._last
        if len(block) - cut > _LONGEST:
            self._skipping = _AT_LINE if scanned == len(block) else _IN_LINE
            self._buffer = b""
            self._scanned = self._last = 0
            return self._parts.header(block if self._skipping == _AT_LINE else block + b"\r\n")
        if not cut:
            return None
        self._buffer = block[cut:]
        self._scanned -= cut
        self._last = 0
        return self._parts.header(block[:cut])

    def _skip(self, buffer: bytes) -> bytes:
        """What follows the field that was too long; b"" while it goes on."""
        if self._skipping == _IN_LINE:
            end = buffer.find(b"\n")
            if end < 0:
                return b""
            buffer = buffer[end + 1 :]
            self._skipping = _AT_LINE
        match = _CONTINUATION.match(buffer)
        buffer = buffer[match.end() :] if match else buffer
        if buffer[:1] in (b" ", b"\t"):
            self._skipping = _IN_LINE
            return b""
        if buffer:
            self._skipping = 0
        return buffer

    def _end(self, block: bytes, body: bytes) -> Waiting:
        parts = self._parts
        waiting = parts.header(block) if block else None
        waiting = after(waiting, lambda: parts.end_of_header(b"\r\n")) if waiting else parts.end_of_header(b"\r\n")
        if not body:
            return waiting
        return after(waiting, lambda: parts.text(body)) if waiting else parts.text(body)
