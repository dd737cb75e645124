"""Bytes made safe for a log line: everything that cannot be printed becomes `?`, one for each byte."""

from __future__ import annotations

_ASCII = bytes(byte if 32 <= byte < 127 else 63 for byte in range(256))


def printable(data: bytes, utf8: bool = False) -> str:
    """`data` as text without control characters; with `utf8`, well-formed UTF-8 stays as it is."""
    if not utf8 or data.isascii():
        return data.translate(_ASCII).decode("ascii")
    return "".join(char if _shown(char) else "?" for char in data.decode("utf-8", "surrogateescape"))


def printable_text(text: str, utf8: bool = False) -> str:
    """The same for text that was decoded with surrogateescape."""
    return printable(text.encode("utf-8", "surrogateescape"), utf8)


def _shown(char: str) -> bool:
    """Neither a control character (C0, DEL, C1) nor a byte that was no UTF-8."""
    code = ord(char)
    return 32 <= code < 127 or (code >= 160 and not 0xDC80 <= code <= 0xDCFF)
