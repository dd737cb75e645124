"""Deliveries that other processes make: the queue's side (HOUSE 3, QM-7).

A request goes to the worker that took the mail in, which has it in memory, unless that one has much more to do than the
others; mail for local, virtual and pipe goes to the agents' process. While there is no process for it, a request waits.
When a process dies its requests are taken back: what the queue file does not say is done is deferred, logged and
recorded, as an agent would.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from pytwfix.contracts.delivery import DeliveryRequest, DeliveryResult
from pytwfix.contracts.queue import QueueError
from pytwfix.deliver.outcome import Outcome
from pytwfix.ipc.failures import Gone
from pytwfix.ipc.proxies import AgentProxy
from pytwfix.mail.status import Dsn
from pytwfix.master import placement
from pytwfix.master.plan import program

if TYPE_CHECKING:
    from pytwfix.contracts.delivery import IDeliveryAgent
    from pytwfix.ipc.channel import Channel
    from pytwfix.master.host import ServiceHost

LOST = Dsn("4.3.0", "unknown mail transport error")
PATIENCE = 60.0  # seconds that a request waits for a process to be there
_REMEMBERED = 10_000
_UNEVEN = 10  # so many deliveries more than the idlest worker are too many


class Group:
    """The processes of one kind."""

    def __init__(self, clock: Any, limit: float) -> None:
        self._clock = clock
        self._limit = limit
        self._proxies: dict[Channel, AgentProxy] = {}
        self._waiting: deque[Deferred[None]] = deque()
        self._brought: dict[str, Channel] = {}
        self.resting = False

    def attach(self, channel: Channel) -> None:
        self._proxies[channel] = AgentProxy(channel, self._limit)
        waiting, self._waiting = self._waiting, deque()
        for one in waiting:
            if not one.called:
                one.callback(None)

    def detach(self, channel: Channel) -> None:
        self._proxies.pop(channel, None)

    def brought(self, queue_id: str, channel: Channel) -> None:
        """`channel`'s process took this mail in."""
        if len(self._brought) >= _REMEMBERED:
            self._brought.clear()
        self._brought[queue_id] = channel

    async def deliver(self, request: DeliveryRequest) -> DeliveryResult:
        """Gone: nobody is there, or who was has died."""
        while not self._proxies or self.resting:
            await self._somebody()
        return await self._chosen(request.queue_id).deliver(request)

    def _chosen(self, queue_id: str) -> AgentProxy:
        channels = self._proxies
        if len(channels) > 1:
            idlest = min(channels, key=_load)
            known = self._brought.pop(queue_id, None)
            if known in channels and known.waiting <= idlest.waiting + _UNEVEN:
                return channels[known]
            return channels[idlest]
        return next(iter(channels.values()))

    def _somebody(self) -> Deferred[None]:
        """Fires when a process has come; never while we rest, since what is in the queue stays there."""
        coming: Deferred[None] = Deferred()
        if not self.resting:
            self._waiting.append(coming)
            timer = self._clock.callLater(PATIENCE, self._nobody, coming)
            coming.addBoth(_stop_timer, timer)
        return coming

    def _nobody(self, coming: Deferred[None]) -> None:
        if not coming.called:
            coming.errback(Gone("there is no process that delivers"))


class Spread:
    """IDeliveryAgents of other processes. `host` is the queue manager's, whose log and reports are used."""

    def __init__(self, host: ServiceHost, roles: frozenset[str]) -> None:
        self._host = host
        limit = float(host.plan.settings.daemon_timeout)
        kinds = (placement.WORKER, placement.AGENTS)
        self.groups = {kind: Group(host.reactor, limit) for kind in kinds if kind not in roles}

    def agent(self, transport: str) -> IDeliveryAgent | None:
        line = self._host.plan.by_name().get(transport)
        if line is None:
            return None
        for kind, group in self.groups.items():
            if placement.runs(program(line), frozenset((kind,))):
                return _Elsewhere(self._host, group)
        return None

    def limit(self, transport: str) -> int:
        line = self._host.plan.by_name().get(transport)
        return 0 if line is None else self._host.plan.limit(line)

    def rest(self) -> None:
        """Begin nothing more."""
        for group in self.groups.values():
            group.resting = True


class _Elsewhere:
    """IDeliveryAgent."""

    __slots__ = ("_group", "_host")

    def __init__(self, host: ServiceHost, group: Group) -> None:
        self._host = host
        self._group = group

    def deliver(self, request: DeliveryRequest) -> Deferred[DeliveryResult]:
        answer = Deferred.fromCoroutine(self._group.deliver(request))
        return answer.addErrback(self._lost, request)

    def _lost(self, failure: Failure, request: DeliveryRequest) -> Any:
        failure.trap(Gone)
        if self._group.resting:
            return Deferred()  # the system ends: the mail stays in active/, where it is found at the next start
        return Deferred.fromCoroutine(taken_back(self._host, request))


async def taken_back(host: ServiceHost, request: DeliveryRequest) -> DeliveryResult:
    """Defer whoever is not marked as done in the queue file."""
    done = await _done(host, request)
    outcome = Outcome(host, request)
    for recipient in request.recipients:
        if recipient.offset >= 0 and recipient.offset in done:
            recipient.done = True
        else:
            await outcome.deferred(recipient, LOST, "none", request.times)
    return outcome.result


async def _done(host: ServiceHost, request: DeliveryRequest) -> set[int]:
    """The offsets of recipients that the file says are done."""
    try:
        message = await host.peers.store.open(request.queue, request.queue_id, False)
    except QueueError:
        return set()
    try:
        return {one.offset for one in message.envelope.recipients if one.done}
    finally:
        message.close()


def _load(channel: Channel) -> int:
    return channel.waiting


def _stop_timer(result: Any, timer: Any) -> Any:
    if timer.active():
        timer.cancel()
    return result
