"""cdb:/file: D. J. Bernstein's constant database in `/file.cdb` (MT-1; http://cr.yp.to/cdb/cdb.txt).

Read through mmap, directly: a lookup is a hash, two or three look-ups in memory. Made anew and renamed, never changed.
Numbers are 32 bits, little-endian; the file is less than 4 GB.
"""

from __future__ import annotations

import mmap
import os
import sys
from array import array
from collections.abc import Iterable, Iterator
from struct import Struct
from struct import error as StructError

from pytwfix.contracts.tables import TableError, TableUnavailable
from pytwfix.tables.driver import Driver, TableContext
from pytwfix.tables.files import Watch, unreadable

_PAIR = Struct("<LL")
_HEADER = 2048


def cdb_hash(key: bytes) -> int:
    value = 5381
    for octet in key:
        value = (((value << 5) + value) & 0xFFFFFFFF) ^ octet
    return value


def write_cdb(fd: int, entries: Iterable[tuple[bytes, bytes]]) -> None:
    """A whole database into an empty file. OSError; ValueError when it would be too big.

    Records go to the file as they come; of each only its hash and its place stay, 8 bytes.
    """
    buckets = [array("I") for _ in range(256)]  # hash, position, hash, position ...
    header: list[bytes] = []
    position = _HEADER
    with os.fdopen(os.dup(fd), "wb") as file:
        file.write(bytes(_HEADER))
        for key, value in entries:
            hashed = cdb_hash(key)
            bucket = buckets[hashed & 255]
            bucket.append(hashed)
            bucket.append(position)
            position += file.write(_PAIR.pack(len(key), len(value)) + key + value)
            _check_size(position)
        for bucket in buckets:
            header.append(_PAIR.pack(position, len(bucket)))
            position += file.write(_slots(bucket))
            _check_size(position)
        file.seek(0)
        file.write(b"".join(header))


def _check_size(position: int) -> None:
    if position > 0xFFFFFFFF:
        raise ValueError("the database would be bigger than 4 GB")


def _slots(bucket: array[int]) -> bytes:
    """The open hash table of one of the 256 buckets: twice as many slots as entries."""
    size = len(bucket)  # two numbers an entry
    slots = array("I", bytes(8 * size))
    for index in range(0, size, 2):
        hashed, position = bucket[index], bucket[index + 1]
        place = (hashed >> 8) % size
        while slots[2 * place + 1]:
            place = (place + 1) % size
        slots[2 * place], slots[2 * place + 1] = hashed, position
    if sys.byteorder == "big":
        slots.byteswap()
    return slots.tobytes()


class Reader:
    """An open file. A broken file is a ValueError or struct.error."""

    def __init__(self, path: str) -> None:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._data = mmap.mmap(fd, 0, access=mmap.ACCESS_READ)
        finally:
            os.close(fd)
        if len(self._data) < _HEADER:
            raise ValueError("not a cdb file")

    def get(self, key: bytes) -> bytes | None:
        data = self._data
        hashed = cdb_hash(key)
        table, size = _PAIR.unpack_from(data, (hashed & 255) * 8)
        if not size:
            return None
        place = (hashed >> 8) % size
        for _ in range(size):
            found, position = _PAIR.unpack_from(data, table + 8 * place)
            if not position:
                return None
            if found == hashed:
                key_size, value_size = _PAIR.unpack_from(data, position)
                start = position + 8
                if data[start : start + key_size] == key:
                    return data[start + key_size : start + key_size + value_size]
            place = (place + 1) % size
        return None

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        end = _PAIR.unpack_from(self._data, 0)[0]
        position = _HEADER
        while position < end:
            key_size, value_size = _PAIR.unpack_from(self._data, position)
            position += 8
            yield (
                self._data[position : position + key_size],
                self._data[position + key_size : position + key_size + value_size],
            )
            position += key_size + value_size

    def close(self) -> None:
        self._data.close()


class Cdb(Driver):
    suffix = ".cdb"
    readonly = (
        "dict_cdb_open: inappropriate open flags for cdb database - specify O_RDONLY or O_WRONLY|O_CREAT|O_TRUNC"
    )

    def __init__(self, context: TableContext, kind: str, rest: str, flags: int) -> None:
        super().__init__(context, kind, rest, flags)
        self.path = context.path(rest) + self.suffix
        self.label = self.name + self.suffix
        self._nul: bool | None = None
        self._watch = Watch(context, self.path)
        self._reader = self._open()

    def _open(self) -> Reader:
        try:
            return Reader(self.path)
        except OSError as error:
            raise unreadable(self.name, "open database", self.path, error) from None
        except ValueError as error:
            raise TableUnavailable(self.name, f"open database {self.path}: {error}") from None

    def find(self, key: bytes) -> bytes | None:
        if self._watch.changed():
            self._reopen()
        try:
            if self._nul is not True:
                value = self._reader.get(key)
                if value is not None:
                    self._nul = False
                    return value
            if self._nul is not False:
                value = self._reader.get(key + b"\0")
                if value is not None:
                    self._nul = True
                    return value.removesuffix(b"\0")
        except (StructError, ValueError) as problem:
            raise TableUnavailable(self.name, f"broken file: {problem}") from None
        return None

    def _reopen(self) -> None:
        try:
            fresh = self._open()
        except TableError as error:
            self.context.log.error(f"{error.reason}; the old content of {self.name} stays in use")
            return
        self._reader.close()
        self._reader, self._nul = fresh, None

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        for key, value in self._reader.items():
            yield key.removesuffix(b"\0"), value.removesuffix(b"\0")

    def close(self) -> None:
        self._reader.close()
