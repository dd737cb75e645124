"""The first of many ranges that holds a number: what cidr tables are made of (MT-4).

Ranges come in order, and each takes what none before it has taken: they are painted onto the line of numbers, first
colour wins. Where the paint changes is kept in arrays, so that a question is one binary search, however many ranges
there were and however they lie. Building costs one sort, and a few steps a range: "where is the next place without
paint" is remembered in `_follow` (union-find). Ranges are half open: (start, end).
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

Range = tuple[int, int]
NOTHING = -1  # of numbers that no range holds
_LOW = (1 << 64) - 1


def intersection(region: Sequence[Range], start: int, end: int) -> list[Range]:
    """What of a region (sorted, no overlaps) lies in start..end."""
    index = max(0, bisect_right(region, (start, _HUGE)) - 1)
    found: list[Range] = []
    while index < len(region) and region[index][0] < end:
        low, high = max(start, region[index][0]), min(end, region[index][1])
        if low < high:
            found.append((low, high))
        index += 1
    return found


def difference(region: Sequence[Range], start: int, end: int, size: int) -> list[Range]:
    """A region without start..end; numbers are below `size`."""
    return intersection(region, 0, start) + intersection(region, end, size)


_HUGE = 1 << 129


class Painter:
    """Takes ranges and their answers (numbers from 0 on) in order; `map` makes what is asked."""

    __slots__ = ("_answers", "_bits", "_ends", "_starts")

    def __init__(self, bits: int) -> None:
        self._bits = bits
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._answers = array("i")

    def add(self, start: int, end: int, answer: int) -> None:
        self._starts.append(start)
        self._ends.append(end)
        self._answers.append(answer)

    def map(self) -> Ranges:
        """The paint as it lies in the end."""
        bounds = sorted({0, *self._starts, *self._ends})
        colours = self._paint(bounds)
        starts: list[int] = []
        answers = array("i")
        last = NOTHING - 1
        for start, colour in zip(bounds, colours, strict=True):
            if colour != last:
                starts.append(start)
                answers.append(colour)
                last = colour
        return Ranges(starts, answers) if self._bits <= 32 else WideRanges(starts, answers)

    def _paint(self, bounds: list[int]) -> array[int]:
        index = {bound: place for place, bound in enumerate(bounds)}
        colours = array("i", [NOTHING]) * len(bounds)
        follow = array("I", range(len(bounds) + 1))
        for start, end, answer in zip(self._starts, self._ends, self._answers, strict=True):
            place, stop = index[start], index[end]
            while True:
                while (after := follow[place]) != place:  # to the next one without paint
                    follow[place] = follow[after]
                    place = after
                if place >= stop:
                    break
                colours[place] = answer
                follow[place] = place + 1
        return colours


class Ranges:
    """Numbers of up to 32 bits: answers by binary search."""

    __slots__ = ("_answers", "_starts")

    def __init__(self, starts: list[int], answers: array[int]) -> None:
        self._starts = array("Q", starts)  # a range may end at 2^32
        self._answers = answers

    def find(self, number: int) -> int:
        return self._answers[bisect_right(self._starts, number) - 1]


class WideRanges(Ranges):
    """Numbers of up to 128 bits, in two halves: a range that ends at 2^128 needs no place, nothing comes after it."""

    __slots__ = ("_lows",)

    def __init__(self, starts: list[int], answers: array[int]) -> None:
        if starts[-1] >> 128:
            starts, answers = starts[:-1], answers[:-1]
        super().__init__([start >> 64 for start in starts], answers)
        self._lows = array("Q", [start & _LOW for start in starts])

    def find(self, number: int) -> int:
        high = number >> 64
        first = bisect_left(self._starts, high)
        last = bisect_right(self._starts, high, first)
        if first == last:
            return self._answers[first - 1]
        place = bisect_right(self._lows, number & _LOW, first, last)
        return self._answers[place - 1]
