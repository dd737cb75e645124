"""settings/honoured.txt agrees with the source."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.settings import honoured
from pytwfix.settings.snapshot import Snapshot


class TestHonoured(SynchronousTestCase):
    def test_fresh(self) -> None:
        """To write it anew: python -m pytwfix.settings.honoured"""
        self.assertEqual(sorted(honoured.scan()), sorted(honoured.honoured()))

    def test_told(self) -> None:
        """What main.cf sets and nothing reads is named; names that nobody declares are postconf's business."""
        values = {"dont_remove": "1", "mydestination": "x", "my_own": "1"}
        self.patch(honoured, "honoured", lambda: frozenset(("mydestination",)))
        self.assertEqual(honoured.unhonoured(Snapshot(values)), ["dont_remove"])
        self.assertEqual(honoured.unhonoured(Snapshot({"readme_directory": "no"})), [])
        self.assertEqual(honoured.unhonoured(Snapshot({"x_time_limit": "1s"})), ["x_time_limit"])

    def test_scan(self) -> None:
        """What defaults mention is read with them."""
        read = honoured.scan()
        self.assertIn("mydestination", read)
        self.assertIn("compatibility_level", read)
