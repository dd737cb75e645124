"""Octet patterns of DNS lists (SD-37, PS-7)."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.basics.octets import OctetPattern


class Octets(SynchronousTestCase):
    def test_matches(self) -> None:
        pattern = OctetPattern("127.0.[0;2].[1..3;9]")
        for address in ("127.0.0.1", "127.0.2.3", "127.0.0.9"):
            self.assertTrue(pattern.matches(address), address)
        for address in ("127.0.1.1", "127.0.0.4", "127.0.0", "127.0.0.x", "::1"):
            self.assertFalse(pattern.matches(address), address)

    def test_malformed(self) -> None:
        for text in ("", "127.0.0", "127.0.0.256", "127.0.0.[3..1]", "127.0.0.[1", "127.0.0.[]", "a.b.c.d"):
            self.assertRaises(ValueError, OctetPattern, text)
