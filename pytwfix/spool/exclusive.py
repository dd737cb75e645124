"""One mail system for each queue (INVENTORY MA-4): the locks that Postfix's master takes, so that it counts too. Light.

`pid/master.pid` under the queue directory and `master.lock` under the data directory hold the process ID in 32 columns
and are locked by flock as long as the system runs. A new one belongs to whom its directory belongs to: a Postfix opens
master.lock as mail_owner. AlreadyRunning says who holds one; OSError passes through.
"""

from __future__ import annotations

import fcntl
import os

_FLAGS = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW


class AlreadyRunning(Exception):
    """Another instance runs on this queue. `pid` is 0 when it is not known."""

    def __init__(self, path: str, pid: int, what: str) -> None:
        who = f"{what}, process ID {pid}" if pid else what
        super().__init__(f"the mail system is already running: {path} is locked by {who}")
        self.pid = pid


class InstanceLock:
    """Held from `acquire` to `release`, also by processes that are forked meanwhile."""

    def __init__(self, queue_directory: str, data_directory: str = "", pid_directory: str = "pid") -> None:
        self._paths = [f"{queue_directory}/{pid_directory}/master.pid"]
        if data_directory:
            self._paths.append(f"{data_directory}/master.lock")
        self._fds: list[int] = []

    def acquire(self) -> None:
        """Lock, and write our process ID. AlreadyRunning: nothing is changed."""
        try:
            for path in self._paths:
                fd = _open(path)
                self._fds.append(fd)
                _lock(fd, path)
        except BaseException:
            self.release()
            raise
        self.write_pid()

    def write_pid(self) -> None:
        """Again after a fork."""
        for fd in self._fds:
            os.ftruncate(fd, 0)
            os.pwrite(fd, b"%32d\n" % os.getpid(), 0)

    def release(self) -> None:
        for fd in self._fds:
            os.close(fd)
        self._fds.clear()


def _open(path: str) -> int:
    try:
        return os.open(path, _FLAGS)
    except FileNotFoundError:
        fd = os.open(path, _FLAGS | os.O_CREAT | os.O_EXCL, 0o600)
    if os.geteuid() == 0:  # never a file that was there: it may be a link to another
        folder = os.stat(os.path.dirname(path))
        os.fchown(fd, folder.st_uid, folder.st_gid)
    return fd


def _lock(fd: int, path: str) -> None:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pid = read_pid(fd)
        raise AlreadyRunning(path, pid, _program(pid)) from None


def read_pid(fd: int) -> int:
    """The process ID in an open lock file, 0 for none."""
    text = os.pread(fd, 64, 0).strip()
    return int(text) if text.isdigit() else 0


def running(queue_directory: str, pid_directory: str = "pid") -> int:
    """The process ID of the system that runs on this queue, 0 if none does (or -1 when it is not known). OSError."""
    try:
        fd = os.open(f"{queue_directory}/{pid_directory}/master.pid", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return 0
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return read_pid(fd) or -1
    finally:
        os.close(fd)
    return 0


def _program(pid: int) -> str:
    """What runs under a process ID, for people: a Postfix on our queue is a likely mistake."""
    try:
        with open(f"/proc/{pid}/comm") as file:
            name = file.read().strip()
    except OSError:
        return "another process"
    return "a Postfix master" if name == "master" else name
