"""cidr's ranges: the first line that matches wins, whatever the lines are (MT-4)."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.tables.intervals import NOTHING, Painter, difference, intersection
from pytwfix.tables.networks import parse_address, show_address
from tests.kit.tables import MemoryTables

SIZE = 64  # of the small world in which ranges are compared with a list of numbers


class RangesTests(SynchronousTestCase):
    @given(st.lists(st.tuples(st.integers(0, SIZE), st.integers(0, SIZE)), max_size=30), st.sampled_from([32, 128]))
    def test_first_wins(self, pairs: list[tuple[int, int]], bits: int) -> None:
        """MT-4: as numbers painted one by one; at the lower end of the numbers and across 64 bits."""
        low = 0 if bits == 32 else (1 << 64) - SIZE // 2
        painter, expected = Painter(bits), [NOTHING] * SIZE
        for answer, (start, end) in enumerate(pairs):
            if start < end:
                painter.add(low + start, low + end, answer)
                for number in range(start, end):
                    expected[number] = answer if expected[number] == NOTHING else expected[number]
        ranges = painter.map()
        self.assertEqual([ranges.find(low + number) for number in range(SIZE)], expected)
        self.assertEqual(ranges.find((1 << bits) - 1), NOTHING)

    def test_everything(self) -> None:
        """MT-4: the whole of both kinds of addresses."""
        for bits in (32, 128):
            painter = Painter(bits)
            painter.add(0, 1 << bits, 0)
            ranges = painter.map()
            self.assertEqual([ranges.find(0), ranges.find((1 << bits) - 1)], [0, 0])

    def test_regions(self) -> None:
        region = [(0, 10), (20, 30)]
        self.assertEqual(intersection(region, 5, 25), [(5, 10), (20, 25)])
        self.assertEqual(difference(region, 5, 25, 100), [(0, 5), (25, 30)])
        self.assertEqual(intersection(region, 10, 20), [])
        self.assertEqual(difference([], 1, 2, 100), [])


def _networks() -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(st.integers(0, 15), st.integers(26, 32)).map(lambda pair: _network(32, 10 << 24, pair)),
        st.tuples(st.integers(0, 15), st.integers(122, 128)).map(lambda pair: _network(128, 0x20010DB8 << 96, pair)),
        st.sampled_from(["0.0.0.0/0", "::/0", "10.0.0.0/28"]),
    )


def _network(bits: int, base: int, pair: tuple[int, int]) -> str:
    number, prefix = pair
    number = (base + number) >> (bits - prefix) << (bits - prefix)
    return f"{show_address(bits, number)}/{prefix}"


def _matches(network: str, negated: bool, address: str) -> bool:
    """As real Postfix: a network says nothing of the other kind of addresses, negated or not."""
    net, _, prefix = network.partition("/")
    bits, number = parse_address(net)
    size, wanted = parse_address(address)
    hosts = bits - int(prefix)
    return size == bits and (wanted >> hosts == number >> hosts) is not negated


def _oracle(lines: list[tuple[str, bool, str]], address: str) -> bytes | None:
    """Line by line; `skipping` counts the `if` lines that are open inside of one that does not apply."""
    open_ifs: list[bool] = []
    for number, (what, negated, network) in enumerate(lines):
        if what == "endif":
            if open_ifs:
                open_ifs.pop()
        elif what == "if":
            open_ifs.append(_matches(network, negated, address))
        elif all(open_ifs) and _matches(network, negated, address):
            return b"v%d" % number
    return None


class CidrTests(SynchronousTestCase):
    @settings(max_examples=300, deadline=None)
    @given(
        st.lists(st.tuples(st.sampled_from(["rule", "rule", "rule", "if", "endif"]), st.booleans(), _networks()),
                 max_size=25)
    )  # fmt: skip
    def test_generated(self, lines: list[tuple[str, bool, str]]) -> None:
        """MT-4: if, if !, endif and negated lines, in any order, as read line by line."""
        text = []
        for number, (what, negated, network) in enumerate(lines):
            sign = "!" if negated else ""
            text.append({"rule": f"{sign}{network} v{number}", "if": f"if {sign}{network}", "endif": "endif"}[what])
        table = MemoryTables().driver("cidr:{" + ", ".join(f"{{{line}}}" for line in text) + "}")
        for address in (*(f"10.0.0.{number}" for number in range(18)), "9.9.9.9", "::1",
                        *(f"2001:db8::{number:x}" for number in range(18))):
            self.assertEqual(table.get(address.encode()), _oracle(lines, address), (text, address))
