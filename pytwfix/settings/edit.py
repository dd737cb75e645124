"""Changes to the text of main.cf and master.cf that leave comments and all other lines as they are (PC-4, PC-7)."""

from __future__ import annotations

from pytwfix.settings.kinds import SettingsError
from pytwfix.settings.lines import SPACE, is_comment
from pytwfix.settings.mastercf import Entry, parse_entry, split_words
from pytwfix.settings.show import entry_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REPLACE, REMOVE, COMMENT_OUT = "replace", "remove", "comment out"


def edit_main(text: str, path: str, how: str, wanted: dict[str, str]) -> tuple[str, list[str]]:
    """`text` with the entries of `wanted` (name: value) replaced, removed or commented out, and warnings.

    A value that has no entry yet is appended.
    """
    out: list[str] = []
    seen: dict[str, int] = {}
    name: str | None = None
    for part in _parts(text):
        if is_comment(part):
            out.append(part)
            continue
        if part[0] not in SPACE:
            name = (part.partition("=")[0].split() or [""])[0]
            name = name if name in wanted else None
            if name is not None:
                seen[name] = seen.get(name, 0) + 1
                if how == REPLACE:
                    out.append(f"{name} = {wanted[name]}")
        if name is None:
            out.append(part)
        elif how == COMMENT_OUT:
            out.append("#" + part)
    if how == REPLACE:
        out += [f"{name} = {value}" for name, value in wanted.items() if name not in seen]
    warnings = [f'{path}: multiple entries for "{name}"' for name, count in seen.items() if count > 1]
    return _joined(out), warnings


def edit_master(text: str, path: str, change: Callable[[Entry], Entry | bool | None]) -> str:
    """`text` with each entry as `change` answers: True as it is, None removed, False commented out, else a new one.

    An entry that has too few fields comes with those that it has.

    Comments inside or below a changed entry move in front of it, as Postfix moves them; those of one that another
    replaces stay behind that one.
    """
    out: list[str] = []
    for number, parts, below in _entries(text):
        logical = [part for part in parts if not is_comment(part)]
        if not logical or logical[0][0] in SPACE:
            out += [*parts, *below]
            continue
        if len(logical[0].split()) < 2:
            raise SettingsError(f"file {path}: line {number}: specify service name and type on the same line")
        line = "".join(logical)  # messages have it with all its white space
        changed = change(entry := parse_entry(line, number, apart=True) or Entry(split_words(line), [], number, line))
        comments = [part for part in parts if is_comment(part)]
        if changed is True:
            out += [*parts, *below]
        elif changed is False:
            out += [*(part if is_comment(part) else "#" + part for part in parts), *below]
        elif changed is None:
            out += [*comments, *below]
        elif changed is entry:
            out += [*comments, *below, entry_line(entry, True)]
        else:
            out += [entry_line(changed, True), *comments, *below]
    return _joined(out)


def _entries(text: str) -> Iterator[tuple[int, list[str], list[str]]]:
    """(line number, physical lines, comments below) of each entry."""
    number = 1
    current: list[str] = []
    below: list[str] = []
    for at, part in enumerate(_parts(text), 1):
        if is_comment(part):
            below.append(part)
        elif part[0] in SPACE and current:
            current += [*below, part]
            below = []
        else:
            yield number, current, below
            number, current, below = at, [part], []
    yield number, current, below


def _parts(text: str) -> list[str]:
    """Physical lines without their ends."""
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    return lines


def _joined(lines: list[str]) -> str:
    return "".join(line + "\n" for line in lines)
