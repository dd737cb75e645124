r"""Addresses of type utf-8 in ORCPT (RFC 6533 section 3): printable ASCII where `\x{FC}` stands for a character."""

from __future__ import annotations

import re

_QUOTED = re.compile(r"\\x\{([0-9A-Fa-f]{1,6})\}")
_UNSAFE = re.compile(r"[^!-~]|[\\+=]")


def decode(text: bytes) -> bytes | None:
    """The UTF-8 that `text` stands for, or None when it is malformed or hides a control character.

    UTF-8 that stands for itself is taken too: it is what a session with SMTPUTF8 may say.
    """
    try:
        value = _QUOTED.sub(lambda found: chr(int(found[1], 16)), text.decode("utf-8"))
        plain = _QUOTED.sub("", text.decode("utf-8"))
        encoded = value.encode("utf-8")
    except (UnicodeError, ValueError, OverflowError):
        return None
    if "\\" in plain or any(char <= " " or char == "\x7f" for char in value):
        return None
    return encoded


def encode(value: bytes) -> bytes:
    """`value`, UTF-8, in ASCII alone; bytes that are no UTF-8 come as question marks."""
    text = value.decode("utf-8", "replace").replace("\ufffd", "?")
    return _UNSAFE.sub(lambda found: f"\\x{{{ord(found[0]):X}}}", text).encode("ascii")
