"""postalias(1): makes, asks and changes alias databases (PM-2)."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable

from pytwfix.commands.tablecommand import TableCommand
from pytwfix.tables.aliassource import alias_entries
from pytwfix.tables.build import Entry

_LETTERS = "Nc:d:fijnopq:rsuvw"
_USAGE = "[-Nfijnoprsuvw] [-c config_dir] [-d key] [-q key] [map_type:]file..."


def _parse(data: bytes, path: str, warn: Callable[[str], None], utf8: bool) -> Iterable[Entry]:
    return alias_entries(data, path, warn, utf8)


class PostAlias(TableCommand):
    def __init__(self) -> None:
        super().__init__("postalias", _LETTERS, _USAGE, _parse, b":\t")

    def additions(self) -> list[tuple[bytes, bytes]]:
        """What NIS programs want to find in an alias database."""
        name = self.tables.context.parameter("myhostname") or ""
        return [
            (b"YP_LAST_MODIFIED", b"%d" % time.time()),
            (b"YP_MASTER_NAME", name.encode("utf-8", "surrogateescape")),
            (b"@", b"@"),
        ]


def main(arguments: list[str] | None = None) -> int:
    """The command's entry point."""
    return PostAlias().run(sys.argv[1:] if arguments is None else arguments)
