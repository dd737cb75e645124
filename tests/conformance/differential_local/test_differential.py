"""A few generated deliveries on the spot beside a real Postfix, where it is installed (LO-*, AL-*, VI-1, PI-1)."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.conformance.beside import need_both
from tests.conformance.differential_local.compare import round_of

_MAILS = 40
SEEDS = 6, 12, 16


class TestDifferential(SynchronousTestCase):
    timeout = 180

    def setUp(self) -> None:
        need_both()

    def test_local(self) -> None:
        """LO-1 to LO-8, AL-1 to AL-5: the same mailboxes, commands, forwards and log lines."""
        for seed in SEEDS:
            outcome = round_of(seed, _MAILS)
            self.assertEqual(_MAILS, outcome.mails)
            self.assertGreater(outcome.lines, _MAILS)
            self.assertEqual([], outcome.differences, "\n\n".join(outcome.differences[:3]))
