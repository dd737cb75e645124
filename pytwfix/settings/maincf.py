"""main.cf: `name = value`, the last of a name wins (MC-1, MC-2, MC-9). Raises SettingsError with file and line."""

from __future__ import annotations

import os

from pytwfix.settings.kinds import SettingsError
from pytwfix.settings.lines import SPACE, beginning, logical_lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DEFAULT_DIRECTORY = "/etc/postfix"


class MainCf:
    """What a main.cf sets. `lines` has the line of each name, `warnings` what is odd but not wrong."""

    __slots__ = ("lines", "path", "values", "warnings")

    def __init__(self, path: str) -> None:
        self.path = path
        self.values: dict[str, str] = {}
        self.lines: dict[str, int] = {}
        self.warnings: list[str] = []


def parse_main(
    text: str,
    path: str = "main.cf",
    given: Mapping[str, str] | None = None,
    warn: Callable[[str], None] | None = None,
) -> MainCf:
    """The settings in `text`.

    :param path: for messages.
    :param given: what is set already.
    :param warn: told each warning at once, before an error ends the reading.
    """
    found = MainCf(path)
    found.values.update(given or {})

    def odd(warning: str) -> None:
        found.warnings.append(warning)
        if warn is not None:
            warn(warning)

    for line in logical_lines(text):
        if line.stray:
            odd(f'{path}: logical line must not start with whitespace: "{beginning(line.text)}"')
            continue
        try:
            name, value = split_assignment(line.text)
        except ValueError as error:
            raise SettingsError(f"{path}, line {line.number}: {error}") from None
        old = found.values.get(name)
        if old is not None and old != value:
            odd(f"{path}, line {line.number}: overriding earlier entry: {name}={old}")
        found.values[name] = value
        found.lines[name] = line.number
    return found


def split_assignment(text: str) -> tuple[str, str]:
    """`name = value` taken apart; ValueError with Postfix's words."""
    name, equals, value = text.partition("=")
    name = name.strip(SPACE)
    if not equals or any(char in SPACE for char in name):
        raise ValueError(f"missing '=' after attribute name: \"{text}\"")
    if not name:
        raise ValueError(f'missing attribute name: "{text}"')
    return name, value.strip(SPACE + "\n")


def read_main(directory: str) -> MainCf:
    """The main.cf of a configuration directory; config_directory is always the directory that was asked for.

    :raises SettingsError: it cannot be read or is wrong.
    """
    path = os.path.join(directory, "main.cf")
    found = parse_main(read_text(path), path, {"config_directory": directory})
    found.values["config_directory"] = directory
    return found


def read_text(path: str) -> str:
    """A configuration file as text; bytes that are no UTF-8 survive as surrogates."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape", newline="\n") as file:
            return file.read()
    except OSError as error:
        raise SettingsError(f"open {path}: {error.strerror}") from error


def config_directory(option: str | None, environment: dict[str, str] | None = None) -> str:
    """The directory of -c, else of MAIL_CONFIG, else the default one; absolute."""
    surroundings = os.environ if environment is None else environment
    return os.path.abspath(option or surroundings.get("MAIL_CONFIG") or DEFAULT_DIRECTORY)
