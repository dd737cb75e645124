"""Lists of environment variables as import_environment and export_environment have them (SV-6).

NAME takes a variable as it is, NAME=VALUE sets it; where there are spaces in it, `{ NAME = VALUE }`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

_WORD = re.compile(r"\{\s*([^=}\s]+)\s*=\s*([^}]*?)\s*\}|([^\s,]+)")


def chosen(text: str, source: Mapping[str, str]) -> dict[str, str]:
    """What such a list makes of an environment."""
    found: dict[str, str] = {}
    for word in _words(text):
        name, equals, value = word.partition("=")
        if equals:
            found[name] = value
        elif name in source:
            found[name] = source[name]
    return found


def _words(text: str) -> Iterator[str]:
    for match in _WORD.finditer(text):
        yield match.group(3) or f"{match.group(1)}={match.group(2)}"
