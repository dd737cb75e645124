"""How old the mail for each domain is: what qshape counts, and the table that it prints (INVENTORY QP-1). Pure.

Columns are the total and one bucket for each interval of ages, in minutes. With parents on, a line `.example.com` sums
up all domains below example.com; top level domains have none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

_NARROWEST = 80
_SHORTEST = 18  # of a name that is cut
_CELL = 2


class Ages:
    """`count` buckets, the first `minutes` wide, each other as wide as all before it, or (linear) as the first."""

    def __init__(self, count: int, minutes: int, linear: bool) -> None:
        steps = range(1, count)
        self.limits = [minutes * step for step in steps] if linear else [minutes << step - 1 for step in steps]

    def labels(self) -> list[str]:
        return [*map(str, self.limits), f"{self.limits[-1] if self.limits else 0}+"]

    def bucket(self, seconds: float) -> int:
        for index, limit in enumerate(self.limits):
            if seconds < 60 * limit:
                return index
        return len(self.limits)


class AgeTable:
    """`parents` is how many domains below a parent make a line of its own; 0: none do."""

    def __init__(self, ages: Ages, parents: int = 0) -> None:
        self._ages = ages
        self._parents = parents
        self._rows: dict[str, list[int]] = {}
        self._width = len(ages.limits) + 2  # the total, and the buckets

    def add(self, domain: str, seconds: float) -> None:
        """One address more."""
        row = self._rows.get(domain)
        if row is None:
            row = self._rows[domain] = [0] * self._width
        row[0] += 1
        row[1 + self._ages.bucket(seconds)] += 1

    def lines(self, width: int, most: int = 0) -> Iterator[str]:
        """The table; `most` lines of it below its head, 0 for all."""
        rows = [("TOTAL", self._sum(self._rows.values())), *self._sorted()]
        table = [("", ["T", *self._ages.labels()])]
        table += [(name, [str(number) for number in row]) for name, row in (rows[:most] if most else rows)]
        widths = [max(_CELL, *(len(row[at]) for _, row in table)) for at in range(self._width)]
        room = max(max(width, _NARROWEST) - sum(widths) - len(widths), _SHORTEST)
        for name, cells in table:
            yield _fitting(name, room).rjust(room) + "".join(
                " " + cell.rjust(size) for cell, size in zip(cells, widths, strict=True)
            )

    def _sum(self, rows: Iterable[list[int]]) -> list[int]:
        total = [0] * self._width
        for row in rows:
            total = [one + other for one, other in zip(total, row, strict=True)]
        return total

    def _sorted(self) -> list[tuple[str, list[int]]]:
        rows = {**self._rows, **self._above()} if self._parents else self._rows
        return sorted(rows.items(), key=lambda item: (-item[1][0], len(item[0]), item[0]))

    def _above(self) -> dict[str, list[int]]:
        below: dict[str, list[list[int]]] = {}
        for domain, row in self._rows.items():
            for parent in _parents(domain):
                below.setdefault(parent, []).append(row)
        return {parent: self._sum(rows) for parent, rows in below.items() if len(rows) >= self._parents}


def _parents(domain: str) -> Iterator[str]:
    """`.b.c` for a.b.c: all above it but the top. An address literal has none."""
    if domain.startswith("["):
        return
    labels = domain.split(".")
    for at in range(1, len(labels) - 1):
        yield "." + ".".join(labels[at:])


def _fitting(name: str, room: int) -> str:
    if len(name) <= room:
        return name
    mark = ".+" if name.startswith(".") else "+"
    return mark + name[len(mark) - room :]
