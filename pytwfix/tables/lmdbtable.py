"""lmdb:/file: OpenLDAP's memory-mapped database in `/file.lmdb` (MT-1).

Postfix opens it without LMDB's own lock file and locks the whole data file with fcntl instead: readers share, a
writer is alone. So do we. A reader that finds the file locked does not wait in the reactor: LMDB never changes the
pages of the last committed state before the commit after the next, so it reads without the lock, and again if two
commits have passed meanwhile. Keys and values end in NUL, as Postfix writes them; without NUL is read too.

A lookup is made directly, not in a thread: it costs 2 to 4 us, and a page that is not in memory is no worse than one of
the program itself. One environment for a file and process. Another program may have made the file bigger: it is then
mapped anew. Units: bytes.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import lmdb

from pytwfix.contracts.tables import TableError, TableUnavailable
from pytwfix.tables.driver import Driver, TableContext
from pytwfix.tables.files import Watch, unreadable

T = TypeVar("T")
DEFAULT_MAP_SIZE = 16777216
_SHARED = fcntl.LOCK_SH | fcntl.LOCK_NB
MAXIMUM_GROWTH = 20  # times that a full map is doubled for one change

_environments: dict[tuple[int, int], _Environment]


class _Environment:
    """One open file, shared by all tables of the process that name it."""

    def __init__(self, path: str, identity: tuple[int, int], map_size: int, writable: bool) -> None:
        self.path = path
        self.identity = identity
        self.users = 0
        self._mutex = threading.Lock()
        self.writing = False  # by this process: its lock on the file is not to be touched
        self.writable = writable
        self.handle = lmdb.open(
            path, map_size=map_size, subdir=False, readonly=not writable, lock=False, create=False, max_dbs=0
        )
        self.fd = os.open(path, (os.O_RDWR if writable else os.O_RDONLY) | os.O_CLOEXEC)

    def last_transaction(self) -> int:
        number: int = self.handle.info()["last_txnid"]
        return number

    def lock(self) -> None:
        """Keep other writers out, and readers that wait; blocks."""
        self._mutex.acquire()
        self.writing = True
        fcntl.lockf(self.fd, fcntl.LOCK_EX)

    def unlock(self) -> None:
        fcntl.lockf(self.fd, fcntl.LOCK_UN)
        self.writing = False
        self._mutex.release()

    def close(self) -> None:
        self.handle.close()
        os.close(self.fd)


_environments = {}


def _acquire(path: str, map_size: int, writable: bool) -> _Environment:
    status = os.stat(path)
    identity = (status.st_dev, status.st_ino)
    environment = _environments.get(identity)
    if environment is not None and writable and not environment.writable:
        environment.close()
        fresh = _Environment(path, identity, max(map_size, status.st_size), True)
        environment.handle, environment.fd, environment.writable = fresh.handle, fresh.fd, True
    if environment is None:
        environment = _Environment(path, identity, max(map_size, status.st_size), writable)
        _environments[identity] = environment
    environment.users += 1
    return environment


def _release(environment: _Environment) -> None:
    environment.users -= 1
    if environment.users <= 0:
        _environments.pop(environment.identity, None)
        environment.close()


class Lmdb(Driver):
    suffix = ".lmdb"

    def __init__(
        self, context: TableContext, kind: str, rest: str, flags: int, path: str = "", writable: bool = False
    ) -> None:
        super().__init__(context, kind, rest, flags)
        self.path = path or context.path(rest) + self.suffix
        self._map_size = context.number("lmdb_map_size", DEFAULT_MAP_SIZE)
        self._writable = writable
        self._nul: bool | None = None  # whether keys end in NUL; None: not known yet
        self._transaction: Any = None
        self._closed = False
        self._environment = self._acquire()
        self._watch = Watch(context, self.path)
        self._inode = self._environment.identity[1]

    def _acquire(self) -> _Environment:
        try:
            return _acquire(self.path, self._map_size, self._writable)
        except OSError as error:
            raise unreadable(self.name, "open database", self.path, error) from None
        except lmdb.Error as error:
            raise TableUnavailable(self.name, f"open database {self.path}: {error}") from None

    # -- reading ---------------------------------------------------------------------------------------------------

    def find(self, key: bytes) -> bytes | None:
        if self._transaction is not None:
            return self._ask(lambda wanted: self._transaction.get(wanted), key)
        if self._watch.changed() and self._watch.stamp is not None and self._watch.stamp[0] != self._inode:
            self._reopen()
        if self._nul and key:
            environment = self._environment
            if not environment.writing:
                try:
                    return self._read_plainly(environment, key)
                except (OSError, lmdb.Error):
                    pass  # locked, or there is something to do before
        return self._retried(lambda: self._read(key))

    def _read_plainly(self, environment: _Environment, key: bytes) -> bytes | None:
        """The usual case with few calls: the lock is free, and it is known that texts end in NUL."""
        lock, fd = fcntl.lockf, environment.fd
        lock(fd, _SHARED)
        try:
            transaction = environment.handle.begin()
            value: bytes | None = transaction.get(key + b"\0")
            transaction.abort()
        finally:
            lock(fd, fcntl.LOCK_UN)
        return value if value is None or value[-1:] != b"\0" else value[:-1]

    def _read(self, key: bytes) -> bytes | None:
        environment = self._environment
        if environment.writing:
            return self._read_beside_writer(key)
        try:
            fcntl.lockf(environment.fd, _SHARED)
        except OSError:
            return self._read_beside_writer(key)
        try:
            with environment.handle.begin() as transaction:
                return self._ask(transaction.get, key)
        finally:
            fcntl.lockf(environment.fd, fcntl.LOCK_UN)

    def _read_beside_writer(self, key: bytes) -> bytes | None:
        environment = self._environment
        while True:
            before = environment.last_transaction()
            with environment.handle.begin() as transaction:
                value = self._ask(transaction.get, key)
            if environment.last_transaction() - before < 2:
                return value

    def _ask(self, get: Callable[[bytes], bytes | None], key: bytes) -> bytes | None:
        """With a NUL at the end and without, until it is known which of them this file has."""
        if not key:
            return None
        value: bytes | None = None
        if self._nul is not False:
            value = get(key + b"\0")
            if value is not None:
                self._nul = True
                return value[:-1] if value.endswith(b"\0") else value
        if self._nul is not True:
            value = get(key)
            if value is not None:
                self._nul = False
        return value

    def _retried(self, work: Callable[[], T]) -> T:
        """Map the file anew when another program has made it bigger."""
        for _ in range(3):
            try:
                return work()
            except lmdb.MapResizedError:
                self._environment.handle.set_mapsize(0)
            except lmdb.BadValsizeError:
                return None  # type: ignore[return-value]  # a key that is too long for LMDB is not in it
            except lmdb.Error as error:
                self.context.log.warning(f"{self.name}: {error}")
                raise TableUnavailable(self.name, str(error)) from None
        raise TableUnavailable(self.name, "the file keeps growing")

    def _reopen(self) -> None:
        try:
            fresh = self._acquire()
        except TableError as error:
            self.context.log.error(f"{error.reason}; the old content of {self.name} stays in use")
            return
        _release(self._environment)
        self._environment = fresh
        self._inode = fresh.identity[1]
        self._nul = None

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        def read() -> list[tuple[bytes, bytes]]:
            with self._environment.handle.begin() as transaction:
                return list(transaction.cursor())

        for key, value in self._retried(read):
            yield _bare(key), _bare(value)

    # -- writing ---------------------------------------------------------------------------------------------------

    def begin_update(self) -> None:
        self._environment.lock()
        self._transaction = self._environment.handle.begin(write=True)

    def end_update(self) -> None:
        transaction, self._transaction = self._transaction, None
        try:
            transaction.commit()
        finally:
            self._environment.unlock()

    def update(self, key: bytes, value: bytes) -> None:
        """One change, or one of several between begin_update and end_update (then the map must be big enough)."""
        if self._transaction is not None:
            self._transaction.put(key + b"\0", value + b"\0")
        else:
            self._change(lambda transaction: transaction.put(key + b"\0", value + b"\0"))

    def delete(self, key: bytes) -> bool:
        def remove(transaction: Any) -> bool:
            return bool(transaction.delete(key + b"\0") or transaction.delete(key))

        return remove(self._transaction) if self._transaction is not None else self._change(remove)

    def _change(self, work: Callable[[Any], T]) -> T:
        """In a transaction under the file's lock, with a bigger map when it is full."""
        environment = self._environment
        environment.lock()
        try:
            for _ in range(MAXIMUM_GROWTH):
                try:
                    with environment.handle.begin(write=True) as transaction:
                        return work(transaction)
                except lmdb.MapResizedError:
                    environment.handle.set_mapsize(0)
                except lmdb.MapFullError:
                    environment.handle.set_mapsize(environment.handle.info()["map_size"] * 2)
            raise TableUnavailable(self.name, "database full")
        except lmdb.Error as error:
            raise TableUnavailable(self.name, str(error)) from None
        finally:
            environment.unlock()

    def replace(self, entries: dict[bytes, bytes], nul: bool = True) -> None:
        """The whole content anew, in one transaction: readers see the old or the new one."""
        end = b"\0" if nul else b""

        def rewrite(transaction: Any) -> None:
            transaction.drop(self._environment.handle.open_db(None, transaction), delete=False)
            for key, value in entries.items():
                transaction.put(key + end, value + end)

        self._change(rewrite)

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            _release(self._environment)


def _bare(text: bytes) -> bytes:
    return text[:-1] if text.endswith(b"\0") else text
