"""What became of a recipient: logged, reported, marked as done (LG-10, ST-2, ST-3, SC-10, SM-15, DS-3, VE-1).

Every agent makes one `Outcome` for a request and tells it each recipient's end; `result` is then what it answers to the
queue manager. A recipient is done when it was delivered, or when its refusal is safely in the bounce log; if that fails
it is deferred. With soft_bounce no recipient is refused. A probe's outcome goes to the verify service and nowhere else,
and the probe is over, whatever it was.

The usual end, a delivery that nobody wants a report of, costs one log line and no Deferred. Nothing raises.
"""

from __future__ import annotations

from collections.abc import Awaitable, Generator
from typing import TYPE_CHECKING

from pytwfix.contracts.delivery import PROBE, RECORD, SUCCESS_REPORT, VERIFY_ONLY, DeliveryResult
from pytwfix.contracts.reports import BOUNCE, DEFER, TRACE, Report
from pytwfix.contracts.verification import BOUNCE as UNDELIVERABLE_NOW
from pytwfix.contracts.verification import DEFER as UNDELIVERABLE_YET
from pytwfix.contracts.verification import OK
from pytwfix.deliver import log
from pytwfix.mail.status import DELAYED, DELIVERABLE, DELIVERED, FAILED, NOTIFY_SUCCESS, UNDELIVERABLE
from pytwfix.settings.common import CommonSettings

if TYPE_CHECKING:
    from pytwfix.contracts.delivery import DeliveryRequest, Times
    from pytwfix.contracts.host import IHost
    from pytwfix.deliver.statusfilter import StatusFilter
    from pytwfix.mail.envelope import Recipient
    from pytwfix.mail.status import Dsn

_VERIFYING = VERIFY_ONLY | PROBE
_TOLD = RECORD | SUCCESS_REPORT


class _Finished:
    """An Awaitable that is over: cheaper than a Deferred that has fired."""

    __slots__ = ()

    def __await__(self) -> Generator[None, None, None]:
        return
        yield


FINISHED = _Finished()


class Outcome:
    """The outcomes of one request's recipients. `request.message` must be open when a recipient is told.

    `statuses` may make another status of one before anybody hears of it.
    """

    __slots__ = ("_cfg", "_host", "_queue_id", "_request", "_statuses", "result", "tls")

    def __init__(self, host: IHost, request: DeliveryRequest, statuses: StatusFilter | None = None) -> None:
        self._statuses = statuses
        self._host = host
        self._request = request
        self._queue_id = request.queue_id
        self._cfg = host.settings(CommonSettings)
        self.result = DeliveryResult(recorded=False)
        self.tls = ""  # the tls= field of the log line, if there is to be one

    def sent(
        self, recipient: Recipient, dsn: Dsn, relay: str, times: Times, passed_on: bool = False
    ) -> Awaitable[None]:
        """Delivered, or passed to the next hop.

        `passed_on`: the next hop was asked for the success report, so that we owe none.
        """
        if self._statuses is not None:
            return self._filtered(self._statuses, recipient, dsn, relay, times, passed_on)
        return self._sent(recipient, dsn, relay, times, passed_on)

    def deferred(self, recipient: Recipient, dsn: Dsn, relay: str, times: Times) -> Awaitable[None]:
        """Not now."""
        if self._statuses is not None:
            return self._filtered(self._statuses, recipient, dsn.softened(), relay, times)
        return self._deferred(recipient, dsn, relay, times)

    def bounced(self, recipient: Recipient, dsn: Dsn, relay: str, times: Times) -> Awaitable[None]:
        """Never."""
        if self._statuses is not None:
            return self._filtered(self._statuses, recipient, dsn, relay, times)
        return self._bounced(recipient, dsn, relay, times)

    # What it comes to.

    async def _filtered(
        self,
        statuses: StatusFilter,
        recipient: Recipient,
        dsn: Dsn,
        relay: str,
        times: Times,
        passed_on: bool = False,
    ) -> None:
        dsn = await statuses.apply(dsn)
        if dsn.success:
            await self._sent(recipient, dsn, relay, times, passed_on)
        elif dsn.permanent:
            await self._bounced(recipient, dsn, relay, times)
        else:
            await self._deferred(recipient, dsn, relay, times)

    def _sent(self, recipient: Recipient, dsn: Dsn, relay: str, times: Times, passed_on: bool) -> Awaitable[None]:
        flags = self._request.flags
        if flags & _VERIFYING:
            return self._verified(recipient, dsn, relay, times, OK)
        self._log(recipient, dsn, relay, times, "sent")
        if flags & _TOLD or (recipient.notify & NOTIFY_SUCCESS and not passed_on):
            return self._reported(recipient, dsn, relay)
        self._done(recipient)
        return FINISHED

    def _deferred(self, recipient: Recipient, dsn: Dsn, relay: str, times: Times) -> Awaitable[None]:
        if self._request.flags & _VERIFYING:
            return self._verified(recipient, dsn, relay, times, UNDELIVERABLE_YET)
        return self._kept(recipient, dsn.softened(), relay, times, "deferred")

    def _bounced(self, recipient: Recipient, dsn: Dsn, relay: str, times: Times) -> Awaitable[None]:
        if self._request.flags & _VERIFYING:
            return self._verified(recipient, dsn, relay, times, UNDELIVERABLE_NOW)
        if self._cfg.soft_bounce:
            return self._kept(recipient, dsn.softened(), relay, times, "SOFTBOUNCE")
        return self._refused(recipient, dsn, relay, times)

    # How it is done.

    def _log(self, recipient: Recipient, dsn: Dsn, relay: str, times: Times, word: str) -> None:
        cfg, host = self._cfg, self._host
        delay = log.delays(times, host.now(), cfg.delay_logging_resolution_limit)
        internal = cfg.info_log_address_format == "internal"
        log.delivery(
            host.log,
            self._queue_id,
            recipient,
            relay,
            times.reuse,
            delay,
            dsn.status,
            word,
            dsn.reason,
            internal,
            self.tls,
        )

    def _done(self, recipient: Recipient) -> None:
        message = self._request.message
        if message is not None:
            message.done(recipient)

    async def _reported(self, recipient: Recipient, dsn: Dsn, relay: str) -> None:
        """A report that cannot be written does not undo the delivery."""
        await self._record(TRACE, recipient, dsn._replace(action=dsn.action or DELIVERED), relay)
        self._done(recipient)

    async def _kept(self, recipient: Recipient, dsn: Dsn, relay: str, times: Times, word: str) -> None:
        self.result.deferred.append(recipient)
        self._log(recipient, dsn, relay, times, word)
        dsn = dsn._replace(action=dsn.action or DELAYED)
        await self._record(DEFER, recipient, dsn, relay)
        if self._request.flags & RECORD:
            await self._record(TRACE, recipient, dsn, relay)

    async def _refused(self, recipient: Recipient, dsn: Dsn, relay: str, times: Times) -> None:
        """Recorded whatever the sender wants to hear: the postmaster's copy tells of all."""
        dsn = dsn._replace(action=dsn.action or FAILED)
        if not await self._record(BOUNCE, recipient, dsn, relay):
            self.result.deferred.append(recipient)
            self._log(recipient, dsn._replace(reason="bounce failed"), relay, times, "deferred")
            return
        self._log(recipient, dsn, relay, times, "bounced")
        if self._request.flags & RECORD:
            await self._record(TRACE, recipient, dsn, relay)
        self._done(recipient)

    async def _verified(self, recipient: Recipient, dsn: Dsn, relay: str, times: Times, status: int) -> None:
        """Nothing was delivered: the answer is all that was wanted."""
        word = DELIVERABLE if status == OK else UNDELIVERABLE
        self._log(recipient, dsn, relay, times, word)
        if self._request.flags & PROBE:
            try:
                asked = recipient.original or recipient.address
                await self._host.peers.verifier.update(asked, status, dsn.reason)
            except Exception as error:
                log.not_recorded(self._host.log, self._queue_id, "verify", error)
        else:
            await self._record(TRACE, recipient, dsn._replace(action=word), relay)
        self._done(recipient)

    async def _record(self, which: str, recipient: Recipient, dsn: Dsn, relay: str) -> bool:
        self.result.recorded = True
        report = Report(recipient, dsn, relay, self._host.now())
        try:
            await self._host.peers.reports.record(which, self._queue_id, report)
        except Exception as error:
            log.not_recorded(self._host.log, self._queue_id, which, error)
            return False
        return True
