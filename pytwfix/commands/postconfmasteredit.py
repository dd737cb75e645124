"""What postconf changes in master.cf: -Me, -MX, -M#, -Fe, -Pe, -PX (PC-4, PC-7)."""

from __future__ import annotations

from pytwfix.commands.postconf import replace, warn
from pytwfix.commands.postconfmaster import DEPTH, Request, check_field, checked
from pytwfix.commands.postconfoptions import Fatal, Options
from pytwfix.settings.edit import edit_master
from pytwfix.settings.kinds import SettingsError
from pytwfix.settings.lines import SPACE
from pytwfix.settings.maincf import read_text, split_assignment
from pytwfix.settings.mastercf import COMMAND, FIELDS, VALUED, Entry, override_places, parse_entry, split_words
from pytwfix.settings.show import entry_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Change = Callable[[Entry], Entry | bool | None]

EDIT_WHAT = {
    "M": "-Me, -MX or -M# requires service_name/type",
    "F": "-Fe or -FX requires service_name/type/field_name",
    "P": "-Pe or -PX requires service_name/type/parameter",
}


def edit(options: Options, path: str) -> int:
    """-Me, -MX, -M#, -Fe, -Pe, -PX."""
    mode = next(letter for letter in "MFP" if options.has(letter))
    text = read_text(path)
    wanted = [_wanted(options, mode, word) for word in options.arguments]
    if mode == "M" and options.has("e"):
        text = _put(text, path, [(request, _new_entry(value, request.source)) for request, value in wanted])
    else:
        for request, value in wanted:
            text = _applied(text, path, mode, request, _change(mode, options, request, value))
    replace(path, text)
    return 0


def _wanted(options: Options, mode: str, word: str) -> tuple[Request, str]:
    name, value = word, ""
    if options.has("e"):
        try:
            name, value = split_assignment(word.lstrip())
        except ValueError as error:
            raise Fatal(str(error)) from None
    request = Request(name, DEPTH[mode], EDIT_WHAT[mode], word)
    if len(request.parts) != DEPTH[mode]:
        raise Fatal(EDIT_WHAT[mode])
    return request, value


def _put(text: str, path: str, wanted: list[tuple[Request, Entry]]) -> str:
    """-Me: each new entry stands in place of the first that it replaces, the others go; or at the end.

    An entry is replaced that the request names, or that has the new one's service and type.
    """

    def change(entry: Entry) -> Entry | bool | None:
        found: list[Entry] = []
        matching = [one for one in wanted if one[0].matches(entry) or one[1].key == entry.key]
        for request, new in matching:
            if not request.matched:
                request.matched = True
                found.append(new)
        return found[-1] if found else not matching or None

    text = edit_master(text, path, change)
    return text + "".join(entry_line(new, True) + "\n" for request, new in wanted if not request.matched)


def _change(mode: str, options: Options, request: Request, value: str) -> Change:
    if mode == "F":
        return _change_field(request.parts[2], value)
    if mode == "P":
        return _change_parameter(options, request.parts[2], value)
    return lambda entry: False if options.has("#") else None


def _applied(text: str, path: str, mode: str, request: Request, change: Change) -> str:
    """The text with `change` made to what the request matches."""

    def for_matching(entry: Entry) -> Entry | bool | None:
        if not request.matches(entry):
            return True
        request.matched = True
        if mode != "M":
            if len(entry.fields) < len(FIELDS):
                raise SettingsError(f"file {path}: line {entry.number}: bad field count")
            for warning in checked(entry).warnings:
                warn(warning)
        return change(entry)

    text = edit_master(text, path, for_matching)
    if not request.matched and mode != "M":
        warn(f'unmatched service_name/type: "{request.source}"')
    return text


def _new_entry(value: str, word: str) -> Entry:
    entry = parse_entry(value, apart=True)
    if entry is None:
        raise Fatal(f'bad field count: "{word}"')
    for warning in entry.warnings:
        warn(warning)
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
    while at < len(arguments) and arguments[at].startswith("-") and arguments[at] != "--":
        at += 2 if arguments[at] in VALUED else 1
    return min(at, len(arguments))
