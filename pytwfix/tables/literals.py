"""Which texts a subject must contain for a pattern to match: what an index of patterns is made of (MT-2, MT-3).

`needs` reads a pattern of PCRE2 or of POSIX extended syntax and gives sets of literals; of each set a subject that
matches contains at least one, when both are in lower case. `/^(foo|bar)[0-9]x/` needs one of {foo0x .. bar9x}. What
it does not know it gives up: no sets means "may match anything", which is always true. It may thus ask for too little,
and never for too much.

The patterns are known to compile. Case folding is ASCII's, as both libraries do it for bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

Texts = frozenset[bytes]
MOST = 16  # texts that a set grows to by putting parts together
WIDEST = 256  # texts of a set that alternatives make
LONGEST = 64  # bytes of a text
DEEPEST = 50  # groups in groups

_EMPTY: Texts = frozenset((b"",))
_DIGITS: Texts = frozenset(b"%d" % digit for digit in range(10))
_REPEAT = re.compile(rb"\{(\d{1,4})(,(\d{0,4}))?\}")
_PLAIN = re.compile(rb"(?:[^\\\[\](){}.*+?|^$]|\\[.@/-])+(?![*+?{])")  # characters that stand for themselves
_NAMED = re.compile(rb"\?(?:P?<[A-Za-z_]\w*>|'[A-Za-z_]\w*')")
_OPTIONS = re.compile(rb"\?([imsUJ]*-?[imsUJ]*)([:)])")
_PLAIN_GROUPS = (b"?:", b"?>", b"?|")
_LOOKS = (b"?<=", b"?<!", b"?=", b"?!")
_CONTROL = {0x61: b"\a", 0x65: b"\x1b", 0x66: b"\f", 0x6E: b"\n", 0x72: b"\r", 0x74: b"\t"}


class GiveUp(Exception):
    """Something that this module does not know."""


class _Part:
    """`exact`: all texts that it can match, or None when there are too many; `needs`: sets as of the module."""

    __slots__ = ("exact", "needs")

    def __init__(self, exact: Texts | None, needs: list[Texts]) -> None:
        self.exact = exact
        self.needs = needs


def _of(exact: Texts) -> _Part:
    return _Part(exact, [exact] if b"" not in exact else [])


_NOTHING = _of(_EMPTY)  # matches no character: anchors and the like
_ANYTHING = _Part(None, [])


def needs(pattern: bytes, perl: bool) -> list[Texts]:
    """The sets for a pattern; none when nothing is known."""
    parser = _Parser(pattern, perl)
    try:
        part = parser.alternatives(0)
        if parser.place != len(pattern):
            return []
    except GiveUp:
        return []
    return part.needs


class _Sequence:
    """Parts one after the other: texts grow while they are few, then a new run of them begins."""

    def __init__(self) -> None:
        self._run: Texts = _EMPTY
        self._needs: list[Texts] = []
        self._whole = True

    def add(self, part: _Part) -> None:
        exact = part.exact
        if exact is not None and self._fits(exact):
            self._run = frozenset(first + second for first in self._run for second in exact)
            return
        self._end_run()
        if exact is not None:
            self._run = exact
        else:
            self._needs += part.needs

    def _fits(self, exact: Texts) -> bool:
        longest = max(map(len, self._run)) + max(map(len, exact))
        return len(self._run) * len(exact) <= MOST and longest <= LONGEST

    def _end_run(self) -> None:
        self._whole = False
        if b"" not in self._run:
            self._needs.append(self._run)
        self._run = _EMPTY

    def part(self) -> _Part:
        if self._whole:
            return _of(self._run)
        self._end_run()
        return _Part(None, self._needs)


def _either(parts: list[_Part]) -> _Part:
    """Alternatives: one of them matches."""
    if len(parts) == 1:
        return parts[0]
    exact = [part.exact for part in parts]
    if None not in exact:
        union = frozenset(text for texts in exact if texts is not None for text in texts)
        if len(union) <= MOST:
            return _of(union)
    best = [_best(part.needs) for part in parts]
    together: set[bytes] = set()
    for texts in best:
        if texts is None:
            return _ANYTHING
        together |= texts
    return _Part(None, [frozenset(together)] if len(together) <= WIDEST else [])


def _best(sets: Iterable[Texts]) -> Texts | None:
    """The set whose shortest text is the longest."""
    return max(sets, key=lambda texts: (min(map(len, texts)), -len(texts)), default=None)


class _Parser:
    def __init__(self, pattern: bytes, perl: bool) -> None:
        self.place = 0
        self._pattern = pattern
        self._perl = perl

    def _next(self) -> int:
        """The character at the place, -1 at the end."""
        return self._pattern[self.place] if self.place < len(self._pattern) else -1

    def alternatives(self, depth: int) -> _Part:
        """Up to the end, or a closing parenthesis."""
        if depth > DEEPEST:
            raise GiveUp
        parts = [self._sequence(depth)]
        while self._next() == 0x7C:
            self.place += 1
            parts.append(self._sequence(depth))
        return _either(parts)

    def _sequence(self, depth: int) -> _Part:
        sequence = _Sequence()
        while self._next() not in (-1, 0x7C, 0x29):
            plain = _PLAIN.match(self._pattern, self.place)
            if plain is not None:
                self.place = plain.end()
                for text in _pieces(plain[0].replace(b"\\", b"").lower()):
                    sequence.add(_of(frozenset((text,))))
            else:
                sequence.add(self._repeated(self._atom(depth)))
        return sequence.part()

    # -- repetition ------------------------------------------------------------------------------------------------

    def _repeated(self, part: _Part) -> _Part:
        while True:
            least, most = self._quantifier()
            if least < 0:
                return part
            if part is _NOTHING:
                raise GiveUp  # `^*`
            if self._perl and self._next() in (0x3F, 0x2B):
                self.place += 1  # lazy, or possessive
            part = _times(part, least, most)

    def _quantifier(self) -> tuple[int, int]:
        """(least, most) times, most -1 for any number; (-1, 0) when there is none."""
        char = self._next()
        if char in (0x2A, 0x2B, 0x3F):
            self.place += 1
            return {0x2A: (0, -1), 0x2B: (1, -1), 0x3F: (0, 1)}[char]
        if char != 0x7B:
            return -1, 0
        found = _REPEAT.match(self._pattern, self.place)
        if found is None:
            raise GiveUp
        self.place = found.end()
        least = int(found[1])
        return least, least if found[2] is None else int(found[3] or -1)

    # -- atoms -----------------------------------------------------------------------------------------------------

    def _atom(self, depth: int) -> _Part:
        char = self._next()
        self.place += 1
        if char == 0x28:
            return self._group(depth)
        if char == 0x5B:
            return self._bracket()
        if char == 0x5C:
            return self._escape()
        if char == 0x2E:
            return _ANYTHING
        if char in (0x5E, 0x24):
            return _NOTHING
        if char in b"*+?{":
            raise GiveUp  # nothing to repeat
        return _of(frozenset((bytes((char,)).lower(),)))

    def _group(self, depth: int) -> _Part:
        nothing = False
        rest = self._pattern[self.place : self.place + 100]
        if rest.startswith(b"*") or (rest.startswith(b"?") and not self._perl):
            raise GiveUp
        if rest.startswith(b"?"):
            named, options = _NAMED.match(rest), _OPTIONS.match(rest)
            nothing = rest.startswith(_LOOKS)
            if options and options[2] == b")":
                self.place += options.end()
                return _NOTHING
            if nothing or rest.startswith(_PLAIN_GROUPS):
                self.place += next(len(start) for start in (*_LOOKS, *_PLAIN_GROUPS) if rest.startswith(start))
            elif named or options:
                self.place += (named or options).end()  # type: ignore[union-attr]
            else:
                raise GiveUp
        part = self.alternatives(depth + 1)
        if self._next() != 0x29:
            raise GiveUp
        self.place += 1
        return _of(_EMPTY) if nothing else part

    def _escape(self) -> _Part:
        char = self._next()
        self.place += 1
        if char < 0:
            raise GiveUp
        letter = bytes((char,))
        if 0x31 <= char <= 0x39:  # what a group matched
            if 0x30 <= self._next() <= 0x39:
                raise GiveUp
            return _ANYTHING
        if not letter.isalnum():
            return self._escaped_sign(letter)
        if letter in b"wWsS":
            return _ANYTHING
        if letter in b"bB":
            return _NOTHING
        return self._perl_escape(char)

    def _escaped_sign(self, letter: bytes) -> _Part:
        if not self._perl and letter in b"<>`'":
            return _NOTHING
        return _of(frozenset((letter.lower(),)))

    def _perl_escape(self, char: int) -> _Part:
        if not self._perl:
            raise GiveUp
        if char == 0x64:
            return _of(_DIGITS)
        if char in b"DhHvVR":
            return _ANYTHING
        if char in b"AzZGK":
            return _NOTHING
        if char in _CONTROL:
            return _of(frozenset((_CONTROL[char],)))
        raise GiveUp

    # -- brackets --------------------------------------------------------------------------------------------------

    def _bracket(self) -> _Part:
        """`[abc]`, `[^a-z]`, `[[:alpha:]_]`: the place is behind the bracket."""
        members: set[int] | None = set()
        negated = self._next() == 0x5E
        self.place += negated
        first = True
        while self._next() != 0x5D or first:
            first = False
            low = self._member()
            high = low
            if self._next() == 0x2D and self._pattern[self.place + 1 : self.place + 2] not in (b"]", b""):
                self.place += 1
                high = self._member()
                if low is not None and high is None:
                    members = None
            if low is None or high is None:
                members = None
            elif members is not None:
                members.update(range(low, high + 1))
        self.place += 1
        if members is None or negated or not members:
            return _ANYTHING
        texts = frozenset(bytes((member,)).lower() for member in members)
        return _of(texts) if len(texts) <= MOST else _ANYTHING

    def _member(self) -> int | None:
        """One character of a bracket; None for a class of them."""
        char = self._next()
        if char < 0:
            raise GiveUp
        kind = self._pattern[self.place + 1 : self.place + 2]
        if char == 0x5B and kind in (b":", b".", b"="):
            self._skip_class(kind)
            return None
        self.place += 1
        if char != 0x5C or not self._perl:
            return char
        return self._escaped_member()

    def _skip_class(self, kind: bytes) -> None:
        end = self._pattern.find(kind + b"]", self.place + 2)
        name = self._pattern[self.place + 2 : end]
        if end < 0 or not name.lstrip(b"^").isalpha():
            raise GiveUp
        self.place = end + 2

    def _escaped_member(self) -> int | None:
        char = self._next()
        self.place += 1
        if char < 0 or char in b"QE":
            raise GiveUp
        letter = bytes((char,))
        if not letter.isalnum():
            return char
        if letter in b"dDwWsShHvV":
            return None
        if char in _CONTROL:
            return _CONTROL[char][0]
        raise GiveUp


def _pieces(text: bytes) -> list[bytes]:
    return [text[start : start + LONGEST // 2] for start in range(0, len(text), LONGEST // 2)]


def _times(part: _Part, least: int, most: int) -> _Part:
    exact = part.exact
    if least == 0:
        if most == 1 and exact is not None and len(exact) < MOST:
            return _of(exact | _EMPTY)
        return _of(_EMPTY) if most == 0 else _ANYTHING
    if least == 1 and most == 1:
        return part
    sequence = _Sequence()
    for _ in range(min(least, LONGEST)):
        sequence.add(part)
    if most != least or least > LONGEST:
        sequence.add(_ANYTHING)
    return sequence.part()
