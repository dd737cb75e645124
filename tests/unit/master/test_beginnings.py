"""master/hangup.py and master/limits.py: what is so from the first moment on."""

from __future__ import annotations

import os
import resource
import signal
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.master import limits
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


class Limits(SynchronousTestCase):
    """master/limits.py: thousands of connections."""

    def _raised(self, soft: int, hard: int) -> list[tuple[int, int]]:
        made: list[tuple[int, int]] = []
        self.patch(resource, "getrlimit", lambda which: (soft, hard))
        self.patch(resource, "setrlimit", lambda which, limits: made.append(limits))
        limits.raise_descriptor_limit()
        return made

    def test_raised(self) -> None:
        self.assertEqual(self._raised(1024, 4096), [(4096, 4096)])
        self.assertEqual(self._raised(1024, 1 << 20), [(limits.MOST, 1 << 20)])
        self.assertEqual(self._raised(1024, resource.RLIM_INFINITY), [(limits.MOST, resource.RLIM_INFINITY)])

    def test_enough(self) -> None:
        self.assertEqual(self._raised(4096, 4096), [])
        self.assertEqual(self._raised(resource.RLIM_INFINITY, resource.RLIM_INFINITY), [])
