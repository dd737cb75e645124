"""hash: and btree: tables of a configuration, made ready before anything asks them (MT-1, PR-3).

What Postfix 3.11 does for builds without Berkeley DB: the tables are served from LMDB files. The master calls
`prepare` at start and at each reload, as root where it is root: it may read texts that the mail owner may not. Nothing
is raised: what cannot be made is logged, and the table fails when it is asked (LK-13).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from pytwfix.contracts.tables import TableError
from pytwfix.tables import berkeley
from pytwfix.tables.driver import TableContext
from pytwfix.tables.files import stamp
from pytwfix.tables.lmdbtable import Lmdb
from pytwfix.tables.substitute import MISSING, make

_NAME = re.compile(r"\b(hash|btree):(/[^\s,;{}]+)")


def named(values: Iterable[str]) -> list[tuple[str, str]]:
    """(type, file) of each Berkeley DB table in parameters' values, also inside of other tables' names."""
    return list(dict.fromkeys((found[1], found[2]) for value in values for found in _NAME.finditer(value)))


def prepare(context: TableContext, values: Iterable[str], owner: tuple[int, int] | None = None) -> None:
    """Make what `values` name, and say where each is served from. `owner`: the uid and gid who will read them."""
    if berkeley.db is not None:
        return
    for kind, file in named(values):
        where = _ready(context, kind, file, owner)
        if where:
            context.log.info(f"{kind}:{file}: {MISSING}: served from {where}")


def _ready(context: TableContext, kind: str, file: str, owner: tuple[int, int] | None) -> str:
    """The file that the table is served from, "" when there is none: a cache is made when it is opened."""
    if stamp(context, file + Lmdb.suffix) is not None:
        return file + Lmdb.suffix
    if stamp(context, file) is None:
        return ""
    try:
        return make(context, kind, file, owner) + Lmdb.suffix
    except TableError as error:
        context.log.warning(error.reason)
        return ""
