"""What postconf shows of master.cf: -M, -F and -P (PC-4)."""

from __future__ import annotations

from pytwfix.commands.postconf import expand_all, warn
from pytwfix.commands.postconfoptions import Fatal, Options
from pytwfix.settings.lint import Lint
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
)
from pytwfix.settings.show import Style
from pytwfix.settings.snapshot import Snapshot

WHAT = {"M": "service_name[/type]", "F": "service_name[/type[/field]]", "P": "service_name[/type[/parameter]]"}
DEPTH = {"M": 2, "F": 3, "P": 3}


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
    wanted = requests or [Request("*", 1, complaint)]
    for entry in lint.entries:
        matching = [request for request in wanted if request.matches(entry)]
        if not matching:
            continue
        shown, own = entry, lint.overrides(entry)
        if options.has("x") and not options.has("H"):
            shown, own = _expanded(lint, snapshot, entry)
        for request in matching:
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
    lookup = lint.lookup(snapshot.with_service(entry.fields[SERVICE], entry.fields[COMMAND], own))
    copy = Entry(entry.fields, list(entry.arguments), entry.number, entry.text)
    for at in override_places(entry.arguments):
        name, _equals, value = entry.arguments[at].partition("=")
        copy.arguments[at] = f"{name}={expand_all(value, lookup)}"
    return copy, {name: expand_all(value, lookup) for name, value in own.items()}
