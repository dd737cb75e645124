"""What is said when nothing more is to be said; and a refusal as it leaves: soft_bounce, unprintable bytes, length,
footer (SD-24, SD-51)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytwfix.accept.smtpd import log
from pytwfix.accept.smtpd.state import shown
from pytwfix.basics.macros import MacroError, expand
from pytwfix.dialogs.smtp_commands import COMMANDS
from pytwfix.mail.dates import mail_date
from pytwfix.mail.reply import Reply

if TYPE_CHECKING:
    from pytwfix.accept.smtpd.state import State
    from pytwfix.tables.maps import Maps

_MAX_TEXT = 500
_SAME_LINE = "\\c"  # at the start of a footer: no line of its own
_REFUSAL = re.compile(r"([45][0-9]{2})(?:\s+([45]\.[0-9]{1,3}\.[0-9]{1,3}))?\s+(\S.*)")

OK = Reply(250, "2.0.0", "Ok")
MAIL_OK = Reply(250, "2.1.0", "Ok")
RCPT_OK = Reply(250, "2.1.5", "Ok")
GO_AHEAD = Reply(354, "", "End data with <CR><LF>.<CR><LF>")
BYE = Reply(221, "2.0.0", "Bye", hangup=True)
GOODBYE = Reply(221, "2.7.0", "Error: I can break rules, too. Goodbye.", hangup=True)
UNKNOWN = Reply(500, "5.5.2", "Error: command not recognized")
NO_SPACE = Reply(452, "4.3.1", "Insufficient system storage")
TOO_BIG = Reply(552, "5.3.4", "Message size exceeds fixed limit")
CHUNK_TOO_BIG = Reply(552, "5.3.4", "Chunk exceeds message size limit")
FILE_TOO_BIG = Reply(552, "5.3.4", "Error: message file too big")
TOO_MANY_RECIPIENTS = Reply(452, "4.5.3", "Error: too many recipients")
LOOKUP_FAILED = Reply(451, "4.3.0", "Error: temporary lookup failure")
READY_FOR_TLS = Reply(220, "2.0.0", "Ready to start TLS")
TLS_UNAVAILABLE = Reply(454, "4.7.0", "TLS not available due to local problem")
HELP = Reply(214, "2.0.0", "Commands: " + " ".join(verb.decode() for verb in COMMANDS))


def printable(text: str) -> str:
    """Control characters, and what was no UTF-8, as `?`."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() and char != "\ufffd" else "?" for char in text)


def dressed(state: State, reply: Reply, footer: str) -> Reply:
    """A 4xx or 5xx reply ready to send."""
    config = state.config
    if config.soft_bounce:
        reply = reply.softened()
    text = shown(reply.text, config.smtputf8)[:_MAX_TEXT]
    if footer.startswith(_SAME_LINE):
        text += _footer(state, footer.removeprefix(_SAME_LINE))
    elif footer:
        text += "\n" + _footer(state, footer)
    return reply._replace(text=text)


async def filtered(state: State, maps: Maps, reply: Reply) -> Reply:
    """smtpd_reject_filter_maps: another refusal in place of this one. What is no refusal does not count."""
    old = reply.line().replace("\n", " ")
    found = await maps.lookup(old.encode("utf-8", "replace"))
    if found is None:
        return reply
    new = found.decode("utf-8", "replace").strip()
    parsed = _REFUSAL.match(new)
    if not parsed:
        log.bad_replacement(state.host.log, maps.title, new)
        return reply
    log.reply_replaced(state, old, new)
    code = int(parsed.group(1))
    return Reply(code, parsed.group(2) or "", parsed.group(3), hangup=reply.hangup or code in (421, 521))


def _footer(state: State, footer: str) -> str:
    """smtpd_reject_footer: `\\n` starts a line, macros tell the client about itself."""
    client = state.client
    values = {
        "client": client.namaddr,
        "client_address": client.address,
        "client_name": client.name,
        "client_port": client.port,
        "helo_name": state.helo,
        "localtime": mail_date(state.host.now()),
        "recipient": _whom(state, state.recipient),
        "sender": _whom(state, state.sender),
        "server_name": state.config.hostname,
    }
    text = expanded(footer, values, state.config.expansion_filter)
    return text.replace("\\n", "\n")


def _whom(state: State, address: bytes | None) -> str:
    """The null address can be seen; one that is not known yet is nothing."""
    return "" if address is None else state.text(address) or "<>"


def expanded(text: str, values: dict[str, str], allowed: frozenset[str]) -> str:
    """`$name`, `${name}` and the conditional forms, with these values only, in which an octet that is not `allowed`
    (smtpd_expansion_filter) is `_`."""

    def value(name: str) -> str | None:
        found = values.get(name)
        if found is None or allowed.issuperset(found):
            return found
        return "".join(one if one in allowed else "_" * len(one.encode()) for one in found)

    try:
        return expand(text, value)
    except MacroError:
        return text
