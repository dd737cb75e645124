"""cidr, regexp and pcre tables (MT-2 to MT-4, RX-1 to RX-8)."""

from __future__ import annotations

import os

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SkipTest, SynchronousTestCase

from pytwfix.contracts.tables import DEFAULT_FLAGS, NO_REGSUB, TableError
from pytwfix.tables.networks import parse_address, parse_network
from pytwfix.tables.regexp import count_groups
from tests.kit.tables import MemoryTables, replace_file

try:
    import pcre2
except ImportError:
    pcre2 = None


class RuleCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.tables = MemoryTables()

    def table(self, kind: str, *lines: str, flags: int = DEFAULT_FLAGS) -> dict[str, str | None] | object:
        self.path = os.path.abspath(self.mktemp())
        replace_file(self.path, "".join(f"{line}\n" for line in lines).encode())
        return self.tables.driver(f"{kind}:{self.path}", flags)

    def ask(self, table: object, *keys: bytes) -> list[bytes | None]:
        return [table.get(key) for key in keys]  # type: ignore[attr-defined]

    def warnings(self) -> list[str]:
        return [line.replace(self.path, "T").removeprefix("warning: ") for line in self.tables.log.lines]


class CidrTests(RuleCase):
    def test_first_line_wins(self) -> None:
        """MT-4: no longest-prefix logic."""
        table = self.table("cidr", "10.1.1.1 one", "10.0.0.0/8 net", "10.2.2.2 never", "!10.0.0.0/7 other", "::/0 six")
        self.assertEqual(
            self.ask(table, b"10.1.1.1", b"10.2.2.2", b"11.0.0.1", b"1.1.1.1", b"::1", b"junk", b"10.1.1"),
            [b"one", b"net", None, b"other", b"six", None, None],
        )

    def test_if(self) -> None:
        """MT-4: if, if !, nested."""
        table = self.table("cidr", "if 10.0.0.0/8", "if !10.1.0.0/16", "10.2.0.0/16 two", "endif", "10.1.0.0/16 one",
                           "ENDIF", "0.0.0.0/0 rest")
        self.assertEqual(self.ask(table, b"10.2.1.1", b"10.1.1.1", b"10.3.1.1"), [b"two", b"one", b"rest"])

    def test_errors(self) -> None:
        """MT-4: a faulty line is left out, with its warning."""
        self.table("cidr", "10.0.0.1/8 x", "10.0.0.0/33 x", "10.0.0.0/x y", "foo y", "10.0.0.0/8", "endif", "if",
                   "if 1.0.0.0/8", "endif x")
        self.assertEqual(self.warnings(), [
            'cidr map T, line 1: non-null host address bits in "10.0.0.1/8", perhaps you should use "10.0.0.0/8" '
            "instead: skipping this rule",
            'cidr map T, line 2: bad mask length in "10.0.0.0/33": skipping this rule',
            'cidr map T, line 3: bad mask value in "10.0.0.0/x": skipping this rule',
            'cidr map T, line 4: bad address pattern: "foo": skipping this rule',
            "cidr map T, line 5: no lookup result: skipping this rule",
            "cidr map T, line 6: ENDIF without IF: skipping this rule",
            "cidr map T, line 7: no address pattern: skipping this rule",
            "cidr map T, line 9: garbage after ENDIF: skipping this rule",
            "cidr map T, line 8: IF has no matching ENDIF",
        ])

    def test_inline(self) -> None:
        """MT-6: rules in the table's name."""
        table = self.tables.driver("cidr:{{10.0.0.0/8 ten}, {!10.0.0.0/8 other}}")
        self.assertEqual(self.ask(table, b"10.1.1.1", b"1.1.1.1"), [b"ten", b"other"])
        for bad in ("cidr:{1.2.3.4 x}", "cidr:{{1.2.3.4 x}", "cidr:{{1.2.3.4 x}}y"):
            self.assertRaises(TableError, self.tables.driver, bad)

    def test_reads_a_new_file(self) -> None:
        """SV-4: looked at once a second; a file that is gone leaves the old rules in use."""
        table = self.table("cidr", "1.2.3.4 old")
        replace_file(self.path, b"1.2.3.4 new rule\n")
        self.assertEqual(self.ask(table, b"1.2.3.4"), [b"old"])
        self.tables.clock.advance(1.5)
        self.assertEqual(self.ask(table, b"1.2.3.4"), [b"new rule"])
        os.unlink(self.path)
        self.tables.clock.advance(1.5)
        self.assertEqual(self.ask(table, b"1.2.3.4"), [b"new rule"])

    @settings(max_examples=60, deadline=None)
    @given(
        st.lists(st.tuples(st.booleans(), st.integers(0, 255), st.sampled_from((6, 7, 8, 16, 24, 32))), max_size=12),
        st.integers(0, 255),
    )
    def test_equals_a_linear_scan(self, rules: list[tuple[bool, int, int]], third: int) -> None:
        """MT-4: the index gives what line after line gives."""
        lines = []
        for negated, number, prefix in rules:
            network = (10 << 24 | number << 8) >> (32 - prefix) << (32 - prefix)
            lines.append((negated, network, prefix))
        text = ", ".join(
            f"{{{'!' if negated else ''}{_dotted(network)}/{prefix} v{i}}}"
            for i, (negated, network, prefix) in enumerate(lines)
        )
        address = 10 << 24 | third << 8
        expected = None
        for i, (negated, network, prefix) in enumerate(lines):
            if (address >> (32 - prefix) == network >> (32 - prefix)) is not negated:
                expected = b"v%d" % i
                break
        table = MemoryTables().driver(f"cidr:{{{text}}}")
        self.assertEqual(table.get(_dotted(address).encode()), expected)


def _dotted(number: int) -> str:
    return ".".join(str(number >> shift & 255) for shift in (24, 16, 8, 0))


class NetworkTests(SynchronousTestCase):
    def test_parsing(self) -> None:
        """DL-1: addresses and networks, with and without brackets."""
        self.assertEqual(parse_network("[::1]/128"), (128, 1, 128))
        self.assertEqual(parse_network("0.0.0.0/0"), (32, 0, 0))
        for bad in ("1.2.3", "1.2.3.4/", "[::1", "::1/129", "010.0.0.1"):
            self.assertRaises(ValueError, parse_network, bad)
        self.assertRaises(ValueError, parse_address, "1.2.3.4 ")


class RegexTests(RuleCase):
    """Both kinds, which read the same grammar."""

    kinds = ("regexp", "pcre") if pcre2 is not None else ("regexp",)

    def test_rules(self) -> None:
        """MT-2, MT-3, RX-2: the first match, substitution, negation, default case folding."""
        for kind in self.kinds:
            table = self.table(kind, "/^a(.)(x)?$/ <$1|${2}|$(1)|$$>", "!/b/i not-b", "|c/d| slash", "/b/ b")
            self.assertEqual(
                self.ask(table, b"aq", b"AQX", b"B/d", b"bc/d", b"b"),
                [b"<q||q|$>", b"<Q|X|Q|$>", b"not-b", b"slash", b"b"], kind,
            )
            self.assertEqual(self.warnings(), [])

    def test_if(self) -> None:
        """RX-1, RX-3: if, if !, endif; whatever their case."""
        for kind in self.kinds:
            table = self.table(kind, "if /a/", "IF !/b/", "/c/ ac", "endif", "/./ a", "EndIf", "/./ other")
            self.assertEqual(self.ask(table, b"ac", b"abc", b"c"), [b"ac", b"a", b"other"], kind)

    def test_continuation(self) -> None:
        """RX-1: a rule goes on in lines that start with white space."""
        for kind in self.kinds:
            self.assertEqual(self.ask(self.table(kind, "/a/ x", "  y"), b"a"), [b"x  y"])

    def test_faults(self) -> None:
        """RX-1 to RX-3: what is wrong is said, the rule left out."""
        for kind in self.kinds:
            self.tables.log.lines.clear()
            table = self.table(kind, "endif", "if", "/a x", "foo", "/b/q y", "/c/ $1", "/d/ $0", "/e/ ${f}", "/g/ ${1",
                               "!/(h)/ $1", "/i/", "if /j/ k l", "endif m", "if /n/", "/z/ z")
            place = f"{kind} map T, line"
            unclosed = "skipping" if kind == "regexp" else "ignoring"
            self.assertEqual(self.warnings(), [
                f"{place} 1: ignoring ENDIF without matching IF",
                f"{place} 2: no regexp: skipping this rule",
                f'{place} 3: no closing regexp delimiter "/": {unclosed} this rule',
                f"{place} 4: ignoring unrecognized request",
                f'{place} 5: unknown regexp option "q": skipping this rule',
                f'{place} 6: out of range replacement index "1": skipping this rule',
                f'{place} 7: {"out of range" if kind == "pcre" else "out-of-range"} replacement index "0"',
                f"{place} 7: bad replacement syntax: skipping this rule",
                f'{place} 8: non-numeric replacement index "f"',
                f"{place} 8: bad replacement syntax: skipping this rule",
                'truncated macro reference: "${1"',
                f"{place} 9: bad replacement syntax: skipping this rule",
                f"{place} 10: $number found in negative match replacement text: skipping this rule",
                f"{place} 11: no replacement text: using empty string",
                f'{place} 12: ignoring extra text after IF statement: "k l"',
                f"{place} 12: do not prepend whitespace to statements between IF and ENDIF",
                f"{place} 13: ignoring extra text after ENDIF",
                f"{place} 14: IF has no matching ENDIF",
            ])
            self.assertEqual(self.ask(table, b"nz", b"z"), [b"z", None])

    def test_bad_patterns(self) -> None:
        """RX-1: in the library's words."""
        self.table("regexp", "/[a/ x", "/(/ y")
        self.assertEqual(len(self.warnings()), 2)
        self.assertTrue(all(line.startswith("regexp map T, line ") for line in self.warnings()))

    def test_substitution_forbidden(self) -> None:
        """RX-8: no $1 in alias_maps and the like."""
        for kind in self.kinds:
            self.tables.log.lines.clear()
            table = self.table(kind, "/(a)/ $1", "/b/ b", flags=DEFAULT_FLAGS | NO_REGSUB)
            self.assertEqual(self.ask(table, b"a", b"b"), [None, b"b"])
            self.assertEqual(self.warnings(), [
                f"{kind} map T, line 1: regular expression substitution is not allowed: skipping this rule"
            ])

    def test_two_patterns(self) -> None:
        """RX-4: the old form works in regexp, with a warning."""
        table = self.table("regexp", "/a/!/b/ value")
        self.assertEqual(self.ask(table, b"a", b"ab"), [b"value", None])
        self.assertIn("goes away", self.warnings()[0])

    def test_regexp_flags(self) -> None:
        """MT-2, RX-5: i and x toggle what is on, m what is off."""
        table = self.table("regexp", "/Foo/i exact", "/a+b(c)?/x basic", "/^second/m multi")
        self.assertEqual(
            self.ask(table, b"Foo", b"foo", b"a+b(c)?", b"aab", b"first\nsecond"),
            [b"exact", None, b"basic", None, b"multi"],
        )

    def test_pcre_flags(self) -> None:
        """MT-3, RX-5: A anchors, U is ungreedy, E ends at the end only, s is on, X is obsolete."""
        if pcre2 is None:
            raise SkipTest("the package pcre2 is not installed")
        table = self.table("pcre", "/b/A anchored", r"/<(.+)>/U $1", "/e$/E end", "/x.y/ dotall", "/p q/x space",
                           "/o/X old")
        self.assertEqual(
            self.ask(table, b"ab", b"ba", b"<1><2>", b"e", b"e\n", b"x\ny", b"pq", b"o"),
            [None, b"anchored", b"1", b"end", None, b"dotall", b"space", b"old"],
        )
        self.assertEqual(self.warnings(), ['pcre map T, line 6: ignoring obsolete regexp option "X"'])

    def test_pcre_limits(self) -> None:
        """MT-3: a match that takes too long is none, with a warning."""
        if pcre2 is None:
            raise SkipTest("the package pcre2 is not installed")
        table = self.table("pcre", r"/(*LIMIT_MATCH=10)(a+)+$/ x", "/./ y")
        self.assertEqual(self.ask(table, b"a" * 30 + b"b"), [b"y"])
        self.assertIn("match limit exceeded", self.tables.log.lines[0])

    def test_raw_subjects(self) -> None:
        """RX-6, LK-10: header and body checks are opened without UTF-8, and match any bytes."""
        for kind in self.kinds:
            self.assertEqual(self.ask(self.table(kind, "/^caf.$/ latin", flags=0), b"caf\xe9"), [b"latin"])
            self.assertEqual(self.ask(self.table(kind, "/^caf.$/ latin"), b"caf\xe9"), [None])

    def test_counting_groups(self) -> None:
        for pattern, groups in ((rb"(a)(b(c))", 3), (rb"\((a)", 1), (rb"[(](x)[]()]", 1), (rb"[[:alpha:](](x)", 1)):
            self.assertEqual(count_groups(pattern, True), groups, pattern)
        self.assertEqual(count_groups(rb"\(a\)(b)", False), 1)
