"""Odd ways to end a mail, and what a smuggler puts behind them (SD-19, OB-7)."""

from __future__ import annotations

import itertools

_ENDS = (b"\r\n", b"\n", b"\r", b"\0\n", b"\n\0", b"\r\r\n", b"\r\n\r", b"\n\r", b"\x0b\n", b"\x85")
INSIDE = b"MAIL FROM:<smuggler@evil.example>\r\nRCPT TO:<victim@far.example>\r\nDATA\r\nSubject: smuggled\r\n\r\nx\r\n"


def variants() -> list[bytes]:
    """Content of one mail each, which no server may take for two. The true end is not among them."""
    pairs = itertools.product(_ENDS, (b".", b"..", b"\0.", b".\0"), _ENDS)
    return [
        b"Subject: one\r\n\r\nbody" + before + dot + after + INSIDE
        for before, dot, after in pairs
        if not (before.endswith(b"\r\n") and dot == b"." and after.startswith(b"\r\n"))
    ]
