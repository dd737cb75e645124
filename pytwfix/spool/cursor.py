"""Going through the records of a file, and following pointers (INVENTORY RF-1, RF-2). Light.

A milter's changes make records point elsewhere in the file (`p`). All is done by `pread` of a few KiB at a time, so
that it does not matter how large the content is. BadRecord for what is no sequence of records.
"""

from __future__ import annotations

from collections.abc import Callable

from pytwfix.spool import records
from pytwfix.spool.records import BadRecord, Record

Read = Callable[[int, int], bytes]  # (size, offset) -> bytes, fewer at the end of the file

_CHUNK = 8192
_MOST_JUMPS = 100_000
POINTER, PADDING = records.POINTER[0], records.PADDING[0]


class Cursor:
    """Goes through the records of a file, follows pointers and leaves padding out."""

    def __init__(self, read: Read, at: int = 0, raw: bool = False) -> None:
        self._read = read
        self._raw = raw  # pointers, padding and unknown records are records like others
        self._known = records.ANY_TYPE if raw else records.KNOWN
        self._data = b""
        self._base = 0
        self._jumps = 0
        self.at = at

    def next(self) -> Record | None:
        """The next record, None at the end of the file."""
        while True:
            item = self._next()
            if item is None or self._raw or item.kind not in (POINTER, PADDING):
                return item
            if item.kind == POINTER:
                self.jump(item)

    def each(self, take: Callable[[int, bytes, int], None], kinds: frozenset[int]) -> None:
        """Give away the records that come next as long as they are short, of these kinds, and have been read already:
        nearly all of an envelope, for half of what `next` costs."""
        data, base = self._data, self._base
        place, last = self.at - base, len(data) - 1
        while 0 <= place < last:
            kind, size = data[place], data[place + 1]
            start = place + 2
            if size > 127 or start + size > last or kind not in kinds:
                break
            self.at = base + start + size
            take(kind, data[start : start + size], base + place)
            place = start + size

    def skip(self, kind: int) -> None:
        """Pass over records of a kind that come next, as far as they are short and have been read already."""
        data, place = self._data, self.at - self._base
        last = len(data) - 1
        while 0 <= place < last and data[place] == kind and data[place + 1] < 128:
            after = place + 2 + data[place + 1]
            if after > last:
                break
            place = after
        self.at = self._base + place

    def jump(self, item: Record) -> None:
        """Go where a pointer points: 0 is nowhere."""
        try:
            target = int(item.data)
        except ValueError:
            raise BadRecord("bad pointer record") from None
        self._jumps += 1
        if target < 0 or self._jumps > _MOST_JUMPS:
            raise BadRecord("bad pointer record")
        if target:
            self.at = target

    def _next(self) -> Record | None:
        place = self.at - self._base
        if not 0 <= place < len(self._data):
            self._fill(_CHUNK)
            if not self._data:
                return None
            place = 0
        try:
            item = records.read_record(self._data, place, self._base, self._known)
        except BadRecord:
            item = self._cut_off()
        self.at = item.end
        return item

    def _cut_off(self) -> Record:
        """A record that begins near the end of what was read, or is larger."""
        self._fill(_CHUNK)
        try:
            _, size, start = records.read_header(self._data, 0)
            if start + size > len(self._data):
                self._fill(start + size)
        except IndexError:
            pass  # it is told below
        return records.read_record(self._data, 0, self._base, self._known)

    def _fill(self, size: int) -> None:
        self._base = self.at
        self._data = self._read(size, self.at)
