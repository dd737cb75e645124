"""basics/tasks.py: as Twisted's own, but for the cost."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.basics.tasks import fired, start


class Fired(SynchronousTestCase):
    def test_result(self) -> None:
        done = fired(3)
        self.assertEqual(3, self.successResultOf(done))

    def test_callbacks(self) -> None:
        """They run at once, also when they wait."""
        waiting: Deferred[int] = Deferred()
        done = fired(3).addCallback(lambda number: waiting).addCallback(lambda number: number + 1)
        self.assertNoResult(done)
        waiting.callback(5)
        self.assertEqual(6, self.successResultOf(done))

    def test_awaited(self) -> None:
        async def work() -> int:
            return await fired(4) + 1

        self.assertEqual(5, self.successResultOf(start(work())))


class Start(SynchronousTestCase):
    def test_at_once(self) -> None:
        async def work() -> int:
            return await succeed(1) + await succeed(2)

        self.assertEqual(3, self.successResultOf(start(work())))

    def test_failed_at_once(self) -> None:
        async def work() -> None:
            raise ValueError("no")

        self.failureResultOf(start(work()), ValueError)

    def test_waits(self) -> None:
        first: Deferred[int] = Deferred()
        second: Deferred[int] = Deferred()

        async def work() -> int:
            return await first + await inner()

        async def inner() -> int:
            return await second

        done = start(work())
        first.callback(1)
        self.assertNoResult(done)
        second.callback(2)
        self.assertEqual(3, self.successResultOf(done))
        self.assertIsNone(self.successResultOf(first))

    def test_failure(self) -> None:
        """It is raised where it is awaited, and is used up."""
        waiting: Deferred[int] = Deferred()

        async def work() -> str:
            try:
                await waiting
            except KeyError as error:
                return str(error)
            return ""

        done = start(work())
        waiting.errback(KeyError("k"))
        self.assertEqual("'k'", self.successResultOf(done))
        self.assertIsNone(self.successResultOf(waiting))

    def test_failed_later(self) -> None:
        waiting: Deferred[None] = Deferred()

        async def work() -> None:
            await waiting
            raise ValueError("no")

        done = start(work())
        waiting.callback(None)
        self.failureResultOf(done, ValueError)

    def test_paused(self) -> None:
        """A Deferred that has fired but waits for another one."""
        other: Deferred[int] = Deferred()
        chained: Deferred[Any] = succeed(None).addCallback(lambda _: other)

        async def work() -> Any:
            return await chained

        done = start(work())
        self.assertNoResult(done)
        other.callback(7)
        self.assertEqual(7, self.successResultOf(done))

    def test_many(self) -> None:
        """What is there already costs no depth."""

        async def work() -> int:
            total = 0
            for _ in range(5000):
                total += await fired(1)
            return total

        self.assertEqual(5000, self.successResultOf(start(work())))

    def test_cancel(self) -> None:
        """What it waits for is cancelled; the coroutine may clean up."""
        waiting: Deferred[None] = Deferred()
        seen: list[str] = []

        async def work() -> None:
            try:
                await waiting
            finally:
                seen.append("end")

        done = start(work())
        done.cancel()
        self.failureResultOf(done, CancelledError)
        self.assertEqual(["end"], seen)

    def test_callback_raises(self) -> None:
        """What is done with the result is not the coroutine's business."""
        waiting: Deferred[int] = Deferred()

        async def work() -> int:
            return await waiting

        def bad(_: int) -> None:
            raise ValueError("callback")

        done: Deferred[Any] = start(work()).addCallback(bad)
        waiting.callback(1)
        failure = self.failureResultOf(done, ValueError)
        self.assertIsNone(failure.value.__context__)
