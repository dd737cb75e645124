"""How postconf prints: `name = value`, master.cf lines in columns, long lines folded (PC-3..PC-5, PC-10)."""

from __future__ import annotations

from pytwfix.settings.lines import SPACE
from pytwfix.settings.mastercf import COMMAND, FIELDS, VALUED, Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

WIDTH = 80
INDENT = "    "
COLUMNS = (0, 11, 17, 25, 33, 41, 49, 57)


class Style:
    """Which parts of a line are printed: `fold` long ones, values alone, names alone, or JSON."""

    __slots__ = ("fold", "json", "names_only", "values_only")

    def __init__(
        self, fold: bool = False, values_only: bool = False, names_only: bool = False, json: bool = False
    ) -> None:
        self.fold = fold
        self.values_only = values_only
        self.names_only = names_only
        self.json = json

    def parameter(self, name: str, value: str) -> str:
        """`name = value`, white space in the value reduced to one space."""
        words = value.split()
        if self.json:
            return json_line(name, " ".join(words))
        if self.names_only:
            return name
        if not self.values_only:
            words = [name, "=", *words]
        return fold(words) if self.fold else " ".join(words)

    def entry(self, entry: Entry) -> str:
        """A line of master.cf."""
        if self.json:
            return json_line(entry.key, entry_line(entry, False))
        return entry_line(entry, self.fold)

    def field(self, entry: Entry, field: int) -> str:
        """`service/type/field = value`"""
        name = f"{entry.key}/{FIELDS[field]}"
        value = entry.fields[field]
        if field != COMMAND or not entry.arguments or self.names_only:
            return self.parameter(name, value)
        words = argument_texts(entry.arguments)
        if self.json:
            return self.parameter(name, " ".join([value, *words]))
        if not self.fold:
            return " ".join([value, *words] if self.values_only else [name, "=", value, *words])
        return fold_arguments(value if self.values_only else f"{name} = {value}", words)


def fold(words: Iterable[str]) -> str:
    """Words on lines of at most WIDTH bytes; lines after the first are indented."""
    lines: list[str] = []
    line = ""
    for word in words:
        if line and _size(line) + 1 + _size(word) > WIDTH:
            lines.append(line)
            line = INDENT + word
        else:
            line = f"{line} {word}" if line else word
    return "\n".join([*lines, line])


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogateescape"))


def entry_line(entry: Entry, folded: bool) -> str:
    """An entry in columns. Folded, each -o has its own line."""
    line = ""
    for column, field in zip(COLUMNS, entry.fields, strict=True):
        line = line + " " * max(column - len(line), 1 if line else 0) + field
    words = argument_texts(entry.arguments)
    return fold_arguments(line, words) if folded else " ".join([line, *words])


def fold_arguments(line: str, words: list[str]) -> str:
    """A command's arguments after `line`: each -o has its own line, long lines are folded."""
    lines = [line]
    options = True
    fresh = False
    at = 0
    while at < len(words):
        options = options and words[at].startswith("-") and words[at] != "--"
        if options and words[at] in VALUED and at + 1 < len(words):
            lines.append(f"{INDENT}{words[at]} {words[at + 1]}")
            fresh = True
            at += 2
            continue
        _append(lines, words[at], fresh)
        fresh = False
        at += 1
    return "\n".join(lines)


def _append(lines: list[str], word: str, fresh: bool) -> None:
    braces = 2 if word[0] == "{" and any(char in SPACE for char in word) else 0  # Postfix does not count them
    if fresh or len(lines[-1]) + 1 + len(word) - braces > WIDTH - 1:
        lines.append(INDENT + word)
    else:
        lines[-1] += " " + word


def argument_texts(arguments: list[str]) -> list[str]:
    """The arguments as master.cf writes them: in braces when they are empty, have white space or begin with one."""
    return [
        f"{{{argument}}}" if not argument or argument[0] == "{" or any(c in SPACE for c in argument) else argument
        for argument in arguments
    ]


def json_line(name: str, value: str) -> str:
    """One JSON object on a line (PC-5)."""
    import json

    return json.dumps({name: value}, ensure_ascii=False)
