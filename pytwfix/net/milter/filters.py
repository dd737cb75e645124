"""Lists of filters: `inet:host:port`, `unix:path`, `{ endpoint, name = value, ... }` (MI-1).

Raises FilterError for what cannot be meant.
"""

from __future__ import annotations

from typing import NamedTuple

from pytwfix.basics.durations import parse_duration
from pytwfix.basics.hostport import parse_hostport
from pytwfix.dialogs.milter import Protocol, parse_protocol
from pytwfix.settings.kinds import SettingsError
from pytwfix.settings.milter import MilterSettings

ACTIONS = ("accept", "reject", "tempfail", "quarantine", "shutdown")
_NAMES = ("connect_timeout", "command_timeout", "content_timeout", "protocol", "default_action")
_SEPARATORS = ", \t\r\n"


class FilterError(SettingsError):
    """A filter's definition makes no sense."""


class Filter(NamedTuple):
    """One filter and how it is treated."""

    name: str  # as in main.cf, for the log
    kind: str  # inet or unix
    host: str  # or the path
    port: str
    connect_timeout: float
    command_timeout: float
    content_timeout: float
    protocol: Protocol
    default_action: str


def parse_filters(text: str, cfg: MilterSettings) -> list[Filter]:
    """All filters of a parameter such as smtpd_milters."""
    return [_filter(item, cfg) for item in _split(text)]


def _split(text: str) -> list[str]:
    """Elements between commas and white space; `{...}` is one."""
    out: list[str] = []
    word, depth = "", 0
    for char in text:
        depth += (char == "{") - (char == "}" and depth > 0)
        if char in _SEPARATORS and not depth:
            if word:
                out.append(word)
            word = ""
        else:
            word += char
    if depth:
        raise FilterError(f"milter service syntax error: missing '}}' in \"{text}\"")
    return [*out, word] if word else out


def _filter(item: str, cfg: MilterSettings) -> Filter:
    options: dict[str, str] = {}
    if item.startswith("{"):
        parts = _split_attributes(item)
        if not parts:
            raise FilterError(f'empty milter definition: "{item}"')
        item = parts[0]
        options = dict(_option(part, item) for part in parts[1:])
    kind, host, port = _endpoint(item)
    action = options.get("default_action", cfg.milter_default_action).strip().lower()
    if action not in ACTIONS:
        raise FilterError(f"milter {item}: unrecognized default action: {action}")
    try:
        connect = _time(options, "connect_timeout", cfg.milter_connect_timeout)
        command = _time(options, "command_timeout", cfg.milter_command_timeout)
        content = _time(options, "content_timeout", cfg.milter_content_timeout)
        protocol = parse_protocol(options.get("protocol", cfg.milter_protocol))
    except ValueError as error:
        raise FilterError(f"milter {item}: {error}") from error
    return Filter(item, kind, host, port, connect, command, content, protocol, action)


def _split_attributes(item: str) -> list[str]:
    """`{ inet:host:port, name = value }`: the endpoint, then `name = value` each; commas part them, and so does white
    space that is not around an equals sign or within braces."""
    inner = item[1:-1].replace(",", " ")
    while " =" in inner or "= " in inner:
        inner = inner.replace(" =", "=").replace("= ", "=")
    return [part[1:-1].strip() if part[:1] == "{" else part for part in _split(inner)]


def _option(text: str, item: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    name, value = name.strip(), value.strip()
    if not equals or name not in _NAMES:
        raise FilterError(f'milter service syntax error: "{text}" in definition of {item}')
    return name, value[1:-1].strip() if value[:1] == "{" else value


def _endpoint(text: str) -> tuple[str, str, str]:
    kind, colon, rest = text.partition(":")
    if not colon or not rest:
        raise FilterError(f'Milter service needs transport:endpoint instead of "{text}"')
    if kind in ("unix", "local"):
        return "unix", rest, ""
    if kind not in ("inet", "inet6"):
        raise FilterError(f"invalid transport name: {kind} in Milter service: {text}")
    try:
        place = parse_hostport(rest)
    except ValueError as error:
        raise FilterError(str(error)) from error
    if not place.port:
        raise FilterError(f'Milter service needs transport:endpoint instead of "{text}"')
    return "inet", place.host, place.port


def _time(options: dict[str, str], name: str, usual: int) -> float:
    return parse_duration(options[name]) if name in options else usual
