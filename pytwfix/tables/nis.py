"""nis:map, nisplus:, netinfo: directories of the nineties (MT-7, NP-8): there is nothing to ask, and the log says so.

As Postfix where no NIS domain is set: the table is empty, and mail goes on.
"""

from __future__ import annotations

from pytwfix.tables.driver import Driver, TableContext


class Nis(Driver):
    def __init__(self, context: TableContext, kind: str, rest: str, flags: int) -> None:
        super().__init__(context, kind, rest, flags)
        context.log.warning("dict_nis_init: NIS domain name not set - NIS lookups disabled")

    def find(self, key: bytes) -> bytes | None:
        return None
