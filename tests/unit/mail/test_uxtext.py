r"""Addresses of type utf-8 in ORCPT (RFC 6533 section 3)."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.mail import uxtext


class Uxtext(SynchronousTestCase):
    def test_both_ways(self) -> None:
        """As a running Postfix says it again: `+`, `=` and a backslash are never left as they are."""
        for text, value, again in (
            (rb"a\x{2B}b\x{5C}c\x{FC}@x", "a+b\\c\u00fc@x", rb"a\x{2B}b\x{5C}c\x{FC}@x"),
            ("\u00fc\u20ac@x".encode(), "\u00fc\u20ac@x", rb"\x{FC}\x{20AC}@x"),
            (b"plain+2Bx@y", "plain+2Bx@y", rb"plain\x{2B}2Bx@y"),
            (rb"\x{1F600}@x", "\U0001f600@x", rb"\x{1F600}@x"),
        ):
            self.assertEqual(value.encode(), uxtext.decode(text))
            self.assertEqual(again, uxtext.encode(value.encode()))

    def test_malformed(self) -> None:
        for text in (rb"a\b", rb"a\x{}", rb"a\x{110000}", rb"a\x{D800}", rb"a\x{0}", rb"a\x{D}", b"a\xff", rb"a\x{FC"):
            self.assertIs(None, uxtext.decode(text), text)
