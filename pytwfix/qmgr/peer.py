"""What one message has for one destination, in portions for one delivery each (SC-2).

There is one for nearly every message in the active queue, mostly with one entry: it should be small.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytwfix.mail.envelope import Recipient

if TYPE_CHECKING:
    from pytwfix.qmgr.destination import Destination
    from pytwfix.qmgr.job import Job


class Peer:
    """`entries` wait for a delivery each."""

    __slots__ = ("destination", "entries", "job")

    def __init__(self, job: Job, destination: Destination) -> None:
        self.job = job
        self.destination = destination
        self.entries: list[list[Recipient]] = []

    def add(self, recipients: list[Recipient], at_once: int) -> None:
        """Cut `recipients` into deliveries of `at_once` (0: one delivery)."""
        size = at_once or len(recipients)
        if not self.entries and len(recipients) <= size:
            self.entries = [recipients[:]]  # smaller than a list that grows
            self.job.added()
            return
        for start in range(0, len(recipients), size):
            self.entries.append(recipients[start : start + size])
            self.job.added()

    def take(self) -> list[Recipient]:
        """The next delivery."""
        self.job.taken()
        return self.entries.pop(0)

    def drain(self) -> list[Recipient]:
        """All that waits; nothing is left."""
        everyone = [recipient for entry in self.entries for recipient in entry]
        self.job.withdrawn(len(self.entries))
        self.entries.clear()
        return everyone
