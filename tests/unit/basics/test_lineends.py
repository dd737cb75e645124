"""basics/lineends.py: as counting says."""

from __future__ import annotations

from itertools import product

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.basics.lineends import strays


class Strays(SynchronousTestCase):
    def test_all_short_ones(self) -> None:
        """Every string of CR, LF and another octet, up to seven octets (OB-8)."""
        for size in range(8):
            for octets in product(b"\r\nx", repeat=size):
                data = bytes(octets)
                pairs = data.count(b"\r\n")
                wanted = data.count(b"\r") != pairs, data.count(b"\n") != pairs
                self.assertEqual(wanted, strays(data), data)
