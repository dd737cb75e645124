"""What patterns need, and that an index of patterns answers as the patterns one by one do (MT-2, MT-3)."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.tables.literalindex import LiteralIndex
from pytwfix.tables.literals import needs
from pytwfix.tables.regexprogram import SMALL, Program
from pytwfix.tables.regexrules import RegexTable
from tests.kit.tables import MemoryTables

try:
    import pcre2
except ImportError:
    pcre2 = None

KINDS = ("regexp", "pcre") if pcre2 is not None else ("regexp",)


class NeedsTests(SynchronousTestCase):
    def check(self, pattern: bytes, *texts: bytes, perl: bool = True) -> None:
        sets = needs(pattern, perl)
        self.assertIn(frozenset(texts), sets, (pattern, sets))

    def nothing(self, *patterns: bytes, perl: bool = True) -> None:
        for pattern in patterns:
            self.assertEqual(needs(pattern, perl), [], pattern)

    def test_texts(self) -> None:
        """MT-2, MT-3: plain characters, escapes, small brackets, alternatives, repetition."""
        for perl in (False, True):
            self.check(rb"^User@Example\.com$", b"user@example.com", perl=perl)
            self.check(rb"foo|BAR", b"foo", b"bar", perl=perl)
            self.check(rb"a[1-3]b", b"a1b", b"a2b", b"a3b", perl=perl)
            self.check(rb"x(a|b)?y", b"xay", b"xby", b"xy", perl=perl)
            self.check(rb"(ab){2}.*cd+", b"abab", perl=perl)
            self.check(rb".(foo.*|.*bar)", b"foo", b"bar", perl=perl)
            self.check(rb"[[:alpha:]]x[]a]", b"x]", b"xa", perl=perl)
            self.check(rb"ab*cd", b"cd", perl=perl)

    def test_nothing_is_known(self) -> None:
        """MT-3: what can be absent is not asked for."""
        self.nothing(b"", b".*", b"(abc)?", b"a*", b"abc|", b"(abc|.)", b"a{0,3}", b"[^a]", b"(?!abc)", b"(?<!abc)")
        self.nothing(b"", b".*", b"(abc)?", b"a*", b"abc|", b"[^a]", perl=False)

    def test_given_up(self) -> None:
        """MT-3: what this reader does not know."""
        self.nothing(rb"\Qa.b\E", rb"(*UTF)abc", rb"(?(1)a|b)c", rb"(?x) a b", rb"\x41bc", rb"[[:<:]]abc", b"(?R)ab")
        self.nothing(rb"(?:abc)", rb"\dabc", b"a{x", perl=False)

    def test_perl(self) -> None:
        """MT-3: groups and escapes of PCRE2."""
        self.check(rb"(?i)(?:abc)\s+(?P<n>def)", b"abc")
        self.check(rb"a\d", *(b"a%d" % digit for digit in range(10)))
        self.check(rb"(?=no)yes", b"yes")
        self.check(rb"ab+?c++de", b"de")


class IndexTests(SynchronousTestCase):
    def test_candidates(self) -> None:
        """MT-2: of many patterns those whose texts are there, and those of which nothing is known."""
        sets = [needs(rb"^user%d@" % number, False) for number in range(1000)]
        sets[500] = []
        index = LiteralIndex(sets)
        self.assertEqual(index.candidates(b"xx User7@example.com"), [7, 500])
        self.assertEqual(index.candidates(b""), [500])

    def test_short_texts(self) -> None:
        index = LiteralIndex([needs(pattern, False) for pattern in (b"a", b"bc", b"def", b"ghij")])
        self.assertEqual(index.candidates(b"GHIJ-DEF-BC-A"), [0, 1, 2, 3])
        self.assertEqual(index.candidates(b"ghi"), [])


def _patterns() -> st.SearchStrategy[str]:
    atoms = st.sampled_from(
        ["a", "b", "c", "B", "1", "2", ".", "[ab]", "[^a]", "[a-c1]", "[[:digit:]]", "[]a]", r"\.", r"\w", r"\b", "^",
         "$", "abc", "ab1"]
    )
    repeated = st.builds(
        lambda inner, count: f"({'|'.join(inner)}){count}",  # not one in another: libc takes for ever with those
        st.lists(atoms, min_size=1, max_size=3),
        st.sampled_from(["*", "+", "?", "{2}", "{1,2}", "{0,1}"]),
    )
    return st.recursive(
        st.one_of(atoms, atoms, repeated),
        lambda inner: st.one_of(
            st.lists(inner, min_size=1, max_size=4).map("".join),
            st.lists(inner, min_size=1, max_size=3).map(lambda parts: f"({'|'.join(parts)})"),
        ),
        max_leaves=8,
    )


_PERL = st.sampled_from(
    ["(?:ab)+c", "(?!ab)c", r"\d+a", "a.*?b", "(?i)aB", "(?<=a)b", "a++b", r"\x61b", "(?>ab|a)1", ""]
)
_FLAGS = st.sampled_from(["", "", "", "i", "m", "x", "im"])
_LINES = st.lists(
    st.tuples(_patterns(), _PERL, _FLAGS, st.sampled_from(["", "", "", "", "!", "if ", "if !", "endif"])),
    min_size=SMALL + 1,
    max_size=50,
)
_KEYS = st.lists(st.text("aAbBc12.]\n\u00e9", max_size=14).map(str.encode), min_size=1, max_size=30)


class SameAnswerTests(SynchronousTestCase):
    def _table(self, kind: str, lines: list[tuple[str, str, str, str]]) -> RegexTable:
        rules = []
        for number, (pattern, perl, flags, start) in enumerate(lines):
            pattern += perl if kind == "pcre" else ""
            value = "" if start.startswith("if") else f"v{number}"
            rules.append(start if start == "endif" else f"{start}/{pattern}/{flags} {value}")
        table = MemoryTables().driver("regexp:{{/a/ b}}" if kind == "regexp" else "pcre:{{/a/ b}}")
        assert isinstance(table, RegexTable)
        table.use(table.load(enumerate((rule.encode() for rule in rules), 1)))
        return table

    # Always the same ones: among others there can be one that regcomp's or re's way of looking takes hours for.
    @settings(max_examples=150, deadline=None, derandomize=True)
    @given(_LINES, _KEYS, st.sampled_from(KINDS))
    def test_generated(self, lines: list[tuple[str, str, str, str]], keys: list[bytes], kind: str) -> None:
        """MT-2, MT-3, RX-3: with the index as without, for rules and keys of any kind."""
        program = self._table(kind, lines).content()
        linear = [program.linear(key) for key in keys]
        program.make_index()
        self.assertEqual([program.find(key) for key in keys], linear)

    def test_made_when_it_is_worth_it(self) -> None:
        """MT-2: a command that asks once does not pay for an index; who asks often has it."""
        table = self._table("regexp", [(f"x{number}y", "", "", "") for number in range(100)])
        program: Program = table.content()
        for number in range(40):
            self.assertEqual(table.get(b"x%dy" % number), b"v%d" % number)
        self.assertIsNotNone(program._index)
