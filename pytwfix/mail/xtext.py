"""xtext (RFC 3461 section 4; INVENTORY OB-10): printable ASCII where `+XX` stands for a byte."""

from __future__ import annotations

import re

_XTEXT = re.compile(rb"(?:[!-*,-~\x80-\xff]|\+[0-9A-Fa-f]{2})*\Z")
_HEX = re.compile(rb"\+([0-9A-Fa-f]{2})")
_UNSAFE = re.compile(rb"[^!-*,-<>-~]")


def decode(text: bytes) -> bytes | None:
    """The bytes that `text` stands for, or None when it is malformed or hides a NUL or a line end."""
    if not _XTEXT.match(text):
        return None
    if b"+" not in text:
        return text
    value = _HEX.sub(lambda found: bytes((int(found.group(1), 16),)), text)
    return None if b"\0" in value or b"\r" in value or b"\n" in value else value


def encode(value: bytes) -> bytes:
    """`value` as xtext."""
    return _UNSAFE.sub(lambda found: b"+%02X" % found.group(0)[0], value)
