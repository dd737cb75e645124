"""One message on one transport, and when it may overtake another (INVENTORY SC-6).

Jobs are served in the order in which they came: `key` is that order. A job earns one slot for every `cost` deliveries
that it gets. With enough slots a smaller job may overtake it: it is given a key just before that of the larger one,
which pays a slot for each delivery that the smaller one still has. A part of the slots need not have been earned yet
(discount and loan), but the debt is paid before the next one overtakes. A job that overtook may be overtaken itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from pytwfix.qmgr.peer import Peer

if TYPE_CHECKING:
    from pytwfix.qmgr.configuration import Limits
    from pytwfix.qmgr.destination import Destination
    from pytwfix.qmgr.message import Message
    from pytwfix.qmgr.transport import Transport


class Job:
    """`left` deliveries wait, `total` were ever added, `selected` were handed out, `used` slots are spent."""

    __slots__ = ("_first", "_others", "key", "left", "message", "overtaking", "selected", "total", "transport", "used")

    def __init__(self, transport: Transport, message: Message, key: float) -> None:
        self.transport = transport
        self.message = message
        self.key = key
        self._first: Peer | None = None
        self._others: dict[Destination, Peer] | None = None  # few have any, and there is one job a message
        self.left = self.total = self.selected = self.used = 0
        self.overtaking = False

    @property
    def peers(self) -> Iterator[Peer]:
        """What it has for all its destinations."""
        if self._first is not None:
            yield self._first
        if self._others is not None:
            yield from self._others.values()

    def peer(self, destination: Destination) -> Peer:
        """What it has for one, perhaps nothing yet."""
        first = self._first
        if first is None:
            first = self._first = Peer(self, destination)
        if first.destination is destination:
            return first
        others = self._others
        if others is None:
            others = self._others = {}
        found = others.get(destination)
        if found is None:
            found = others[destination] = Peer(self, destination)
        return found

    def added(self) -> None:
        self.left += 1
        self.total += 1

    def taken(self) -> None:
        self.left -= 1
        self.selected += 1

    def withdrawn(self, count: int) -> None:
        self.left -= count
        self.total -= count

    def yields(self, limits: Limits) -> float:
        """How large a job may be that overtakes this one now; 0: none may."""
        cost = limits.cost
        if not cost or self.total < limits.minimum_slots * cost:
            return 0
        earned = self.selected / cost - self.used
        if earned + limits.loan <= 0:
            return 0
        discount = 1 - limits.discount / 100
        largest = (earned + limits.loan) / discount if discount else math.inf
        return min(largest, self.total / cost - self.used)

    def overtake(self, other: Job) -> None:
        """Stand before `other`, which pays for it."""
        other.used += self.left
        self.key = math.nextafter(other.key, -math.inf)
        self.overtaking = True


def candidate(jobs: Iterable[Job], ahead: Job, largest: float, now: float) -> Job | None:
    """The job that shall overtake `ahead`: the one that has waited longest for the least work.

    It must be complete in memory, behind `ahead`, and have a destination that takes mail now.
    """
    best, score = None, 0.0
    for job in jobs:
        left = job.left
        if not 0 < left <= largest or job.key <= ahead.key or job.message.place < len(job.message.todo):
            continue
        value = (now - job.message.active + 1) / left
        if value > score and any(peer.entries and peer.destination.open() for peer in job.peers):
            best, score = job, value
    return best
