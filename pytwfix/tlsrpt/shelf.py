"""Counts, reports and what is still to be sent, under data_directory/tlsrpt. Blocks; raises OSError.

    counts/<begin>.<seconds>.<pid>.<number>   of one process, for the time that begins then
    counts/<begin>.<seconds>.done             the time is reported: what comes now is too late
    waiting/<report>                          where that report is still to go
    <report>                                  RFC 8460 section 5.1: <submitter>!<domain>!<begin>!<end>.json

A report and its place in `waiting` are written before the counts go, and nothing is sent before that: a crash in
between makes the same files again.
"""

from __future__ import annotations

import errno
import gzip
import json
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from pytwfix.mail.hostnames import valid_name
from pytwfix.mail.tlsrpt import Tally, parse_line

if TYPE_CHECKING:
    from pytwfix.contracts.host import IDisk

_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
_COUNTS = re.compile(r"(\d{1,12})\.(\d{1,9})\.(?:done|\d+\.\d+)")
_PIECE = 1 << 20
_LARGEST = 32 << 20  # bytes of one file, that no writer of ours reaches
_MOST_WAITING = 1 << 16


class Period(NamedTuple):
    """A time that reports are about; seconds since the epoch, `end` not included."""

    begin: int
    end: int

    @property
    def marker(self) -> str:
        return f"{self.begin}.{self.end - self.begin}.done"


class Waiting(NamedTuple):
    """A report on its way: where it still has to go, not before `due`, and not after `limit`."""

    name: str
    domain: str
    begin: int
    places: tuple[str, ...]
    due: float
    limit: float


class Shelf:
    """The files of one installation. Only one process has one."""

    def __init__(self, disk: IDisk, directory: str) -> None:
        self._disk = disk
        self._directory = directory
        self._counts = f"{directory}/counts"
        self._waiting = f"{directory}/waiting"

    # Counts.

    def periods(self, until: float) -> dict[Period, list[str]]:
        """The files of every time that ended before `until`, oldest first; without those that say that it is done."""
        found: dict[Period, list[str]] = {}
        for name in self._list(self._counts):
            match = _COUNTS.fullmatch(name)
            if match is None:
                continue
            begin = int(match[1])
            period = Period(begin, begin + int(match[2]))
            if period.end <= until:
                names = found.setdefault(period, [])
                if not name.endswith(".done"):
                    names.append(name)
        return {period: found[period] for period in sorted(found) if found[period]}

    def is_done(self, period: Period) -> bool:
        try:
            self._disk.lstat(f"{self._counts}/{period.marker}")
        except FileNotFoundError:
            return False
        return True

    def finish(self, period: Period, names: list[str]) -> None:
        """Its reports are there: the counts are no longer needed."""
        self._write(f"{self._counts}/{period.marker}", b"")
        self.drop(names)

    def drop(self, names: list[str]) -> None:
        for name in names:
            self._gone(f"{self._counts}/{name}")

    def read(self, name: str) -> Iterator[tuple[str, tuple[str, ...], Tally]]:
        """The lines of one file; what makes no sense is passed over, as what a crash has cut off."""
        for text in self._content(f"{self._counts}/{name}").split(b"\n"):
            if not text:
                continue
            try:
                domain, places, tally = parse_line(text.decode("utf-8"))
            except ValueError:
                continue
            if valid_name(domain.encode("utf-8", "replace")):
                yield domain, places, tally

    # Reports.

    def keep(self, name: str, report: object, waiting: Waiting | None) -> None:
        """With `waiting` it is to be sent."""
        self._write(f"{self._directory}/{name}", json.dumps(report, indent=1).encode())
        if waiting is not None:
            self.wait(waiting)

    def packed(self, name: str) -> bytes:
        """A report with gzip; FileNotFoundError when it was thrown away."""
        return gzip.compress(self._content(f"{self._directory}/{name}"), mtime=0)

    def wait(self, waiting: Waiting) -> None:
        self._write(f"{self._waiting}/{waiting.name}", json.dumps(waiting).encode())

    def sent(self, name: str) -> None:
        """It has nowhere to go any more."""
        self._gone(f"{self._waiting}/{name}")

    def all_waiting(self) -> list[Waiting]:
        found = []
        for name in self._list(self._waiting):
            if not name.endswith(".json"):
                continue
            try:
                text = self._content(f"{self._waiting}/{name}")
                _name, domain, begin, places, due, limit = json.loads(text)
                found.append(Waiting(name, str(domain), int(begin), tuple(map(str, places)), float(due), float(limit)))
            except (OSError, ValueError, TypeError):
                self.sent(name)
        return sorted(found, key=lambda one: one.due)[:_MOST_WAITING]

    def clean(self, before: float) -> None:
        """Throw away what was written before that time: reports, and all that was forgotten beside them."""
        for folder in (self._directory, self._waiting, self._counts):
            for name in self._list(folder):
                path = f"{folder}/{name}"
                if name.endswith((".json", ".new", ".done")) and self._written(path) < before:
                    self._gone(path)

    # Files.

    def _written(self, path: str) -> float:
        try:
            return float(self._disk.lstat(path).st_mtime)
        except FileNotFoundError:
            return float("inf")

    def _list(self, folder: str) -> list[str]:
        try:
            return sorted(self._disk.listdir(folder))
        except FileNotFoundError:
            return []

    def _gone(self, path: str) -> None:
        with suppress(FileNotFoundError):
            self._disk.unlink(path)

    def _content(self, path: str) -> bytes:
        fd = self._disk.open(path, _READ)
        try:
            pieces: list[bytes] = []
            size = 0
            while size < _LARGEST and (piece := self._disk.read(fd, _PIECE)):
                pieces.append(piece)
                size += len(piece)
            return b"".join(pieces)
        finally:
            self._disk.close(fd)

    def _write(self, path: str, data: bytes) -> None:
        """In place of what there was, whole or not at all."""
        folder, _, name = path.rpartition("/")
        temporary = f"{folder}/.{name}.new"
        fd = self._create(temporary, folder)
        try:
            try:
                if data and self._disk.write(fd, data) != len(data):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), temporary)
                self._disk.fsync(fd)
            finally:
                self._disk.close(fd)
            self._disk.rename(temporary, path)
        except OSError:
            self._gone(temporary)
            raise

    def _create(self, temporary: str, folder: str) -> int:
        try:
            return self._disk.open(temporary, _WRITE, 0o600)
        except FileNotFoundError:
            for one in (self._directory, folder):
                with suppress(FileExistsError):
                    self._disk.mkdir(one, 0o700)
        return self._disk.open(temporary, _WRITE, 0o600)
