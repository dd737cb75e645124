"""Addresses inside headers: rewritten, canonicalised, masqueraded (INVENTORY CL-2, CL-5, CA-8, OB-14), and From: made.

A field whose addresses do not change goes on exactly as it came.
"""

from __future__ import annotations

import re
from base64 import b64encode
from typing import TYPE_CHECKING

from pytwfix.mail.addresslist import parse, render
from pytwfix.mail.quoting import external_form

if TYPE_CHECKING:
    from pytwfix.cleanup.configuration import Configuration
    from pytwfix.cleanup.transaction import Transaction
    from pytwfix.contracts.rewriting import IRewriter
    from pytwfix.mail.addresslist import Element
    from pytwfix.mail.envelope import Envelope

SENDER, RECIPIENT = 1, 2
_SENDERS = b"from sender reply-to errors-to return-receipt-to disposition-notification-to return-path"
_MORE_SENDERS = b"resent-from resent-sender mail-followup-to"
_RECIPIENTS = b"to cc bcc resent-to resent-cc resent-bcc"
KINDS: dict[bytes, int] = {
    **dict.fromkeys((_SENDERS + b" " + _MORE_SENDERS).split(), SENDER),
    **dict.fromkeys((_RECIPIENTS + b" apparently-to resent-reply-to").split(), RECIPIENT),
}
RECIPIENTS = frozenset(_RECIPIENTS.split())  # those that `sendmail -t` reads
_LOCAL = rb"[!#-'*+\-/-9=?A-Z^-~]++(?:\.[!#-'*+\-/-9=?A-Z^-~]++)*+"
# A field with one plain address, perhaps behind a name: it need not be taken apart to see that it is complete.
_SINGLE = re.compile(
    rb"[!-9;-~]+:[ ]?(?:(" + _LOCAL + rb"@[A-Za-z0-9.-]+)"
    rb"|(?:\"[^\"\\\r\n]*\"|[A-Za-z0-9_=?'. -]*) ?<(" + _LOCAL + rb"@[A-Za-z0-9.-]+)>)[ ]*\r\n\Z"
)
_ATOMS = re.compile(rb"[-A-Za-z0-9!#$%&'*+/=?^_`{|}~ \t]*\Z")
_ESCAPE = re.compile(rb'(["\\])')


def addresses(field: bytes, limit: int) -> list[bytes]:
    """All addresses of a field, in internal form."""
    elements = parse(field.partition(b":")[2].strip(), limit)
    return [element.address for element in elements if element.address]


async def rewritten(mail: Transaction, name: bytes, field: bytes) -> bytes:
    """The field with its addresses as they shall be. MailError when a table fails."""
    if await _complete(mail, name, field):
        return field
    raw, _, value = field.partition(b":")
    elements = parse(value.strip(), mail.config.token_limit)
    config = mail.config
    tables = config.header_sender if KINDS[name] == SENDER else config.header_recipient
    mapped = bool(tables) and mail.mapped
    context = mail.envelope.rewrite_context
    rewriter = mail.host.peers.rewriter
    changed = False
    for element in elements:
        address = element.address
        if not address:
            continue
        new = await _form(rewriter, context, element)
        if mapped:
            new = await mail.addresses.canonical(new, tables)
        if new != address or (element.written != external_form(new) and b"\\" not in element.written):
            element.address = new
            changed = True
    return render(raw.strip(), elements) if changed else field


async def _form(rewriter: IRewriter, context: str, element: Element) -> bytes:
    """The address in full. A word in quotes, or with an @ inside of it, is a local part and nothing else (TR-2)."""
    address = element.address or b""
    if element.complete or not (element.quoted or b"@" in address):
        return await rewriter.rewrite(context, address)
    return address + (await rewriter.rewrite(context, b"x"))[1:]


async def _complete(mail: Transaction, name: bytes, field: bytes) -> bool:
    """Whether the field has one plain address and that stays as it is."""
    config = mail.config
    if mail.mapped and (config.header_sender if KINDS[name] == SENDER else config.header_recipient):
        return False
    match = _SINGLE.match(field)
    if match is None:
        return False
    address = match.group(1) or match.group(2)
    return await mail.host.peers.rewriter.rewrite(mail.envelope.rewrite_context, address) == address


def originator(envelope: Envelope, config: Configuration) -> bytes:
    """The value of a From: that is missing: the envelope sender, with the full name if sendmail(1) gave one."""
    if not envelope.sender:
        return b"MAILER-DAEMON"
    address, name = external_form(envelope.sender), envelope.full_name
    if not name:
        return address
    if not config.standard_from:
        return address + b" (" + re.sub(rb"([()\\])", rb"\\\1", name) + b")"
    return _phrase(name, config.name_charset) + b" <" + address + b">"


def _phrase(name: bytes, charset: str) -> bytes:
    """A full name as a header may have it: as it is, quoted, or encoded (RFC 2047)."""
    if not name.isascii():
        return f"=?{charset}?B?".encode() + b64encode(name) + b"?="
    if _ATOMS.match(name):
        return name
    return b'"' + _ESCAPE.sub(rb"\\\1", name) + b'"'
