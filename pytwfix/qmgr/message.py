"""One message in the active queue (QM-4, ST-2)."""

from __future__ import annotations

from pytwfix.contracts.delivery import FLUSHED, PROBE, RECORD, SUCCESS_REPORT, VERIFY_ONLY
from pytwfix.mail.envelope import TRACE_PROBE, TRACE_RECORD, TRACE_VERIFY_ONLY, Envelope, Recipient

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytwfix.contracts.queue import IMessage
    from pytwfix.qmgr.job import Job

_FLAGS = ((TRACE_PROBE, PROBE), (TRACE_RECORD, RECORD), (TRACE_VERIFY_ONLY, VERIFY_ONLY))
DELAY_TOLD = -1.0  # Envelope.warn_time after the delay notice


class Message:
    """What is known of a message while it is delivered.

    `todo` are the recipients that are not done; those before `place` have been given to transports, `outstanding` of
    them have no outcome yet, `deferred` had one and stay. `fresh`: it comes from cleanup, so that no log of it exists;
    `recorded`: some agent may have written one. `flushed`: somebody asked for deferred mail to be delivered now;
    `urgent`: for this one, even where its destination is dead. `gone`: its file was taken away by hand. `closing`: its
    attempt is over.
    """

    __slots__ = (
        "active", "closing", "deferred", "envelope", "filled", "flags", "flushed", "fresh", "gone", "handle", "jobs",
        "outstanding", "place", "queue_id", "recorded", "resolving", "todo", "urgent",
    )  # fmt: skip

    def __init__(self, envelope: Envelope, now: float, fresh: bool, handle: IMessage | None = None) -> None:
        self.envelope = envelope
        self.queue_id = envelope.queue_id
        self.active = self.filled = now
        self.fresh = fresh
        self.handle = handle
        self.flushed = self.urgent = False
        self.flags = 0
        todo = envelope.recipients
        if not fresh and any(one.done for one in todo):
            todo = [one for one in todo if not one.done]
        self.todo = todo
        self.place = 0
        self.outstanding = 0
        self.deferred: list[Recipient] | tuple[()] = ()
        self.recorded = not fresh
        self.resolving = False
        self.gone = self.closing = False
        self.jobs: tuple[Job, ...] = ()
        if envelope.trace_flags:
            self.flags = sum(flag for bit, flag in _FLAGS if envelope.trace_flags & bit)

    def put_off(self, recipients: Sequence[Recipient]) -> None:
        """They had an outcome and stay."""
        if isinstance(self.deferred, list):
            self.deferred.extend(recipients)
        else:
            self.deferred = list(recipients)

    def flush(self) -> None:
        """Somebody asked for it."""
        self.flushed = True
        self.flags |= FLUSHED

    def tell_success(self) -> None:
        """The sender was told of a delay and wants to know when it is over."""
        self.flags |= SUCCESS_REPORT

    @property
    def over(self) -> bool:
        """Every recipient has an outcome."""
        return not self.outstanding and not self.resolving and self.place >= len(self.todo)
