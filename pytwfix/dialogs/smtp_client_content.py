"""The content of a mail as it goes over the wire (RFC 5321 sections 4.5.2, 4.5.3.1.6; INVENTORY SM-6).

Content comes in pieces of any size with CRLF line ends and is handled piece by piece, never line by line. Only a
`Stuffer` takes pieces that are cut between CR and LF.
"""

from __future__ import annotations

_END = b".\r\n"


class Stuffer:
    """Doubles the dot at the start of a line, and ends the last line."""

    __slots__ = ("_after_cr", "_at_start")

    def __init__(self) -> None:
        self._at_start = True
        self._after_cr = False

    def feed(self, piece: bytes) -> bytes:
        if not piece:
            return piece
        out = piece.replace(b"\r\n.", b"\r\n..")
        if self._at_start and piece.startswith(b"."):
            out = b"." + out
        elif self._after_cr and piece.startswith(b"\n."):
            out = b"\n." + out[1:]
        self._at_start = piece.endswith(b"\r\n") or (self._after_cr and piece == b"\n")
        self._after_cr = piece.endswith(b"\r")
        return out

    def end(self) -> bytes:
        """What follows the last piece: the end of its line if it has none, and the end of data."""
        return _END if self._at_start else b"\r\n" + _END


def stuffed(content: bytes) -> bytes:
    """A whole mail, with its end."""
    if b"\r\n." in content:
        content = content.replace(b"\r\n.", b"\r\n..")
    if content.startswith(b"."):
        content = b"." + content
    return content + (_END if content.endswith(b"\r\n") or not content else b"\r\n" + _END)


def has_long_line(content: bytes, limit: int) -> bool:
    """Whether a line is longer than `limit` without its end. Jumps from line end to line end."""
    if limit <= 0 or len(content) <= limit:
        return False
    start, size, step = 0, len(content), limit + 2
    while size - start > limit:
        end = content.rfind(b"\n", start, start + step)
        if end < 0:
            return size - start > limit and not (size - start == limit + 1 and content.endswith(b"\r"))
        start = end + 1
    return False


class Folder:
    """Breaks lines that are too long, by a line end and a space, also across pieces. `folded` says that it did."""

    __slots__ = ("_column", "_limit", "folded")

    def __init__(self, limit: int) -> None:
        self._limit = max(limit, 2) if limit > 0 else 0
        self._column = 0
        self.folded = False

    def feed(self, piece: bytes) -> bytes:
        if self._limit <= 0 or not piece:
            return piece
        if not self._column and not has_long_line(piece, self._limit):
            self._column = self._tail(piece)
            return piece
        return b"".join(self._lines(piece))

    def _tail(self, piece: bytes) -> int:
        return len(piece) - (piece.rfind(b"\n") + 1)

    def _lines(self, piece: bytes) -> list[bytes]:
        out: list[bytes] = []
        for line in piece.splitlines(True) if b"\r" not in piece.replace(b"\r\n", b"") else _split(piece):
            ended = line.endswith(b"\r\n")
            text = line[:-2] if ended else line
            while self._column + len(text) > self._limit:
                room = self._limit - self._column
                out += (text[:room], b"\r\n ")
                text = text[room:]
                self._column = 1
                self.folded = True
            out.append(text)
            self._column = 0 if ended else self._column + len(text)
            if ended:
                out.append(b"\r\n")
        return out


def _split(piece: bytes) -> list[bytes]:
    """Lines that end at CRLF alone."""
    parts = piece.split(b"\r\n")
    lines = [part + b"\r\n" for part in parts[:-1]]
    return lines + [parts[-1]] if parts[-1] else lines
