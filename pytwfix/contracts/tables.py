"""Lookup tables: one interface for all types (LK-1, LK-2, LK-10, LK-13)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred


class TableError(Exception):
    """A table cannot answer. Never "not found": it becomes a 4xx. `table` is "type:name"."""

    def __init__(self, table: str, reason: str) -> None:
        super().__init__(f"{table}: {reason}")
        self.table = table
        self.reason = reason


class TableUnavailable(TableError):
    """For now: a server does not answer, a file is missing."""


class TableMisconfigured(TableError):
    """As long as nobody corrects the configuration: unknown type, syntax error, a right that is missing."""


# How a table is opened (bits).
FOLD_FIX = 1  # fold the case of keys of fixed tables to lower
FOLD_MUL = 2  # also of pattern tables
UTF8_REQUEST = 4  # keys and values must be UTF-8 when smtputf8_enable says so
NO_REGSUB = 8  # $1 in results is an error (RX-8)
NO_PROXY = 16
NO_UNAUTH = 32  # nothing that comes over a network without proof of where it comes from (tcp)
RHS_IS_FILE = 64  # values are base64 of files (LK-11)
PARENT = 128  # for matchlists: `.domain` rule
TRUSTED_OWNER = 256  # the file's owner must be root or mail_owner
DEFAULT_FLAGS = FOLD_FIX | UTF8_REQUEST


class ITable(Protocol):
    """One table, open."""

    @property
    def name(self) -> str:
        """As configured, "type:name"."""

    @property
    def fixed(self) -> bool:
        """Takes partial keys (FIXED in LK-2); else it wants to see the whole key only."""

    def lookup(self, key: bytes) -> Deferred[bytes | None]:
        """The value of `key`, or None. Errback: TableError."""

    def close(self) -> None: ...


class IWritableTable(ITable, Protocol):
    """A table that programs write: caches of verify, postscreen, tlsmgr. Blocking types do it in a thread."""

    def update(self, key: bytes, value: bytes) -> Deferred[None]: ...
    def delete(self, key: bytes) -> Deferred[bool]: ...
    def items(self) -> Iterator[tuple[bytes, bytes]]: ...


class ITables(Protocol):
    """Opens tables; one table for one name and flags in a process. Never raises: what cannot be opened is a table
    whose lookups fail with TableMisconfigured or TableUnavailable (LK-13)."""

    def open(self, name: str, flags: int = DEFAULT_FLAGS) -> ITable: ...
    def open_writable(self, name: str, flags: int = DEFAULT_FLAGS) -> IWritableTable: ...
