"""What became of recipients, kept per message until the sender is told (BO-1, ST-3, RF-6, DS-1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pytwfix.mail.envelope import Envelope, Recipient
from pytwfix.mail.status import Dsn

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

# The three logs, as directories under queue_directory.
BOUNCE, DEFER, TRACE = "bounce", "defer", "trace"


@dataclass(slots=True)
class Report:
    """One recipient's outcome."""

    recipient: Recipient
    dsn: Dsn
    relay: str = "none"
    when: float = 0.0


class IReports(Protocol):
    """bounce(8), defer and trace. Every method is durable or a failure when it fires."""

    def record(self, log: str, queue_id: str, report: Report) -> Deferred[None]:
        """Append to bounce/, defer/ or trace/<queue_id>. Errback: the recipient must then stay in the queue."""

    def read(self, log: str, queue_id: str) -> Deferred[list[Report]]: ...
    def forget(self, log: str, queue_id: str) -> Deferred[None]:
        """Delete the log of a message, if there is one."""

    def notify_bounce(self, envelope: Envelope) -> Deferred[None]:
        """Send the non-delivery notice from bounce/<queue_id>, then delete that log. With `envelope.verp` one notice
        a recipient. The original message is still in the active queue. Errback: try again later."""

    def notify_delay(self, envelope: Envelope) -> Deferred[None]:
        """Send the delay notice from defer/<queue_id>, keep the log."""

    def notify_trace(self, envelope: Envelope) -> Deferred[None]:
        """Send the success or verify report from trace/<queue_id>, then delete that log."""

    def bounce_one(self, envelope: Envelope, report: Report) -> Deferred[None]:
        """A notice for this recipient at once (local's owner- lists, VERP)."""
