"""Ten crashes under load, in each mode (QU-*): see tests/integration/crash.py, which can do more of them."""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from tests.integration.crash import Crash
from tests.kit.mailsystem import INLINE, POSTFIX, WORKERS1, WORKERS2, missing

_ROUNDS = 10


class CrashTests(SynchronousTestCase):
    """No mail that was answered 250 is lost, or comes as something else."""

    def crash(self, mode: str) -> None:
        if os.environ.get("PYTWFIX_TEST_SYSTEM") == POSTFIX:
            if mode != INLINE:
                self.skipTest("is the same in each mode")
            mode = POSTFIX
        if missing(mode):
            self.skipTest(missing(mode))
        outcome = Crash(mode, seed=_ROUNDS).run(_ROUNDS)
        self.assertTrue(outcome.good, f"{outcome}\n{sorted(outcome.lost | outcome.damaged)[:20]}")
        self.assertGreater(len(outcome.sent), _ROUNDS)

    def test_inline(self) -> None:
        """HOUSE 3: everything in one process (as root: with a keeper beside it)."""
        self.crash(INLINE)

    def test_one_worker(self) -> None:
        self.crash(WORKERS1)

    def test_two_workers(self) -> None:
        """HOUSE 3: with a queue process."""
        self.crash(WORKERS2)
