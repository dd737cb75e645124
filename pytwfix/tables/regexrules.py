"""Rules of regexp and pcre tables (MT-2, MT-3, RX-1 to RX-8).

    /pattern/flags value      !/pattern/flags value      if /pattern/flags ... endif      if !/pattern/flags ... endif

The first rule that matches gives its value, in which $1, ${1} and $(1) stand for what the pattern's groups matched. A
rule with a fault is left out with a warning. What a pattern is, is the subclass's business: `compile` and a matcher.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from pytwfix.contracts.tables import NO_REGSUB
from pytwfix.tables.literals import Texts, needs
from pytwfix.tables.regexprogram import Matcher, Part, Program, Rule
from pytwfix.tables.rulefile import RuleTable

_SPACE = b" \t\r\n\v\f"


class BadRule(Exception):
    """A rule to leave out; the text says why, with `: skipping this rule` where Postfix says so."""


class RegexTable(RuleTable[Program]):
    """The common part of regexp and pcre."""

    flag_names = b""
    ignored_flags = b""
    unclosed = "skipping"
    two_patterns = False

    def compile(self, pattern: bytes, flags: frozenset[int]) -> tuple[Matcher, int]:
        """(matcher, number of groups). BadRule with the library's words."""
        raise NotImplementedError

    # -- reading ---------------------------------------------------------------------------------------------------

    def load(self, rules: Iterator[tuple[int, bytes]]) -> Program:
        out: list[Rule] = []
        open_ifs: list[Rule] = []
        for number, line in rules:
            try:
                self._line(number, line, out, open_ifs)
            except BadRule as problem:
                self.fault(number, str(problem))
        for rule in reversed(open_ifs):
            self.warn(rule.line, "IF has no matching ENDIF")
            rule.skip_to = len(out)
        program = Program(out, self.context.aside)
        if self.context.has_threads and self.is_big:
            program.make_index()
        return program

    def _line(self, number: int, line: bytes, out: list[Rule], open_ifs: list[Rule]) -> None:
        word = _word(line)
        if not word:
            out.append(self._rule(number, line))
        elif word == b"if":
            rule = self._if(number, line[2:].lstrip(_SPACE))
            out.append(rule)
            open_ifs.append(rule)
        elif word == b"endif":
            if not open_ifs:
                raise BadRule("ignoring ENDIF without matching IF")
            if line[5:].strip(_SPACE):
                self.warn(number, "ignoring extra text after ENDIF")
            open_ifs.pop().skip_to = len(out)
        else:
            raise BadRule("ignoring unrecognized request")

    def _if(self, number: int, text: bytes) -> Rule:
        pattern, flags, negated, rest = self._pattern(text, number)
        extra = rest.strip(_SPACE)
        if extra:
            self.warn(number, f'ignoring extra text after IF statement: "{extra.decode("utf-8", "replace")}"')
            self.warn(number, "do not prepend whitespace to statements between IF and ENDIF")
        matcher, _ = self.compile(pattern, flags)
        rule = Rule(number, matcher, negated, partial(self.texts, pattern, flags))
        rule.skip_to = -1
        return rule

    def _rule(self, number: int, line: bytes) -> Rule:
        pattern, flags, negated, rest = self._pattern(line, number)
        second: tuple[bytes, frozenset[int]] | None = None
        if self.two_patterns and rest.startswith(b"!"):
            self.warn(number, 'the form "/pattern1/!/pattern2/" goes away, use "if !/pattern2/" and "endif" instead')
            other, other_flags, _, rest = self._pattern(rest[1:], number)
            second = other, other_flags
        value = rest.strip(_SPACE)
        if not value:
            self.warn(number, "no replacement text: using empty string")
        parts = self._value(number, value, negated)
        highest = max((part for part in parts if isinstance(part, int)), default=0)
        matcher, groups = self.compile(pattern, flags)
        if highest > groups:
            raise BadRule(f'out of range replacement index "{highest}": skipping this rule')
        rule = Rule(number, matcher, negated, partial(self.texts, pattern, flags))
        if second is not None:
            rule.second = self.compile(*second)[0]
        rule.value = b"".join(part for part in parts if isinstance(part, bytes))
        rule.parts = parts if highest else None
        return rule

    def _pattern(self, text: bytes, number: int) -> tuple[bytes, frozenset[int], bool, bytes]:
        """(pattern, flags, negated, what follows). BadRule."""
        negated = False
        while text.startswith(b"!"):
            negated = not negated
            text = text[1:].lstrip(_SPACE)
        if not text:
            raise BadRule("no regexp: skipping this rule")
        delimiter = text[:1]
        end = 1
        while end < len(text) and text[end : end + 1] != delimiter:
            end += 2 if text[end : end + 1] == b"\\" else 1
        if end >= len(text):
            shown = delimiter.decode("ascii", "replace")
            raise BadRule(f'no closing regexp delimiter "{shown}": {self.unclosed} this rule')
        rest = text[end + 1 :]
        return text[1:end], *self._flags(rest, number, negated)

    def _flags(self, rest: bytes, number: int, negated: bool) -> tuple[frozenset[int], bool, bytes]:
        flags: set[int] = set()
        index = 0
        while index < len(rest) and rest[index] not in _SPACE:
            flag = rest[index]
            if self.two_patterns and flag == 0x21:
                break
            shown = chr(flag) if flag < 128 else "?"
            if flag in self.ignored_flags:
                self.warn(number, f'ignoring obsolete regexp option "{shown}"')
            elif flag not in self.flag_names:
                raise BadRule(f'unknown regexp option "{shown}": skipping this rule')
            flags ^= {flag}
            index += 1
        return frozenset(flags), negated, rest[index:]

    def _value(self, number: int, value: bytes, negated: bool) -> list[Part]:
        try:
            parts = list(self._macros(number, value))
        except BadRule as problem:
            self.context.log.warning(str(problem))
            raise BadRule("bad replacement syntax: skipping this rule") from None
        if any(isinstance(part, int) for part in parts):
            if negated:
                raise BadRule("$number found in negative match replacement text: skipping this rule")
            if self.flags & NO_REGSUB:
                raise BadRule("regular expression substitution is not allowed: skipping this rule")
        return parts

    def _macros(self, number: int, value: bytes) -> Iterator[Part]:
        index = 0
        while True:
            dollar = value.find(b"$", index)
            if dollar < 0:
                yield value[index:]
                return
            yield value[index:dollar]
            if value[dollar + 1 : dollar + 2] == b"$":
                yield b"$"
                index = dollar + 2
                continue
            name, index = _macro_name(value, dollar)
            yield self._index(number, name)

    def _index(self, number: int, name: bytes) -> int:
        shown = name.decode("utf-8", "replace")
        place = f"{self.kind} map {self.rest}, line {number}"
        if not name.isdigit():
            raise BadRule(f'{place}: non-numeric replacement index "{shown}"')
        if int(name) < 1:
            words = "out of range" if self.kind == "pcre" else "out-of-range"
            raise BadRule(f'{place}: {words} replacement index "{shown}"')
        return int(name)

    # -- matching --------------------------------------------------------------------------------------------------

    def texts(self, pattern: bytes, flags: frozenset[int]) -> list[Texts]:
        """Which texts a subject must contain for the pattern to match (literals); [] when that is not known."""
        return needs(pattern, True)

    def find(self, key: bytes) -> bytes | None:
        return self.content().find(key)


def _word(line: bytes) -> bytes:
    """The word that a keyword line starts with, in lower case; b"" for a rule."""
    end = 0
    while line[end : end + 1].isalnum():
        end += 1
    return line[:end].lower()


def _macro_name(value: bytes, dollar: int) -> tuple[bytes, int]:
    """The name behind `$`, and the place behind it."""
    shown = value.decode("utf-8", "replace")
    opening = value[dollar + 1 : dollar + 2]
    if opening in (b"{", b"("):
        end = value.find(b"}" if opening == b"{" else b")", dollar)
        if end < 0:
            raise BadRule(f'truncated macro reference: "{shown}"')
        name, index = value[dollar + 2 : end], end + 1
    else:
        index = dollar + 1
        while value[index : index + 1].isalnum() or value[index : index + 1] == b"_":
            index += 1
        name = value[dollar + 1 : index]
    if not name:
        raise BadRule(f'empty macro name: "{shown}"')
    return name, index
