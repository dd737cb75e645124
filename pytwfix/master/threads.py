"""contracts/host.py's IThreads: a few threads for calls that block, made for many short ones (HOUSE 5).

Queue files are flushed and removed by the thousand, so what a call costs beside itself counts: work is handed over by
queues of the C library of Python, and the reactor is woken once for all that has ended meanwhile. A thread is started
when all others are busy, up to a bound. Threads end with the process, whatever they wait for.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

T = TypeVar("T")
MOST = 16
_Task = tuple["Deferred[Any]", Callable[..., Any], tuple[Any, ...]]


class Threads:
    """`run` is called in the reactor's thread; Deferreds fire there."""

    def __init__(self, reactor: Any, most: int = MOST) -> None:
        self._reactor = reactor
        self._most = most
        self._todo: SimpleQueue[_Task | None] = SimpleQueue()
        self._done: deque[tuple[Deferred[Any], Any]] = deque()
        self._waking = False
        self._under_way = 0
        self._threads: list[threading.Thread] = []
        self._stopped = False

    def run(self, function: Callable[..., T], *args: Any) -> Deferred[T]:
        done: Deferred[T] = Deferred()
        self._under_way += 1
        self._todo.put((done, function, args))
        if self._under_way > len(self._threads) < self._most:
            self._start()
        return done

    def _start(self) -> None:
        thread = threading.Thread(target=self._work, name=f"blocking-{len(self._threads)}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def stop(self, patience: float = 5.0) -> None:
        """Let what was asked for end, and the threads with it; nothing more is to be asked. Blocks."""
        for _ in self._threads:
            self._todo.put(None)
        for thread in self._threads:
            thread.join(patience)
        self._threads.clear()
        self._drain()

    # -- in a thread ---------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        while True:
            task = self._todo.get()
            if task is None:
                return
            done, function, args = task
            result: Any
            try:
                result = function(*args)
            except BaseException:
                result = Failure()
            self._done.append((done, result))
            del task, done, function, args, result
            # Appended before this is looked at, and taken after it is set back: nothing is left behind.
            if not self._waking:
                self._waking = True
                self._reactor.callFromThread(self._drain)

    # -- in the reactor's ----------------------------------------------------------------------------------------------

    def _drain(self) -> None:
        self._waking = False
        ended = self._done
        while ended:
            done, result = ended.popleft()
            self._under_way -= 1
            done.callback(result)  # a Failure goes the way of errors
