"""The envelope of one recipient under VERP (INVENTORY SC-11): its sender says to whom the mail was sent."""

from __future__ import annotations

from dataclasses import replace

from pytwfix.mail.envelope import Envelope, Recipient


def verp_sender(sender: bytes, delimiters: str, recipient: Recipient) -> bytes:
    """`list+user=example.org@host` of `list@host`, for user@example.org. A sender without a domain stays as it is."""
    local, at, domain = sender.rpartition(b"@")
    if not at or len(delimiters) != 2:
        return sender
    first, second = delimiters[0].encode(), delimiters[1].encode()
    name, _, host = (recipient.original or recipient.address).rpartition(b"@")
    to = name + second + host if name else host
    return local + first + to + at + domain


def verp_envelope(envelope: Envelope, recipients: list[Recipient]) -> Envelope:
    """The envelope that the agent shall see; under VERP a delivery has one recipient."""
    if not recipients or not envelope.sender:
        return envelope
    return replace(envelope, sender=verp_sender(envelope.sender, envelope.verp, recipients[0]))
