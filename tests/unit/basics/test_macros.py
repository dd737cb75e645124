"""Macro text (MC-3..MC-6); the answers are those that a real Postfix 3.7 gave."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.basics.macros import MacroError, expand, level, mentions, names

VALUES = {
    "mydomain": "d.ex", "myhostname": "h.$mydomain", "z": "1", "zero": "0", "empty": "", "loop": "$loop",
    "compatibility_level": "3.6",
}  # fmt: skip


def expanded(text: str) -> str:
    return expand(text, VALUES.get, recursive=True)


class TestExpand(SynchronousTestCase):
    def check(self, cases: dict[str, str]) -> None:
        for text, wanted in cases.items():
            self.assertEqual(expanded(text), wanted, text)

    def test_names(self) -> None:
        """MC-3: three forms, recursion, $$, undefined names."""
        self.check(
            {
                "$myhostname": "h.d.ex",
                "${myhostname}": "h.d.ex",
                "$(mydomain)": "d.ex",
                "x${mydomain}y$mydomain.z-": "xd.exyd.ex.z-",
                "[$nosuch][${nosuch}]": "[][]",
                "$$$mydomain$$": "$d.ex$",
                "${ mydomain }": "d.ex",
                "$mydomain:x": "d.ex:x",
                "${mydomain}}": "d.ex}",
                "$mydomain_x|": "|",
                "no macro": "no macro",
            }
        )

    def test_conditionals(self) -> None:
        """MC-4: ? and :, with and without braces, and the white space that counts."""
        self.check(
            {
                "${mydomain?yes}": "yes",
                "[${empty?yes}][${nosuch?yes}]": "[][]",
                "${nosuch:no}": "no",
                "[${mydomain:no}]": "[]",
                "${mydomain?got $mydomain end}": "got d.ex end",
                "${mydomain?{yes}:{no}}": "yes",
                "${nosuch ? {yes} : {no}}": "no",
                "${mydomain?{a, b}:{c}}": "a, b",
                "${mydomain?a:b}": "a:b",
                "${nosuch:a?b}": "a?b",
                "${mydomain?{a}:b}": "a",
                "${nosuch?{a} :b}": "b",
                "${mydomain? a }|": " a |",
                "${mydomain?{ a }}|": " a |",
                "${nosuch?{a}: b }|": " b |",
                "${mydomain?a}b}": "ab}",
                "$(mydomain?a(b)c)": "a(b)c",
                "${mydomain?$(z)}": "1",
                "${mydomain?{}:{x}}|": "|",
            }
        )

    def test_relations(self) -> None:
        """MC-5: numbers, bytes, levels, and what stands after the relation."""
        self.check(
            {
                "${{a} == {b} ? {T} : {F}}": "F",
                "${{a}!={b}?{T}:{F}}": "T",
                "${{9} < {10} ? {T} : {F}}": "T",
                "${{a9} < {a10} ? {T} : {F}}": "F",
                "${{01} == {1} ? {T} : {F}}": "T",
                "${{-1} < {1} ? {T} : {F}}": "T",
                "[${{a} == {a}}][${{a} == {b}}]": "[true][]",
                "[${{a} == {b} ? {T}}][${{a} == {b} : {F}}]": "[][F]",
                "${{$mydomain} == {d.ex} ? {T} : {F}}": "T",
                "${{a} == {a} ? x}": " x",
                "[${{a} == {b} ? x : y}]": "[]",
                "${{}=={}?{e}:{f}}": "e",
                "${{a} == {b} ? {1} : {${{c} == {c} ? {2} : {3}}}}": "2",
                "${{$compatibility_level} <level {3.10} ? {T} : {F}}": "T",
                "${{1}==level{1.0}?{T}:{F}}": "T",
                "${{3.10} >=level {3.9} ? {T} : {F}}": "T",
            }
        )

    def test_functions(self) -> None:
        """MC-6: the argument is expanded and stripped, the result is not read again."""
        self.assertEqual(expanded("${domain_to_ascii{ bücher.example }}"), "xn--bcher-kva.example")
        self.assertEqual(expanded("${domain_to_utf8{xn--bcher-kva.example}}"), "bücher.example")
        self.assertEqual(expanded("${domain_to_ascii{$mydomain}}"), "d.ex")
        error = self.assertRaises(MacroError, expanded, "${domain_to_utf8{xn--\udcff.}}")
        self.assertIn("bad domain argument in: ", str(error))

    def test_errors(self) -> None:
        """MC-3..MC-5: the warnings of Postfix."""
        operators = '"==" or "!="" or "<"" or "<="" or ">="" or ">" expected at: '
        for text, wanted in {
            "a${mydomain": 'truncated macro reference: "a${mydomain"',
            "${mydomain?{a": 'truncated macro reference: "${mydomain?{a"',
            "a $ b": 'empty macro name: "a $ b"',
            "${}": 'empty macro name: "${}"',
            "x$": 'empty macro name: "x$"',
            "${my-domain}": 'attribute name syntax error at: "...my>>>-domain"',
            "${${x}}": 'attribute name syntax error at: "...>>>${x}"',
            "${a-domainaaaaaaaaaaaaaaaaaaaaaa}": 'attribute name syntax error at: "...a>>>-domainaaaaaaaaaaaaa"',
            "${mydomain?{a} x}": '":" expected at: "...a}>>>x"',
            "${mydomain?{a}:{b} c}": 'unexpected input at: "...b}>>>c"',
            "${mydomain:{a}?{b}}": 'unexpected input at: "...a}>>>?{b}"',
            "${{a} ~ {b}?{c}}": operators + '"...a}>>>~ {b}?{c}"',
            "${{a}}": operators + '"...a}>>>"',
            "${{a} == b ? {c}}": '"{expression}" expected at: "...{a} ==>>> b ? {c}"',
            "${{a} ==lev {b}}": 'bad operator suffix at: "...==>>>lev"',
            "${{a} <level9{b}}": 'bad operator suffix at: "...<>>>level9"',
            "${{a} ==level b}": '"{expression}" expected at: "...{a} ==>>> b"',
            "${{a} ==?{b}}": operators + '"...a}>>>==?{b}"',
            "${{a} ==~{b}}": operators + '"...a}>>>==~{b}"',
            "${{x} <=level {1} ? {T}:{F}}": 'malformed compatibility level syntax: "x"',
            "$loop": 'unreasonable macro call nesting: "loop"',
        }.items():
            self.assertEqual(str(self.assertRaises(MacroError, expanded, text)), wanted)
        self.assertTrue(self.assertRaises(MacroError, expanded, "${{99999999999999999999} > {5}}").fatal)

    def test_not_recursive(self) -> None:
        """Reply texts: a client's value is not expanded again."""
        self.assertEqual(expand("<$x>", {"x": "$y"}.get), "<$y>")

    def test_undefined(self) -> None:
        """Names that nobody knows are told."""
        told: list[str] = []
        expand("$a ${b?x} $c", {"c": ""}.get, undefined=told.append)
        self.assertEqual(told, ["a", "b"])

    def test_mentions(self) -> None:
        """names() looks into both branches."""
        self.assertEqual(names("$a ${b?{$c}:{$d}} ${{$e} == {$f} ? {$g}} $$h"), list("abcdefg"))

    def test_faults_behind_a_fault(self) -> None:
        """Behind a fault, macros without an end are told up to the next macro in braces, as Postfix does."""
        first = 'attribute name syntax error at: "...a>>>-b"'
        for text, more in {
            "${a-b} ${c: x": True,
            "${a-b}$c ${c: x": True,
            "${a-b} $$ ${c: x": True,
            "${a-b} ${c} ${c: x": False,
            "${c} ${a-b} ${c: x": True,
        }.items():
            told = [f'truncated macro reference: "{text}"'] if more else []
            self.assertEqual([*told, first], [str(fault) for fault in mentions(text)[1]], text)

    def test_level(self) -> None:
        """V-3: levels compare by number."""
        self.assertEqual(level("3.6"), (3, 6, 0))
        self.assertLess(level("3.6"), level("3.11"))
        for bad in ("3.", "-1", "", "1.2.3.4", "x"):
            self.assertRaises(MacroError, level, bad)
