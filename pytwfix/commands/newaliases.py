"""newaliases(1): postalias for each of alias_database (PM-6)."""

from __future__ import annotations

import getopt
import sys

from pytwfix.commands.postalias import PostAlias
from pytwfix.tables.names import split_list
from pytwfix.tables.standalone import command_settings


def main(arguments: list[str] | None = None) -> int:
    """The command's entry point. Options of sendmail(1) that mean nothing here are taken."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        options = dict(getopt.gnu_getopt(given, "vC:o:O:q:")[0])
    except getopt.GetoptError as error:
        sys.stderr.write(f"newaliases: fatal: unsupported option: -{error.opt}\n")
        return 64
    directory = options.get("-C", "")
    parameter, _ = command_settings("newaliases", directory)
    names = split_list(parameter("alias_database") or "")
    if not names:
        return 0
    return PostAlias().run([*(["-c", directory] if directory else []), "--", *names])
