"""Where mail of one transport goes: a next hop, its concurrency, who waits for it (INVENTORY QM-6, SC-3 to SC-5)."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING

from pytwfix.mail.status import Dsn
from pytwfix.qmgr.feedback import Window

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall

    from pytwfix.qmgr.peer import Peer
    from pytwfix.qmgr.transport import Transport

PAUSE = 1.0  # seconds between two deliveries when mail waits
BREATH = 0.05  # the same when none does
ROW = 5  # deliveries
_Place = tuple[float, int, "Peer"]


class Destination:
    """`key` is its name in lower case, `override` what the retry service shall say.

    `busy` deliveries are under way; the last one to end did so at `ended`, `drained` when nothing was left. `dead` says
    why it gets no mail for a while, `paused` that the time between two deliveries is not over. `listed` is the key
    under which the transport has it among those that take mail.
    """

    __slots__ = (
        "busy", "dead", "drained", "ended", "hurried", "key", "listed", "nexthop", "override", "paused", "row", "timer",
        "transport", "waiting", "window",
    )  # fmt: skip

    def __init__(self, transport: Transport, key: str, nexthop: str, override: Dsn | None = None) -> None:
        self.transport = transport
        self.key = key
        self.nexthop = nexthop
        self.override = override
        self.window = Window(transport.limits)
        self.busy = 0
        self.ended = -PAUSE
        self.hurried = self.drained = False
        self.row = 0
        self.dead: Dsn | None = None
        self.paused = False
        self.listed: float | None = None
        self.timer: IDelayedCall | None = None
        self.waiting: list[_Place] = []

    def open(self) -> bool:
        """Whether one more delivery may begin."""
        return self.busy < self.window.size and self.dead is None and not self.paused

    def hurries(self, now: float) -> bool:
        """Whether deliveries follow each other so closely that connections are worth keeping (SM-10).

        It begins when one starts right after another has ended and more were waiting or under way then: a few mails at
        once do not make it. It goes on as long as that is so or several are under way. Where nothing was left, as in
        Postfix all is forgotten, but for this: mail that comes one by one, as fast as it is delivered, is a hurry too.
        Call it when a delivery begins, which `busy` counts.
        """
        if now - self.ended < (BREATH if self.drained else PAUSE):
            self.row += 1
            if not self.drained or self.row >= ROW:
                self.hurried = True
        elif self.busy <= 1:
            self.hurried = False
            self.row = 0
        self.drained = False
        return self.hurried

    def calm(self) -> None:
        """What failed was no hurry, however soon the next delivery begins."""
        self.ended, self.row, self.hurried = -PAUSE, 0, False

    @property
    def idle(self) -> bool:
        """Whether it can be forgotten."""
        return not self.busy and not self.waiting and self.dead is None and not self.paused

    def wait(self, peer: Peer, number: int) -> None:
        """`peer` has something; those of one job take turns by `number`."""
        heappush(self.waiting, (peer.job.key, number, peer))

    def first(self) -> Peer | None:
        """Whose turn it is. Places that were left, or taken anew with another key, are dropped."""
        waiting = self.waiting
        while waiting:
            key, _, peer = waiting[0]
            if peer.entries and key == peer.job.key:
                return peer
            heappop(waiting)
        return None

    def drain(self) -> list[Peer]:
        """All that wait, none twice; nobody waits afterwards."""
        peers = {id(peer): peer for _, _, peer in self.waiting if peer.entries}
        self.waiting.clear()
        return list(peers.values())

    def stop_timer(self) -> None:
        if self.timer is not None and self.timer.active():
            self.timer.cancel()
        self.timer = None
