"""What a room logs with: contracts/host.py's ILog, one for each service (LG-16, SV-7)."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable

from pytwfix.logs.destinations import CRITICAL, ERROR, INFO, WARNING, Destination
from pytwfix.logs.lines import SURELY_FITS, clean


class ServiceLog:
    """Puts the service's tag before each line. `later` is called when the first line of a turn waits to be flushed."""

    __slots__ = ("_destination", "_later", "_name", "_tag")

    def __init__(self, destination: Destination, name: str, later: Callable[[], None]) -> None:
        self._destination = destination
        self._name = name
        self._later = later
        self._tag = f"{name}[{os.getpid()}]: "

    @property
    def name(self) -> str:
        """Such as "postfix/smtpd"."""
        return self._name

    def info(self, text: str) -> None:
        fine = text.isprintable() and len(text) <= SURELY_FITS
        self._destination.write(self._tag, INFO, text if fine else clean(text))
        self._later()

    def warning(self, text: str) -> None:
        self._write(WARNING, "warning: " + text)

    def error(self, text: str) -> None:
        self._write(ERROR, "error: " + text)

    def fatal(self, text: str) -> None:
        self._write(CRITICAL, "fatal: " + text)

    def failure(self, what: str, reason: BaseException) -> None:
        """An exception that nobody expected, in one line with where it came from."""
        frames = traceback.extract_tb(reason.__traceback__)[-4:]
        where = " < ".join(f"{os.path.basename(f.filename)}:{f.lineno} {f.name}" for f in reversed(frames))
        self._write(ERROR, f"error: {what}: {type(reason).__name__}: {reason} ({where})")

    def _write(self, level: int, text: str) -> None:
        self._destination.write(self._tag, level, clean(text))
        self._later()
