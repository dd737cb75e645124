"""Tables for tests: the real registry over memory, and a table whose answers come when the test says so."""

from __future__ import annotations

import os
from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from pytwfix.basics.disk import Disk
from pytwfix.contracts.tables import DEFAULT_FLAGS, ITable
from pytwfix.tables.registry import Tables
from tests.kit.host import InstantThreads, MemoryLog, SeededRandom


class MemoryTables(Tables):
    """The registry with a Clock, a log in memory, and main.cf as a dict; `slow` tables answer when told to."""

    def __init__(self, main: dict[str, str] | None = None, directory: str = "") -> None:
        self.main = main or {}
        self.clock = Clock()
        self.log = MemoryLog()
        self.slow: dict[str, SlowTable] = {}
        super().__init__(
            expand=lambda text: text,
            parameter=self.main.get,
            disk=Disk(),
            threads=InstantThreads(),
            clock=self.clock.seconds,
            random=SeededRandom(),
            log=self.log,
            directory=directory,
            data_directory=self.main.get("data_directory", ""),
        )

    def open(self, name: str, flags: int = DEFAULT_FLAGS) -> ITable:  # type: ignore[override]
        return self.slow[name] if name in self.slow else super().open(name, flags)


class SlowTable:
    """ITable whose lookups wait; `answers` is called with the oldest question to fire it."""

    def __init__(self, name: str, values: dict[bytes, bytes], fixed: bool = True) -> None:
        self.name = name
        self.fixed = fixed
        self.values = values
        self.asked: list[bytes] = []
        self._waiting: list[Callable[[], None]] = []

    def lookup(self, key: bytes) -> Deferred[bytes | None]:
        self.asked.append(key)
        answer: Deferred[bytes | None] = Deferred()
        self._waiting.append(lambda: answer.callback(self.values.get(key)))
        return answer

    def fire(self) -> None:
        """Answer all questions, also those that the answers bring."""
        while self._waiting:
            self._waiting.pop(0)()

    def close(self) -> None:
        """Nothing is open."""


def replace_file(path: str, text: bytes) -> None:
    """A new file in the place of another: another inode, and a time of its own."""
    temporary = path + ".new"
    with open(temporary, "wb") as file:
        file.write(text)
    os.rename(temporary, path)
