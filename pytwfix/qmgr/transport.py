"""One line of master.cf that delivers: its destinations, its jobs, who is served next (INVENTORY SC-2 to SC-6, QM-10).

A destination that takes mail and has some is listed in `_ready` under the key of the first job that waits for it. As
long as the service takes deliveries, the one with the least key is served: job after job, the destinations of a job in
turns. Whoever changes what a destination has, or whether it takes mail, calls `arrange` and then `dispatch`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from pytwfix.mail.address import split_extension
from pytwfix.mail.envelope import Recipient
from pytwfix.mail.status import Dsn
from pytwfix.qmgr.destination import Destination
from pytwfix.qmgr.job import Job, candidate
from pytwfix.qmgr.peer import Peer

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall

    from pytwfix.qmgr.configuration import Limits
    from pytwfix.qmgr.message import Message

Start = Callable[[Destination, "Message", list[Recipient]], None]
SEARCH = 1.0  # seconds between two looks for a job that may overtake, when there was none
_MANY = 1000  # destinations, before those that are idle are forgotten


class Transport:
    """`busy` deliveries are under way, `recipients` are in memory for it, `dead` says why it gets no mail for now."""

    def __init__(self, name: str, limits: Limits, delimiter: bytes, now: Callable[[], float], start: Start) -> None:
        self.name = name
        self.limits = limits
        self.delimiter = delimiter
        self.destinations: dict[str, Destination] = {}
        self.jobs: dict[str, Job] = {}  # by queue ID
        self.busy = 0
        self.recipients = 0
        self.dead: Dsn | None = None
        self.paused = False
        self.timer: IDelayedCall | None = None
        self._now = now
        self._start = start
        self._ready: list[tuple[float, int, Destination]] = []
        self._number = 0
        self._search = 0.0
        self._many = _MANY
        self._dispatching = False

    def adopt(self, limits: Limits, delimiter: bytes) -> None:
        """The limits of a reload."""
        self.limits, self.delimiter = limits, delimiter
        for destination in self.destinations.values():
            window = destination.window
            window.limits = limits
            if limits.concurrency and window.size > limits.concurrency:
                window.size = limits.concurrency

    def free(self) -> bool:
        """Whether one more delivery may begin."""
        processes = self.limits.processes
        return (not processes or self.busy < processes) and self.dead is None and not self.paused

    # -- destinations --------------------------------------------------------------------------------------------------

    def key(self, nexthop: str, address: bytes) -> str:
        """The name of a destination: the next hop, or the mailbox when deliveries take one recipient each (QM-6)."""
        if self.limits.recipients_at_once != 1:
            return nexthop.lower()
        local = address.rpartition(b"@")[0] or address
        if self.delimiter:
            local = split_extension(local, self.delimiter)[0]
        return f"{local.decode('utf-8', 'replace')}@{nexthop}".lower()

    def destination(self, key: str, nexthop: str, override: Dsn | None = None) -> Destination:
        found = self.destinations.get(key)
        if found is None:
            if len(self.destinations) >= self._many:
                self.forget_idle()
            found = self.destinations[key] = Destination(self, key, nexthop, override)
        return found

    def forget_idle(self) -> None:
        """Drop destinations that have nothing to remember."""
        for destination in [one for one in self.destinations.values() if one.idle]:
            del self.destinations[destination.key]
        self._many = max(_MANY, 2 * len(self.destinations))

    # -- what waits ----------------------------------------------------------------------------------------------------

    def offer(self, destination: Destination, message: Message, recipients: list[Recipient]) -> None:
        """Recipients of a message for a destination."""
        job = self.jobs.get(message.queue_id)
        if job is None:
            self._number += 1
            job = self.jobs[message.queue_id] = Job(self, message, self._number)
            message.jobs += (job,)
        peer = job.peer(destination)
        if not peer.entries:
            self._queue(peer)
        peer.add(recipients, 1 if message.envelope.verp else self.limits.recipients_at_once)
        self.arrange(destination)

    def _queue(self, peer: Peer) -> None:
        self._number += 1
        peer.destination.wait(peer, self._number)

    def arrange(self, destination: Destination) -> None:
        """List a destination if it has mail and takes it."""
        if not destination.waiting or not destination.open():
            return
        peer = destination.first()
        if peer is not None:
            key = peer.job.key
            if destination.listed is None or key < destination.listed:
                destination.listed = key
                self._number += 1
                heappush(self._ready, (key, self._number, destination))

    def drain(self, destination: Destination) -> Iterator[tuple[Message, list[Recipient]]]:
        """All that waits for a destination; nothing does afterwards."""
        for peer in destination.drain():
            recipients = peer.drain()
            yield peer.job.message, recipients

    # -- who is next ---------------------------------------------------------------------------------------------------

    def dispatch(self) -> None:
        """Begin deliveries as long as there are any and the service takes them."""
        if self._dispatching:  # a delivery that ended at once: the loop below goes on
            return
        self._dispatching = True
        try:
            while self._ready and self.free():
                self._serve()
        finally:
            self._dispatching = False

    def _serve(self) -> None:
        key, _, destination = heappop(self._ready)
        if destination.listed != key:
            return  # it was listed anew with a lesser key
        destination.listed = None
        peer = destination.first() if destination.open() else None
        if peer is None:
            return
        job = peer.job
        if job.key == key and not self._overtaken(job):
            recipients = peer.take()
            self._start(destination, job.message, recipients)
        self.arrange(destination)

    def _overtaken(self, job: Job) -> bool:
        """Whether another job takes this one's place."""
        largest = job.yields(self.limits)
        if largest < 1:
            return False
        now = self._now()
        if now < self._search:
            return False
        other = candidate(self.jobs.values(), job, largest, now)
        if other is None:
            self._search = now + SEARCH
            return False
        other.overtake(job)
        for peer in other.peers:
            if peer.entries:
                self._queue(peer)
                self.arrange(peer.destination)
        return True

    # -- the end -------------------------------------------------------------------------------------------------------

    def stop_timers(self) -> None:
        for destination in self.destinations.values():
            destination.stop_timer()
        if self.timer is not None and self.timer.active():
            self.timer.cancel()
        self.timer = None
