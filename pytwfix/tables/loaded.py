"""Tables whose whole file is in memory: cidr, regexp, pcre, texthash (MT-2 to MT-5, SV-4).

The file is read when the table is opened, and again when it has changed: Postfix needs a reload for that. A big file
is read in a thread. Until it is read for the first time, questions wait (TableBusy); while a new version is read, the
old content answers. A new version that cannot be read, or that has more faulty lines than the one in use, is logged,
and the old content stays in use: a slip of the pen must not take a filter away. A reload takes what there is.
"""

from __future__ import annotations

import os
import threading
from typing import Generic, TypeVar

from pytwfix.contracts.tables import TableError, TableMisconfigured
from pytwfix.tables.driver import Driver, TableBusy, TableContext
from pytwfix.tables.files import Watch, read_file, unreadable

C = TypeVar("C")
BIG = 128 * 1024  # bytes of a file that is read in a thread


class LoadedTable(Driver, Generic[C]):
    """Subclasses say `parse`, and ask `content()`."""

    names_files = True
    readonly = "map requires O_RDONLY access mode"
    opening = "open"  # what the error of a missing file says was tried

    def __init__(self, context: TableContext, kind: str, rest: str, flags: int) -> None:
        super().__init__(context, kind, rest, flags)
        self.faults = 0  # lines that were left out, in the reading under way
        self._faults_in_use = 0
        self._content: C | None = None
        self._failure: TableError | None = None  # of the first reading, while there is no content
        self._watch: Watch | None = None
        self._reading = False
        self._again = False
        self._read = threading.Event()

    def open_file(self) -> None:
        """Read the file that the table's name says. TableError."""
        self.path = self.context.path(self.rest)
        self._watch = Watch(self.context, self.path)
        if self.is_big and self.context.has_threads:
            self.context.disk.close(self._descriptor())
            self._begin()
        else:
            self._content = self.parse(self._data())
            self._faults_in_use = self.faults

    @property
    def is_big(self) -> bool:
        stamp = self._watch.stamp if self._watch is not None else None
        return stamp is not None and stamp[2] >= BIG

    def parse(self, data: bytes) -> C:
        """What the text comes to; faulty lines are counted in `faults`. TableError."""
        raise NotImplementedError

    def use(self, content: C) -> None:
        """Content that stands in the table's name."""
        self._content = content

    def content(self) -> C:
        """What is in use now. TableBusy before the first reading has ended; TableError when it failed."""
        watch = self._watch
        if watch is not None and watch.changed():
            self._begin()
        content = self._content
        if content is None:
            if self._failure is not None:
                raise self._failure
            raise TableBusy(self.name, "the file is being read")
        return content

    def wait_for_writer(self) -> None:
        self._read.wait()

    def _descriptor(self) -> int:
        try:
            return self.context.disk.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise unreadable(self.name, self.opening, self.path, error) from None

    def _data(self) -> bytes:
        return read_file(self.context, self.name, self.path, self.opening)

    # -- reading again ---------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        """Read, here when the file is small; one reading at a time."""
        if self._reading:
            self._again = True
            return
        self._reading = True
        self._again = False
        if self.is_big:
            self.context.aside(self._work)
        else:
            self._work()

    def _work(self) -> None:
        try:
            self._take_new()
            while self._again:
                self._again = False
                self._take_new()
        finally:
            self._reading = False
            self._read.set()

    def _take_new(self) -> None:
        self.faults = 0
        try:
            content = self.parse(self._data())
        except TableError as error:
            self._keep(error.reason)
            self._failure = error
            return
        except Exception as error:  # a surprise in a thread: nobody else would hear of it
            self.context.log.failure(f"reading {self.name}", error)
            self._failure = TableMisconfigured(self.name, f"{self.path}: {error}")
            return
        if self._content is not None and self.faults > self._faults_in_use:
            self._keep(f"{self.path}: {self.faults} faulty lines")
            return
        self._content, self._faults_in_use = content, self.faults

    def _keep(self, reason: str) -> None:
        stays = f"; the old content of {self.name} stays in use" if self._content is not None else ""
        self.context.log.error(reason + stays)
