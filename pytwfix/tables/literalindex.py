"""Which of many patterns can match a subject at all, by the texts that they need (MT-2, MT-3).

Each pattern is filed under four bytes of every text of one of its sets (literals), those that the fewest patterns
have; shorter texts under three, two or one. A subject's own runs of four bytes are looked up in this, as numbers: the
time goes with the subject's length and with the few patterns found, not with their count. A few texts are looked for
by one expression, which is faster. It selects too many at times, and never misses one: whoever asks lets the pattern
itself decide.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable, Sequence

from pytwfix.tables.literals import Texts

_FEW = 40  # texts that are looked for by one expression
_WEIGHT = {4: 1, 3: 4, 2: 40, 1: 400}  # how much more often a subject has a run of this length


class LiteralIndex:
    """`needs[i]` are the sets of pattern i; those without a set, or with one that is no help, are in `always`."""

    __slots__ = ("_any", "_entries", "_few", "always")

    def __init__(self, needs: Sequence[Sequence[Texts]]) -> None:
        counts = _counts(needs)
        self.always: list[int] = []
        # length -> run -> (pattern, text) that are filed there
        self._entries: dict[int, dict[int, list[tuple[int, bytes]]]] = {}
        filed: list[tuple[int, bytes]] = []
        for number, sets in enumerate(needs):
            best = min(sets, key=lambda texts: _cost(texts, counts), default=None)
            if best is None:
                self.always.append(number)
                continue
            filed += [(number, text) for text in best]
        self._few: list[tuple[int, bytes]] = []
        self._any: re.Pattern[bytes] | None = None
        if len(filed) <= _FEW:
            self._few = filed
            self._any = re.compile(b"|".join(re.escape(text) for _, text in filed) or b"(?!)")
            return
        for number, text in filed:
            run = _rarest(text, counts)
            entries = self._entries.setdefault(len(run), {})
            entries.setdefault(int.from_bytes(run, sys.byteorder), []).append((number, text))

    def candidates(self, subject: bytes) -> list[int]:
        """The numbers of the patterns that may match, in their order."""
        lower = subject.lower()
        if self._any is None:
            found = [
                number
                for size, entries in self._entries.items()
                for run in entries.keys() & _runs(lower, size)
                for number, text in entries[run]
                if text in lower
            ]
        elif self._any.search(lower) is None:
            return self.always
        else:
            found = [number for number, text in self._few if text in lower]
        if self.always:
            found += self.always
        elif len(found) < 2:
            return found
        return sorted(set(found))


def _runs(text: bytes, size: int) -> Iterable[int]:
    """All runs of `size` bytes as numbers."""
    if size == 4:
        end = len(text)
        runs: set[int] = set()
        for start in (0, 1, 2, 3):
            if end - start >= 4:
                runs.update(memoryview(text)[start : end - (end - start) % 4].cast("I"))
        return runs
    order = sys.byteorder
    return {int.from_bytes(text[start : start + size], order) for start in range(len(text) - size + 1)}


def _cut(text: bytes) -> list[bytes]:
    size = min(4, len(text))
    return [text[start : start + size] for start in range(len(text) - size + 1)]


def _counts(needs: Sequence[Sequence[Texts]]) -> Counter[bytes]:
    """How many patterns could be filed under each run."""
    counts: Counter[bytes] = Counter()
    for sets in needs:
        runs: set[bytes] = set()
        for texts in sets:
            for text in texts:
                runs.update(_cut(text))
        counts.update(runs)
    return counts


def _rarest(text: bytes, counts: Counter[bytes]) -> bytes:
    return min(_cut(text), key=counts.__getitem__)


def _cost(texts: Texts, counts: Counter[bytes]) -> int:
    """How many will be found for nothing when a pattern is filed by this set, roughly."""
    total = 0
    for text in texts:
        run = _rarest(text, counts)
        total += counts[run] * _WEIGHT[len(run)]
    return total
