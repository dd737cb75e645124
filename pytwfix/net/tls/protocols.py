"""Which versions of TLS are used: `>=TLSv1.2, <=TLSv1.3`, `TLSv1.2 TLSv1.3`, `!SSLv3 !TLSv1` (TL-1). Pure.

Raises ValueError for what is none of these.
"""

from __future__ import annotations

from typing import NamedTuple

# The versions in order, with the numbers that they have on the wire.
VERSIONS = {"SSLv3": 0x300, "TLSv1": 0x301, "TLSv1.1": 0x302, "TLSv1.2": 0x303, "TLSv1.3": 0x304}
_NAMES = {name.lower(): number for name, number in VERSIONS.items()} | {"tlsv1.0": 0x301, "sslv2": 0x200}


class Protocols(NamedTuple):
    """`lowest` and `highest` are 0 for no bound; `excluded` the versions between them that are off."""

    lowest: int
    highest: int
    excluded: frozenset[int]


def parse_protocols(text: str) -> Protocols:
    """The versions that a parameter's value allows."""
    lowest = highest = 0
    excluded: set[int] = set()
    included: set[int] = set()
    for word in text.replace(",", " ").replace(":", " ").split():
        if word.startswith(">="):
            lowest = _version(word[2:])
        elif word.startswith("<="):
            highest = _version(word[2:])
        elif word.startswith("!"):
            excluded.add(_version(word[1:]))
        else:
            included.add(_version(word))
    if included:
        excluded |= set(VERSIONS.values()) - included
    if set(VERSIONS.values()) <= excluded:
        raise ValueError(f"no TLS protocol is left by: {text}")
    return Protocols(lowest, highest, frozenset(excluded - {0x200}))


def _version(word: str) -> int:
    number = _NAMES.get(word.lower())
    if number is not None:
        return number
    if word[:2].lower() == "0x":
        try:
            return int(word, 16)
        except ValueError:
            pass
    raise ValueError(f"invalid TLS protocol: {word}")
