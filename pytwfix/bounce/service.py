"""contracts/reports.py for a process: logs of outcomes, and the notices made of them (BO-1, ST-3, ST-5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.application.service import Service
from twisted.internet.defer import Deferred

from pytwfix.bounce.notify import Notifier
from pytwfix.contracts.reports import BOUNCE, DEFER, TRACE, Report
from pytwfix.spool.reportlogs import ReportLogs

if TYPE_CHECKING:
    from pytwfix.contracts.host import IHost
    from pytwfix.mail.envelope import Envelope


class BounceService(Service):
    """IReports. One for each process that holds queue files; stopping waits for nothing: what counts is on disk."""

    def __init__(self, host: IHost) -> None:
        self._logs = ReportLogs(host)
        self._notifier = Notifier(host)

    def record(self, log: str, queue_id: str, report: Report) -> Deferred[None]:
        """Append to a log; durable when it fires. Errback: QueueError."""
        if log == TRACE:
            report = _traced(report)
        return self._logs.append(log, queue_id, report)

    def read(self, log: str, queue_id: str) -> Deferred[list[Report]]:
        return self._logs.read(log, queue_id)

    def forget(self, log: str, queue_id: str) -> Deferred[None]:
        return self._logs.remove(log, queue_id)

    def notify_bounce(self, envelope: Envelope) -> Deferred[None]:
        """Errback: MailError, QueueError. The log is then still there."""
        return Deferred.fromCoroutine(self._notify_bounce(envelope))

    def notify_delay(self, envelope: Envelope) -> Deferred[None]:
        return Deferred.fromCoroutine(self._notify_delay(envelope))

    def notify_trace(self, envelope: Envelope) -> Deferred[None]:
        return Deferred.fromCoroutine(self._notify_trace(envelope))

    def bounce_one(self, envelope: Envelope, report: Report) -> Deferred[None]:
        return Deferred.fromCoroutine(self._notifier.bounce(envelope, [report]))

    async def _notify_bounce(self, envelope: Envelope) -> None:
        reports = await self._logs.read(BOUNCE, envelope.queue_id)
        if reports:
            await self._notifier.bounce(envelope, reports, verp=True)
            await self._logs.remove(BOUNCE, envelope.queue_id)

    async def _notify_delay(self, envelope: Envelope) -> None:
        reports = await self._logs.read(DEFER, envelope.queue_id)
        if reports:
            await self._notifier.delay(envelope, reports)

    async def _notify_trace(self, envelope: Envelope) -> None:
        reports = await self._logs.read(TRACE, envelope.queue_id)
        if reports:
            await self._notifier.trace(envelope, reports)
            await self._logs.remove(TRACE, envelope.queue_id)


def _traced(report: Report) -> Report:
    """A report that was asked for says by whom the mail was delivered, which the log has no other place for."""
    if not report.relay or report.relay == "none":
        return report
    dsn = report.dsn
    return Report(
        report.recipient, dsn._replace(reason=f"delivery via {report.relay}: {dsn.reason}"), report.relay, report.when
    )
