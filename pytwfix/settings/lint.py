"""Which names main.cf and master.cf may set: built-in, of a service, or used by another value (DN-1..DN-3, PC-8, PC-9).

`Lint` is made of both files and answers which names there are, and what to warn about, in Postfix's words.
"""

from __future__ import annotations

import os

from pytwfix.basics.macros import MacroError, names
from pytwfix.settings import registry, transports
from pytwfix.settings.clienttables import KEYS, table_names
from pytwfix.settings.deprecated import LEGACY, advice
from pytwfix.settings.kinds import Raw, SettingsError
from pytwfix.settings.maincf import MainCf, parse_main, read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
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
        self.entries = entries
        self.master = os.path.join(os.path.dirname(main.path), "master.cf")
        self.classes: dict[str, str] = dict.fromkeys([*registry.parameters(), *READ_ONLY], BUILTIN)
        self.services: dict[str, Parameter] = {}
        self.syntax: list[str] = []
        self._wanted_by_main: list[str] = []
        self._wanted_by_master: list[str] = []
        self._tables: dict[tuple[str, str], None] = {}
        for name in transports.FIXED:
            self.services[name] = transports.named(name)
            self.classes[name] = BUILTIN
        self._add_services()
        self._read_values()
        self._add_user()

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
            self._wanted_by_main += self._mentions(name, value)
        for entry in self.entries:
            own = entry.overrides()
            for name, value in own.items():
                for wanted in self._mentions(name, value):
                    if wanted in own:
                        self.classes.setdefault(wanted, USER)
                    else:
                        self._wanted_by_master.append(wanted)

    def _mentions(self, name: str, value: str) -> list[str]:
        """The names that a value needs. What raw parameters mention comes with each mail."""
        if isinstance(registry.find(name), Raw):
            return []
        for table in table_names(value):
            self._tables[table] = None
        found: list[str] = []
        if name == "smtpd_restriction_classes" and "$" not in value:
            found += value.replace(",", " ").split()
        if "$" in value:
            try:
                found += names(value)
            except MacroError as error:
                self.syntax.append(str(error))
        return found

    def _add_user(self) -> None:
        for name in (*self._wanted_by_main, *self._wanted_by_master):
            if name in self.main.values:
                self.classes.setdefault(name, USER)
        for kind, table in self._tables:
            if not table.startswith(("/", ".")):
                for key in KEYS[kind]:
                    if f"{table}_{key}" in self.main.values:
                        self.classes.setdefault(f"{table}_{key}", USER)
        for name in LEGACY:
            if name in self.main.values:
                self.classes.setdefault(name, BUILTIN)

    def undefined(self) -> list[str]:
        """Names that values mention and nobody defines."""
        return [
            *(f"{self.master}: undefined parameter: {name}" for name in self._undefined(self._wanted_by_master)),
            *(f"{self.main.path}: undefined parameter: {name}" for name in self._undefined(self._wanted_by_main)),
        ]

    def _undefined(self, wanted: list[str]) -> list[str]:
        return sorted({name for name in wanted if not self.defined(name) and name not in LEGACY})

    def defined(self, name: str) -> bool:
        """Whether a name is known or set."""
        return name in self.classes or name in self.main.values

    def read_only(self) -> list[str]:
        """Values for names that the program itself sets."""
        found = [(self.master, name, value) for entry in self.entries for name, value in entry.overrides().items()]
        found += [(self.main.path, name, value) for name, value in self.main.values.items()]
        found = [one for one in found if one[1] in READ_ONLY]
        return [f"{path}: read-only parameter assignment: {name}={value}" for path, name, value in found]

    def unused_in_main(self) -> list[str]:
        """Values in main.cf that nothing reads, and names that go away."""
        return _unused(self.main.path, self.main.values, self.classes)

    def unused_in_master(self) -> list[str]:
        """The same for -o in master.cf."""
        return [one for entry in self.entries for one in _unused(self.master, entry.overrides(), self.classes)]

    def tables(self) -> list[str]:
        """What is wrong with the files of database tables: not there, or keys that the type does not know."""
        found: list[str] = []
        for kind, path in self._tables:
            if path.startswith(("/", ".")):
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


def _unused(path: str, values: dict[str, str], classes: dict[str, str]) -> list[str]:
    found = []
    for name, value in values.items():
        told = advice(name)
        if told is not None:
            found.append(f"{path}: {told}")
        elif name not in classes:
            found.append(f"{path}: unused parameter: {name}={value}")
        if name in classes and " #" in value:
            found.append(f"{path}: #comment after other text is not allowed: {_comment(value)} ...")
    return found


def _comment(value: str) -> str:
    """The first word of `value` that looks like a comment."""
    for word in value.replace(",", " ").split():
        if word.startswith("#"):
            return word
    return ""
