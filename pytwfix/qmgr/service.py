"""contracts/queue.py's IQueue (INVENTORY QM-1, QM-2, QU-5, ST-7).

At start, messages that were active go back to incoming/, then both queues are scanned; cleanup may put messages into
active/ itself as soon as that is over. The deferred queue is scanned every queue_run_delay.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from twisted.application.service import Service
from twisted.internet.defer import Deferred

from pytwfix.basics.tasks import fired, start
from pytwfix.contracts.queue import (
    ACTIVE,
    CORRUPT,
    DEFERRED,
    INCOMING,
    CorruptMessage,
    MessageBusy,
    NoSuchMessage,
    QueueError,
)
from pytwfix.contracts.reports import DEFER
from pytwfix.mail.envelope import Envelope
from pytwfix.qmgr import clog, log
from pytwfix.qmgr.active import Active
from pytwfix.qmgr.completion import Completion
from pytwfix.qmgr.message import DELAY_TOLD, Message
from pytwfix.qmgr.scan import Scanner
from pytwfix.qmgr.settings import QmgrSettings
from pytwfix.qmgr.turns import pause

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall

    from pytwfix.contracts.host import IHost
    from pytwfix.contracts.queue import IMessage

PATIENCE = 10.0  # seconds that deliveries get at stop
_LOOK = 0.05


class QmgrService(Service):
    """IQueue."""

    def __init__(self, host: IHost) -> None:
        self._host = host
        self._active: Active = Active(host, lambda message: self._completion.complete(message))
        self._completion = Completion(host, self._active)
        self._scanner = Scanner(host, self._active, self._admit)
        self._clog = clog.Clog(host, self._active)
        self._ready = False
        self._timer: IDelayedCall | None = None

    # -- the service ---------------------------------------------------------------------------------------------------

    def startService(self) -> None:
        super().startService()
        self._host.background(self._start(), "start of the queue manager")

    async def _start(self) -> None:
        store = self._host.peers.store
        async for entry in store.scan(ACTIVE):
            try:
                await store.move(entry.queue_id, ACTIVE, INCOMING)
            except QueueError as error:
                log.trouble(self._host.log, entry.queue_id, f"move from {ACTIVE} to {INCOMING}", error)
        if self.running:
            self._ready = True
            self._queue_run()

    def stopService(self) -> Deferred[None]:
        """Begin nothing more; fires when deliveries have ended, or have had their time."""
        super().stopService()
        self._ready = False
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None
        self._scanner.stop()
        self._active.stop()
        return start(self._rest())

    async def _rest(self) -> None:
        end = self._host.monotonic() + PATIENCE
        while self._active.deliverer.under_way and self._host.monotonic() < end:
            await pause(self._host, _LOOK)

    def _queue_run(self) -> None:
        """Every queue_run_delay: what is due, and some housekeeping."""
        cfg = self._host.settings(QmgrSettings)
        self._timer = self._host.call_later(cfg.queue_run_delay, self._queue_run)
        self._scanner.request(incoming=True, deferred=True)
        self._active.deliverer.overdue(cfg.daemon_timeout)
        for transport in self._active.transports.values():
            transport.forget_idle()
        if self._completion.stuck:
            self._host.background(self._completion.unstick(), "files in active/")

    # -- IQueue --------------------------------------------------------------------------------------------------------

    def admits(self) -> bool:
        return self._ready and not self._active.full

    def pressed(self) -> bool:
        return self._active.full

    def wake_active(self, message: IMessage | None, envelope: Envelope) -> None:
        if self.running:
            self._active.enter(Message(envelope, self._host.now(), True, message))
            self._clog.look()

    def wake(self, queue_id: str, envelope: Envelope | None = None) -> None:
        if not self._ready or self._active.full:
            self._scanner.request(incoming=True)
        elif envelope is None:
            self._host.background(self._admit(INCOMING, queue_id), f"{queue_id}: admit")
        else:
            moved = self._host.peers.store.move(queue_id, INCOMING, ACTIVE)
            moved.addCallbacks(self._woken, self._not_woken, (envelope,), {}, (queue_id,))

    def trigger(self, incoming: bool = True, deferred: bool = False) -> None:
        """Somebody asks for a scan (QM-1)."""
        self._scanner.request(incoming, deferred)

    def flush(self, sites: Sequence[str] | None = None) -> Deferred[None]:
        if sites is not None:
            return start(self._flush_sites(sites))
        self._active.revive_all()
        self._scanner.request(incoming=True, deferred=True, everything=True, flushed=True)
        return fired(None)

    def reloaded(self) -> None:
        """New settings may be the cure for what was dead, which a reload lets a Postfix forget too."""
        self._active.revive_all()

    def deliver_now(self, queue_id: str) -> Deferred[bool]:
        return start(self._deliver_now(queue_id))

    def forget(self, queue_ids: Iterable[str]) -> None:
        for queue_id in queue_ids:
            self._active.forget(queue_id)

    # -- what comes in -------------------------------------------------------------------------------------------------

    def _woken(self, _: None, envelope: Envelope) -> None:
        if self.running:
            self._active.enter(Message(envelope, self._host.now(), True))
            self._clog.look()

    def _not_woken(self, failure: object, queue_id: str) -> None:
        error = getattr(failure, "value", None)
        if not isinstance(error, NoSuchMessage) and isinstance(error, BaseException):
            log.trouble(self._host.log, queue_id, f"move from {INCOMING} to {ACTIVE}", error)

    async def _admit(self, queue: str, queue_id: str, flushed: bool = False, urgent: bool = False) -> bool:
        """Take a message of a queue, if it is there, and read it. Whatever is wrong with it is dealt with here."""
        if queue_id in self._active.messages:
            return False
        try:
            await self._host.peers.store.move(queue_id, queue, ACTIVE)
        except NoSuchMessage:
            return False  # somebody else was faster
        except QueueError as error:
            log.trouble(self._host.log, queue_id, f"move from {queue} to {ACTIVE}", error)
            return False
        await self._read(queue_id, flushed, urgent)
        return True

    async def _read(self, queue_id: str, flushed: bool, urgent: bool) -> None:
        try:
            handle = await self._host.peers.store.open(ACTIVE, queue_id, alone=True)
            envelope = handle.envelope
            handle.close()
            await self._enter(envelope, flushed, urgent)
        except MessageBusy:
            log.still_delivered(self._host.log, queue_id)
            await self._put_off(queue_id)
        except CorruptMessage as error:
            await self._put_aside(queue_id, str(error))
        except NoSuchMessage:
            return
        except QueueError as error:
            log.trouble(self._host.log, queue_id, f"open in {ACTIVE}", error)
            await self._put_off(queue_id)

    async def _enter(self, envelope: Envelope, flushed: bool, urgent: bool) -> None:
        host = self._host
        message = Message(envelope, host.now(), False)
        message.urgent = urgent
        if flushed:
            message.flush()
        if envelope.warn_time == DELAY_TOLD and host.settings(QmgrSettings).confirm_delay_cleared:
            message.tell_success()
        reports, queue_id = host.peers.reports, message.queue_id
        try:
            if envelope.force_expired and await reports.read(DEFER, queue_id):
                message.deferred = list(message.todo)  # returned for the reason that it was deferred for
                message.todo = []
            else:
                await reports.forget(DEFER, queue_id)
        except QueueError as error:
            log.trouble(host.log, queue_id, "reasons for delay", error)
        self._active.enter(message)
        self._clog.look()

    async def _put_off(self, queue_id: str) -> None:
        await self._completion.put_off(queue_id, self._host.now() + self._active.config.minimal_backoff)

    async def _put_aside(self, queue_id: str, reason: str) -> None:
        log.corrupt(self._host.log, queue_id, ACTIVE, CORRUPT, reason)
        try:
            await self._host.peers.store.move(queue_id, ACTIVE, CORRUPT)
        except QueueError as error:
            log.trouble(self._host.log, queue_id, f"move from {ACTIVE} to {CORRUPT}", error)

    # -- by hand -------------------------------------------------------------------------------------------------------

    async def _flush_sites(self, sites: Sequence[str]) -> None:
        """ValueError: a site is not in fast_flush_domains."""
        for site in sites:
            for queue_id in await self._host.peers.flusher.take(site):
                await self._deliver_now(queue_id)

    async def _deliver_now(self, queue_id: str) -> bool:
        """Whether there is such a message."""
        if queue_id in self._active.messages:
            return True
        try:
            await self._host.peers.store.move(queue_id, DEFERRED, INCOMING, self._host.now())
            found = True
        except NoSuchMessage:
            found = False  # perhaps it is in incoming/
        except QueueError as error:
            log.trouble(self._host.log, queue_id, f"move from {DEFERRED} to {INCOMING}", error)
            return False
        if not self._ready or self._active.full:
            self._scanner.request(incoming=True, flushed=True)
            return found
        return await self._admit(INCOMING, queue_id, True, True) or found
