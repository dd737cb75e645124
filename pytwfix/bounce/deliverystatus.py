"""message/delivery-status: what became of each recipient, for programs (RFC 3464, RFC 6533; DS-1). Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytwfix.bounce.folding import folded
from pytwfix.bounce.kinds import DELAYING
from pytwfix.mail.dates import mail_date
from pytwfix.mail.envelope import SMTPUTF8_REQUESTED
from pytwfix.spool.reporttext import shown_address

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytwfix.bounce.kinds import Kind
    from pytwfix.bounce.settings import BounceSettings
    from pytwfix.contracts.reports import Report
    from pytwfix.mail.envelope import Envelope

MAILER_DAEMON = "MAILER-DAEMON"


def sender_text(envelope: Envelope, cfg: BounceSettings) -> str:
    """Whom the message came from; the null sender has a name here."""
    return shown_address(envelope.sender) if envelope.sender else f"{MAILER_DAEMON}@{cfg.myhostname}"


def delivery_status(envelope: Envelope, reports: Sequence[Report], kind: Kind, cfg: BounceSettings) -> str:
    """All blocks, each but the last followed by an empty line."""
    blocks = ["\r\n".join(_message_fields(envelope, cfg))]
    for report in reports:
        blocks.append("\r\n".join(_recipient_fields(envelope, report, kind, cfg)))
    return "\r\n\r\n".join(blocks) + "\r\n"


def _message_fields(envelope: Envelope, cfg: BounceSettings) -> Iterator[str]:
    sender = sender_text(envelope, cfg)
    yield f"Reporting-MTA: dns; {cfg.myhostname}"
    if envelope.dsn_envid:
        yield f"Original-Envelope-Id: {_plain(envelope.dsn_envid)}"
    yield f"X-{cfg.mail_name}-Queue-ID: {envelope.queue_id}"
    yield f"X-{cfg.mail_name}-Sender: {_type(sender, envelope)}; {sender}"
    if envelope.arrival:
        yield f"Arrival-Date: {mail_date(envelope.arrival)}"


def _recipient_fields(envelope: Envelope, report: Report, kind: Kind, cfg: BounceSettings) -> Iterator[str]:
    recipient, dsn = report.recipient, report.dsn
    address = shown_address(recipient.address)
    yield f"Final-Recipient: {_type(address, envelope)}; {address}"
    original = _original(envelope, report)
    if original:
        yield f"Original-Recipient: {original}"
    yield f"Action: {kind.action or dsn.action}"
    yield f"Status: {dsn.status}"
    if dsn.mname:
        yield f"Remote-MTA: {dsn.mtype or 'dns'}; {_plain(dsn.mname)}"
    if dsn.dtext:
        yield folded(f"Diagnostic-Code: {dsn.dtype or 'smtp'}; {_plain(dsn.dtext)}")
    else:
        yield folded(f"Diagnostic-Code: X-{cfg.mail_name}; {_plain(dsn.reason)}")
    if kind is DELAYING and envelope.arrival:
        yield f"Will-Retry-Until: {mail_date(envelope.arrival + cfg.maximal_queue_lifetime)}"


def _original(envelope: Envelope, report: Report) -> str:
    """`type;address`: what the client called it (ORCPT), else the recipient as it was before rewriting."""
    recipient = report.recipient
    if recipient.orcpt:
        return _plain(recipient.orcpt)
    if not recipient.original:
        return ""
    address = shown_address(recipient.original)
    return f"{_type(address, envelope)};{address}"


def _type(address: str, envelope: Envelope) -> str:
    return "utf-8" if envelope.sendopts & SMTPUTF8_REQUESTED and not address.isascii() else "rfc822"


def _plain(text: str | bytes) -> str:
    """Peers' words on one line of printable characters."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    return text if text.isprintable() else "".join(char if char.isprintable() else "?" for char in text)
