"""master/threads.py: calls that block, results in the reactor's thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.master.threads import Threads


class _Reactor:
    """Collects what threads want to be called; `turn` calls it."""

    def __init__(self) -> None:
        self.calls: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []
        self.woken = threading.Event()

    def callFromThread(self, function: Callable[..., Any], *args: Any) -> None:
        self.calls.append((function, args))
        self.woken.set()

    def turn(self) -> None:
        self.woken.wait(5)
        self.woken.clear()
        calls, self.calls = self.calls, []
        for function, args in calls:
            function(*args)


class TestThreads(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = _Reactor()
        self.threads = Threads(self.reactor, 3)
        self.addCleanup(self.threads.stop)

    def test_result(self) -> None:
        done = self.threads.run(divmod, 7, 2)
        self.assertNoResult(done)
        self.reactor.turn()
        self.assertEqual((3, 1), self.successResultOf(done))

    def test_failure(self) -> None:
        done = self.threads.run(int, "x")
        self.reactor.turn()
        self.failureResultOf(done, ValueError)

    def test_bounded(self) -> None:
        """Never more threads than allowed; those who wait get their turn."""
        gate = threading.Event()
        names: set[str] = set()

        def work() -> str:
            gate.wait(5)
            names.add(threading.current_thread().name)
            return threading.current_thread().name

        every = [self.threads.run(work) for _ in range(50)]
        gate.set()
        deadline = time.monotonic() + 5
        while not all(one.called for one in every) and time.monotonic() < deadline:
            self.reactor.turn()
        self.assertTrue(all(one.called for one in every))
        self.assertLessEqual(len(names), 3)

    def test_woken_once(self) -> None:
        """What ended meanwhile comes with one call."""
        for _ in range(20):
            self.threads.run(int)
        self.threads.stop()
        self.assertLessEqual(len(self.reactor.calls), 1)

    def test_stop(self) -> None:
        """What was asked for is done, and told, before stop returns."""
        done = [self.threads.run(int, str(number)) for number in range(20)]
        self.threads.stop()
        self.assertEqual(list(range(20)), [self.successResultOf(one) for one in done])
