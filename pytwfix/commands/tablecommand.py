"""What postmap and postalias have in common: options, queries, deletes, dumps, builds (PM-1 to PM-5).

Exit status 0 when something was found or done, else 1; all that goes wrong is `program: fatal: text` and 1. No
Twisted is imported on the way.
"""

from __future__ import annotations

import getopt
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import NoReturn

from pytwfix.commands.options import complaint
from pytwfix.contracts.tables import FOLD_FIX, UTF8_REQUEST, TableError, TableUnavailable
from pytwfix.tables.build import (
    Duplicates,
    Entry,
    add,
    buildable,
    collect,
    create,
    duplicate_label,
    open_for_update,
    source_mode,
    table_path,
    with_files,
)
from pytwfix.tables.contents import decoded
from pytwfix.tables.driver import Driver
from pytwfix.tables.names import split_name
from pytwfix.tables.registry import TYPES, Tables
from pytwfix.tables.standalone import command_settings, command_tables, die
from pytwfix.tables.textsource import folder, shown

Parser = Callable[[bytes, str, Callable[[str], None], bool], Iterable[Entry]]


class TableCommand:
    """One run of postmap or postalias. `letters` are getopt's; `parse` reads the source text."""

    def __init__(self, program: str, letters: str, usage: str, parse: Parser, separator: bytes = b"\t") -> None:
        self.program = program
        self.usage = usage
        self.parse = parse
        self.separator = separator
        self.letters = letters
        self.options: dict[str, str] = {}
        self.tables: Tables
        self.smtputf8 = True

    # -- the command line ------------------------------------------------------------------------------------------

    def run(self, arguments: list[str]) -> int:
        """The command; its exit status."""
        try:
            return self._run(arguments)
        except TableError as error:
            die(self.program, error.reason)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            return 1
        except OSError as error:
            die(self.program, f"open {error.filename}: {os.strerror(error.errno or 0)}")

    def _run(self, arguments: list[str]) -> int:
        try:
            found, names = getopt.getopt(arguments, self.letters)
        except getopt.GetoptError as error:
            sys.stderr.write(f"{self.program}: {complaint(error, self.letters)}\n")
            self.die_of_usage()
        self._take(found)
        settings = self._settings()
        enabled = (settings("smtputf8_enable") or "").strip().lower() == "yes"
        self.smtputf8 = "U" in self.options or (enabled and "u" not in self.options)
        self.tables = command_tables(self.program, settings, lambda text: text, self.smtputf8)
        if "q" in self.options:
            return self._query(self.options["q"], names)
        if "d" in self.options:
            return self._delete(self.options["d"], names)
        if "s" in self.options:
            return self._dump(names)
        if not names:
            self.die_of_usage()
        for name in names:
            self.build(name)
        return 0

    def _take(self, found: list[tuple[str, str]]) -> None:
        for option, value in found:
            letter = option[1]
            modes = [mode for mode in "sqd" if mode in self.options]
            if letter in ("q", "d") and modes:
                die(self.program, "specify only one of -s -q or -d")
            if letter == "s" and modes:
                die(self.program, "specify only one of -s or -q or -d")
            if letter in "rw":  # the last of them counts
                self.options.pop("w" if letter == "r" else "r", None)
            self.options[letter] = value
        self.check()

    def check(self) -> None:
        """What the options must be like together."""

    def die_of_usage(self) -> NoReturn:
        die(self.program, f"usage: {self.program} {self.usage}")

    def _settings(self) -> Callable[[str], str | None]:
        return command_settings(self.program, self.options.get("c", ""))[0]

    @property
    def flags(self) -> int:
        fold = 0 if "f" in self.options else FOLD_FIX
        return fold | (UTF8_REQUEST if self.smtputf8 else 0)

    def warn(self, text: str) -> None:
        self.tables.context.log.warning(text)

    # -- questions -------------------------------------------------------------------------------------------------

    def _query(self, key: str, names: list[str]) -> int:
        if not names:
            self.die_of_usage()
        if key == "-":
            return self.query_lines(names)
        wanted = os.fsencode(key)
        for name in names:
            driver = self.tables.driver(name, self.flags)
            value = self.lookup(driver, wanted)
            if value is not None:
                self.put(_json(wanted, value) if "j" in self.options else value + b"\n")
                return 0
        return 1

    def query_lines(self, names: list[str]) -> int:
        """Each line of standard input is a key."""
        drivers = Opened(self.tables, names, self.flags)
        found = False
        for line in _lines(sys.stdin.buffer):
            found |= self.answer(drivers, line)
        return 0 if found else 1

    def answer(self, drivers: Iterable[Driver], key: bytes) -> bool:
        """`key<TAB>value` from the first table that has it."""
        for driver in drivers:
            value = self.lookup(driver, key)
            if value is not None:
                self.put(self.entry(key, value))
                return True
        return False

    def entry(self, key: bytes, value: bytes) -> bytes:
        """A line of output with both."""
        return _json(key, value) if "j" in self.options else key + self.separator + value + b"\n"

    def lookup(self, driver: Driver, key: bytes) -> bytes | None:
        try:
            value = driver.get_waiting(key)
        except TableError as error:
            die(self.program, query_failure(driver, error))
        if value == b"":
            self._check_entry(driver, key, value)
        if value is not None and "F" in self.options:
            value = self._decoded(driver, key, value)
        return value

    def _check_entry(self, driver: Driver, key: bytes, value: bytes) -> None:
        if not key:
            self.warn(f"table {driver.label}: empty lookup key value is not allowed")
        elif not value:
            self.warn(f"table {driver.label}: key {shown(key)}: empty string result is not allowed")
            self.warn(f"table {driver.label} should return NO RESULT in case of NOT FOUND")

    def _decoded(self, driver: Driver, key: bytes, value: bytes) -> bytes:
        content = decoded(value)
        if content is None:
            die(self.program, f"table {driver.label}: key {shown(key)}: malformed BASE64 value: {shown(value)[:30]}")
        return content

    def put(self, text: bytes) -> None:
        sys.stdout.buffer.write(text)

    # -- changes ---------------------------------------------------------------------------------------------------

    def _delete(self, key: str, names: list[str]) -> int:
        if not names:
            self.die_of_usage()
        keys = list(_lines(sys.stdin.buffer)) if key == "-" else [os.fsencode(key)]
        found = False
        for name in names:
            driver = self._updatable(name)
            for one in keys:
                found |= self._delete_one(driver, one)
            driver.close()
        return 0 if found else 1

    def _updatable(self, name: str) -> Driver:
        try:
            kind, rest = split_name(name, self.tables.context.default_type)
        except ValueError as error:
            die(self.program, str(error))
        return open_for_update(self.tables.context, kind, rest, self.flags)

    def _delete_one(self, driver: Driver, key: bytes) -> bool:
        try:
            return driver.drop(key)
        except TableError as error:
            if "not supported" in error.reason:
                die(self.program, f"table {driver.label}: {error.reason}")
            die(self.program, f"table {driver.label}: delete error: {error.reason}")

    def _dump(self, names: list[str]) -> int:
        for name in names:
            driver = self.tables.driver(name, self.flags)
            found = False
            try:
                for key, value in driver.items():
                    found = True
                    self._check_entry(driver, key, value)
                    if "F" in self.options:
                        value = self._decoded(driver, key, value)
                    self.put(self.entry(key, value))
            except TableError as error:
                middle = "" if "not supported" in error.reason else "sequence error: "
                die(self.program, f"table {driver.label}: {middle}{error.reason}")
            if found:
                return 0
        return 0 if names else 1

    # -- building --------------------------------------------------------------------------------------------------

    def build(self, name: str) -> None:
        """Make the table from its text, or add standard input to it (-i)."""
        first, colon, rest = name.partition(":")
        kind, source = (first, rest) if colon else (self.tables.context.default_type, name)
        if "i" in self.options:
            status = os.fstat(sys.stdin.fileno())
            data = sys.stdin.buffer.read()
        else:
            with open(source, "rb") as file:
                status = os.fstat(file.fileno())
                data = file.read()
        self._check_kind(kind, source, data)
        if "i" in self.options:
            self._increment(kind, source, data)
            return
        owner = self._become(status)
        try:
            content = collect(
                self._entries(data, source), self.folding(), self.duplicates(), duplicate_label(kind, source), self.warn
            )
            content.update(self.additions())
            self._create(kind, source, content, source_mode(status, "p" in self.options))
        finally:
            if owner:
                os.seteuid(0)
                os.setegid(0)

    def additions(self) -> list[tuple[bytes, bytes]]:
        """What a new table has besides its text."""
        return []

    def _check_kind(self, kind: str, source: str, data: bytes) -> None:
        if kind == "fail":
            if any(True for _ in self._entries(data, source)):
                die(self.program, f"table fail:{source}: write error: Application error")
            raise SystemExit(0)
        if not buildable(kind):
            if kind in TYPES:
                die(self.program, f"unsupported dictionary type: {kind} does not support bulk-mode creation.")
            die(self.program, f"unsupported dictionary type: {kind}")

    def _create(self, kind: str, source: str, content: dict[bytes, bytes], mode: int) -> None:
        try:
            create(self.tables.context, kind, source, content, mode, self.nul(kind))
        except OSError as error:
            die(self.program, f"open {table_path(kind, source)}: {os.strerror(error.errno or 0)}")

    def nul(self, kind: str) -> bool:
        """Whether keys and values end in NUL: Postfix's habit for each type, -N and -n."""
        if "N" in self.options:
            return True
        return "n" not in self.options and kind != "cdb"

    def _increment(self, kind: str, source: str, data: bytes) -> None:
        table = open_for_update(self.tables.context, kind, source, self.flags, make=True)
        label = duplicate_label(kind, source)
        add(table, self._entries(data, "stdin"), self.duplicates(), label, self.warn)
        table.close()

    def _entries(self, data: bytes, path: str) -> Iterable[Entry]:
        entries = self.parse(data, path, self.warn, self.smtputf8)
        return with_files(entries, path, self.warn) if "F" in self.options else entries

    def folding(self) -> Callable[[bytes], bytes]:
        return folder("f" not in self.options, self.smtputf8)

    def duplicates(self) -> str:
        if "r" in self.options:
            return Duplicates.REPLACE
        return Duplicates.IGNORE if "w" in self.options else Duplicates.WARN

    def _become(self, status: os.stat_result) -> bool:
        """Root makes the file as the source's owner, unless -o says not to (PM-4)."""
        if "o" in self.options or os.geteuid() != 0 or status.st_uid == 0:
            return False
        os.setegid(status.st_gid)
        os.seteuid(status.st_uid)
        return True


class Opened:
    """Tables that are opened when a search comes to them."""

    def __init__(self, tables: Tables, names: list[str], flags: int) -> None:
        self._tables = tables
        self._names = names
        self._flags = flags
        self._open: list[Driver] = []

    def __iter__(self) -> Iterator[Driver]:
        for at, name in enumerate(self._names):
            if at == len(self._open):
                self._open.append(self._tables.driver(name, self._flags))
            yield self._open[at]


def query_failure(driver: Driver, error: TableError) -> str:
    """The fatal text for a table that does not answer."""
    if driver.kind in ("sqlite", "mysql", "pgsql", "ldap"):
        return error.reason
    if isinstance(error, TableUnavailable):
        return f"table {driver.label}: query error: Application error"
    return f"table {driver.label}: query error"


def _json(key: bytes, value: bytes) -> bytes:
    import json

    text = json.dumps({key.decode("utf-8", "replace"): value.decode("utf-8", "replace")}, ensure_ascii=False)
    return text.encode() + b"\n"


def _lines(file: Iterable[bytes]) -> Iterator[bytes]:
    for line in file:
        yield line.rstrip(b"\n")
