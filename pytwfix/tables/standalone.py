"""Tables for a command: no reactor, no threads, the log on standard error (PM-1)."""

from __future__ import annotations

import random as dice
import sys
import time
from collections.abc import Callable
from typing import Any, NoReturn

from pytwfix.basics.disk import Disk
from pytwfix.basics.printable import printable_text
from pytwfix.settings.kinds import SettingsError
from pytwfix.settings.maincf import config_directory, read_main
from pytwfix.settings.snapshot import Snapshot
from pytwfix.tables.registry import Tables


class CommandLog:
    """ILog of a command: `postmap: warning: text` on standard error."""

    def __init__(self, program: str) -> None:
        self._program = program

    def _say(self, text: str) -> None:
        sys.stdout.flush()
        sys.stderr.write(f"{self._program}: {printable_text(text, True)}\n")

    def info(self, text: str) -> None:
        self._say(text)

    def warning(self, text: str) -> None:
        self._say(f"warning: {text}")

    def error(self, text: str) -> None:
        self._say(f"error: {text}")

    def fatal(self, text: str) -> None:
        self._say(f"fatal: {text}")

    def failure(self, what: str, reason: BaseException) -> None:
        self._say(f"error: {what}: {reason}")


class Dice:
    """IRandom of a command."""

    random = staticmethod(dice.random)
    randrange = staticmethod(dice.randrange)
    shuffle = staticmethod(dice.shuffle)
    bytes = staticmethod(dice.randbytes)


def command_settings(program: str, directory: str) -> tuple[Callable[[str], str | None], Callable[[str], str]]:
    """(parameter by name, expand) from the main.cf of -c or MAIL_CONFIG; what is wrong with it ends the command."""
    try:
        main = read_main(config_directory(directory))
    except SettingsError as error:
        die(program, str(error))
    log = CommandLog(program)
    for text in main.warnings:
        log.warning(text)
    snapshot = Snapshot(main.values)

    def expand(text: str) -> str:
        try:
            return snapshot.expand(text)
        except SettingsError as error:
            die(program, str(error))

    def parameter(name: str) -> str | None:
        value = snapshot.get(name)
        return None if value is None else expand(value)

    return parameter, expand


def command_tables(
    program: str, parameter: Callable[[str], str | None], expand: Callable[[str], str], smtputf8: bool
) -> Tables:
    """The tables as `program` may use them; relative names start at the current directory."""
    disk: Any = Disk()
    chance: Any = Dice()
    return Tables(
        expand=expand,
        parameter=parameter,
        disk=disk,
        threads=None,
        clock=time.monotonic,
        random=chance,
        log=CommandLog(program),
        smtputf8=smtputf8,
        data_directory=parameter("data_directory") or "",
        default_type=parameter("default_database_type") or "hash",
    )


def die(program: str, text: str) -> NoReturn:
    """Say why, and end with exit status 1."""
    sys.stdout.flush()
    sys.stderr.write(f"{program}: fatal: {printable_text(text, True)}\n")
    raise SystemExit(1)
