"""cidr: networks and what to say of them (MT-4). The first line that matches wins, not the longest prefix.

`network value`, `!network value`, `if network`, `if !network`, `endif`. A question costs one dictionary lookup for each
prefix length in use, however many lines there are: runs of plain lines are one `_Block`, which finds the lowest line.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytwfix.tables.networks import Address, parse_address, parse_network
from pytwfix.tables.rulefile import RuleTable

_SPACE = b" \t\r\n\v\f"


class _Block:
    """Lines `network value` without anything between them: (bits, prefix) -> network -> (line, value)."""

    __slots__ = ("networks",)

    def __init__(self) -> None:
        self.networks: dict[tuple[int, int], dict[int, tuple[int, bytes]]] = {}

    def add(self, network: tuple[int, int, int], line: int, value: bytes) -> None:
        bits, number, prefix = network
        self.networks.setdefault((bits, prefix), {}).setdefault(number >> (bits - prefix), (line, value))

    def find(self, address: Address) -> bytes | None:
        bits, number = address
        best: tuple[int, bytes] | None = None
        for (size, prefix), networks in self.networks.items():
            if size == bits:
                hit = networks.get(number >> (bits - prefix))
                if hit is not None and (best is None or hit[0] < best[0]):
                    best = hit
        return None if best is None else best[1]


class _Group:
    """`if ... endif`, the whole table, or one negated line (which is a group of one value)."""

    __slots__ = ("line", "negated", "network", "parts", "value")

    def __init__(self, network: tuple[int, int, int] | None = None, negated: bool = False, line: int = 0) -> None:
        self.network = network
        self.negated = negated
        self.line = line
        self.parts: list[_Block | _Group] = []
        self.value: bytes | None = None

    def block(self) -> _Block:
        """The block that the next plain line goes to."""
        if self.parts and isinstance(self.parts[-1], _Block):
            return self.parts[-1]
        block = _Block()
        self.parts.append(block)
        return block

    def find(self, address: Address) -> bytes | None:
        if self.network is not None and self._applies(self.network, address) is self.negated:
            return None
        if self.value is not None:
            return self.value
        for part in self.parts:
            found = part.find(address)
            if found is not None:
                return found
        return None

    @staticmethod
    def _applies(network: tuple[int, int, int], address: Address) -> bool:
        bits, number, prefix = network
        return address[0] == bits and address[1] >> (bits - prefix) == number >> (bits - prefix)


class Cidr(RuleTable):
    def load(self, rules: Iterator[tuple[int, bytes]]) -> None:
        stack = [_Group()]
        for number, line in rules:
            word = _keyword(line)
            if word == b"endif":
                self._endif(stack, number, line)
            elif word == b"if":
                self._if(stack, number, line[2:].strip(_SPACE))
            else:
                self._rule(stack[-1], number, line)
        for group in reversed(stack[1:]):
            self.warn(group.line, "IF has no matching ENDIF")
        self._rules = stack[0]

    def _endif(self, stack: list[_Group], number: int, line: bytes) -> None:
        if line[5:].strip(_SPACE):
            self.warn(number, "garbage after ENDIF: skipping this rule")
        elif len(stack) == 1:
            self.warn(number, "ENDIF without IF: skipping this rule")
        else:
            stack.pop()

    def _if(self, stack: list[_Group], number: int, text: bytes) -> None:
        pattern, negated = _sign(text)
        network = self._network(number, pattern)
        if network is not None:
            group = _Group(network, negated, number)
            stack[-1].parts.append(group)
            stack.append(group)

    def _rule(self, group: _Group, number: int, line: bytes) -> None:
        text, negated = _sign(line)
        pattern, _, value = text.replace(b"\t", b" ").partition(b" ")
        value = text[len(pattern) :].strip(_SPACE)
        if pattern and not value:
            self.warn(number, "no lookup result: skipping this rule")
            return
        network = self._network(number, pattern)
        if network is None:
            return
        if negated:
            single = _Group(network, True, number)
            single.value = value
            group.parts.append(single)
        else:
            group.block().add(network, number, value)

    def _network(self, number: int, pattern: bytes) -> tuple[int, int, int] | None:
        if not pattern:
            self.warn(number, "no address pattern: skipping this rule")
            return None
        try:
            return parse_network(pattern.decode("utf-8", "replace"))
        except ValueError as error:
            self.warn(number, f"{error}: skipping this rule")
            return None

    def find(self, key: bytes) -> bytes | None:
        self.refresh()
        try:
            address = parse_address(key.decode("ascii", "replace"))
        except ValueError:
            return None
        return self._rules.find(address)


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
