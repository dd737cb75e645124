"""The envelope of one recipient under VERP (INVENTORY SC-11): its sender says to whom the mail was sent."""

from __future__ import annotations

from dataclasses import replace

from pytwfix.mail.envelope import Envelope, Recipient
from pytwfix.mail.verp import verp_sender


def verp_envelope(envelope: Envelope, recipients: list[Recipient]) -> Envelope:
    """The envelope that the agent shall see; under VERP a delivery has one recipient."""
    if not recipients or not envelope.sender:
        return envelope
    return replace(envelope, sender=verp_sender(envelope.sender, envelope.verp, recipients[0]))
