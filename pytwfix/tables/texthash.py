"""texthash:/file: postmap's text, read into memory (MT-5). Read again when the file changes (SV-4)."""

from __future__ import annotations

from collections.abc import Iterator

from pytwfix.contracts.tables import TableError
from pytwfix.tables.driver import Driver, TableContext
from pytwfix.tables.files import Watch, read_file
from pytwfix.tables.textsource import IGNORED, entries, folder, shown


class TextHash(Driver):
    names_files = True
    readonly = "map requires O_RDONLY access mode"

    def __init__(self, context: TableContext, kind: str, rest: str, flags: int) -> None:
        super().__init__(context, kind, rest, flags)
        self.path = context.path(rest)
        self._watch = Watch(context, self.path)
        self._values = self._read()

    def _read(self) -> dict[bytes, bytes]:
        data = read_file(self.context, self.name, self.path, "open database")
        warn = self.context.log.warning
        fold = folder(self.fold, self.utf8)
        values: dict[bytes, bytes] = {}
        for number, key, value in entries(data, self.path, warn, self.utf8, IGNORED):
            folded = fold(key)
            if folded in values:
                warn(f'{self.path}, line {number}: duplicate entry: "{shown(key)}"')
                continue
            values[folded] = value
        return values

    def find(self, key: bytes) -> bytes | None:
        if self._watch.changed():
            try:
                self._values = self._read()
            except TableError as error:
                self.context.log.error(f"{self.name}: {error.reason}; the old content stays in use")
        return self._values.get(key)

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        return iter(list(self._values.items()))
