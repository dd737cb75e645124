"""What became of each address that a recipient was expanded to (LO-1, ST-2).

Each delivery is logged and, if it failed, recorded at once. The recipient itself is marked as done only when all of
them are over and none is to be tried again; else it stays in the queue and all is done again, as Postfix does.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

from pytwfix.contracts.delivery import DeliveryRequest
from pytwfix.contracts.host import IHost
from pytwfix.contracts.queue import IMessage
from pytwfix.contracts.reports import TRACE, Report
from pytwfix.deliver.local.owners import owners_host
from pytwfix.deliver.local.settings import LocalSettings
from pytwfix.deliver.local.target import Target
from pytwfix.deliver.outcome import Outcome
from pytwfix.deliver.statusfilter import status_filter
from pytwfix.mail.envelope import Envelope, Recipient
from pytwfix.mail.status import DELIVERED, EXPANDED, NOTIFY_NEVER, NOTIFY_SUCCESS, Dsn

RELAY = "local"
CONFIGURATION_ERROR = Dsn("5.3.5", "mail system configuration error")
CONFIGURATION_DELAY = Dsn("4.3.5", "mail system configuration error")  # who manages the system may yet correct it


class Undone:
    """The message as Outcome and other agents get it here: nobody marks a recipient as done but `Ledger`."""

    def __init__(self, message: IMessage) -> None:
        self._message = message

    @property
    def queue_id(self) -> str:
        return self._message.queue_id

    @property
    def envelope(self) -> Envelope:
        return self._message.envelope

    def body(self) -> AsyncIterator[bytes]:
        return self._message.body()

    def cached(self) -> bytes | None:
        return self._message.cached()

    def done(self, recipient: Recipient) -> None:
        """Later, by Ledger."""

    def close(self) -> None:
        """By who opened it."""


class Ledger:
    """The outcomes of one recipient of the request."""

    def __init__(self, host: IHost, request: DeliveryRequest, message: IMessage, recipient: Recipient) -> None:
        self._host = host
        self._message = message
        self._recipient = recipient
        self._expanded = False
        self.request = replace(request, message=Undone(message), recipients=[recipient])
        names = host.settings(LocalSettings).local_delivery_status_filter
        self._statuses = status_filter(host, names, "local_delivery_status_filter")
        self._outcome = Outcome(host, self.request, self._statuses)
        self._owners: dict[bytes, Outcome] = {}
        self.deferred = 0  # so many things that are to be done again
        self.settled = False  # something became of it

    def leaf(self, target: Target) -> Recipient:
        """The address as a recipient for log lines and reports."""
        top = self._recipient
        if target.owned:
            # What the sender calls it is not the owner's business.
            return Recipient(target.address, target.original, notify=self._notify())
        return Recipient(target.address, target.original, top.orcpt, self._notify())

    def _notify(self) -> int:
        notify = self._recipient.notify
        return without_success(notify) if self._expanded else notify

    async def settle(self, target: Target, dsn: Dsn, faulty: bool = False) -> None:
        """Delivered, refused or to be tried again, by the class of its status. Of a `faulty` alias, and of a
        Maildir that it names, the sender hears, even where it has an owner."""
        self.settled = True
        leaf, times = self.leaf(target), self.request.times
        outcome = self._owned(target.sender) if target.owned and not faulty else self._outcome
        before = len(outcome.result.deferred)
        if dsn.success:
            await outcome.sent(leaf, dsn, RELAY, times)
        elif dsn.permanent:
            await outcome.bounced(leaf, dsn, RELAY, times)
        else:
            await outcome.deferred(leaf, dsn, RELAY, times)
        self.deferred += len(outcome.result.deferred) - before

    def _owned(self, owner: bytes) -> Outcome:
        """Behind a list: its owner hears of failures."""
        outcome = self._owners.get(owner)
        if outcome is None:
            host = owners_host(self._host, self.request.envelope, owner)
            outcome = self._owners[owner] = Outcome(host, self.request, self._statuses)
        return outcome

    async def expanded(self, listed: bool = False) -> None:
        """An alias or .forward took the recipient's place: who asked for success reports is told that, once (DS-3).

        `listed`: it has an owner, so that the mail has come to its end (RFC 3461 section 5.2.7.3).
        """
        if self._expanded or not self._recipient.notify & NOTIFY_SUCCESS:
            self._expanded = True
            return
        self._expanded = True
        top, action = self._recipient, DELIVERED if listed else EXPANDED
        if listed:
            top = Recipient(top.address, b"", top.orcpt, top.notify)
        report = Report(top, Dsn("2.0.0", "alias expanded", action), RELAY, self._host.now())
        await self._host.peers.reports.record(TRACE, self.request.queue_id, report)

    def finish(self) -> bool:
        """All is over: whether the recipient stays in the queue."""
        if not self.deferred:
            self._message.done(self._recipient)
        return bool(self.deferred)


def without_success(notify: int) -> int:
    """What is left of NOTIFY behind an alias: success is reported once, by the alias itself."""
    if not notify & NOTIFY_SUCCESS:
        return notify
    return notify & ~NOTIFY_SUCCESS or NOTIFY_NEVER
