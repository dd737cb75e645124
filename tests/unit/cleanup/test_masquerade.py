"""Hiding subdomains."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.cleanup.masquerade import Masquerade


class Masquerading(SynchronousTestCase):
    def test_first_match(self) -> None:
        """CA-6: the first entry that the domain is in, or under, decides; some users are not masqueraded."""
        masquerade = Masquerade("!keep.masq.example, masq.example", "root")
        for address, wanted in {
            b"joe@a.b.masq.example": b"joe@masq.example",
            b"joe@A.Masq.Example": b"joe@masq.example",
            b"joe@masq.example": b"joe@masq.example",
            b"joe@q.keep.masq.example": b"joe@q.keep.masq.example",
            b"joe@keep.masq.example": b"joe@keep.masq.example",
            b"Root@a.masq.example": b"Root@a.masq.example",
            b"joe@xmasq.example": b"joe@xmasq.example",
            b"joe": b"joe",
        }.items():
            self.assertEqual(wanted, masquerade(address))
        self.assertFalse(Masquerade("", "root"))
