"""qshape(1): how much mail waits for each domain, and how old it is (INVENTORY QP-1). Light: it reads the files itself.

On a terminal the table is shown while it grows. Exit status 0, or 1 after `qshape: fatal: text`.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from typing import NamedTuple

from pytwfix.basics.printable import printable
from pytwfix.commands.agetable import Ages, AgeTable
from pytwfix.commands.options import parse
from pytwfix.commands.submission import configuration, die, value, warn
from pytwfix.showq.listing import envelopes

_PROGRAM = "qshape"
_USAGE = (
    "usage: qshape [-s] [-p] [-m min_subdomains] [-l] [-b bucket_count] [-t bucket_time] [-w terminal_width]"
    " [-N batch_msg_count] [-n batch_top_domains] [-c config_directory] [queue_name ...]"
)
_QUEUES = ("incoming", "active")
_CLEAR = "\033[H\033[2J\033[3J"
# option -> what it is without a number above 0
_NUMBERS = {"-b": 10, "-m": 5, "-n": 20, "-N": 1000, "-t": 5, "-w": 80}


class Options(NamedTuple):
    """What is to be shown."""

    senders: bool
    width: int
    batch: int  # messages between two tables on a terminal
    top: int  # lines of such a table


def main(arguments: list[str] | None = None) -> int:
    """The command's entry point."""
    found, names = parse(_PROGRAM, arguments, "b:c:lm:n:N:pst:w:", _USAGE, 1)
    given = dict(found)
    numbers = {letter: _number(letter, given.get(letter, "")) for letter in _NUMBERS}
    directory = value(configuration(_PROGRAM, given.get("-c", "")), "queue_directory")
    ages = Ages(numbers["-b"], numbers["-t"], "-l" in given)
    table = AgeTable(ages, numbers["-m"] if "-p" in given else 0)
    options = Options("-s" in given, numbers["-w"], numbers["-N"], numbers["-n"])
    try:
        _fill(table, options, [os.path.join(directory, name) for name in names or _QUEUES])
        _show(table, options)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return 0


def _number(letter: str, text: str) -> int:
    if not text:
        return _NUMBERS[letter]
    try:
        return int(text) if int(text) > 0 else _NUMBERS[letter]
    except ValueError:
        die(_PROGRAM, f"bad number for {letter}: {text}", 1)


def _fill(table: AgeTable, options: Options, folders: list[str]) -> None:
    now, terminal = time.time(), sys.stdout.isatty()
    for number, (arrival, sender, recipients) in enumerate(_messages(folders), 1):
        for address in [sender] if options.senders else recipients:
            table.add(_domain(address), now - arrival)
        if terminal and not number % options.batch:
            _show(table, options)


def _messages(folders: list[str]) -> Iterator[tuple[int, bytes, list[bytes]]]:
    for folder in folders:
        try:
            os.stat(folder)
            yield from envelopes(folder)
        except OSError as error:
            warn(_PROGRAM, f"warning: {folder}: {error.strerror}")


def _domain(address: bytes) -> str:
    if not address:
        return "MAILER-DAEMON"
    return printable(address.rpartition(b"@")[2], utf8=True).lower()


def _show(table: AgeTable, options: Options) -> None:
    terminal = sys.stdout.isatty()
    lines = table.lines(options.width, options.top if terminal else 0)
    sys.stdout.write((_CLEAR if terminal else "") + "".join(line + "\n" for line in lines))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
