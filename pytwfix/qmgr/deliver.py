"""Handing recipients to a delivery agent, and what its answer means for destination and transport (QM-7, SC-3 to SC-5).

An agent that answers at once costs no callback. What it says of the recipients goes to the message; `ended` is called
when the last one has an outcome. A destination or transport that is dead gets no mail for a while: what waits for it
goes to the retry service by `retry`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from pytwfix.contracts.delivery import BUSY, DeliveryRequest, DeliveryResult, Times
from pytwfix.contracts.queue import ACTIVE
from pytwfix.mail.envelope import Recipient
from pytwfix.mail.status import Dsn
from pytwfix.qmgr import log
from pytwfix.qmgr.settings import QmgrSettings
from pytwfix.qmgr.verp import verp_envelope

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall
    from twisted.python.failure import Failure

    from pytwfix.contracts.host import IHost
    from pytwfix.qmgr.destination import Destination
    from pytwfix.qmgr.message import Message
    from pytwfix.qmgr.transport import Transport

UNAVAILABLE = Dsn("4.3.0", "mail transport unavailable")
CRASHED = Dsn("4.3.0", "unknown mail transport error")
SUSPENDED = "delivery temporarily suspended: "
_Kind = TypeVar("_Kind")
_Delivery = tuple[float, DeliveryRequest, "Destination", "Message"]


class Deliverer:
    """See the module. `under_way` holds deliveries that have not ended."""

    def __init__(
        self,
        host: IHost,
        ended: Callable[[Message, int], None],
        retry: Callable[[Message, list[Recipient], Dsn], None],
    ) -> None:
        self._host = host
        self._now = host.now
        self._ended = ended
        self._retry = retry
        self.under_way: dict[int, _Delivery] = {}
        self.stopped = False

    def start(self, destination: Destination, message: Message, recipients: list[Recipient]) -> None:
        """One delivery."""
        transport = destination.transport
        peers = self._host.peers
        agent = peers.agents.agent(transport.name)
        if agent is None:
            self._no_agent(destination, message, recipients)
            return
        transport.busy += 1
        destination.busy += 1
        now = self._now()
        envelope = message.envelope
        handle = message.handle or peers.store.at_hand(message.queue_id)
        request = DeliveryRequest(
            ACTIVE,
            message.queue_id,
            transport.name,
            destination.nexthop,
            verp_envelope(envelope, recipients) if envelope.verp else envelope,
            recipients,
            Times(envelope.arrival, message.active, now),
            message.flags | BUSY if destination.hurries(now) else message.flags,
            handle,
            destination.override,
        )
        try:
            done = agent.deliver(request)
        except Exception as error:  # an agent that breaks its promise
            self._crashed(error, request, destination, message)
            return
        if done.called and type(done.result) is DeliveryResult:
            self._settle(done.result, request, destination, message)
            return
        self.under_way[id(request)] = (now, request, destination, message)
        done.addCallbacks(self._finished, self._failed, (request,), {}, (request,))

    # -- the end of a delivery -----------------------------------------------------------------------------------------

    def _finished(self, result: DeliveryResult, request: DeliveryRequest) -> None:
        found = self.under_way.pop(id(request), None)
        if found is not None:
            self._settle(result, request, found[2], found[3])

    def _failed(self, failure: Failure, request: DeliveryRequest) -> None:
        found = self.under_way.pop(id(request), None)
        if found is not None:
            self._crashed(failure.value or RuntimeError("no reason"), request, found[2], found[3])

    def overdue(self, limit: float) -> None:
        """Give up deliveries of which nothing was heard for so long: the agent is stuck."""
        end = self._now() - limit
        for began, request, destination, message in list(self.under_way.values()):
            if began < end:
                del self.under_way[id(request)]
                error = TimeoutError("timeout receiving delivery status")
                self._crashed(error, request, destination, message)

    def _settle(
        self, result: DeliveryResult, request: DeliveryRequest, destination: Destination, message: Message
    ) -> None:
        transport, count = destination.transport, len(request.recipients)
        if request.message is not None:
            request.message.close()
        transport.busy -= 1
        transport.recipients -= count
        busy = destination.busy
        destination.busy = busy - 1
        destination.ended = self._now()
        if result.dead is not None or result.transport_dead is not None:
            self._failure(result, destination)
        elif destination.dead is not None:
            self.revive(destination)  # it answers after all
        elif busy > 1 or destination.waiting:
            self._success(destination, busy)
        if busy == 1 and (not destination.waiting or destination.first() is None):
            destination.drained = True
            if destination.window.used and destination.dead is None:
                destination.window.reset()
        limits = transport.limits
        if limits.destination_delay or limits.transport_delay:
            self._pause(destination, limits.destination_delay, limits.transport_delay)
        if result.recorded:
            message.recorded = True
        if result.deferred:
            message.put_off(result.deferred)
        self._ended(message, count)
        transport.arrange(destination)
        transport.dispatch()

    def _success(self, destination: Destination, busy: int) -> None:
        destination.window.succeeded(busy)
        if self._host.settings(QmgrSettings).destination_concurrency_feedback_debug:
            log.feedback(self._host.log, "unthrottle", destination.nexthop, destination.window)

    def _failure(self, result: DeliveryResult, destination: Destination) -> None:
        if result.transport_dead is not None:
            self.bury_transport(destination.transport, result.transport_dead)
        elif result.dead is not None and destination.dead is None:
            destination.calm()
            dead = destination.window.failed()
            if self._host.settings(QmgrSettings).destination_concurrency_feedback_debug:
                log.feedback(self._host.log, "throttle", destination.nexthop, destination.window)
            if dead:
                self.bury(destination, result.dead)

    def _crashed(
        self, error: BaseException, request: DeliveryRequest, destination: Destination, message: Message
    ) -> None:
        """Nobody knows what became of the recipients: those that are not marked as done are tried again later."""
        transport, count = destination.transport, len(request.recipients)
        log.crashed(self._host.log, transport.name, error)
        transport.busy -= 1
        transport.recipients -= count
        destination.busy -= 1
        message.recorded = True
        self.bury_transport(transport, CRASHED)
        left = [one for one in request.recipients if not one.done]
        if left:
            self._retry(message, left, CRASHED)
        if count > len(left):
            self._ended(message, count - len(left))

    def _no_agent(self, destination: Destination, message: Message, recipients: list[Recipient]) -> None:
        transport = destination.transport
        transport.recipients -= len(recipients)
        log.no_transport(self._host.log, transport.name)
        self.bury_transport(transport, UNAVAILABLE)
        self._retry(message, recipients, UNAVAILABLE)

    # -- the dead ------------------------------------------------------------------------------------------------------

    def bury(self, destination: Destination, dsn: Dsn) -> None:
        """No more mail for this destination until minimal_backoff_time is over (SC-4)."""
        destination.dead = dsn.softened()._replace(reason=SUSPENDED + dsn.reason)
        wait = self._host.settings(QmgrSettings).minimal_backoff_time
        destination.stop_timer()
        destination.timer = self._later(wait, self.revive, destination)
        self._drain(destination, destination.dead)

    def bury_transport(self, transport: Transport, dsn: Dsn) -> None:
        """No more mail for this transport until transport_retry_time is over."""
        if transport.dead is not None:
            return
        transport.dead = dsn.softened()
        wait = self._host.settings(QmgrSettings).transport_retry_time
        if transport.timer is not None and transport.timer.active():
            transport.timer.cancel()
        transport.timer = self._later(wait, self.revive_transport, transport)
        for destination in list(transport.destinations.values()):
            self._drain(destination, transport.dead)

    def _drain(self, destination: Destination, dsn: Dsn) -> None:
        transport = destination.transport
        for message, recipients in transport.drain(destination):
            transport.recipients -= len(recipients)
            self._retry(message, recipients, dsn)

    def revive(self, destination: Destination) -> None:
        destination.stop_timer()
        destination.dead = None
        destination.paused = False
        destination.window.reset()
        if self._host.settings(QmgrSettings).destination_concurrency_feedback_debug:
            log.feedback(self._host.log, "unthrottle", destination.nexthop, destination.window)
        destination.transport.arrange(destination)
        destination.transport.dispatch()

    def revive_transport(self, transport: Transport) -> None:
        if transport.timer is not None and transport.timer.active():
            transport.timer.cancel()
        transport.timer = None
        transport.dead = None
        transport.paused = False
        transport.dispatch()

    def _later(self, seconds: float, what: Callable[[_Kind], None], which: _Kind) -> IDelayedCall | None:
        """A timer of a destination or transport; none when the service has stopped."""
        return None if self.stopped else self._host.call_later(seconds, what, which)

    # -- pauses --------------------------------------------------------------------------------------------------------

    def _pause(self, destination: Destination, own: int, common: int) -> None:
        """destination_rate_delay and transport_rate_delay (SC-5)."""
        if own and destination.dead is None:
            destination.paused = True
            destination.stop_timer()
            destination.timer = self._later(own, self._resume, destination)
        transport = destination.transport
        if common and transport.dead is None:
            transport.paused = True
            transport.timer = self._later(common, self.revive_transport, transport)

    def _resume(self, destination: Destination) -> None:
        destination.paused = False
        destination.timer = None
        destination.transport.arrange(destination)
        destination.transport.dispatch()
