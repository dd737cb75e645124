"""A few generated routes beside a real Postfix, where it is installed (TR-1 to TR-6, SM-2, SM-3, SD-38)."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.conformance.beside import need_both
from tests.conformance.differential_routes.compare import round_of

_MAILS = 40


class TestDifferential(SynchronousTestCase):
    timeout = 180

    def setUp(self) -> None:
        need_both()

    def test_routes(self) -> None:
        """TR-1 to TR-6: the same replies, next hops, deliveries and log lines."""
        for seed in 12, 24:
            outcome = round_of(seed, _MAILS)
            self.assertEqual(_MAILS, outcome.mails)
            self.assertGreater(outcome.lines, _MAILS)
            self.assertEqual([], outcome.differences, "\n\n".join(outcome.differences[:3]))
