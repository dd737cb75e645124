"""pcre: Perl-compatible patterns by the package pcre2, `pip install 'pytwfix[pcre]'` (MT-3, RX-5).

Patterns and subjects are bytes, as real Postfix 3.7 matches them. A subject that makes the library give up
(backtracking limits) does not match, with a warning.
"""

from __future__ import annotations

import re
from typing import Any

import pcre2

from pytwfix.tables.literals import Texts, needs
from pytwfix.tables.regexprogram import Groups, Matcher
from pytwfix.tables.regexrules import BadRule, RegexTable

# PCRE2's own bits, which the package passes on.
_BITS = {ord("i"): 0x8, ord("m"): 0x400, ord("s"): 0x20, ord("x"): 0x80, ord("E"): 0x10, ord("U"): 0x40000}
_DEFAULT = {ord("i"), ord("s")}
_AT = re.compile(r"compilation failed at position (\d+); (.*)", re.DOTALL)


class Pcre(RegexTable):
    flag_names = b"imsxAEUX"
    ignored_flags = b"X"
    unclosed = "ignoring"

    def compile(self, pattern: bytes, flags: frozenset[int]) -> tuple[Matcher, int]:
        bits = sum(_BITS.get(flag, 0) for flag in _DEFAULT ^ flags)
        try:
            code = pcre2.compile(pattern, bits)
        except Exception as error:
            text = str(error)
            found = _AT.match(text)
            if found:
                text = f"error in regex at offset {found[1]}: {found[2]}"
            raise BadRule(text) from None
        # The package's search() does not heed ANCHORED; its match() anchors.
        return self._matcher(code.match if ord("A") in flags else code.search), code.groups

    def texts(self, pattern: bytes, flags: frozenset[int]) -> list[Texts]:
        return [] if ord("x") in flags else needs(pattern, perl=True)  # in extended patterns white space is nothing

    def _matcher(self, search: Any) -> Matcher:
        def match(subject: bytes) -> Groups | None:
            try:
                found = search(subject)
            except Exception as error:  # the package's LibraryError has no public base class
                self.context.log.warning(f"{self.name}: {error}")
                return None
            if found is None:
                return None
            groups: Groups = found.groups()
            return groups

        return match
