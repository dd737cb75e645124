"""What postconf does with master.cf: -M, -F and -P, shown or changed (PC-4)."""

from __future__ import annotations

from pytwfix.commands.postconf import expanded, replace, warn
from pytwfix.commands.postconfoptions import Fatal, Options
from pytwfix.settings.edit import edit_master
from pytwfix.settings.lines import SPACE
from pytwfix.settings.lint import Lint
from pytwfix.settings.maincf import read_text, split_assignment
from pytwfix.settings.mastercf import (
    CHROOT,
    COMMAND,
    FIELDS,
    LIMIT,
    PRIVATE,
    SERVICE,
    TYPE,
    TYPES,
    UNPRIVILEGED,
    WAKEUP,
    Entry,
    override_places,
    parse_entry,
    split_words,
)
from pytwfix.settings.show import Style, entry_line
from pytwfix.settings.snapshot import Snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Change = Callable[[Entry], Entry | bool | None]

WHAT = {"M": "service_name[/type]", "F": "service_name[/type[/field]]", "P": "service_name[/type[/parameter]]"}
DEPTH = {"M": 2, "F": 3, "P": 3}
EDIT_WHAT = {
    "M": "-Me, -MX or -M# requires service_name/type",
    "F": "-Fe or -FX requires service_name/type/field_name",
    "P": "-Pe or -PX requires service_name/type/parameter",
}


def checked(entry: Entry) -> Entry:
    """The same entry; Fatal when a field is wrong."""
    for field in range(COMMAND):
        check_field(field, entry.fields[field], entry.text)
    return entry


def check_field(field: int, value: str, text: str) -> None:
    """Fatal when `value` is not possible in that field."""
    good = bool(value)
    if field == TYPE:
        good = value in TYPES
    elif field in (PRIVATE, UNPRIVILEGED, CHROOT):
        good = value in ("y", "n", "-")
    elif field in (WAKEUP, LIMIT):
        digits = value.removesuffix("?") if field == WAKEUP else value
        good = value == "-" or (field == WAKEUP and value == "?") or (digits.isascii() and digits.isdigit())
    if not good:
        raise Fatal(f'invalid {FIELDS[field]} field "{value}" in "{text}"')


class Request:
    """`service/type/third` with * for any; the parts that are missing match too."""

    def __init__(self, text: str, depth: int, complaint: str, source: str = "") -> None:
        self.text = text
        self.source = source or text
        self.parts = text.split("/")
        self.matched = False
        if len(self.parts) > depth:
            raise Fatal(complaint)

    def matches(self, entry: Entry) -> bool:
        """Whether the entry is asked for."""
        return _fits(self.parts, 0, entry.fields[SERVICE]) and _fits(self.parts, 1, entry.fields[TYPE])

    def third(self, name: str) -> bool:
        """Whether the field or parameter is asked for."""
        return _fits(self.parts, 2, name)


def _fits(parts: list[str], at: int, value: str) -> bool:
    return at >= len(parts) or parts[at] in ("*", value)


def show(options: Options, lint: Lint, snapshot: Snapshot) -> None:
    """-M, -F and -P without a change."""
    mode = next(letter for letter in "MFP" if options.has(letter))
    style = Style(options.has("f"), options.has("h"), options.has("H"), options.has("j"))
    complaint = f"-{mode} option requires {WHAT[mode]}"
    requests = [Request(word, DEPTH[mode], complaint) for word in options.arguments]
    if mode == "F":
        for request in requests:
            if len(request.parts) == 3 and request.parts[2] not in ("*", *FIELDS):
                raise Fatal(f'invalid service attribute name: "{request.parts[2]}"')
    lines = {"M": _lines_m, "F": _lines_f, "P": _lines_p}[mode]
    for entry in lint.entries:
        shown, own = entry, lint.overrides(entry)
        if options.has("x"):
            shown, own = _expanded(lint, snapshot, entry)
        for request in requests or [Request("*", 1, complaint)]:
            if request.matches(entry):
                for line in lines(shown, request, style, own):
                    request.matched = True
                    print(line)
    for request in requests:
        if not request.matched:
            warn(f'unmatched request: "{request.text}"')


def _lines_m(entry: Entry, request: Request, style: Style, own: dict[str, str]) -> list[str]:
    return [style.entry(entry)]


def _lines_f(entry: Entry, request: Request, style: Style, own: dict[str, str]) -> list[str]:
    return [style.field(entry, at) for at, name in enumerate(FIELDS) if request.third(name)]


def _lines_p(entry: Entry, request: Request, style: Style, own: dict[str, str]) -> list[str]:
    return [style.parameter(f"{entry.key}/{name}", value) for name, value in sorted(own.items()) if request.third(name)]


def _expanded(lint: Lint, snapshot: Snapshot, entry: Entry) -> tuple[Entry, dict[str, str]]:
    """The entry and its options with values expanded as the service sees them."""
    own = lint.overrides(entry)
    view = snapshot.with_service(entry.fields[SERVICE], entry.fields[COMMAND], own)
    copy = Entry(entry.fields, list(entry.arguments), entry.number, entry.text)
    for at in override_places(entry.arguments):
        name, _equals, value = entry.arguments[at].partition("=")
        copy.arguments[at] = f"{name}={expanded(lint, view, name, value)}"
    return copy, {name: expanded(lint, view, name, value) for name, value in own.items()}


def edit(options: Options, path: str) -> int:
    """-Me, -MX, -M#, -Fe, -Pe, -PX."""
    mode = next(letter for letter in "MFP" if options.has(letter))
    text = read_text(path)
    for word in options.arguments:
        text = _edited(text, path, mode, options, word)
    replace(path, text)
    return 0


def _edited(text: str, path: str, mode: str, options: Options, word: str) -> str:
    name, value = word, ""
    if options.has("e"):
        try:
            name, value = split_assignment(word.lstrip())
        except ValueError as error:
            raise Fatal(str(error)) from None
    request = Request(name, DEPTH[mode], EDIT_WHAT[mode], word)
    if len(request.parts) != DEPTH[mode]:
        raise Fatal(EDIT_WHAT[mode])
    new = _new_entry(value, word) if mode == "M" and options.has("e") else None
    return _applied(text, path, mode, request, _change(mode, options, request, value, new), new)


def _change(mode: str, options: Options, request: Request, value: str, new: Entry | None) -> Change:
    if mode == "F":
        return _change_field(request.parts[2], value)
    if mode == "P":
        return _change_parameter(options, request.parts[2], value)
    return lambda entry: False if options.has("#") else new


def _applied(text: str, path: str, mode: str, request: Request, change: Change, new: Entry | None) -> str:
    """The text with `change` made to what the request matches; a `new` entry that replaced nothing is appended."""

    def for_matching(entry: Entry) -> Entry | bool | None:
        if not request.matches(entry):
            return True
        request.matched = True
        if mode != "M":
            for warning in checked(entry).warnings:
                warn(warning)
        return change(entry)

    text = edit_master(text, path, for_matching)
    if request.matched:
        return text
    if new is not None:
        return text + entry_line(new, True) + "\n"
    if mode != "M":
        warn(f'unmatched service_name/type: "{request.source}"')
    return text


def _new_entry(value: str, word: str) -> Entry:
    entry = parse_entry(value, apart=True)
    if entry is None:
        raise Fatal(f'bad field count: "{word}"')
    return checked(entry)


def _change_field(name: str, value: str) -> Change:
    if name not in FIELDS:
        raise Fatal(f'invalid service attribute name: "{name}"')
    field = FIELDS.index(name)
    if field != COMMAND and len(split_words(value)) > 1:
        raise Fatal("-Fe does not accept whitespace in non-command field")

    def change(entry: Entry) -> Entry:
        check_field(field, value, value)
        if field != COMMAND:
            entry.fields[field] = value
            return entry
        made = parse_entry("- " * COMMAND + value, apart=True)
        if made is None:
            raise Fatal(f'invalid {FIELDS[COMMAND]} field "{value}"')
        entry.fields[COMMAND] = made.fields[COMMAND]
        entry.arguments = made.arguments
        return entry

    return change


def _change_parameter(options: Options, name: str, value: str) -> Change:
    if any(char in SPACE for char in value):
        raise Fatal("-Pe does not accept whitespace in parameter value")

    def change(entry: Entry) -> Entry:
        places = [at for at in override_places(entry.arguments) if entry.arguments[at].startswith(name + "=")]
        if options.has("X"):
            for at in reversed(places):
                del entry.arguments[at - 1 : at + 1]
        elif places:
            entry.arguments[places[-1]] = f"{name}={value}"
        else:
            end = _end_of_options(entry.arguments)
            entry.arguments[end:end] = ["-o", f"{name}={value}"]
        return entry

    return change


def _end_of_options(arguments: list[str]) -> int:
    at = 0
    while at < len(arguments) and arguments[at].startswith("-"):
        at += 2 if arguments[at] == "-o" else 1
    return min(at, len(arguments))
