"""What a table type is made of: a `Driver`, and the `TableContext` that it lives with (LK-2, LK-10, SV-4).

A driver is synchronous and pure Python: `get` folds the key, looks at its encoding and asks `find`. `put` and `drop`
fold it in the same way for `update` and `delete`. All raise TableError; None is "not found". `blocking` says that
`find` may take long: the adapter then runs it in a thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from pytwfix.contracts.tables import (
    FOLD_FIX,
    FOLD_MUL,
    RHS_IS_FILE,
    UTF8_REQUEST,
    TableMisconfigured,
    TableUnavailable,
)
from pytwfix.tables.textsource import folder, is_utf8, shown

if TYPE_CHECKING:
    from pytwfix.contracts.host import IDisk, ILog, IRandom


NOT_UTF8 = "malformed UTF-8 or invalid codepoint"


class TableBusy(TableUnavailable):
    """Another program is writing the file at this moment: ask again by `get_waiting`, in a thread."""


class TableContext:
    """What every driver may use. `open` opens another table by its name (for tables made of tables). `makes` says that
    an index may be made where there is none: by the mail system, not by commands. `run` starts work in another thread;
    commands have none."""

    __slots__ = (
        "_home",
        "_run",
        "clock",
        "data_directory",
        "default_type",
        "directory",
        "disk",
        "expand",
        "log",
        "makes",
        "open",
        "parameter",
        "random",
        "smtputf8",
    )

    def __init__(
        self,
        *,
        expand: Callable[[str], str],
        parameter: Callable[[str], str | None],
        disk: IDisk,
        log: ILog,
        clock: Callable[[], float],
        random: IRandom,
        open: Callable[[str, int], Driver],
        smtputf8: bool = True,
        directory: str = "",
        data_directory: str = "",
        default_type: str = "hash",
        makes: bool = False,
        run: Callable[[Callable[[], None]], object] | None = None,
    ) -> None:
        self._run = run
        self._home = threading.get_ident()  # the thread that must not wait
        self.expand = expand
        self.parameter = parameter
        self.disk = disk
        self.log = log
        self.clock = clock
        self.random = random
        self.open = open
        self.smtputf8 = smtputf8
        self.directory = directory
        self.data_directory = data_directory
        self.default_type = default_type
        self.makes = makes

    @property
    def has_threads(self) -> bool:
        return self._run is not None

    def aside(self, work: Callable[[], None]) -> None:
        """Do what takes long in another thread; here, if there are none or this is one. `work` raises nothing."""
        if self._run is None or threading.get_ident() != self._home:
            work()
        else:
            self._run(work)

    def path(self, name: str) -> str:
        """A table's file: relative names start at the queue directory, in which Postfix's daemons live."""
        if name.startswith("/") or not self.directory:
            return name
        return f"{self.directory}/{name}"

    def number(self, name: str, default: int) -> int:
        """An integer parameter by name."""
        try:
            return int(self.parameter(name) or default)
        except ValueError:
            return default


class Driver:
    """One open table. Subclasses say `find`; `kind` and `rest` are the two halves of `type:name`."""

    fixed = True
    blocking = False
    names_files = False  # RHS_IS_FILE: values name files (types without an index), else they are files in base64
    path = ""  # the file that lookups are made in, if any
    readonly = ""  # "": cannot be opened for writing, with the type's own words

    def __init__(self, context: TableContext, kind: str, rest: str, flags: int) -> None:
        self.context = context
        self.kind = kind
        self.rest = rest
        self.name = f"{kind}:{rest}"
        self.label = self.name  # as messages say it
        self.flags = flags
        self.fold = bool(flags & (FOLD_FIX if self.fixed else FOLD_MUL))
        self.utf8 = bool(flags & UTF8_REQUEST) and context.smtputf8
        self.folded = folder(self.fold, self.utf8)
        if flags & RHS_IS_FILE:
            self.get = self._get_content  # type: ignore[method-assign]

    def get(self, key: bytes) -> bytes | None:
        """The value of `key`, or None. Raises TableError."""
        if key.isascii():
            value = self.find(key.lower() if self.fold else key)
        else:
            value = self._get_eight_bit(key)
        if value is not None and self.utf8 and not value.isascii():
            self._check_value(key, value)
        return value

    def put(self, key: bytes, value: bytes) -> None:
        """Make `value` what `get` answers to `key`. Raises TableError."""
        self.update(self.folded(key), value)

    def drop(self, key: bytes) -> bool:
        """Whether there was a value of `key`, which is gone now. Raises TableError."""
        return self.delete(self.folded(key))

    def _get_content(self, key: bytes) -> bytes | None:
        """Values that are files' contents (LK-11)."""
        value = type(self).get(self, key)
        if value is None:
            return None
        from pytwfix.tables.contents import decoded, joined_files

        content = joined_files(self.context, self.name, value) if self.names_files else decoded(value)
        if content is None:
            raise TableMisconfigured(self.name, f'key "{shown(key)}": the value is not base64')
        return content

    def owner(self) -> int:
        """The uid that owns the table's file; 0 for what stands in main.cf (local delivers with this user's rights)."""
        if not self.path:
            return 0
        try:
            uid: int = self.context.disk.stat(self.path).st_uid
        except OSError as error:
            raise TableUnavailable(self.name, f"{self.path}: {error.strerror}") from None
        return uid

    def _get_eight_bit(self, key: bytes) -> bytes | None:
        if self.utf8 and not is_utf8(key):
            self.warn_not_utf8(key)
            return None
        return self.find(self.folded(key))

    def _check_value(self, key: bytes, value: bytes) -> None:
        try:
            value.decode()
        except UnicodeDecodeError:
            text = f'key "{shown(key)}": non-UTF-8 value "{shown(value)}": {NOT_UTF8}'
            self.context.log.warning(f"{self.label}: {text}")
            raise TableMisconfigured(self.name, text) from None

    def get_waiting(self, key: bytes) -> bytes | None:
        """As `get`, but waits for another program that is writing: never in the reactor's thread."""
        while True:
            try:
                return self.get(key)
            except TableBusy:
                self.wait_for_writer()

    def wait_for_writer(self) -> None:
        """Return when whoever made `get` raise TableBusy has done; blocks."""

    def warn_not_utf8(self, key: bytes) -> None:
        self.context.log.warning(f'{self.label}: non-UTF-8 key "{shown(key)}": {NOT_UTF8}')

    def find(self, key: bytes) -> bytes | None:
        """The lookup itself, of a key that is folded already."""
        raise NotImplementedError

    def begin_update(self) -> None:
        """Updates follow: a file type may take them together until `end_update`."""

    def end_update(self) -> None:
        """What was updated is on the disk when this returns."""

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """All keys and values, in the table's own order."""
        raise TableMisconfigured(self.name, "sequence operation is not supported")

    def delete(self, key: bytes) -> bool:
        """Of a key that is folded already, as in `update`."""
        raise TableMisconfigured(self.name, "delete operation is not supported")

    def update(self, key: bytes, value: bytes) -> None:
        raise TableMisconfigured(self.name, "update operation is not supported")

    def close(self) -> None:
        """Give back what the table holds. A closed table may be asked again: it opens itself."""
