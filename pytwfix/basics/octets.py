"""Patterns over the octets of an IPv4 address: `127.0.0.[2;4..11]` (DNSBL answers; SD-37, PS-7). Raises ValueError."""

from __future__ import annotations


class OctetPattern:
    """Four octets, each a number, or a list in brackets of numbers and ranges `a..b`, separated by `;`."""

    __slots__ = ("_octets",)

    def __init__(self, text: str) -> None:
        parts = _parts(text)
        if len(parts) != 4:
            raise ValueError(f"need four octets: {text}")
        self._octets = tuple(_octet(part) for part in parts)

    def matches(self, address: str) -> bool:
        """`address` in dotted form."""
        numbers = address.split(".")
        if len(numbers) != 4 or not all(number.isdecimal() for number in numbers):
            return False
        return all(int(number) in octet for number, octet in zip(numbers, self._octets, strict=True))


def _parts(text: str) -> list[str]:
    """`text` split at dots that are not in brackets."""
    parts, start, depth = [], 0, 0
    for at, char in enumerate(text):
        depth += (char == "[") - (char == "]")
        if char == "." and not depth:
            parts.append(text[start:at])
            start = at + 1
    return [*parts, text[start:]]


def _octet(text: str) -> frozenset[int]:
    if not (text.startswith("[") and text.endswith("]")):
        return frozenset((_number(text),))
    out: set[int] = set()
    for item in text[1:-1].split(";"):
        low, dots, high = item.partition("..")
        first = _number(low)
        last = _number(high) if dots else first
        if last < first:
            raise ValueError(f"bad range: {item}")
        out.update(range(first, last + 1))
    return frozenset(out)


def _number(text: str) -> int:
    text = text.strip()
    if not text.isdecimal() or int(text) > 255:
        raise ValueError(f"bad octet: {text}")
    return int(text)
