"""contracts/host.py's IThreads: a few threads for calls that block, made for many short ones (HOUSE 5).

Queue files are flushed and removed by the thousand, so what a call costs beside itself counts: a call wakes one thread,
the one that was busy last, and the reactor is woken once for all that has ended meanwhile. (Threads that wait at one
queue wake each other in turn for each call.) A thread is started when all others are busy, up to a bound. Threads end
with the process, whatever they wait for.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

T = TypeVar("T")
MOST = 16
_Task = tuple["Deferred[Any]", Callable[..., Any], tuple[Any, ...]]


class _Worker:
    """A thread, and how it is woken: `task` is set, then `gate` released. No task: it is to end."""

    __slots__ = ("gate", "task", "thread")

    def __init__(self, task: _Task) -> None:
        self.task: _Task | None = task
        self.gate = threading.Lock()
        self.gate.acquire()
        self.thread: threading.Thread

    def wake(self, task: _Task | None) -> None:
        self.task = task
        self.gate.release()


class Threads:
    """`run` is called in the reactor's thread; Deferreds fire there."""

    def __init__(self, reactor: Any, most: int = MOST) -> None:
        self._reactor = reactor
        self._most = most
        self._lock = threading.Lock()  # of the next three
        self._idle: list[_Worker] = []  # the one that was busy last is the last
        self._todo: deque[_Task] = deque()  # while all are busy
        self._stopping = False
        self._done: deque[tuple[Deferred[Any], Any]] = deque()
        self._waking = False
        self._workers: list[_Worker] = []

    def run(self, function: Callable[..., T], *args: Any) -> Deferred[T]:
        done: Deferred[T] = Deferred()
        task = (done, function, args)
        with self._lock:
            worker = self._idle.pop() if self._idle else None
            if worker is None and len(self._workers) >= self._most:
                self._todo.append(task)
                return done
        if worker is None:
            self._start(task)
        else:
            worker.wake(task)
        return done

    def _start(self, task: _Task) -> None:
        worker = _Worker(task)
        name = f"blocking-{len(self._workers)}"
        worker.thread = threading.Thread(target=self._work, args=(worker,), name=name, daemon=True)
        self._workers.append(worker)
        worker.thread.start()

    def stop(self, patience: float = 5.0) -> None:
        """Let what was asked for end, and the threads with it; nothing more is to be asked. Blocks."""
        with self._lock:
            self._stopping = True
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.wake(None)
        for worker in self._workers:
            worker.thread.join(patience)
        self._workers.clear()
        self._drain()

    # -- in a thread ---------------------------------------------------------------------------------------------------

    def _work(self, worker: _Worker) -> None:
        task = worker.task
        while task is not None:
            done, function, args = task
            result: Any
            try:
                result = function(*args)
            except BaseException:
                result = Failure()
            self._done.append((done, result))
            worker.task = None
            del task, done, function, args, result
            # Appended before this is looked at, and taken after it is set back: nothing is left behind.
            if not self._waking:
                self._waking = True
                self._reactor.callFromThread(self._drain)
            task = self._next(worker)

    def _next(self, worker: _Worker) -> _Task | None:
        """Waits for something to do; None to end."""
        with self._lock:
            if self._todo:
                return self._todo.popleft()
            if self._stopping:
                return None
            self._idle.append(worker)
        worker.gate.acquire()
        return worker.task

    # -- in the reactor's ----------------------------------------------------------------------------------------------

    def _drain(self) -> None:
        self._waking = False
        ended = self._done
        while ended:
            done, result = ended.popleft()
            done.callback(result)  # a Failure goes the way of errors
