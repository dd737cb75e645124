"""When every recipient of a message has an outcome (INVENTORY QM-8, SC-8, SC-9, ST-2, ST-3, DS-2).

The sender is told of what bounced and of what it wanted to know. What is left is deferred, after a notice if a delay
notice is due; or it is returned, when the message is too old or was expired by hand. The file is removed last: whatever
fails before leaves the message in the queue.

A message that just came, and of which no agent wrote a report, is removed without looking for any.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from twisted.internet.defer import Deferred, TimeoutError

from pytwfix.contracts.queue import ACTIVE, DEFERRED, NoSuchMessage, QueueError
from pytwfix.contracts.reports import BOUNCE, DEFER, TRACE, Report
from pytwfix.mail.status import FAILED
from pytwfix.qmgr import log
from pytwfix.qmgr.message import DELAY_TOLD, Message
from pytwfix.qmgr.settings import QmgrSettings

if TYPE_CHECKING:
    from twisted.python.failure import Failure

    from pytwfix.contracts.host import IHost
    from pytwfix.mail.envelope import Recipient
    from pytwfix.qmgr.active import Active

_Answer = TypeVar("_Answer")


class Completion:
    """See the module. `stuck` are files that could not be moved or removed; each queue run tries again."""

    def __init__(self, host: IHost, active: Active) -> None:
        self._host = host
        self._active = active
        self.stuck: set[str] = set()

    def complete(self, message: Message) -> None:
        """The attempt is over."""
        if message.handle is not None:
            message.handle.close()
        if message.gone:
            self._active.leave(message)
        elif message.recorded or message.deferred:
            self._host.background(self._finish(message), f"{message.queue_id}: end of delivery")
        else:
            self._remove(message)

    # -- gone ----------------------------------------------------------------------------------------------------------

    def _remove(self, message: Message) -> None:
        self._active.leave(message)
        queue_id = message.queue_id
        done = self._host.peers.store.remove(ACTIVE, queue_id)
        done.addCallbacks(self._removed, self._not_removed, (queue_id,), {}, (queue_id,))

    def _removed(self, _: None, queue_id: str) -> None:
        log.removed(self._host.log, queue_id)

    def _not_removed(self, failure: Failure, queue_id: str) -> None:
        log.trouble(self._host.log, queue_id, f"remove from {ACTIVE}", failure.value)
        if not failure.check(NoSuchMessage):
            self.stuck.add(queue_id)

    # -- the rest ------------------------------------------------------------------------------------------------------

    async def _finish(self, message: Message) -> None:
        try:
            stays = await self._told(message)
            if message.deferred and not stays:
                stays = await self._kept(message)
        except (QueueError, TimeoutError) as error:
            log.trouble(self._host.log, message.queue_id, "report service failure", error)
            stays = True
        except Exception as error:  # a service that breaks its promise must not lose the message
            self._host.log.failure(f"{message.queue_id}: end of delivery", error)
            stays = True
        if message.gone:
            self._active.leave(message)
        elif stays:
            await self._defer(message)
        else:
            forgotten = self._host.peers.reports.forget(DEFER, message.queue_id)
            await self._attempt(message, "forget reasons for delay", forgotten)
            self._remove(message)

    def _wait(self, work: Deferred[_Answer]) -> Deferred[_Answer]:
        """An answer within qmgr_daemon_timeout. Errback: TimeoutError."""
        if not work.called:
            work.addTimeout(self._host.settings(QmgrSettings).qmgr_daemon_timeout, self._host.reactor)
        return work

    async def _attempt(self, message: Message, what: str, work: Deferred[None]) -> bool:
        """Whether it could be done; why not, is logged."""
        try:
            await self._wait(work)
        except Exception as error:
            log.trouble(self._host.log, message.queue_id, what, error)
            return False
        return True

    async def _told(self, message: Message) -> bool:
        """The notices that are due in any case; whether the message must stay because one could not be sent."""
        reports, envelope = self._host.peers.reports, message.envelope
        stays = False
        if await self._wait(reports.read(BOUNCE, message.queue_id)):
            stays = not await self._attempt(message, "bounce service failure", reports.notify_bounce(envelope))
        if await self._wait(reports.read(TRACE, message.queue_id)):
            told = await self._attempt(message, "trace service failure", reports.notify_trace(envelope))
            if told and envelope.trace_flags and message.deferred:
                envelope.trace_flags = 0  # only the first attempt is told of
                await self._update(message)
        return stays

    async def _kept(self, message: Message) -> bool:
        """Some recipients are left: return them, or keep them for later."""
        config, envelope, now = self._active.config, message.envelope, self._host.now()
        lifetime = config.lifetime if envelope.sender else config.bounce_lifetime
        if envelope.force_expired or now - envelope.arrival >= lifetime:
            log.expired(self._host.log, envelope, config.internal_addresses, envelope.force_expired)
            return not await self._return(message)
        if 0 < envelope.warn_time <= now and envelope.sender:
            reports = self._host.peers.reports
            if await self._attempt(message, "defer service failure", reports.notify_delay(envelope)):
                envelope.warn_time = DELAY_TOLD
                await self._update(message)
        return True

    async def _return(self, message: Message) -> bool:
        """Make what delayed the recipients the reason why they are returned; whether it was told.

        Of all of them: whether a sender wants to hear is the notice's business, and postmaster may want a copy.
        """
        reports, queue_id = self._host.peers.reports, message.queue_id
        reasons = {_key(one.recipient): one for one in await self._wait(reports.read(DEFER, queue_id))}
        written = False
        for recipient in message.deferred:
            reason = reasons.get(_key(recipient))
            if reason is None:
                continue
            report = Report(recipient, reason.dsn._replace(action=FAILED), reason.relay, self._host.now())
            if not await self._attempt(message, "bounce service failure", reports.record(BOUNCE, queue_id, report)):
                return False
            written = True
        if not written:
            return True
        if await self._attempt(message, "bounce service failure", reports.notify_bounce(message.envelope)):
            return True
        await self._attempt(message, "forget bounces", reports.forget(BOUNCE, queue_id))
        return False

    async def _update(self, message: Message) -> None:
        """Write back what changed in the envelope."""
        store, envelope = self._host.peers.store, message.envelope
        try:
            handle = await store.open(ACTIVE, message.queue_id, lock=False)
            try:
                handle.envelope.warn_time = envelope.warn_time
                handle.envelope.trace_flags = envelope.trace_flags
                await store.update(handle)
            finally:
                handle.close()
        except QueueError as error:
            log.trouble(self._host.log, message.queue_id, "update queue file", error)

    # -- later ---------------------------------------------------------------------------------------------------------

    async def _defer(self, message: Message) -> None:
        """Into deferred/, where it waits as long as it is old already, within limits (SC-8)."""
        config, now = self._active.config, self._host.now()
        wait = min(max(now - message.envelope.arrival, config.minimal_backoff), config.maximal_backoff)
        await self.put_off(message.queue_id, now + wait)
        self._active.leave(message)
        if message.deferred and self._host.settings(QmgrSettings).fast_flush_domains:
            flusher = self._host.peers.flusher
            for site in {one.address.rpartition(b"@")[2].lower() for one in message.deferred}:
                flusher.add(site.decode("utf-8", "replace"), message.queue_id)

    async def put_off(self, queue_id: str, when: float) -> None:
        """From active/ to deferred/, until `when`."""
        try:
            await self._host.peers.store.move(queue_id, ACTIVE, DEFERRED, when)
        except NoSuchMessage:
            return  # it was taken away by hand
        except QueueError as error:
            log.trouble(self._host.log, queue_id, f"defer from {ACTIVE}", error)
            self.stuck.add(queue_id)

    async def unstick(self) -> None:
        """Try again to get rid of what should not be in active/ any more."""
        stuck, self.stuck = self.stuck, set()
        for queue_id in stuck:
            if queue_id not in self._active.messages:
                await self.put_off(queue_id, self._host.now())


def _key(recipient: Recipient) -> bytes:
    """How a recipient is found in a log: offsets change when a file is repaired."""
    return recipient.address
