"""Signals that come before the reactor runs (MA-5)."""

from __future__ import annotations

import os
import signal
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.master.signals import Signals

NUMBERS = (signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM, signal.SIGINT)


class Early(SynchronousTestCase):
    """What is asked for while services start is done when they have."""

    def setUp(self) -> None:
        for number in NUMBERS:
            self.addCleanup(signal.signal, number, signal.getsignal(number))
        signal.signal(signal.SIGINT, signal.default_int_handler)  # as in the foreground
        self.signals = Signals()
        self.clock = Clock()
        self.done: list[Any] = []

    def attached(self) -> list[Any]:
        self.signals.attach(
            self.clock, lambda: self.done.append("reload"), self.done.append, lambda: self.done.append("abort")
        )
        self.assertEqual(self.done, [])
        self.clock.advance(0)
        return self.done

    def test_interrupt(self) -> None:
        """Ctrl-C, which would otherwise raise KeyboardInterrupt wherever the start is."""
        self.signals.hold()
        os.kill(os.getpid(), signal.SIGINT)
        self.assertEqual(self.attached(), [signal.SIGINT])

    def test_all(self) -> None:
        """Each once, in the order in which they came."""
        self.signals.hold()
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGHUP):
            os.kill(os.getpid(), number)
        self.assertEqual(self.attached(), ["reload", signal.SIGTERM])

    def test_ignored(self) -> None:
        """A shell's background job ignores INT, and goes on to."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self.signals.hold()
        self.assertEqual(self.attached(), [])
        self.assertEqual(signal.getsignal(signal.SIGINT), signal.SIG_IGN)

    def test_before(self) -> None:
        """Before services start Ctrl-C ends the process as it ends any."""
        with self.assertRaises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
