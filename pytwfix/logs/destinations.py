"""Where log lines go: syslog, a file, standard output (LG-17, PL-1, PX-4).

`maillog_file` set: that file (or /dev/stdout), else the system's log with facility `syslog_facility`. Lines are
gathered and written together by `flush`, which the owner calls at the end of a turn of the reactor; `write` flushes
by itself once much has gathered, so that a burst is bounded. A line is never split over two writes.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable
from typing import Protocol

from pytwfix.logs.lines import Stamp

_GATHER = 200
FACILITIES = {
    name: code << 3
    for code, name in enumerate(
        ["kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp"]
    )
} | {f"local{n}": (16 + n) << 3 for n in range(8)}
INFO, WARNING, ERROR, CRITICAL = 6, 4, 3, 2


class Destination(Protocol):
    """`write` takes a complete text without line end; `tag` ends in ": "."""

    def write(self, tag: str, level: int, text: str) -> None: ...
    def flush(self) -> None: ...
    def reopen(self) -> None: ...


class FileLog:
    """A log file, opened to append; `reopen` opens it anew when it was renamed (logrotate)."""

    def __init__(
        self,
        path: str,
        mode: int = 0o600,
        hostname: str = "",
        clock: Callable[[], float] = time.time,
        fd: int = -1,
    ) -> None:
        self._path = path
        self._mode = mode
        self._clock = clock
        self._stamp = Stamp(hostname)
        self._waiting: list[str] = []
        self._given = fd
        self._fd = fd if fd >= 0 else self._open()

    def _open(self) -> int:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        return os.open(self._path, flags, self._mode)

    def write(self, tag: str, level: int, text: str) -> None:
        waiting = self._waiting
        waiting.append(f"{self._stamp(self._clock())}{tag}{text}\n")
        if len(waiting) >= _GATHER:
            self.flush()

    def flush(self) -> None:
        if self._waiting:
            data = "".join(self._waiting).encode("utf-8", "surrogateescape")
            self._waiting.clear()
            _write_all(self._fd, data)

    def fileno(self) -> int:
        """To be given to a process that may not open the file itself."""
        return self._fd

    def reopen(self, fd: int = -1) -> None:
        """Go on in a new file; `fd` is one that somebody with more rights has opened."""
        self.flush()
        if fd < 0:
            try:
                fd = self._open()
            except OSError:
                return
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = fd


class StdoutLog(FileLog):
    """Standard output: what `-n` and start-fg use, and maillog_file = /dev/stdout."""

    def __init__(self, hostname: str = "", clock: Callable[[], float] = time.time) -> None:
        super().__init__("/dev/stdout", hostname=hostname, clock=clock, fd=sys.stdout.fileno() if sys.stdout else 1)

    def reopen(self, fd: int = -1) -> None:
        self.flush()


class Syslog:
    """The system's log by its socket, RFC 3164 form. While it cannot be reached lines are kept, up to a bound."""

    def __init__(self, facility: str = "mail", path: str = "/dev/log", clock: Callable[[], float] = time.time) -> None:
        self._facility = FACILITIES.get(facility, FACILITIES["mail"])
        self._path = path
        self._clock = clock
        self._socket: socket.socket | None = None
        self._waiting: list[bytes] = []
        self._retry = 0.0

    def write(self, tag: str, level: int, text: str) -> None:
        stamp = time.strftime("%b %e %H:%M:%S ", time.localtime(self._clock()))
        line = f"<{self._facility | level}>{stamp}{tag}{text}"
        self._waiting.append(line.encode("utf-8", "surrogateescape"))
        if len(self._waiting) >= _GATHER:
            self.flush()

    def flush(self) -> None:
        if not self._waiting or not self._connected():
            del self._waiting[:-10000]
            return
        assert self._socket is not None
        sent = 0
        try:
            for line in self._waiting:
                self._socket.send(line)
                sent += 1
        except BlockingIOError:
            pass
        except OSError:
            self._socket.close()
            self._socket = None
        del self._waiting[:sent]

    def _connected(self) -> bool:
        if self._socket is None and self._clock() >= self._retry:
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            sock.setblocking(False)
            try:
                sock.connect(self._path)
            except OSError:
                sock.close()
                self._retry = self._clock() + 1
            else:
                self._socket = sock
        return self._socket is not None

    def reopen(self) -> None:
        self.flush()


class MemoryLog:
    """Lines kept in memory: for a process whose log is somebody else's business."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def write(self, tag: str, level: int, text: str) -> None:
        self.lines.append(tag + text)

    def flush(self) -> None:
        """Nothing waits."""

    def reopen(self) -> None:
        """Nothing is open."""


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(fd, view) :]
        except OSError:
            return  # a full disk must not stop the mail: the lines are lost, as they would be with syslog


def destination(
    maillog_file: str, facility: str, permissions: str = "0600", hostname: str = "", fd: int = -1
) -> Destination:
    """The destination that these parameters ask for; in a file each line names `hostname`, which is myhostname.
    OSError when the file cannot be opened."""
    if maillog_file in ("/dev/stdout", "/dev/fd/1"):
        return StdoutLog(hostname)
    if maillog_file:
        return FileLog(maillog_file, int(permissions, 8), hostname, fd=fd)
    return Syslog(facility)
