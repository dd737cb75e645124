"""Coroutines, and results that are there already, as Deferreds: for what happens many times a mail (HOUSE 4).

Twisted's own `Deferred.fromCoroutine` and `succeed` do the same and more (contextvars, generators, bare coroutines
that are awaited), for three to five times as much, and most of our coroutines end without having waited at all.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, fail
from twisted.python.failure import Failure

T = TypeVar("T")


def fired(result: T) -> Deferred[T]:
    """A Deferred that has fired. `result` is neither a Deferred nor a Failure."""
    done: Deferred[T] = Deferred()
    done.called = True
    done.result = result
    return done


def start(work: Coroutine[Deferred[Any], Any, T]) -> Deferred[T]:
    """Run a coroutine that awaits Deferreds and nothing else. To cancel the Deferred cancels what it waits for."""
    try:
        waiting = work.send(None)
    except StopIteration as end:
        return fired(end.value)
    except BaseException:
        return fail()
    return _Task(work, waiting).done


class _Task:
    """A coroutine that waits."""

    __slots__ = ("_waiting", "_work", "done")

    def __init__(self, work: Coroutine[Deferred[Any], Any, Any], waiting: Deferred[Any]) -> None:
        self._work = work
        self._waiting = waiting
        self.done: Deferred[Any] = Deferred(self._cancel)
        waiting.addBoth(self._step)

    def _step(self, result: object) -> None:
        try:
            if isinstance(result, Failure):
                waiting = result.throwExceptionIntoGenerator(self._work)  # type: ignore[arg-type]
            else:
                waiting = self._work.send(None)  # which takes the result from the Deferred
        except StopIteration as end:
            ended, failure = end.value, False
        except BaseException:
            ended, failure = Failure(), True
        else:
            self._waiting = waiting
            waiting.addBoth(self._step)
            return
        # Out of the handler, so that what a callback raises is not said to have come while this was handled.
        if failure:
            self.done.errback(ended)
        else:
            self.done.callback(ended)

    def _cancel(self, _: Deferred[Any]) -> None:
        self._waiting.cancel()
