"""How the concurrency of a destination changes."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.qmgr.configuration import Configuration, Limits
from pytwfix.qmgr.feedback import Window, parse_feedback
from pytwfix.qmgr.settings import QmgrSettings
from tests.kit.host import MemoryHost, MemoryLog


def window(**main: str) -> Window:
    host = MemoryHost(main)
    return Window(Limits(host, host.settings(QmgrSettings), "smtp", 100))


class Feedbacks(SynchronousTestCase):
    def test_forms(self) -> None:
        """SC-3: constants, over the concurrency, over its root."""
        log = MemoryLog()
        values = {"1": 1, "0.5": 0.5, "1/4": 0.25, "1 / concurrency": 0.25, "1/sqrt_concurrency": 0.5, "0": 0}
        for text, value in values.items():
            self.assertEqual(parse_feedback(log, "x", text)(4), value, text)
        self.assertEqual(log.lines, [])

    def test_malformed(self) -> None:
        """SC-3: what makes no sense is 1, with a warning."""
        for text in ("", "2", "x", "1/0", "1.2.3", "1/x", "-1"):
            log = MemoryLog()
            self.assertEqual(parse_feedback(log, "x", text)(4), 1)
            self.assertEqual(log.lines, [f"warning: x: ignoring malformed or unreasonable feedback: {text}"])

    def test_less(self) -> None:
        """SC-3: 1/concurrency: one more after as many successes as run at once, one less with the first failure."""
        one = window(
            default_destination_concurrency_positive_feedback="1/concurrency",
            default_destination_concurrency_negative_feedback="1/concurrency",
        )
        sizes = []
        for _ in range(6):
            one.succeeded(5)
            sizes.append(one.size)
        self.assertEqual(sizes, [5, 5, 5, 5, 6, 6])
        one.failed()
        self.assertEqual(one.size, 5)
        one.failed()
        self.assertEqual(one.size, 5)

    def test_growth(self) -> None:
        """SC-3: more only if nearly all that may run do run."""
        one = window(initial_destination_concurrency="2")
        for _ in range(5):
            one.succeeded(1)
        self.assertEqual(one.size, 3)
        one.succeeded(3)
        self.assertEqual(one.size, 4)

    def test_unlimited(self) -> None:
        """SC-3: a limit of 0 is none."""
        one = window(default_destination_concurrency_limit="0")
        for _ in range(100):
            one.succeeded(one.size)
        self.assertEqual(one.size, 105)

    def test_cohort_limit(self) -> None:
        """SC-3: more patience."""
        one = window(default_destination_concurrency_failed_cohort_limit="10")
        failures = 1
        while not one.failed():
            failures += 1
        self.assertEqual((failures, one.size), (12, 1))
        one.reset()
        self.assertEqual((one.size, one.cohorts), (5, 0))
        one = window(default_destination_concurrency_failed_cohort_limit="0")
        self.assertFalse(any(one.failed() for _ in range(100)), "0 is never")

    def test_bad_value(self) -> None:
        """QM-10: a transport's parameter that cannot be used does not stop its mail."""
        host = MemoryHost({"smtp_destination_concurrency_limit": "many", "smtp_destination_rate_delay": "x"})
        limits = Limits(host, host.settings(QmgrSettings), "smtp", 100)
        self.assertEqual((limits.concurrency, limits.destination_delay), (20, 0))
        self.assertEqual(len(host.log.lines), 2)

    def test_adjusted(self) -> None:
        """QM-4: limits that contradict each other."""
        host = MemoryHost({"qmgr_message_recipient_limit": "10", "maximal_backoff_time": "10s"})
        config = Configuration(host, host.settings(QmgrSettings))
        self.assertEqual((config.recipient_limit, config.maximal_backoff), (20000, 300))
        self.assertEqual(host.log.lines, [
            "warning: qmgr_message_recipient_limit is smaller than qmgr_message_active_limit"
            " - adjusting qmgr_message_recipient_limit",
            "warning: maximal_backoff_time is smaller than minimal_backoff_time - adjusting maximal_backoff_time",
        ])  # fmt: skip
