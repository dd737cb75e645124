"""Making new files durable, many at a time (HOUSE 5; INVENTORY QU-6).

All files that are ready are flushed by a few threads at once, so that the journal of the file system is written once
for several of them; then each gets its name, and one flush of each directory makes the names durable. The reactor is
woken once for all. While a batch is under way the next one gathers.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

from pytwfix.contracts.queue import QueueError

if TYPE_CHECKING:
    from pytwfix.contracts.host import IDisk, IThreads

_THREADS = 4
READY = 0o700


class PendingFile:
    """A file to be committed: `fd` is open, `name` is where it goes, `temporary` the name it has already, if any."""

    __slots__ = ("data", "done", "error", "fd", "folder", "name", "temporary")

    def __init__(self, fd: int, data: list[bytes], folder: str, name: str, temporary: str = "") -> None:
        self.fd = fd
        self.data = data  # (more) to be written at the file's current end
        self.folder = folder
        self.name = name
        self.temporary = temporary
        self.done: Deferred[None] = Deferred()
        self.error: OSError | None = None


class _Batch:
    def __init__(self, files: list[PendingFile], workers: int) -> None:
        self.files = files
        self.todo = deque(files)
        self.workers = workers
        self.lock = threading.Lock()


class Committer:
    """Commits files in batches. Each PendingFile's `done` fires when it is durable; errback QueueError."""

    def __init__(self, disk: IDisk, threads: IThreads) -> None:
        self._disk = disk
        self._threads = threads
        self._waiting: list[PendingFile] = []
        self._busy = False

    def add(self, file: PendingFile) -> None:
        self._waiting.append(file)
        if not self._busy:
            self._start()

    def _start(self) -> None:
        files, self._waiting = self._waiting, []
        self._busy = True
        workers = min(len(files), _THREADS)
        batch = _Batch(files, workers)
        for _ in range(workers):
            self._threads.run(self._work, batch).addCallback(self._worked, batch)

    def _worked(self, last: bool, batch: _Batch) -> None:
        if not last:
            return
        self._busy = False
        if self._waiting:
            self._start()
        for file in batch.files:
            if file.error is None:
                file.done.callback(None)
            else:
                file.done.errback(QueueError(f"{file.name}: {file.error}"))

    # -- in a thread -----------------------------------------------------------------------------------------------

    def _work(self, batch: _Batch) -> bool:
        """Commit files until there are none left; whether this thread was the last to end."""
        todo = batch.todo
        while True:
            try:
                file = todo.popleft()
            except IndexError:
                break
            self._flush(file)
        with batch.lock:
            batch.workers -= 1
            if batch.workers:
                return False
        self._name(batch)
        return True

    def _flush(self, file: PendingFile) -> None:
        disk, fd = self._disk, file.fd
        try:
            write_all(disk, fd, file.data)
            file.data = []
            if file.temporary:
                disk.fchmod(fd, READY)  # one without a name has been complete from the start: nobody saw it
            disk.fsync(fd)
            if file.temporary:
                disk.rename(file.temporary, file.name)
            else:
                disk.link(f"/proc/self/fd/{fd}", file.name)
        except OSError as error:
            file.error = error

    def _name(self, batch: _Batch) -> None:
        """Make the names durable. A name that may not be durable is taken back: the client is told to try again."""
        failed: dict[str, OSError] = {}
        for folder in {file.folder for file in batch.files if file.error is None}:
            try:
                sync_folder(self._disk, folder)
            except OSError as error:
                failed[folder] = error
        for file in batch.files:
            if file.error is None and file.folder in failed:
                file.error = failed[file.folder]
            if file.error is not None:
                self._undo(file)
            self._disk.close(file.fd)

    def _undo(self, file: PendingFile) -> None:
        for path in (file.temporary, file.name):
            try:
                if path and self._disk.stat(path).st_ino == self._disk.fstat(file.fd).st_ino:
                    self._disk.unlink(path)
            except OSError:
                continue


def write_all(disk: IDisk, fd: int, data: list[bytes]) -> None:
    """Append all pieces. OSError."""
    for start in range(0, len(data), 512):  # IOV_MAX is 1024
        pieces = data[start : start + 512]
        total = sum(map(len, pieces))
        written = disk.writev(fd, pieces)
        if written < total:  # rare: a signal, or the disk is nearly full
            rest = b"".join(pieces)[written:]
            while rest:
                rest = rest[disk.write(fd, rest) :]


def sync_folder(disk: IDisk, folder: str) -> None:
    """Make the names in a directory durable. OSError."""
    fd = disk.open(folder, 0o200000)  # O_DIRECTORY
    try:
        disk.fsync(fd)
    finally:
        disk.close(fd)
