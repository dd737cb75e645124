"""The attributes of a pipe service in master.cf, and the macros of its command (PI-1).

`user=nobody:games flags=DRhu null_sender=<> argv=/bin/x -r ${recipient}`: attributes in any order, argv= last. An
argument in which a recipient's macro occurs becomes one argument for each recipient. ArgumentError says what the line
does wrong, in the words of the log.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pytwfix.basics.cescapes import unescape

FLAGS = frozenset("BDFORXhqu.>")
# What each recipient has of its own, and what a message has once.
RECIPIENT_MACROS = frozenset(("recipient", "original_recipient", "user", "extension", "mailbox", "domain"))
MESSAGE_MACROS = frozenset(
    (
        "sender",
        "nexthop",
        "size",
        "queue_id",
        "envid",
        "client_address",
        "client_helo",
        "client_hostname",
        "client_port",
        "client_protocol",
        "sasl_method",
        "sasl_sender",
        "sasl_username",
    )
)
_MACRO = re.compile(r"\$(?:(\$)|\{([^{}]*)\}|\(([^()]*)\)|([A-Za-z0-9_]+))")
_TRUNCATED = re.compile(r"(?<!\$)(?:\$\$)*\$(?:\{[^{}]*\Z|\([^()]*\Z)")
_EMPTY = re.compile(r"(?:[^$]|\A)(?:\$\$)*\$(?![$A-Za-z0-9_{(])|\$(?:\{\}|\(\))")


class ArgumentError(Exception):
    """The service's line in master.cf cannot be used."""


@dataclass(slots=True)
class Attributes:
    """One service's line. `user` and `group` are names; sizes in bytes (0: no limit)."""

    user: str = ""
    group: str = ""
    argv: list[str] = field(default_factory=list)
    flags: frozenset[str] = frozenset()
    eol: bytes = b"\n"
    null_sender: str = "MAILER-DAEMON"
    size: int = 0
    directory: str = ""
    chroot: str = ""


def parse(words: Sequence[str]) -> Attributes:
    """Raises ArgumentError."""
    found = Attributes()
    for number, word in enumerate(words):
        name, equals, value = _without_braces(word).partition("=")
        if name == "argv" and equals:
            found.argv = [value] if value else []
            found.argv += [_without_braces(rest) for rest in words[number + 1 :]]
            break
        if not equals:
            raise ArgumentError(f'unknown attribute name: "{name}"')
        _set(found, name, value)
    if not found.argv:
        raise ArgumentError("missing argv= command-line attribute")
    if not found.user:
        raise ArgumentError("missing user= command-line attribute")
    for argument in found.argv:
        _check_macros(argument)
    return found


def _without_braces(word: str) -> str:
    return word[1:-1].strip() if word.startswith("{") and word.endswith("}") else word


def _set(found: Attributes, name: str, value: str) -> None:
    if name == "user":
        found.user, _, found.group = value.partition(":")
    elif name == "flags":
        unknown = set(value) - FLAGS
        if unknown:
            raise ArgumentError(f'unknown flag: "{min(unknown)}"')
        found.flags = frozenset(value)
    elif name == "eol":
        found.eol = unescape(value).encode("utf-8", "surrogateescape")
    elif name == "size":
        if not value.isdigit():
            raise ArgumentError(f'bad size= value: "{value}"')
        found.size = int(value)
    elif name in ("null_sender", "directory", "chroot"):
        setattr(found, name, value)
    else:
        raise ArgumentError(f'unknown attribute name: "{name}"')


def _check_macros(argument: str) -> None:
    if _TRUNCATED.search(argument):
        raise ArgumentError(f'truncated macro reference: "{argument}"')
    if _EMPTY.search(argument):
        raise ArgumentError(f'empty macro name: "{argument}"')
    for name in _names(argument):
        if name not in RECIPIENT_MACROS and name not in MESSAGE_MACROS:
            raise ArgumentError(f'unknown macro name: "{name}"')


def _names(argument: str) -> set[str]:
    return {m.group(2) or m.group(3) or m.group(4) or "" for m in _MACRO.finditer(argument) if not m.group(1)}


def expand(argv: Sequence[str], message: Mapping[str, str], recipients: Sequence[Mapping[str, str]]) -> list[str]:
    """The command's arguments: one for each recipient where a recipient's macro occurs."""
    done: list[str] = []
    for argument in argv:
        if "$" not in argument:
            done.append(argument)
        elif _names(argument) & RECIPIENT_MACROS:
            done.extend(_replace(argument, {**message, **recipient}) for recipient in recipients)
        else:
            done.append(_replace(argument, message))
    return done


def _replace(argument: str, values: Mapping[str, str]) -> str:
    def one(match: re.Match[str]) -> str:
        if match.group(1):
            return "$"
        return values.get(match.group(2) or match.group(3) or match.group(4), "")

    return _MACRO.sub(one, argument)
