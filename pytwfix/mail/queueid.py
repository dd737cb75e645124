"""Queue IDs: names of queue files, made of the time and the inode number (INVENTORY QU-2, QU-3).

A short ID is unique among the files that exist, a long one for ever. Pure; what is no queue ID raises ValueError.
"""

from __future__ import annotations

import re

_ALPHABET = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"  # no vowels: no words
_DIGITS = {char: value for value, char in enumerate(_ALPHABET)}
_TIME_BASE = 52
_INODE_BASE = 51  # without z, which stands before the inode
_SECONDS_WIDTH = 6
_MICROSECONDS_WIDTH = 4
_VALID = re.compile(r"[0-9A-Za-z_]{1,255}\Z")
_SHORT = re.compile(r"([0-9A-F]{5})([0-9A-F]+)\Z")


def valid(text: str) -> bool:
    """Whether `text` may be the name of a queue file at all; everything else is a path trick or a mistake."""
    return _VALID.match(text) is not None


def short_id(microseconds: int, inode: int) -> str:
    """5 digits of microseconds, then the inode, both hexadecimal."""
    return f"{microseconds:05X}{inode:X}"


def long_id(seconds: int, microseconds: int, inode: int) -> str:
    """At least 6 digits of seconds, 4 of microseconds (base 52), `z`, the inode (base 51)."""
    return (
        _encode(seconds, _TIME_BASE, _SECONDS_WIDTH)
        + _encode(microseconds, _TIME_BASE, _MICROSECONDS_WIDTH)
        + "z"
        + _encode(inode, _INODE_BASE, 1)
    )


def is_long(queue_id: str) -> bool:
    return queue_id.rfind("z") >= _SECONDS_WIDTH + _MICROSECONDS_WIDTH


def inode_of(queue_id: str) -> int:
    """The inode number that the ID was made of. ValueError when it is not of the two forms."""
    if is_long(queue_id):
        return _decode(queue_id[queue_id.rfind("z") + 1 :], _INODE_BASE)
    return int(_short(queue_id).group(2), 16)


def microseconds_of(queue_id: str) -> int:
    """The microseconds that the ID was made of. ValueError when it is not of the two forms."""
    if is_long(queue_id):
        end = queue_id.rfind("z")
        return _decode(queue_id[end - _MICROSECONDS_WIDTH : end], _TIME_BASE)
    return int(_short(queue_id).group(1), 16)


def with_inode(queue_id: str, inode: int, long: bool, seconds: int = 0) -> str:
    """The ID that a file with this inode should have, of the form asked for: of the same time where the form stays,
    else of the same microseconds and `seconds`."""
    if long:
        if is_long(queue_id):
            return queue_id[: queue_id.rfind("z") + 1] + _encode(inode, _INODE_BASE, 1)
        return long_id(seconds, microseconds_of(queue_id), inode)
    return short_id(microseconds_of(queue_id), inode)


def hash_directories(queue_id: str, depth: int) -> str:
    """`A/B/` for `ABCD...` and depth 2: the subdirectories of a hashed queue (QU-2).

    A long ID begins with seconds, which change slowly: its microseconds are used, in the form of a short one's.
    """
    basis = f"{microseconds_of(queue_id):05X}" if is_long(queue_id) else queue_id
    return "".join(f"{char}/" for char in basis[:depth].ljust(depth, "_"))


def _short(queue_id: str) -> re.Match[str]:
    match = _SHORT.match(queue_id)
    if match is None:
        raise ValueError(f"no queue ID: {queue_id}")
    return match


def _encode(number: int, base: int, width: int) -> str:
    out = ""
    while number:
        number, digit = divmod(number, base)
        out = _ALPHABET[digit] + out
    return out.rjust(width, _ALPHABET[0])


def _decode(text: str, base: int) -> int:
    if not text:
        raise ValueError("no queue ID: a number is missing")
    number = 0
    for char in text:
        digit = _DIGITS.get(char, base)
        if digit >= base:
            raise ValueError(f"no queue ID: {text}")
        number = number * base + digit
    return number
