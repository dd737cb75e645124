"""The rules of a regexp or pcre table as they are asked: one after the other, or the few that an index finds.

The first rule that matches gives the value. Below SMALL rules, and before the index is made, every rule is tried.
With the index (literalindex) only those are that can match: rules whose texts are in the subject, and those of which
nothing is known, negated ones among them. Both ways give the same answers. The index is made where a big table is read,
in a thread; for others in one after WORTH questions, so that a command that asks once does not pay for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pytwfix.tables.literalindex import LiteralIndex
from pytwfix.tables.literals import Texts

Groups = Sequence[bytes | None]  # what the groups matched; index 0 is group 1
Matcher = Callable[[bytes], "Groups | None"]
Part = bytes | int  # literal text, or the number of a group
SMALL = 3  # rules that are asked one after the other
WORTH = 10  # questions after which an index is made


class Rule:
    __slots__ = ("line", "matcher", "needs", "negated", "parts", "second", "skip_to", "value")

    def __init__(self, line: int, matcher: Matcher, negated: bool, needs: Callable[[], list[Texts]]) -> None:
        self.line = line
        self.matcher = matcher
        self.negated = negated
        self.needs = needs  # which texts must be there for the pattern to match
        self.second: Matcher | None = None  # of /pattern1/!/pattern2/, which must not match
        self.skip_to = 0  # of `if`: the rule behind its endif; 0 for others
        self.value = b""
        self.parts: list[Part] | None = None  # of a value with substitutions

    def applies(self, key: bytes) -> bool:
        """Of an `if`."""
        return (self.matcher(key) is None) is self.negated

    def answer(self, key: bytes) -> bytes | None:
        """The value, if the rule matches; b"" is one too."""
        groups = self.matcher(key)
        if (groups is None) is not self.negated:
            return None
        if self.second is not None and self.second(key) is not None:
            return None
        return _expand(self.parts, groups or ()) if self.parts is not None else self.value


class _Index:
    """The rules that are no `if`, by the texts that they need, and the `if` rules around each."""

    __slots__ = ("_conditions", "_literals", "_rules")

    def __init__(self, rules: list[Rule]) -> None:
        self._rules: list[Rule] = []
        self._conditions: list[tuple[Rule, ...]] = []
        needs: list[list[Texts]] = []
        around: list[Rule] = []
        texts: dict[Rule, list[Texts]] = {}
        for place, rule in enumerate(rules):
            around = [one for one in around if one.skip_to > place]
            texts_of = [] if rule.negated else rule.needs()
            if rule.skip_to:
                texts[rule] = texts_of
                around.append(rule)
                continue
            self._rules.append(rule)
            self._conditions.append(tuple(around))
            needs.append(texts_of + [more for one in around for more in texts[one]])
        self._literals = LiteralIndex(needs)

    def find(self, key: bytes) -> bytes | None:
        known: dict[Rule, bool] = {}
        for place in self._literals.candidates(key):
            for condition in self._conditions[place]:
                holds = known.get(condition)
                if holds is None:
                    holds = known[condition] = condition.applies(key)
                if not holds:
                    break
            else:
                value = self._rules[place].answer(key)
                if value is not None:
                    return value
        return None


class Program:
    """`aside` does work in another thread, where there is one."""

    def __init__(self, rules: list[Rule], aside: Callable[[Callable[[], None]], None]) -> None:
        self._rules = rules
        self._aside = aside
        self._index: _Index | None = None
        self._asked = -WORTH if len(rules) > SMALL else -(1 << 62)

    def find(self, key: bytes) -> bytes | None:
        if self._index is not None:
            return self._index.find(key)
        self._asked += 1
        if self._asked == 0:
            self._aside(self.make_index)
        return self.linear(key)

    def make_index(self) -> None:
        """Worth it for many rules; takes some 50 us a rule."""
        if len(self._rules) > SMALL:
            self._index = _Index(self._rules)

    def linear(self, key: bytes) -> bytes | None:
        """Rule after rule."""
        rules = self._rules
        place, count = 0, len(rules)
        while place < count:
            rule = rules[place]
            place += 1
            if rule.skip_to:
                if not rule.applies(key):
                    place = rule.skip_to
                continue
            value = rule.answer(key)
            if value is not None:
                return value
        return None


def _expand(parts: list[Part], groups: Groups) -> bytes:
    return b"".join([part if isinstance(part, bytes) else groups[part - 1] or b"" for part in parts])
