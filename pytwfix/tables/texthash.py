"""texthash:/file, or texthash:{{key value}, ...}: postmap's text in memory (MT-5, MT-6). Follows its file (SV-4)."""

from __future__ import annotations

from collections.abc import Iterator

from pytwfix.tables.driver import TableContext
from pytwfix.tables.loaded import LoadedTable
from pytwfix.tables.rulefile import inline_rules
from pytwfix.tables.textsource import IGNORED, entries, shown


class TextHash(LoadedTable[dict[bytes, bytes]]):
    opening = "open database"

    def __init__(self, context: TableContext, kind: str, rest: str, flags: int) -> None:
        super().__init__(context, kind, rest, flags)
        if rest.startswith("{"):
            self.use(self.parse(b"".join(text + b"\n" for _, text in inline_rules(self))))
        else:
            self.open_file()

    def parse(self, data: bytes) -> dict[bytes, bytes]:
        warn, fold = self.context.log.warning, self.folded
        values: dict[bytes, bytes] = {}
        for number, key, value in entries(data, self.path, self._fault, self.utf8, IGNORED):
            folded = fold(key)
            if folded in values:
                warn(f'{self.path}, line {number}: duplicate entry: "{shown(key)}"')
                continue
            values[folded] = value
        return values

    def _fault(self, text: str) -> None:
        self.faults += text.endswith(IGNORED)
        self.context.log.warning(text)

    def find(self, key: bytes) -> bytes | None:
        return self.content().get(key)

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        return iter(list(self.content().items()))
