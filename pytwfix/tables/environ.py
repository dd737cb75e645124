"""environ:anything: the process's environment; keys are taken as they are (MT-6)."""

from __future__ import annotations

import os
from collections.abc import Iterator

from pytwfix.contracts.tables import FOLD_FIX
from pytwfix.tables.driver import Driver, TableContext


class Environ(Driver):
    def __init__(self, context: TableContext, kind: str, rest: str, flags: int) -> None:
        super().__init__(context, kind, rest, flags & ~FOLD_FIX)

    def find(self, key: bytes) -> bytes | None:
        return os.environb.get(key)

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        return iter(os.environb.items())
