"""A probe: a mail that goes all the way to the point where a server takes or refuses its recipient, and no further."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytwfix.contracts.cleanup import INTERNAL, MAP, SMTPUTF8_AUTODETECT, Origin
from pytwfix.mail.dates import mail_date
from pytwfix.mail.envelope import TRACE_PROBE, Recipient
from pytwfix.mail.probesender import probe_sender
from pytwfix.tables.names import split_list
from pytwfix.verify.settings import VerifySettings

if TYPE_CHECKING:
    from pytwfix.contracts.cleanup import ITransaction
    from pytwfix.contracts.host import IHost


async def send(host: IHost, address: bytes) -> None:
    """MailError: it could not be queued."""
    cfg = host.settings(VerifySettings)
    flags = INTERNAL | MAP
    if not {"all", "verify"}.isdisjoint(split_list(cfg.smtputf8_autodetect_classes)):
        flags |= SMTPUTF8_AUTODETECT
    origin = Origin(flags, rewrite_context="local", source="local", service="verify", arrival=host.now())
    transaction = await host.peers.cleanup.begin(origin)
    try:
        transaction.envelope.trace_flags |= TRACE_PROBE
        await transaction.sender(sender(cfg, host.now()))
        await transaction.recipient(Recipient(address, address))
        waiting = transaction.body(_content(transaction, cfg, address, host.now()))
        if waiting is not None:
            await waiting
        await transaction.commit()
    except BaseException as error:
        transaction.abort(str(error))
        raise


def sender(cfg: VerifySettings, now: float) -> bytes:
    """address_verify_sender at this time; empty or <> is the null sender."""
    text = probe_sender(cfg.address_verify_sender, cfg.address_verify_sender_ttl, now)
    if not text:
        return b""
    return (text if "@" in text else f"{text}@{cfg.myorigin}").encode("utf-8", "surrogateescape")


def _content(transaction: ITransaction, cfg: VerifySettings, address: bytes, now: float) -> bytes:
    """Seen by nobody, but for content checks."""
    identity = f"{transaction.queue_id}@{cfg.myhostname}"
    lines = (
        f"Received: by {cfg.myhostname} ({cfg.mail_name})\r\n\tid {transaction.queue_id}; {mail_date(now)}",
        f"From: <{sender(cfg, now).decode('utf-8', 'replace')}>",
        f"To: <{address.decode('utf-8', 'replace')}>",
        "Subject: Mail delivery probe",
        f"Date: {mail_date(now)}",
        f"Message-Id: <{identity}>",
        "",
        "This message is never delivered.",
        "",
    )
    return "\r\n".join(lines).encode("utf-8", "replace")
