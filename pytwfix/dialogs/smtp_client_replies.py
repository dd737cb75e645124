"""Replies as they come from a server (RFC 5321 section 4.2; INVENTORY OB-1, OB-2, OB-3).

A line without a three-digit code is no reply, but stands before the text of the one that follows. In a reply of several
lines the last line's code decides. Lines end at LF; what is too long, or too much, is cut off and the reply goes on.
Nothing here raises.
"""

from __future__ import annotations

import re
from collections.abc import Callable

LIMIT = 2048  # line_length_limit: so much of a line, and of a reply, is kept
_SHOWN = 30
_TOLD = 1 << 40

_ENHANCED = re.compile(rb"([245])\.(\d{1,3})\.(\d{1,3})(?=\s|\Z)")
_UNSEEN = re.compile(rb"[\x00-\x1f\x7f]")


class Answer:
    """One reply. `code` is 0..999; `lines` are whole, with their codes, without line ends."""

    __slots__ = ("code", "lines")

    def __init__(self, code: int, lines: list[bytes]) -> None:
        self.code = code
        self.lines = lines

    def __repr__(self) -> str:
        return f"Answer({self.text!r})"

    @property
    def kind(self) -> int:
        """2, 3, 4, 5, or what else the server made up."""
        return self.code // 100

    @property
    def dsn(self) -> str:
        """The enhanced status: the server's own when its class is the code's, else X.0.0; 5.5.0 for a code that is
        no answer at all."""
        code = self.code
        if not 200 <= code < 600 or 300 <= code < 400:
            return "5.5.0"
        for line in reversed(self.lines):
            found = _ENHANCED.match(line, 4)
            if found and found[1] == line[:1] and line[:3].isdigit() and int(line[:3]) // 100 == code // 100:
                return found[0].decode("ascii")
        return f"{code // 100}.0.0"

    @property
    def failure(self) -> str:
        """The enhanced status when this answer was not the one that was hoped for, never of class 2 (OB-3)."""
        dsn = self.dsn
        return "5.5.0" if dsn[0] == "2" else dsn

    @property
    def text(self) -> str:
        """All lines as one, fit for a log."""
        data = self.lines[0] if len(self.lines) == 1 else b" ".join(self.lines)
        if not data.isascii() or _UNSEEN.search(data):
            data = _UNSEEN.sub(b"?", data)
            return data.decode("utf-8", "replace").replace("\ufffd", "?")
        return data.decode("ascii")


class ReplyParser:
    """Bytes in, answers out. `complain` is told of what was cut off: whether it is a whole reply, and its begin."""

    __slots__ = ("_data", "_dropping", "_kept", "_limit", "_lines", "complain", "skipped")

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self.complain: Callable[[bool, bytes], None] | None = None
        self._data = b""
        self._lines: list[bytes] = []
        self._kept = 0
        self._dropping = False  # inside a line of which enough was seen
        self.skipped: bytes | None = None  # the first line that was no reply

    def receive(self, data: bytes) -> None:
        self._data = self._data + data if self._data else data

    def clear(self) -> None:
        """Forget what was not used yet."""
        self._data = b""
        self._lines = []
        self._kept = 0
        self._dropping = False

    @property
    def pending(self) -> bool:
        """Whether there is anything that was not used yet."""
        return bool(self._data or self._lines)

    def next(self) -> Answer | None:
        """The next answer, or None when more bytes are needed."""
        while True:
            data = self._data
            end = data.find(b"\n")
            if end < 0:
                self._shorten()
                return None
            line, self._data = data[:end], data[end + 1 :]
            if self._dropping:
                line, self._dropping = self._lines.pop() if self._lines else b"", False
                answer = self._line(line)
            elif len(line) > self._limit + 1:  # it may end in CR
                answer = self._line(self._cut(line))
            else:
                answer = self._line(line.rstrip())
            if answer is not None:
                return answer

    def _shorten(self) -> None:
        """A line without end does not fill our memory: its beginning waits among the lines."""
        if self._dropping:
            self._data = b""
        elif len(self._data) > self._limit + 1:
            self._lines.append(self._cut(self._data))
            self._data = b""
            self._dropping = True

    def _cut(self, line: bytes) -> bytes:
        self._complain(False, line)
        return line[: self._limit]

    def _complain(self, whole: bool, text: bytes) -> None:
        if self.complain is not None:
            self.complain(whole, text[:_SHOWN])

    def _line(self, line: bytes) -> Answer | None:
        code, mark = line[:3], line[3:4]
        if not (code.isdigit() and len(code) == 3 and mark in (b"", b" ", b"-")):
            if self.skipped is None:
                self.skipped = line
            if line or self._lines:
                self._keep(line)
            return None
        self._keep(line)
        if mark == b"-":
            return None
        lines, self._lines, self._kept = self._lines, [], 0
        return Answer(int(code), lines)

    def _keep(self, line: bytes) -> None:
        """As one of the lines of the reply, while there is room for it."""
        kept = self._kept
        if kept < self._limit:
            self._lines.append(line)
            self._kept = kept + len(line) + (kept > 0)
        elif kept < _TOLD:
            self._kept = _TOLD
            self._complain(True, b"\n".join(self._lines)[:_SHOWN])
