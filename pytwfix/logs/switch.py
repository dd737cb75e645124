"""A destination of log lines that can be exchanged under those who hold it (LG-17): at a reload the log may move."""

from __future__ import annotations

from collections.abc import Callable

from pytwfix.logs.destinations import Destination, FileLog, StdoutLog


class LogSwitch:
    """Destination. `write` and `flush` are those of the present one, so that the way there costs nothing."""

    write: Callable[[str, int, str], None]
    flush: Callable[[], None]

    def __init__(self, target: Destination) -> None:
        self.point(target)

    def point(self, target: Destination) -> None:
        """From now on there. The old one has been flushed and is left open for who still writes to it."""
        if hasattr(self, "target"):
            self.flush()
        self.target = target
        self.write, self.flush = target.write, target.flush

    def reopen(self, fd: int = -1) -> None:
        """A log file may have been renamed; `fd` is one that somebody with more rights has opened."""
        target = self.target
        if isinstance(target, FileLog):
            target.reopen(fd)
        else:
            target.reopen()

    def fileno(self) -> int:
        """Of the log file; -1 when there is none."""
        target = self.target
        return target.fileno() if isinstance(target, FileLog) and not isinstance(target, StdoutLog) else -1
