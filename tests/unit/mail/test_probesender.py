"""The sender of probes (VE-1); the names are those of a real Postfix 3.7."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.mail.probesender import is_probe_sender, probe_sender

NOW = 1795661098.0


class TestProbeSender(SynchronousTestCase):
    def test_sender(self) -> None:
        """VE-1: address_verify_sender_ttl; 0 is a sender that does not change."""
        self.assertEqual(probe_sender("probe", 3600, NOW), "probeJR14")
        self.assertEqual(probe_sender("probe@x.example", 3600, NOW + 3600), "probeJR15@x.example")
        self.assertEqual(probe_sender("probe", 0, NOW), "probe")
        self.assertEqual(probe_sender("<>", 3600, NOW), "")

    def test_recognised(self) -> None:
        """The sender of a moment ago, and of another clock, is one too."""
        for offset in (-3600, 0, 3600):
            address = probe_sender("probe@x.example", 3600, NOW + offset)
            self.assertTrue(is_probe_sender(address.upper(), "probe@x.example", 3600, NOW))
        self.assertFalse(is_probe_sender("probe@x.example", "probe@x.example", 3600, NOW))
        self.assertFalse(is_probe_sender(probe_sender("probe", 3600, NOW - 7200), "probe", 3600, NOW))
        self.assertTrue(is_probe_sender("probe", "probe", 0, NOW))
