"""A time limit that moves."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.basics.deadline import Deadline


class Watch(Clock):
    """IClock."""

    def monotonic(self) -> float:
        return float(self.seconds())

    def call_later(self, seconds: float, function: Any, *args: Any) -> Any:
        return self.callLater(seconds, function, *args)


class Deadlines(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Watch()
        self.times: list[float] = []
        self.limit = Deadline(self.clock, lambda: self.times.append(self.clock.seconds()))

    def test_expires(self) -> None:
        self.limit.set(5)
        self.clock.advance(4.9)
        self.assertEqual(self.times, [])
        self.clock.advance(0.2)
        self.clock.advance(10)
        self.assertEqual(len(self.times), 1)

    def test_moves(self) -> None:
        """Later without another call, and earlier."""
        self.limit.set(5)
        for _ in range(10):
            self.clock.advance(2)
            self.limit.set(5)
            self.assertEqual(len(self.clock.calls), 1)
        self.assertEqual(self.times, [])
        self.limit.set(1)
        self.clock.pump([0.5, 0.6])
        self.assertEqual(len(self.times), 1)

    def test_cleared(self) -> None:
        self.limit.set(5)
        self.limit.clear()
        self.clock.advance(6)
        self.limit.set(5)
        self.clock.advance(4)
        self.assertEqual(self.times, [])
        self.clock.advance(2)
        self.assertEqual(len(self.times), 1)

    def test_closed(self) -> None:
        self.limit.set(5)
        self.limit.close()
        self.assertEqual(self.clock.calls, [])
