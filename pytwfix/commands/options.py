"""A command line's options as getopt(3) takes them, with its words for what is wrong. Light."""

from __future__ import annotations

import getopt
import sys

from pytwfix.commands.submission import die, warn


def parse(
    program: str, arguments: list[str] | None, letters: str, usage: str, code: int
) -> tuple[list[tuple[str, str]], list[str]]:
    """(options in their order, words behind them); `arguments` None are those of the process.

    `letters` is getopt's: a colon behind a letter says that it takes an argument. A letter that is not there, or one
    without its argument, ends the command with `usage` and `code`.
    """
    try:
        return getopt.getopt(sys.argv[1:] if arguments is None else arguments, letters)
    except getopt.GetoptError as error:
        warn(program, complaint(error, letters))
        die(program, usage, code)


def complaint(error: getopt.GetoptError, letters: str) -> str:
    """What getopt(3) would have said."""
    if f"{error.opt}:" in letters and len(error.opt) == 1:
        return f"option requires an argument -- '{error.opt}'"
    return f"invalid option -- '{'-' if '--' in error.msg else error.opt}'"
