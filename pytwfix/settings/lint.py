"""Which names main.cf and master.cf may set: built-in, of a service, or used by another value (DN-1..DN-3, PC-8, PC-9).

`Lint` is made of both files and answers which names there are, and what to warn about, in Postfix's words.
"""

from __future__ import annotations

import math
import os

from pytwfix.basics.macros import MacroError, expand, mentions
from pytwfix.settings import registry, transports
from pytwfix.settings.clienttables import KEYS, table_names
from pytwfix.settings.deprecated import LEGACY, advice
from pytwfix.settings.kinds import Raw, SettingsError
from pytwfix.settings.maincf import MainCf, parse_main, read_text
from pytwfix.settings.mastercf import shared_overrides
from pytwfix.settings.snapshot import Snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Set

    from pytwfix.basics.macros import Lookup
    from pytwfix.settings.kinds import Parameter
    from pytwfix.settings.mastercf import Entry

READ_ONLY = ("process_name", "process_id", "service_name")
BUILTIN, SERVICE, USER = "builtin", "service", "user"
DELIVERY_COMMANDS = frozenset(("local", "error", "virtual", "smtp", "lmtp", "pipe"))
TIMED_COMMANDS = frozenset(("pipe", "spawn"))


class Lint:
    """What the two files say, with every name's class in `classes`."""

    def __init__(self, main: MainCf, entries: list[Entry]) -> None:
        self.main = main
        self._global = Snapshot(main.values)
        self._lookup = self.lookup(self._global)
        self.entries = entries
        self.master = os.path.join(os.path.dirname(main.path), "master.cf")
        self.classes: dict[str, str] = dict.fromkeys([*registry.parameters(), *READ_ONLY], BUILTIN)
        self.services: dict[str, Parameter] = {}
        self.syntax: list[str] = []
        self.faults: list[str] = []  # errors that end postconf
        self._overrides = shared_overrides(entries)
        self._first: dict[str, float] = {entry.key: math.inf for entry in entries}  # where options begin
        for entry in entries:
            if entry.overrides():
                self._first[entry.key] = min(self._first[entry.key], entry.number)
        self._overridden = {name for own in self._overrides.values() for name in own}
        self._wanted_by_main: list[str] = []
        self._wanted_by_master: list[str] = []
        self._used: set[str] = set()  # what main.cf wants, and only master.cf has
        self._own: dict[str, set[str]] = {}  # what a service's options want of each other
        self._tables: dict[tuple[str, str], None] = {}
        for name in transports.FIXED:
            self.services[name] = transports.named(name)
            self.classes[name] = BUILTIN
        self._add_services()
        self._read_values()
        self._add_user()

    def lookup(self, snapshot: Snapshot) -> Lookup:
        """The unexpanded text of a name as a snapshot has it, and the defaults of parameters of services."""

        def text(name: str) -> str | None:
            value = snapshot.stated(name)
            if value is None and name in registry.COMPUTED:
                return self._global.get(name)  # of main.cf, whatever a service says
            if value is None:
                value = snapshot.get(name)
            if value is None and name in self.services:
                return self.services[name].default
            return value

        return text

    def _add_services(self) -> None:
        for entry in self.entries:
            command = entry.fields[-1]
            for suffix in transports.DELIVERY if command in DELIVERY_COMMANDS else ():
                self._service(entry, suffix)
            if command in TIMED_COMMANDS:
                self._service(entry, "time_limit")

    def _service(self, entry: Entry, suffix: str) -> None:
        parameter = transports.declaration(entry.fields[0], suffix)
        self.services[parameter.name] = parameter
        self.classes.setdefault(parameter.name, SERVICE)

    def _read_values(self) -> None:
        for name, value in self.main.values.items():
            if name not in READ_ONLY:
                self._wanted_by_main += self._mentions(name, value, self.main.values.get)
        for key, own in self._overrides.items():
            wanted = [
                one
                for name, value in own.items()
                for one in self._mentions(name, value, own.get)
            ]
            self._own[key] = own.keys() & wanted
            self._wanted_by_master += [one for one in wanted if one not in own]

    def _mentions(self, name: str, value: str, lookup: Lookup) -> list[str]:
        """The names that a value needs. What raw parameters mention comes with each mail.

        :param lookup: what the files say, without defaults.
        """
        if isinstance(registry.find(name), Raw):
            return []
        found: list[str] = []
        if name == "smtpd_restriction_classes":
            try:
                found += expand(value, lookup, recursive=True).replace(",", " ").split()
            except MacroError as error:
                self.faults.append(str(error))
        if "$" in value:
            mentioned, faults = mentions(value)
            found += mentioned
            self.syntax += [str(fault) for fault in faults]
        return found

    def _add_user(self) -> None:
        for name in (*self._wanted_by_main, *self._wanted_by_master, *LEGACY):
            if name in self.main.values:
                self.classes.setdefault(name, USER)
        self._used = self._overridden.intersection(self._wanted_by_main)
        for table in self._scan("main.cf", self.main.values, self._lookup):
            self._used.update(self._client_keys(table))
        for key, own in self._overrides.items():
            for table in self._scan(f"master.cf:{key}", own, _within(own, self._lookup)):
                self._own[key].update(self._client_keys(table))

    def _scan(self, file: str, values: dict[str, str], lookup: Lookup) -> list[tuple[str, str]]:
        """The database tables that values of known parameters name."""
        found: list[tuple[str, str]] = []
        problems: list[str] = []
        for name, value in values.items():
            known = self.classes.get(name) in (BUILTIN, SERVICE) and name not in READ_ONLY
            if known and not isinstance(registry.find(name), Raw):
                found += table_names(_expanded(value, lookup), problems)
        self.syntax += [f"{file}: {problem}" for problem in problems]
        self._tables.update(dict.fromkeys(found))
        return found

    def _client_keys(self, table: tuple[str, str]) -> list[str]:
        """The names in main.cf that a database table reads (DN-3)."""
        kind, name = table
        found = [] if in_file(name) else [f"{name}_{key}" for key in KEYS[kind]]
        for one in found:
            if one in self.main.values:
                self.classes.setdefault(one, USER)
        return found

    def undefined(self) -> list[str]:
        """Names that values mention and nobody defines."""
        by_master = {name for name in self._wanted_by_master if not self.defined(name)}
        by_main = {name for name in self._wanted_by_main if not self.defined(name) and name not in self._overridden}
        return [
            *(f"{self.master}: undefined parameter: {name}" for name in sorted(by_master)),
            *(f"{self.main.path}: undefined parameter: {name}" for name in sorted(by_main)),
        ]

    def defined(self, name: str) -> bool:
        """Whether a name is known or set."""
        return name in self.classes or name in self.main.values or name in LEGACY

    def known(self, name: str) -> bool:
        """Whether the name can be asked for: older names that defaults mention can, set or not."""
        return name in self.classes or name in LEGACY

    def read_only(self) -> list[str]:
        """Values for names that the program itself sets."""
        found = [(self.master, name, value) for entry in self.entries for name, value in self.overrides(entry).items()]
        found += [(self.main.path, name, value) for name, value in self.main.values.items()]
        found = [one for one in found if one[1] in READ_ONLY]
        return [f"{path}: read-only parameter assignment: {name}={value}" for path, name, value in found]

    def unused_in_main(self) -> list[str]:
        """Values in main.cf that nothing reads, and names that go away."""
        return _unused(self.main.path, self.main.values, self.classes.keys())

    def unused_in_master(self) -> list[str]:
        """The same for -o in master.cf."""
        found = []
        for entry in self.entries:
            known = self.classes.keys() | self._used | self._own[entry.key]
            found += _unused(self.master, self.overrides(entry), known)
        return found

    def overrides(self, entry: Entry) -> dict[str, str]:
        """The -o options of an entry and of its doubles: by service and type, from the first that has some."""
        return self._overrides[entry.key] if entry.number >= self._first[entry.key] else {}

    def tables(self) -> list[str]:
        """What is wrong with the files of database tables: not there, or keys that the type does not know."""
        found: list[str] = []
        for kind, path in self._tables:
            if in_file(path):
                try:
                    values = parse_main(read_text(path), path).values
                except SettingsError as error:
                    reason = str(error).removeprefix(f"open {path}: ")
                    found.append(f'open "{kind}" configuration "{path}": {reason}')
                    continue
                found += [
                    f"{kind}:{path}: unused parameter: {name}={value}"
                    for name, value in values.items()
                    if name not in KEYS[kind]
                ]
        return found


def _within(own: dict[str, str], lookup: Lookup) -> Lookup:
    """The lookup of a service with options of its own."""
    return lambda name: own[name] if name in own else lookup(name)


def _expanded(value: str, lookup: Lookup) -> str:
    try:
        return expand(value, lookup, recursive=True)
    except (MacroError, SettingsError):
        return ""  # postconf ends when it comes to this value


def in_file(table: str) -> bool:
    """Whether the parameters of a database table are in a file, not in main.cf."""
    return table.startswith(("/", "."))


def _unused(path: str, values: dict[str, str], known: Set[str]) -> list[str]:
    found = []
    for name, value in values.items():
        told = advice(name)
        if told is not None:
            found.append(f"{path}: {told}")
        elif name not in known:
            found.append(f"{path}: unused parameter: {name}={value}")
        if name in known and " #" in value:
            found.append(f"{path}: #comment after other text is not allowed: {_comment(value)} ...")
    return found


def _comment(value: str) -> str:
    """The first word of `value` that looks like a comment."""
    for word in value.replace(",", " ").split():
        if word.startswith("#"):
            return word
    return ""
