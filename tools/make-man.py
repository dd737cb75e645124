#!/usr/bin/env python3
"""Makes the man pages: man/man1, man5 and man8 from declarations and from man/text/.

    python tools/make-man.py            write them
    python tools/make-man.py --check    say which are stale; exit status 1 if any is

man/text/NAME.SECTION.txt is what people write:

    postmap - makes, asks and changes lookup tables
    # SYNOPSIS
    `postmap` [options] [type:]file ...
    # DESCRIPTION
    A paragraph. `words` are set bold, *words* in italics.
    -q key
        What is indented explains the line above it.

        Another paragraph of it.
    ```
    an example, as it stands
    ```
    @parameters pytwfix.cleanup.settings pytwfix.settings.content

`@parameters` lists what these modules declare, `@all-parameters` everything with defaults, bounds and units,
`@service-parameters` those whose names begin with a service's. A page ends in SEE ALSO, made from `@see`.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from importlib import import_module

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, ROOT)

from pytwfix import __version__  # noqa: E402
from pytwfix.settings import registry, transports  # noqa: E402
from pytwfix.settings.group import Group  # noqa: E402
from pytwfix.settings.kinds import Parameter  # noqa: E402

TEXT = os.path.join(ROOT, "man", "text")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
KINDS = {"bool": "yes or no", "int": "a number", "long": "a number", "time": "a time", "str": "", "raw": ""}
_ESCAPES = {"\\": "\\e", "-": "\\-", "'": "\\(aq", "^": "\\(ha", "~": "\\(ti"}
_STYLE = re.compile(r"`([^`]+)`|(?<![\w*])\*([^*\s][^*]*)\*(?![\w*])")


def escaped(text: str) -> str:
    """Text for troff."""
    return "".join(_ESCAPES.get(char, char) for char in text)


def inline(text: str) -> str:
    """A line of text with its bold and italic words."""
    out, last = [], 0
    for match in _STYLE.finditer(text):
        out.append(escaped(text[last : match.start()]))
        font, words = ("B", match[1]) if match[1] is not None else ("I", match[2])
        out.append(f"\\f{font}{escaped(words)}\\fR")
        last = match.end()
    out.append(escaped(text[last:]))
    line = "".join(out)
    return "\\&" + line if line.startswith(".") else line


def paragraphs(lines: list[str]) -> Iterator[str]:
    """The body of a section."""
    at = 0
    while at < len(lines):
        line = lines[at]
        if not line.strip():
            at += 1
        elif line == "```":
            end = lines.index("```", at + 1)
            yield from (".PP", ".nf", *(_literal(one) for one in lines[at + 1 : end]), ".fi")
            at = end + 1
        elif line.startswith("@"):
            yield from directive(line)
            at += 1
        elif at + 1 < len(lines) and lines[at + 1].startswith("    "):
            end = at + 1
            while end < len(lines) and (lines[end].startswith("    ") or not lines[end].strip()):
                end += 1
            yield from (".TP", "\\fB" + inline(line) + "\\fR" if "`" not in line else inline(line))
            yield from item([one[4:] for one in lines[at + 1 : end]])
            at = end
        else:
            end = at
            while end < len(lines) and lines[end].strip() and not lines[end].startswith(("```", "@")):
                if end + 1 < len(lines) and end > at and lines[end + 1].startswith("    "):
                    break
                end += 1
            yield ".PP"
            yield inline(" ".join(lines[at:end]))
            at = end


def item(lines: list[str]) -> Iterator[str]:
    """What is said of one option: paragraphs, indented."""
    text: list[str] = []
    for line in [*lines, ""]:
        if line.strip():
            text.append(line.strip())
        elif text:
            yield inline(" ".join(text))
            text = []
            yield ".sp"


def _literal(line: str) -> str:
    return escaped(line) if not line.startswith(".") else "\\&" + escaped(line)


# -- parameters --------------------------------------------------------------------------------------------------------


def declared(module: str) -> list[Parameter]:
    """The parameters of one settings module, by name."""
    found = import_module(module)
    groups = [
        value
        for value in vars(found).values()
        if isinstance(value, type) and issubclass(value, Group) and value.__module__ == module
    ]
    return sorted((one for group in groups for one in group.declared()), key=lambda one: one.name)


def entry(parameter: Parameter) -> Iterator[str]:
    """One parameter: name, default, sentence, bounds."""
    default = parameter.default
    if parameter.name in registry.COMPUTED:
        default = "see `postconf -d`"
    yield ".TP"
    yield f"\\fB{escaped(parameter.name)}\\fR (default: {escaped(default) if default else 'empty'})"
    yield inline(parameter.doc + "".join(" " + part for part in limits(parameter)))


def limits(parameter: Parameter) -> Iterator[str]:
    """What values it may have."""
    kind = KINDS[parameter.kind]
    if kind:
        unit = UNITS.get(parameter.unit, "")
        yield f"Value: {kind}{', in ' + unit + ' unless it says otherwise' if unit else ''}."
    what = "" if kind else " characters"
    if parameter.minimum > (0 if kind else 1):
        yield f"At least {parameter.minimum}{what}."
    if parameter.maximum:
        yield f"At most {parameter.maximum}{what}."
    if not kind and parameter.minimum == 1:
        yield "It may not be empty."


def directive(line: str) -> Iterator[str]:
    """What stands behind @."""
    word, *arguments = line.split()
    if word == "@parameters":
        for parameter in sorted((one for name in arguments for one in declared(name)), key=lambda one: one.name):
            yield from (".TP", f"\\fB{escaped(parameter.name)}\\fR", inline(parameter.doc))
    elif word == "@all-parameters":
        for _, parameter in sorted(registry.parameters().items()):
            yield from entry(parameter)
    elif word == "@service-parameters":
        for suffix, (_, default, _, _) in sorted({**transports.DELIVERY, **transports.COMMAND}.items()):
            yield ".TP"
            yield f"\\fIservice\\fR\\fB_{escaped(suffix)}\\fR (default: ${escaped(default)})"
            yield f"As {escaped(default)}, for one service of master.cf."
    elif word == "@see":
        yield ".SH SEE ALSO"
        yield ",\n".join(escaped(name) for name in arguments)
    else:
        raise SystemExit(f"unknown directive {word}")


# -- pages -------------------------------------------------------------------------------------------------------------


def page(name: str, section: str, text: str) -> str:
    """One man page."""
    title, *lines = text.rstrip("\n").split("\n")
    out = [
        '.\\" Made by tools/make-man.py from the source and man/text/: do not edit.',
        f'.TH {name.upper()} {section} "" "pytwfix {__version__}"',
        ".SH NAME",
        escaped(title),
    ]
    section_lines: list[str] = []
    for line in lines:
        if line.startswith("# "):
            out += paragraphs(section_lines)
            section_lines = []
            out.append(".SH " + escaped(line[2:]))
        else:
            section_lines.append(line)
    out += paragraphs(section_lines)
    return "\n".join(out) + "\n"


def pages() -> dict[str, str]:
    """man/manN/NAME.N -> content, for every text."""
    found = {}
    for file in sorted(os.listdir(TEXT)):
        name, section = re.fullmatch(r"(.+)\.(\d)\.txt", file).groups()  # type: ignore[union-attr]
        with open(os.path.join(TEXT, file), encoding="utf-8") as source:
            text = source.read()
        found[f"man/man{section}/{name}.{section}"] = page(name, section, text)
    return found


def stale() -> list[str]:
    """Pages that are not what they would be if they were made now, and pages without a text."""
    made = pages()
    there = {
        f"man/{folder}/{name}"
        for folder in os.listdir(os.path.join(ROOT, "man"))
        if folder.startswith("man")
        for name in os.listdir(os.path.join(ROOT, "man", folder))
    }
    return sorted(path for path in there | set(made) if _read(path) != made.get(path))


def _read(path: str) -> str | None:
    try:
        with open(os.path.join(ROOT, path), encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return None


def main() -> int:
    if "--check" in sys.argv[1:]:
        old = stale()
        print("\n".join(old))
        return 1 if old else 0
    for path, content in pages().items():
        os.makedirs(os.path.join(ROOT, os.path.dirname(path)), exist_ok=True)
        with open(os.path.join(ROOT, path), "w", encoding="utf-8") as file:
            file.write(content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
