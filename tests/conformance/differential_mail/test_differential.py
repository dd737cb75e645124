"""A few generated mails beside a real Postfix, where it is installed (CL-1 to CL-15, CA-1 to CA-10, TR-1 to TR-6)."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.conformance.beside import need_both
from tests.conformance.differential_mail.compare import round_of

_MAILS = 60


class TestDifferential(SynchronousTestCase):
    timeout = 180

    def setUp(self) -> None:
        need_both()

    def test_mails(self) -> None:
        """CL-2 to CL-9, CA-1 to CA-9, TR-2, TR-3: the same replies, deliveries and log lines."""
        for seed in 1, 3:
            outcome = round_of(seed, _MAILS)
            self.assertEqual(_MAILS, outcome.mails)
            self.assertGreater(outcome.deliveries, _MAILS // 2)
            self.assertEqual([], outcome.differences, "\n\n".join(outcome.differences[:3]))
