"""Mail that is bounced instead of refused (INVENTORY CL-11): pickup and bounce do not wait for an answer.

The content, as far as it was taken, goes to the active queue with every recipient done, so that a crash leaves nothing
to deliver; each recipient gets a bounce record, the sender one notice, and the file is removed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytwfix.cleanup import log
from pytwfix.contracts.cleanup import Committed
from pytwfix.contracts.queue import ACTIVE
from pytwfix.contracts.reports import BOUNCE, Report
from pytwfix.mail.envelope import Recipient
from pytwfix.mail.quoting import external_form
from pytwfix.mail.status import FAILED, Dsn

if TYPE_CHECKING:
    from pytwfix.cleanup.transaction import Transaction
    from pytwfix.contracts.queue import INewMessage
    from pytwfix.mail.errors import MailError


async def bounce(mail: Transaction, message: INewMessage, error: MailError) -> Committed:
    """Tell the sender. What goes wrong here is raised: the submitter keeps the mail and tries again."""
    envelope = mail.envelope
    reason = error.reply.text.removeprefix("Error: ")
    if not envelope.recipients:
        log.no_recipients(mail.log, mail.queue_id)
        envelope.recipients.append(Recipient(b"", b""))
    for recipient in envelope.recipients:
        recipient.done = True
    envelope = await message.commit(envelope, ACTIVE)
    reports = mail.host.peers.reports
    for recipient in envelope.recipients:
        now, dsn = mail.host.now(), Dsn(error.reply.dsn, reason, FAILED)
        await reports.record(BOUNCE, mail.queue_id, Report(recipient, dsn, "none", now))
        address, original = external_form(recipient.address), external_form(recipient.original)
        log.bounced(mail.log, mail.queue_id, address, original, now - envelope.arrival, dsn.status, reason)
    await reports.notify_bounce(envelope)
    await mail.host.peers.store.remove(ACTIVE, mail.queue_id)
    log.removed(mail.log, mail.queue_id)
    return Committed(mail.queue_id, envelope.size)
