"""Senders and recipients that filters change (MI-3, CL-10). They pass the same mappings as others do.

A recipient is taken back by the name that it was given, not by one that an alias led to. What is asked for in vain is
logged. MailError when a mapping fails.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from pytwfix.basics.tasks import start
from pytwfix.cleanup import log
from pytwfix.cleanup.sequence import Waiting, settled
from pytwfix.dialogs import milter as wire
from pytwfix.dialogs.milter import Edit
from pytwfix.mail import orcpt, status, xtext
from pytwfix.mail.addresslist import parse
from pytwfix.mail.envelope import Recipient

if TYPE_CHECKING:
    from pytwfix.cleanup.transaction import Transaction

_NOTIFY = {b"SUCCESS": status.NOTIFY_SUCCESS, b"FAILURE": status.NOTIFY_FAILURE, b"DELAY": status.NOTIFY_DELAY}
_RET = {b"FULL": status.RET_FULL, b"HDRS": status.RET_HDRS}
_ADD = "Milter or header/body_checks request to add multi-recipient"
_DROP = "Milter request to drop multi-recipient"
_SENDER = "Milter request to add multi-sender"
_IGNORED = "ignoring ESMTP argument from Milter or header/body_checks"


def edit(mail: Transaction, change: Edit) -> Waiting:
    """Any edit of the envelope."""
    return settled(start(_EDITS[change.kind](mail, change)))


async def _sender(mail: Transaction, change: Edit) -> None:
    for word in change.value.split():
        name, _, value = word.partition(b"=")
        if name.upper() == b"RET" and value.upper() in _RET:
            mail.envelope.dsn_ret = _RET[value.upper()]
        elif name.upper() == b"ENVID" and (decoded := xtext.decode(value)):
            mail.envelope.dsn_envid = decoded
        elif name.upper() not in (b"BODY", b"SIZE"):
            log.milter_request(mail.log, mail.queue_id, _IGNORED, word)
    await mail.addresses.sender(_address(mail, change.name, _SENDER))


async def _add(mail: Transaction, change: Edit) -> None:
    address = _address(mail, change.name, _ADD)
    if not address:
        log.null_recipient(mail.log, mail.queue_id)
        return
    recipient = Recipient(address, address)
    for word in change.value.split():
        name, _, value = word.partition(b"=")
        if name.upper() == b"NOTIFY":
            recipient.notify = _notify(mail, word, value)
        elif name.upper() == b"ORCPT":
            recipient.orcpt = _orcpt(mail, word, value)
        else:
            log.milter_request(mail.log, mail.queue_id, _IGNORED, word)
    await mail.addresses.added(recipient)


async def _delete(mail: Transaction, change: Edit) -> None:
    address = _address(mail, change.name, _DROP)
    if address:
        mail.addresses.remove(address)


def _address(mail: Transaction, text: bytes, complaint: str) -> bytes:
    """The one address of `text`, in internal form."""
    found = [element.address for element in parse(text, mail.config.token_limit) if element.address]
    if len(found) > 1:
        log.milter_request(mail.log, mail.queue_id, complaint, text)
    return found[0] if found and found[0] else b""


def _notify(mail: Transaction, word: bytes, value: bytes) -> int:
    if value.upper() == b"NEVER":
        return status.NOTIFY_NEVER
    bits = 0
    for name in value.upper().split(b","):
        if name not in _NOTIFY:
            log.milter_request(
                mail.log, mail.queue_id, "Bad NOTIFY parameter from Milter or header/body_checks", word
            )
            return 0
        bits |= _NOTIFY[name]
    return bits


def _orcpt(mail: Transaction, word: bytes, value: bytes) -> bytes:
    decoded = orcpt.decode(value)
    if decoded is None or not decoded.partition(b";")[2]:
        log.milter_request(mail.log, mail.queue_id, "Bad ORCPT parameter from Milter or header/body_checks", word)
        return b""
    return decoded


_EDITS: dict[bytes, Callable[[Transaction, Edit], Coroutine[Any, Any, None]]] = {
    wire.CHANGE_SENDER: _sender,
    wire.ADD_RECIPIENT: _add,
    wire.ADD_RECIPIENT_WITH: _add,
    wire.DELETE_RECIPIENT: _delete,
}
