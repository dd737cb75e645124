"""master/hangup.py: SIGHUP."""

from __future__ import annotations

import os
import signal
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.master.hangup import Hangup


class Reactor(Clock):
    def callFromThread(self, function: Any) -> None:
        self.callLater(0, function)


class Hangups(SynchronousTestCase):
    """MA-5: `postfix reload` while the system starts."""

    def setUp(self) -> None:
        self.addCleanup(signal.signal, signal.SIGHUP, signal.getsignal(signal.SIGHUP))
        self.told: list[int] = []
        self.reactor = Reactor()
        self.hangup = Hangup()

    def attach(self) -> None:
        self.hangup.attach(self.reactor, lambda: self.told.append(1))

    def test_early(self) -> None:
        """It is done when it can be, once."""
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGHUP)
        self.attach()
        self.reactor.advance(0)
        self.assertEqual(self.told, [1])

    def test_later(self) -> None:
        self.attach()
        self.reactor.advance(0)
        self.assertEqual(self.told, [])
        os.kill(os.getpid(), signal.SIGHUP)
        self.reactor.advance(0)
        self.assertEqual(self.told, [1])
