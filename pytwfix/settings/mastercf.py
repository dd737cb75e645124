"""master.cf: which services there are (MX-1..MX-4). Raises SettingsError with file and line.

`entries` keeps the eight fields as they are written, for postconf; `services` gives them their meaning.
"""

from __future__ import annotations

from pytwfix.settings.kinds import SettingsError
from pytwfix.settings.lines import SPACE, beginning, logical_lines
from pytwfix.settings.maincf import read_text, split_assignment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

FIELDS = ("service", "type", "private", "unprivileged", "chroot", "wakeup", "process_limit", "command")
TYPES = ("inet", "unix", "unix-dgram", "fifo", "pass")
VALUED = ("-o", "-")
SERVICE, TYPE, PRIVATE, UNPRIVILEGED, CHROOT, WAKEUP, LIMIT, COMMAND = range(8)


class Entry:
    """One line of master.cf: eight words, and the command's arguments with their braces taken off."""

    __slots__ = ("arguments", "fields", "number", "text", "warnings")

    def __init__(self, fields: list[str], arguments: list[str], number: int = 0, text: str = "") -> None:
        self.fields = fields
        self.arguments = arguments
        self.number = number
        self.text = text
        self.warnings: list[str] = []

    @property
    def key(self) -> str:
        """service/type"""
        return f"{self.fields[SERVICE]}/{self.fields[TYPE]}"

    def overrides(self) -> dict[str, str]:
        """The values of -o name=value, the last of each name."""
        found = {}
        for at in override_places(self.arguments):
            name, _equals, value = self.arguments[at].partition("=")
            if name:
                found[name] = value
        return found


def shared_overrides(entries: Iterable[Entry]) -> dict[str, dict[str, str]]:
    """The -o options of each service/type; entries of the same key add to one dictionary."""
    found: dict[str, dict[str, str]] = {}
    for entry in entries:
        found.setdefault(entry.key, {}).update(entry.overrides())
    return found


class Service:
    """A service with its meaning. `process_limit` None is default_process_limit, 0 is no limit; `wakeup` is seconds.

    `arguments` are those of the command without -o, -v and -D. `repeated`: an earlier entry has the same name and type.
    """

    __slots__ = (
        "arguments", "chroot", "chroot_unstated", "command", "debug", "line", "name", "overrides", "private",
        "process_limit", "repeated", "type", "unprivileged", "verbose", "wakeup", "wakeup_used_only",
    )  # fmt: skip

    def __init__(self, name: str, type_: str, command: str) -> None:
        self.name = name
        self.type = type_
        self.command = command
        self.private = True
        self.unprivileged = True
        self.chroot = False
        self.chroot_unstated = False  # `-` in its field
        self.wakeup = 0
        self.wakeup_used_only = False
        self.process_limit: int | None = None
        self.arguments: list[str] = []
        self.overrides: dict[str, str] = {}
        self.verbose = 0
        self.debug = False
        self.line = 0
        self.repeated = False


def parse_entries(
    text: str,
    path: str = "master.cf",
    apart: bool = False,
    seen: Callable[[Entry], object] | None = None,
) -> tuple[list[Entry], list[str]]:
    """All entries in order, repeated ones too, and warnings.

    :param apart: as in parse_entry.
    :param seen: called with each entry, before an error in a later one ends the reading.
    """
    found: list[Entry] = []
    warnings: list[str] = []
    for line in logical_lines(text):
        if line.stray:
            warnings.append(f'{path}: logical line must not start with whitespace: "{beginning(line.text)}"')
            continue
        entry = parse_entry(line.text.strip(SPACE), line.number, apart)
        if entry is None:
            raise SettingsError(f"file {path}: line {line.number}: bad field count")
        found.append(entry)
        warnings += entry.warnings
        if seen is not None:
            seen(entry)
    return found, warnings


def parse_entry(text: str, number: int = 0, apart: bool = False) -> Entry | None:
    """One logical line; None when it has fewer than eight fields.

    :param apart: clusters of options are taken apart, as postconf shows and edits them.
    """
    words = split_words(text)
    if len(words) < len(FIELDS):
        return None
    entry = Entry(words[:8], [], number, text)
    entry.arguments = _unbraced(separate_options(words[8:]) if apart else words[8:], entry.warnings)
    return entry


def separate_options(words: list[str]) -> list[str]:
    """Clusters taken apart as postconf does: `-vo a=b` is `-v -o a=b`.

    Each letter o begins a new option, also inside a value that is written without a space: `-oa=bob` comes out as
    `-o a=b -o b`. Real postconf shows it so, and who compares the two relies on it.
    """
    found: list[str] = []
    at = 0
    while at < len(words) and words[at][:1] == "-" and words[at] != "--":
        first, *others = words[at][1:].split("o")
        at += 1
        if first or not others:
            found.append("-" + first)
        for value in others:
            found += ["-o", value] if value else ["-o"]
        if found[-1] in VALUED and at < len(words):
            found.append(words[at])
            at += 1
    return found + words[at:]


def split_words(text: str, separators: str = SPACE) -> list[str]:
    """Words at `separators`; what stands in braces is one."""
    words: list[str] = []
    current: list[str] = []
    depth = 0
    for char in text:
        if depth == 0 and char in separators:
            if current:
                words.append("".join(current))
                current = []
            continue
        depth += (char == "{") - (char == "}" and depth > 0)
        current.append(char)
    if current:
        words.append("".join(current))
    return words


def _unbraced(words: list[str], warnings: list[str]) -> list[str]:
    """The arguments that `words` stand for: `{ a b }` is "a b", and `-o { n = v }` is "n=v"."""
    values = set(_values_of_options(words))
    found: list[str] = []
    for at, word in enumerate(words):
        if word.startswith("{"):
            inside, problem = strip_braces(word)
            if problem:
                warnings.append(f"master.cf: {problem}")
            word = _assignment(inside, warnings) if at in values else inside
        found.append(word)
    return found


def _assignment(inside: str, warnings: list[str]) -> str:
    try:
        name, value = split_assignment(inside)
    except ValueError as error:
        warnings.append(f"master.cf: {error}" if inside else 'master.cf: missing attribute name: ""')
        return inside
    return f"{name}={value}"


def strip_braces(word: str) -> tuple[str, str]:
    """The inside of {word} without white space around it, and what is wrong with the braces or ""."""
    depth = 0
    for at, char in enumerate(word):
        depth += (char == "{") - (char == "}")
        if depth == 0:
            problem = f"syntax error after '}}' in \"{word}\"" if at + 1 < len(word) else ""
            return word[1:at].strip(SPACE), problem
    return word[1:].strip(SPACE), f"missing '}}' in \"{word}\""


def override_places(arguments: list[str]) -> list[int]:
    """Where the name=value of each -o is. Options end at the first other word."""
    return [at for at in _values_of_options(arguments) if "=" in arguments[at]]


def _values_of_options(words: list[str]) -> Iterator[int]:
    """Where the value of each -o is. A lone - has a value too, which is none of ours."""
    at = 0
    while at < len(words) and words[at].startswith("-") and words[at] != "--":
        if words[at] in VALUED:
            at += 1
            if words[at - 1] == "-o" and at < len(words):
                yield at
        at += 1


def parse_services(text: str, path: str = "master.cf", chroot: bool = False) -> list[Service]:
    """The services of a master.cf; of the same name and type the last one counts.

    :param chroot: what `-` in the chroot field means: compatibility level below 1 says yes.
    """
    entries, _warnings = parse_entries(text, path)
    found: dict[str, Service] = {}
    for entry in entries:
        earlier = found.pop(entry.key, None)
        found[entry.key] = made = _service(entry, path, chroot)
        made.repeated = earlier is not None
    return list(found.values())


def read_services(path: str, chroot: bool = False) -> list[Service]:
    """The services of the file `path`."""
    return parse_services(read_text(path), path, chroot)


def _service(entry: Entry, path: str, chroot: bool) -> Service:
    fields = entry.fields
    made = Service(fields[SERVICE], fields[TYPE], fields[COMMAND])
    made.line = entry.number
    try:
        if made.type not in TYPES:
            raise ValueError(_bad(entry, TYPE))
        made.private = _yes_no(entry, PRIVATE, made.type != "inet")
        if made.private and made.type == "inet":
            raise ValueError(_bad(entry, PRIVATE))
        made.unprivileged = _yes_no(entry, UNPRIVILEGED, True)
        made.chroot = _yes_no(entry, CHROOT, chroot)
        made.chroot_unstated = fields[CHROOT] == "-"
        made.wakeup, made.wakeup_used_only = _wakeup(entry)
        made.process_limit = _number(entry, LIMIT, fields[LIMIT]) if fields[LIMIT] != "-" else None
        if made.command == "-" or made.name == "-":
            raise ValueError(f'field "{FIELDS[COMMAND if made.command == "-" else SERVICE]}" has no default value')
        _options(made, entry.arguments)
    except ValueError as error:
        raise SettingsError(f"{path}: line {entry.number}: {error}") from None
    return made


def _bad(entry: Entry, field: int) -> str:
    return f'field "{FIELDS[field]}": bad value: "{entry.fields[field]}"'


def _yes_no(entry: Entry, field: int, default: bool) -> bool:
    value = entry.fields[field]
    if value not in ("y", "n", "-"):
        raise ValueError(_bad(entry, field))
    return default if value == "-" else value == "y"


def _wakeup(entry: Entry) -> tuple[int, bool]:
    value = entry.fields[WAKEUP]
    if value == "-":
        return 0, False
    return _number(entry, WAKEUP, value.removesuffix("?")), value.endswith("?")


def _number(entry: Entry, field: int, value: str) -> int:
    if not (value.isascii() and value.isdigit()):
        raise ValueError(_bad(entry, field))
    return int(value)


def _options(service: Service, arguments: list[str]) -> None:
    """Take -o, -v and -D off the arguments."""
    at = 0
    while at < len(arguments):
        word = arguments[at]
        at += 1
        if word.startswith("-o"):
            value = word[2:]
            if not value:
                value = arguments[at] if at < len(arguments) else ""
                at += 1
            name, text = split_assignment(value)
            service.overrides[name] = text
        elif word[:1] == "-" and word[1:] and not word[1:].strip("v"):
            service.verbose += len(word) - 1
        elif word == "-D":
            service.debug = True
        else:
            service.arguments = arguments[at - 1 :]
            return
