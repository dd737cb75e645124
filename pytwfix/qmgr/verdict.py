"""What the queue manager says of a recipient itself, because no agent can (INVENTORY QM-5, LG-10)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pytwfix.contracts.delivery import Times
from pytwfix.contracts.queue import ACTIVE, QueueError
from pytwfix.contracts.reports import DEFER, Report
from pytwfix.mail.envelope import Recipient
from pytwfix.mail.status import DELAYED, Dsn
from pytwfix.qmgr import log
from pytwfix.qmgr.settings import QmgrSettings

if TYPE_CHECKING:
    from pytwfix.contracts.host import IHost
    from pytwfix.qmgr.message import Message

DISCARDED = Dsn("2.0.0", "undeliverable postmaster notification discarded")
Ended = Callable[["Message", int], None]


async def discard(host: IHost, message: Message, recipient: Recipient, ended: Ended) -> None:
    """A notice about a notice that could not be delivered: nobody is left to be told."""
    try:
        handle = await host.peers.store.open(ACTIVE, message.queue_id, lock=False)
        handle.done(recipient)
        handle.close()
    except QueueError as error:
        log.trouble(host.log, message.queue_id, "mark recipient as done", error)
    _say(host, message, recipient, DISCARDED, "sent")
    ended(message, 1)


async def defer(host: IHost, message: Message, recipients: list[Recipient], dsn: Dsn, ended: Ended) -> None:
    """The retry service is not there either."""
    message.recorded = True
    for recipient in recipients:
        _say(host, message, recipient, dsn, "deferred")
        report = Report(recipient, dsn._replace(action=DELAYED), "none", host.now())
        try:
            await host.peers.reports.record(DEFER, message.queue_id, report)
        except Exception as error:
            log.trouble(host.log, message.queue_id, "defer service failure", error)
    message.put_off(recipients)
    ended(message, len(recipients))


def _say(host: IHost, message: Message, recipient: Recipient, dsn: Dsn, word: str) -> None:
    times = Times(message.envelope.arrival, message.active)
    digits = host.settings(QmgrSettings).delay_logging_resolution_limit
    log.delivery(host.log, message.queue_id, recipient, dsn, times, host.now(), word, digits)
