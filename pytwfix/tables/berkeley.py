"""hash:/file and btree:/file: Berkeley DB in `/file.db` (MT-1).

By the package berkeleydb, `pip install 'pytwfix[berkeleydb]'`; where it is missing, `substitute` serves the same table
from something else. Keys and values end in NUL, as Postfix writes them; without NUL is read too.

A lookup is made directly, not in a thread: the library reads one or two pages, from its cache or the kernel's, in 3
to 5 us, where a thread costs 60. Whoever writes a file in place holds a lock on it (flock): a reader that meets it
raises TableBusy, and is asked again in a thread, where it waits (`get_waiting`). A file that is another one than
before is opened anew (SV-4).
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from typing import Any

from pytwfix.contracts.tables import TableError, TableUnavailable
from pytwfix.tables.driver import Driver, TableBusy, TableContext
from pytwfix.tables.files import Watch, unreadable

try:
    from berkeleydb import db as db
except ImportError:  # the package is optional
    db = None


def make_driver(context: TableContext, kind: str, rest: str, flags: int) -> Driver:
    """The table by the library, or by what stands in for it."""
    if db is not None:
        return BerkeleyDB(context, kind, rest, flags)
    from pytwfix.tables.substitute import substitute

    return substitute(context, kind, rest, flags)


def make_writable(context: TableContext, kind: str, rest: str, flags: int) -> Driver:
    """The table open for updates; without the library it is an LMDB file beside."""
    if db is not None:
        return BerkeleyDB(context, kind, rest, flags, writable=True)
    from pytwfix.tables.substitute import substitute

    return substitute(context, kind, rest, flags, writable=True)


class BerkeleyDB(Driver):
    suffix = ".db"

    def __init__(
        self, context: TableContext, kind: str, rest: str, flags: int, path: str = "", writable: bool = False
    ) -> None:
        super().__init__(context, kind, rest, flags)
        self.path = path or context.path(rest) + self.suffix
        self.label = f"{self.name}{self.suffix}"
        self._writable = writable
        self._nul: bool | None = None
        self._batch = False
        self._mutex = threading.RLock()  # a handle that is written is used by one thread at a time
        self._watch = Watch(context, self.path)
        self._fd = -1
        self._open()

    def _open(self) -> None:
        try:
            fd = os.open(self.path, (os.O_RDWR if self._writable else os.O_RDONLY) | os.O_CLOEXEC)
        except OSError as error:
            raise unreadable(self.name, "open database", self.path, error) from None
        handle = db.DB()
        try:
            handle.open(self.path, None, db.DB_UNKNOWN, db.DB_THREAD if self._writable else db.DB_RDONLY)
        except db.DBError as error:
            os.close(fd)
            text = error.args[-1] if error.args else str(error)
            raise TableUnavailable(self.name, f"open database {self.path}: {text}") from None
        self._handle: Any = handle
        self._fd = fd
        self._nul = None

    # -- reading ---------------------------------------------------------------------------------------------------

    def find(self, key: bytes) -> bytes | None:
        if not self._writable:
            return self._locked_find(key)
        # In a file that this process writes: an update may be under way in another thread.
        if not self._mutex.acquire(blocking=False):
            raise TableBusy(self.name, "an update is under way")
        try:
            return self._ask(key) if self._batch else self._locked_find(key)
        finally:
            self._mutex.release()

    def wait_for_writer(self) -> None:
        with self._mutex:
            fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)  # a lock of its own: the other one is in use
            try:
                fcntl.flock(fd, fcntl.LOCK_SH)
            finally:
                os.close(fd)

    def _locked_find(self, key: bytes) -> bytes | None:
        if self._watch.changed():
            self._reopen()
        try:
            fcntl.flock(self._fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TableBusy(self.name, "another program is writing the file") from None
        try:
            return self._ask(key)
        except db.DBError as error:
            self.context.log.warning(f"{self.label}: {error.args[-1] if error.args else error}")
            raise TableUnavailable(self.name, str(error)) from None
        finally:
            fcntl.flock(self._fd, fcntl.LOCK_UN)

    def _ask(self, key: bytes) -> bytes | None:
        value: bytes | None = None
        if self._nul is not False:
            value = self._handle.get(key + b"\0")
            if value is not None:
                self._nul = True
                return value.removesuffix(b"\0")
        if self._nul is not True:
            value = self._handle.get(key)
            if value is not None:
                self._nul = False
        return value

    def _reopen(self) -> None:
        old = self._handle, self._fd
        try:
            self._open()
        except TableError as error:
            self.context.log.error(f"{error.reason}; the old content of {self.name} stays in use")
            return
        old[0].close()
        os.close(old[1])

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        cursor = self._handle.cursor()
        try:
            record = cursor.first()
            while record is not None:
                yield record[0].removesuffix(b"\0"), record[1].removesuffix(b"\0")
                record = cursor.next()
        finally:
            cursor.close()

    # -- writing ---------------------------------------------------------------------------------------------------

    def begin_update(self) -> None:
        self._mutex.acquire()
        fcntl.flock(self._fd, fcntl.LOCK_EX)
        self._batch = True

    def end_update(self) -> None:
        self._batch = False
        try:
            self._handle.sync()
        finally:
            fcntl.flock(self._fd, fcntl.LOCK_UN)
            self._mutex.release()

    def update(self, key: bytes, value: bytes) -> None:
        self._alone(lambda: self._handle.put(key + b"\0", value + b"\0"))

    def delete(self, key: bytes) -> bool:
        def remove() -> bool:
            for stored in (key + b"\0", key):
                if self._handle.get(stored) is not None:
                    self._handle.delete(stored)
                    return True
            return False

        return bool(self._alone(remove))

    def _alone(self, work: Any) -> Any:
        if self._batch:
            return work()
        self.begin_update()
        try:
            return work()
        except db.DBError as error:
            raise TableUnavailable(self.name, str(error)) from None
        finally:
            self.end_update()

    def close(self) -> None:
        if self._fd >= 0:
            self._handle.close()
            os.close(self._fd)
            self._fd = -1


def write_berkeley(path: str, kind: str, entries: dict[bytes, bytes], nul: bool = True) -> None:
    """A new database with this content. OSError, or the library's error as OSError."""
    handle = db.DB()
    end = b"\0" if nul else b""
    try:
        handle.open(path, None, db.DB_HASH if kind == "hash" else db.DB_BTREE, db.DB_CREATE | db.DB_TRUNCATE, 0o600)
        for key, value in entries.items():
            handle.put(key + end, value + end)
    except db.DBError as error:
        raise OSError(error.args[0] if error.args else 0, str(error)) from None
    finally:
        handle.close()
