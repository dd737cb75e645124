"""A few rounds of the generated comparison, where a real Postfix is installed (SD-2 to SD-35)."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.conformance.beside import need_both
from tests.conformance.differential_smtpd.compare import round_of

_SESSIONS = 150


class TestDifferential(SynchronousTestCase):
    timeout = 120

    def setUp(self) -> None:
        need_both()

    def test_replies(self) -> None:
        """SD-20 to SD-35: the same words as Debian's Postfix."""
        outcome = round_of(1, _SESSIONS)
        self.assertEqual(outcome.sessions, _SESSIONS)
        self.assertEqual([], outcome.differences, "\n\n".join(outcome.differences[:3]))
