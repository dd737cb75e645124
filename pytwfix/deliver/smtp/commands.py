"""MAIL, RCPT and XFORWARD with their parameters (SM-6, DS-3, AD-2, OB-13; RFC 1870, 6152, 3461, 6531, 4954). Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytwfix.mail import orcpt, xtext
from pytwfix.mail.envelope import SMTPUTF8_REQUESTED
from pytwfix.mail.quoting import external_form
from pytwfix.mail.status import (
    NOTIFY_DELAY,
    NOTIFY_FAILURE,
    NOTIFY_NEVER,
    NOTIFY_SUCCESS,
    RET_FULL,
    RET_HDRS,
)

if TYPE_CHECKING:
    from pytwfix.dialogs.smtp_client_hello import Features
    from pytwfix.mail.envelope import Client, Envelope, Recipient

_BODY = {"7bit": b" BODY=7BIT", "8bit": b" BODY=8BITMIME"}
_RET = {RET_FULL: b" RET=FULL", RET_HDRS: b" RET=HDRS"}
_NOTIFY = ((NOTIFY_SUCCESS, b"SUCCESS"), (NOTIFY_FAILURE, b"FAILURE"), (NOTIFY_DELAY, b"DELAY"))


def in_brackets(address: bytes, quote: bool) -> bytes:
    """The address as commands have it. Line ends and NUL cannot be sent at all."""
    if quote:
        address = external_form(address)
    return address.translate(None, b"\r\n\0")


def mail_command(
    envelope: Envelope, sender: bytes, features: Features, quote: bool, size: int, eight_bit: bool, dummy_auth: bool
) -> bytes:
    """`MAIL FROM:<sender> SIZE=n BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=x AUTH=<>`, as far as the server knows them.

    `eight_bit`: the content is sent as it is, whatever it is; `size` -1: it is not known.
    """
    known = features.keywords
    line = b"MAIL FROM:<%b>" % (in_brackets(sender, quote) if sender else b"")
    if not known:
        return line
    if size >= 0 and "SIZE" in known:
        line += b" SIZE=%d" % size
    if eight_bit:
        line += _BODY.get(envelope.encoding, b"")
    if "SMTPUTF8" in known and envelope.sendopts & SMTPUTF8_REQUESTED:
        line += b" SMTPUTF8"
    if "DSN" in known:
        if envelope.dsn_envid:
            line += b" ENVID=" + xtext.encode(envelope.dsn_envid)
        line += _RET.get(envelope.dsn_ret, b"")
    if dummy_auth:
        line += b" AUTH=<>"
    return line


def rcpt_command(recipient: Recipient, address: bytes, takes_dsn: bool, quote: bool) -> bytes:
    """`RCPT TO:<address> ORCPT=rfc822;x NOTIFY=SUCCESS,FAILURE`."""
    line = b"RCPT TO:<%b>" % in_brackets(address, quote)
    if takes_dsn:
        if recipient.orcpt:
            line += b" ORCPT=" + orcpt.encode(recipient.orcpt)
        if recipient.notify:
            line += b" NOTIFY=" + _notify(recipient.notify)
    return line


def _notify(bits: int) -> bytes:
    if bits & NOTIFY_NEVER:
        return b"NEVER"
    return b",".join(word for bit, word in _NOTIFY if bits & bit)


def xforward_commands(envelope: Envelope, features: Features, queue_id: str) -> list[bytes]:
    """Who the client was, in one or two commands: as a filter told us, else the client of our own session."""
    words = features.words("XFORWARD")
    if not words:
        return []
    client = envelope.origin if envelope.origin.address or envelope.origin.name else envelope.client
    commands = []
    if client.name or client.address or client.port:
        commands.append(_xforward(words, {"NAME": client.name, "ADDR": _prefixed(client), "PORT": client.port}))
    source = "LOCAL" if envelope.rewrite_context == "local" else "REMOTE"
    ident = envelope.origin_ident or (queue_id if client.address else "")
    values = {"PROTO": client.protocol, "HELO": client.helo, "IDENT": ident, "SOURCE": source}
    commands.append(_xforward(words, values))
    return [line for line in commands if line]


def _xforward(words: list[str], values: dict[str, str]) -> bytes:
    """What is known and wanted; b"" for nothing."""
    given = [
        name.encode("ascii") + b"=" + xtext.encode(value.encode("utf-8", "surrogateescape"))
        for name, value in values.items()
        if value and value != "unknown" and name in words
    ]
    return b" ".join([b"XFORWARD", *given]) if given else b""


def _prefixed(client: Client) -> str:
    return f"IPV6:{client.address}" if ":" in client.address else client.address
