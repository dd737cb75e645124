"""ORCPT, with the encoding of its type (RFC 3461, RFC 6533)."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.mail import orcpt


class Orcpt(SynchronousTestCase):
    def test_both_ways(self) -> None:
        for text, value in (
            (b"rfc822;a+2Bb@x", b"rfc822;a+b@x"),
            (rb"UTF-8;a\x{2B}\x{FC}@x", "UTF-8;a+\u00fc@x".encode()),
            (b"x400;foo+20bar", b"x400;foo bar"),
        ):
            self.assertEqual(value, orcpt.decode(text))
            self.assertEqual(text, orcpt.encode(value))

    def test_malformed(self) -> None:
        for text in (b"", b"rfc822", b";a@x", b"rfc822;a+b", rb"utf-8;a\b"):
            self.assertIs(None, orcpt.decode(text), text)
