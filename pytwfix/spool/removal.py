"""Removing files, many at a time: unlink waits for the journal while files are flushed, and must not block the reactor.

What is asked for while a thread is at work is removed together by the next one. Errback: NoSuchMessage, QueueError.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

from pytwfix.contracts.queue import NoSuchMessage, QueueError

if TYPE_CHECKING:
    from pytwfix.contracts.host import IDisk, IThreads

_Removal = tuple[str, Deferred[None]]


class Remover:
    """Unlinks files in a thread."""

    def __init__(self, disk: IDisk, threads: IThreads) -> None:
        self._disk = disk
        self._threads = threads
        self._waiting: list[_Removal] = []
        self._busy = False

    def remove(self, path: str) -> Deferred[None]:
        done: Deferred[None] = Deferred()
        self._waiting.append((path, done))
        if not self._busy:
            self._start()
        return done

    def _start(self) -> None:
        files, self._waiting = self._waiting, []
        self._busy = True
        self._threads.run(self._unlink, [path for path, _ in files]).addCallback(self._removed, files)

    def _unlink(self, paths: list[str]) -> list[OSError | None]:
        """In a thread."""
        errors: list[OSError | None] = []
        for path in paths:
            try:
                self._disk.unlink(path)
                errors.append(None)
            except OSError as error:
                errors.append(error)
        return errors

    def _removed(self, errors: list[OSError | None], files: list[_Removal]) -> None:
        self._busy = False
        if self._waiting:
            self._start()
        for (path, done), error in zip(files, errors, strict=True):
            if error is None:
                done.callback(None)
            elif isinstance(error, FileNotFoundError):
                done.errback(NoSuchMessage(f"remove {path}: No such file or directory"))
            else:
                done.errback(QueueError(f"remove {path}: {error.strerror}"))
