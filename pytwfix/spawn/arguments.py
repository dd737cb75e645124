"""The attributes of a spawn service in master.cf (SP-1): `user=nobody[:group] argv=/usr/bin/policyd-spf`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


class ArgumentError(Exception):
    """The service's line in master.cf cannot be used."""


@dataclass(slots=True)
class Attributes:
    user: str = ""
    group: str = ""
    argv: list[str] = field(default_factory=list)


def parse(words: Sequence[str]) -> Attributes:
    """Raises ArgumentError."""
    found = Attributes()
    for number, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name == "argv" and equals:
            found.argv = [value] if value else []
            found.argv += [_without_braces(rest) for rest in words[number + 1 :]]
            break
        if name != "user" or not equals:
            raise ArgumentError(f'unknown attribute name: "{name}"')
        found.user, _, found.group = value.partition(":")
    if not found.argv:
        raise ArgumentError("missing argv= command-line attribute")
    if not found.user:
        raise ArgumentError("missing user= command-line attribute")
    return found


def _without_braces(word: str) -> str:
    return word[1:-1].strip() if word.startswith("{") and word.endswith("}") else word
