"""postmap(1): makes, asks and changes lookup tables (PM-1)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable

from pytwfix.commands.tablecommand import Opened, TableCommand
from pytwfix.contracts.tables import UTF8_REQUEST
from pytwfix.tables.build import Entry
from pytwfix.tables.messagequery import BODY, HEADER, message_lines
from pytwfix.tables.standalone import die
from pytwfix.tables.textsource import entries

_LETTERS = "bc:d:fFhijmnNopq:rsuUvw"
_USAGE = "[-bfFhijmnNoprsuUvw] [-c config_dir] [-d key] [-q key] [map_type:]file..."


def _parse(data: bytes, path: str, warn: Callable[[str], None], utf8: bool) -> Iterable[Entry]:
    return entries(data, path, warn, utf8)


class PostMap(TableCommand):
    def __init__(self) -> None:
        super().__init__("postmap", _LETTERS, _USAGE, _parse)

    def check(self) -> None:
        if any(letter in self.options for letter in "bhm") and self.options.get("q") != "-":
            die(self.program, 'specify -b -h or -m only with "-q -"')

    def query_lines(self, names: list[str]) -> int:
        header, body, mime = ("h" in self.options, "b" in self.options, "m" in self.options)
        if mime and not header and not body:
            self.warn("ignoring -m option without -b or -h")
        if not header and not body:
            return super().query_lines(names)
        drivers = Opened(self.tables, names, self.flags & ~UTF8_REQUEST)
        found = False
        for kind, text in message_lines(sys.stdin.buffer.read(), mime):
            if body if kind == BODY else header or (mime and body and kind != HEADER and header):
                found |= self.answer(drivers, text)
        return 0 if found else 1


def main(arguments: list[str] | None = None) -> int:
    """The command's entry point."""
    return PostMap().run(sys.argv[1:] if arguments is None else arguments)
