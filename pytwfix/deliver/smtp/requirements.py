"""What a mail demands of a server: SIZE, SMTPUTF8, REQUIRETLS (SM-6, AD-2). Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytwfix.mail.envelope import SMTPUTF8_HEADER, SMTPUTF8_RECIPIENT, SMTPUTF8_REQUESTED, SMTPUTF8_SENDER
from pytwfix.mail.status import Dsn

if TYPE_CHECKING:
    from pytwfix.contracts.delivery import DeliveryRequest
    from pytwfix.deliver.smtp.session import Session

_NEEDS_UTF8 = SMTPUTF8_HEADER | SMTPUTF8_SENDER | SMTPUTF8_RECIPIENT


def missing(session: Session, request: DeliveryRequest) -> Dsn | None:
    """Why a server cannot take the mail at all."""
    envelope = request.envelope
    limit = session.size
    if limit and envelope.size > limit:
        text = f"message size {envelope.size} exceeds size limit {limit} of server {session.namaddr}"
        return Dsn("5.3.4", text)
    sendopts = envelope.sendopts
    if sendopts & SMTPUTF8_REQUESTED and sendopts & _NEEDS_UTF8 and "SMTPUTF8" not in session.features:
        return Dsn("5.6.7", f"SMTPUTF8 is required, but was not offered by host {session.namaddr}")
    return session.config.requiretls.missing(session)
