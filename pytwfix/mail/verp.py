"""VERP: a sender that says to whom its mail was sent (INVENTORY SC-11). Pure; nothing raises."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytwfix.mail.envelope import Recipient


def verp_sender(sender: bytes, delimiters: str, recipient: Recipient) -> bytes:
    """`list+user=example.org@host` of `list@host`, for user@example.org. A sender without a domain stays as it is."""
    local, at, domain = sender.rpartition(b"@")
    if not at or len(delimiters) != 2:
        return sender
    first, second = delimiters[0].encode(), delimiters[1].encode()
    name, _, host = (recipient.original or recipient.address).rpartition(b"@")
    to = name + second + host if name else host
    return local + first + to + at + domain
