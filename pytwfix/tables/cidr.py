"""cidr: networks and what to say of them (MT-4). The first line that matches wins, not the longest prefix.

`network value`, `!network value`, `if network`, `if !network`, `endif`. Negation speaks of its own kind of addresses
only: `!192.0.2.0/24` matches no IPv6 address. Each line stands for ranges of addresses, what its `if` lines leave of
its network: `intervals` finds the first one that holds an address, in about 1 us for a million lines.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytwfix.tables.intervals import Painter, Range, Ranges, difference, intersection
from pytwfix.tables.networks import parse_address, parse_network
from pytwfix.tables.rulefile import RuleTable

_SPACE = b" \t\r\n\v\f"
_SIZES = {32: 1 << 32, 128: 1 << 128}
Network = tuple[int, int, int]
Region = dict[int, list[Range]]  # address size in bits -> ranges, sorted
EVERYTHING: Region = {bits: [(0, size)] for bits, size in _SIZES.items()}


class _Content:
    """What the lines come to: ranges for each address size, and the values that they point at."""

    __slots__ = ("ranges", "values")

    def __init__(self, ranges: dict[int, Ranges], values: list[bytes | None]) -> None:
        self.ranges = ranges
        self.values = values


class Cidr(RuleTable[_Content]):
    def load(self, rules: Iterator[tuple[int, bytes]]) -> _Content:
        return _Reader(self).read(rules)

    def find(self, key: bytes) -> bytes | None:
        content = self.content()
        try:
            bits, number = parse_address(key.decode("ascii", "replace"))
        except ValueError:
            return None
        return content.values[content.ranges[bits].find(number)]


class _Reader:
    """One reading of a table's lines."""

    def __init__(self, table: Cidr) -> None:
        self._warn, self._fault = table.warn, table.fault
        self._painters = {bits: Painter(bits) for bits in _SIZES}
        self._values: dict[bytes, int] = {}
        self._regions: list[Region] = [EVERYTHING]  # what the open `if` lines leave, outermost first
        self._lines: list[int] = []  # of these `if` lines

    def read(self, rules: Iterator[tuple[int, bytes]]) -> _Content:
        for number, line in rules:
            word = _keyword(line) if line[:1] in b"iIeE" else b""
            if word == b"endif":
                self._endif(number, line)
            elif word == b"if":
                self._if(number, line[2:].strip(_SPACE))
            else:
                self._rule(number, line)
        for number in reversed(self._lines):
            self._warn(number, "IF has no matching ENDIF")
        ranges = {bits: painter.map() for bits, painter in self._painters.items()}
        return _Content(ranges, [*self._values, None])  # intervals.NOTHING is the last one

    def _endif(self, number: int, line: bytes) -> None:
        if line[5:].strip(_SPACE):
            self._fault(number, "garbage after ENDIF: skipping this rule")
        elif not self._lines:
            self._fault(number, "ENDIF without IF: skipping this rule")
        else:
            self._lines.pop()
            self._regions.pop()

    def _if(self, number: int, text: bytes) -> None:
        pattern, negated = _sign(text)
        network = self._network(number, pattern)
        if network is not None:
            self._lines.append(number)
            self._regions.append({network[0]: _left(self._regions[-1], network, negated)})

    def _rule(self, number: int, line: bytes) -> None:
        text, negated = _sign(line) if line[:1] == b"!" else (line, False)
        words = text.split(None, 1)
        if len(words) == 1:
            self._fault(number, "no lookup result: skipping this rule")
            return
        network = self._network(number, words[0] if words else b"")
        if network is None:
            return
        answer = self._values.setdefault(words[1], len(self._values))
        bits, start, prefix = network
        region = self._regions[-1]
        if region is EVERYTHING and not negated:
            self._painters[bits].add(start, start + (1 << bits - prefix), answer)
            return
        for low, high in _left(region, network, negated):
            self._painters[bits].add(low, high, answer)

    def _network(self, number: int, pattern: bytes) -> Network | None:
        if not pattern:
            self._fault(number, "no address pattern: skipping this rule")
            return None
        try:
            return parse_network(pattern.decode("utf-8", "replace"))
        except ValueError as error:
            self._fault(number, f"{error}: skipping this rule")
            return None


def _left(region: Region, network: Network, negated: bool) -> list[Range]:
    """What of a region is in a network, or not in it."""
    bits, start, prefix = network
    end = start + (1 << bits - prefix)
    ranges = region.get(bits, [])
    return difference(ranges, start, end, _SIZES[bits]) if negated else intersection(ranges, start, end)


def _keyword(line: bytes) -> bytes:
    """`if` or `endif` when the line starts with this word, in any case."""
    lower = line[:5].lower()
    if lower == b"endif" and not line[5:6].isalnum():
        return b"endif"
    if lower[:2] == b"if" and not line[2:3].isalnum():
        return b"if"
    return b""


def _sign(text: bytes) -> tuple[bytes, bool]:
    negated = False
    while text.startswith(b"!"):
        negated = not negated
        text = text[1:].lstrip(_SPACE)
    return text, negated


