"""A refusal as it leaves: soft_bounce, unprintable bytes, length, footer (SD-24, SD-51)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytwfix.accept.smtpd.received import date
from pytwfix.accept.smtpd.state import shown
from pytwfix.basics.macros import expand

if TYPE_CHECKING:
    from pytwfix.accept.smtpd.state import State
    from pytwfix.mail.reply import Reply

_MAX_TEXT = 500


def printable(text: str) -> str:
    """Control characters, and what was no UTF-8, as `?`."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() and char != "\ufffd" else "?" for char in text)


def dressed(state: State, reply: Reply) -> Reply:
    """A 4xx or 5xx reply ready to send."""
    config = state.config
    if config.soft_bounce:
        reply = reply.softened()
    text = shown(reply.text, config.smtputf8)[:_MAX_TEXT]
    footer = config.reject_footer
    if footer:
        text += "\n" + _footer(state, footer)
    return reply._replace(text=text)


def _footer(state: State, footer: str) -> str:
    """smtpd_reject_footer: `\\n` starts a line, macros tell the client about itself."""
    client = state.client
    values = {
        "client": client.namaddr,
        "client_address": client.address,
        "client_name": client.name,
        "client_port": client.port,
        "helo_name": state.helo,
        "localtime": date(state.host.now()),
        "recipient": state.text(state.recipient or b""),
        "sender": state.text(state.sender or b""),
        "server_name": state.config.hostname,
    }
    text = expanded(footer, values)
    return text.replace("\\n", "\n")


def expanded(text: str, values: dict[str, str]) -> str:
    """`$name`, `${name}` and the conditional forms, with these values only."""
    return str(expand(text, values.get))
