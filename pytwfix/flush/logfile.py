"""The log of one site: a file of queue IDs, one a line, under `flush/` (INVENTORY RF-6, FL-1). Blocks; raises OSError.

A site's name becomes a file name as Postfix does it: what is no letter or digit is an underscore, so that two sites may
share a log; then more is tried than was asked for.
"""

from __future__ import annotations

import os
import re

from pytwfix.mail.queueid import valid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pytwfix.contracts.host import IDisk

_OTHER = re.compile(r"[^0-9A-Za-z]")
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
_LONGEST = 200
_PIECE = 1 << 16


def file_name(site: str) -> str:
    """The name of a site's log."""
    return _OTHER.sub("_", site)[:_LONGEST]


class LogFiles:
    """The logs in one directory."""

    def __init__(self, disk: IDisk, directory: str) -> None:
        self._disk = disk
        self._directory = directory

    def append(self, name: str, queue_ids: list[str]) -> None:
        """Add to a log. Nothing is flushed: a log that is lost costs time, not mail."""
        fd = self._open(name)
        try:
            self._disk.write(fd, "".join(f"{one}\n" for one in queue_ids).encode())
        finally:
            self._disk.close(fd)

    def take(self, name: str) -> list[str]:
        """All that is in a log, each once; it is empty afterwards."""
        try:
            self._disk.stat(f"{self._directory}/{name}")
        except FileNotFoundError:
            return []
        fd = self._open(name)
        try:
            pieces = []
            while piece := self._disk.read(fd, _PIECE):
                pieces.append(piece)
            self._disk.ftruncate(fd, 0)
        finally:
            self._disk.close(fd)
        words = b"".join(pieces).decode("ascii", "replace").split("\n")
        return [one for one in dict.fromkeys(words) if valid(one)]

    def _open(self, name: str) -> int:
        fd = self._disk.open(f"{self._directory}/{name}", _FLAGS, 0o600)
        self._disk.lock(fd, True, True)
        return fd

    def unread(self, before: float) -> list[str]:
        """The logs with something in them to which nothing was done since."""
        return [name for name, size, when in self._files() if size and when < before]

    def purge(self, before: float) -> None:
        """Remove empty logs to which nothing was done since."""
        for name, size, when in self._files():
            if not size and when < before:
                self._disk.unlink(f"{self._directory}/{name}")

    def _files(self) -> list[tuple[str, int, float]]:
        found = []
        try:
            names = self._disk.listdir(self._directory)
        except FileNotFoundError:
            return []
        for name in names:
            try:
                status = self._disk.stat(f"{self._directory}/{name}")
            except FileNotFoundError:
                continue
            found.append((name, status.st_size, status.st_mtime))
        return found
