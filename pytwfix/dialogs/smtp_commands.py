"""The commands of an SMTP server: where each is allowed and how its arguments are read.

INVENTORY SD-2, SD-5 to SD-13, SD-43, SD-44.

A parser takes the dialog and the command line split into verb and rest, and gives an `Event`, or raises `Syntax` with
the reply. Texts and order of the tests are Postfix's, so that clients and log readers see no difference.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from pytwfix.dialogs import smtp_events as events
from pytwfix.dialogs import smtp_parameters as parameters
from pytwfix.mail.hostnames import literal_address, valid_name
from pytwfix.mail.paths import parse_path
from pytwfix.mail.reply import Reply

if TYPE_CHECKING:
    from pytwfix.dialogs.smtp_server import SmtpServer

Syntax = parameters.Syntax

_DIGITS = re.compile(rb"[0-9]+\Z")
_MAX_CHUNK = 2**63 - 1
_TRANSACTION = Reply(503, "5.5.1", "Error: MAIL transaction in progress")
_NEED_MAIL = Reply(503, "5.5.1", "Error: need MAIL command")
_NEED_RCPT = Reply(503, "5.5.1", "Error: need RCPT command")
_NEED_HELO = Reply(503, "5.5.1", "Error: send HELO/EHLO first")
_NO_RECIPIENTS = Reply(554, "5.5.1", "Error: no valid recipients")
_MAIL_SYNTAX = Reply(501, "5.5.4", "Syntax: MAIL FROM:<address>")
_RCPT_SYNTAX = Reply(501, "5.5.4", "Syntax: RCPT TO:<address>")
_BAD_SENDER = Reply(501, "5.1.7", "Bad sender address syntax")
_BAD_RECIPIENT = Reply(501, "5.1.3", "Bad recipient address syntax")


class Command(NamedTuple):
    """`plain`: allowed before TLS where TLS is mandatory; `last`: must be the last of a pipelined group."""

    parse: Callable[[SmtpServer, str, bytes, bytes], events.Event]
    plain: bool = False
    last: bool = False


def _helo(core: SmtpServer, verb: str, line: bytes, rest: bytes) -> events.Event:
    words = rest.split()
    if not words:
        raise Syntax(Reply(501, "", f"Syntax: {verb} hostname"))
    return events.Helo(verb, line, b" ".join(words))


def _address(core: SmtpServer, path: bytes, strict: bool, utf8: bool) -> bytes | None:
    rules = core.rules
    return parse_path(path, strict, utf8, rules.min_user, rules.numeric_domain, rules.null_domain)


def _mail(core: SmtpServer, verb: str, line: bytes, rest: bytes) -> events.Event:
    rules = core.rules
    if rules.helo_required and not core.helo:
        raise Syntax(_NEED_HELO)
    if core.mail:
        raise Syntax(Reply(503, "5.5.1", "Error: nested MAIL command"))
    if core.chunking:
        raise Syntax(Reply(503, "5.5.1", "Error: MAIL after BDAT"))
    path, options = _path_and_options(rest, b"FROM:", _MAIL_SYNTAX)
    event = events.Mail(verb, line, b"")
    parameters.mail_options(core, event, options, utf8_only=True)
    sender = _address(core, path, rules.strict_envelopes, event.smtputf8)
    if sender is None:
        raise Syntax(_BAD_SENDER, _illegal("MAIL", path))
    if event.smtputf8 is False and rules.strict_smtputf8 and not sender.isascii():
        raise Syntax(Reply(553, "5.6.7", "Must declare SMTPUTF8 to send unicode address"))
    parameters.mail_options(core, event, options)
    event.sender = sender
    return event


def _rcpt(core: SmtpServer, verb: str, line: bytes, rest: bytes) -> events.Event:
    rules = core.rules
    if not core.mail:
        raise Syntax(_NEED_MAIL)
    if core.chunking:
        raise Syntax(Reply(503, "5.5.1", "Error: RCPT after BDAT"))
    path, options = _path_and_options(rest, b"TO:", _RCPT_SYNTAX)
    recipient = _address(core, path, rules.strict_envelopes, core.smtputf8)
    if not recipient:
        raise Syntax(_BAD_RECIPIENT, _illegal("RCPT", path))
    if not core.smtputf8 and rules.strict_smtputf8 and not recipient.isascii():
        raise Syntax(Reply(553, "5.6.7", "Must declare SMTPUTF8 to send unicode address"))
    event = events.Rcpt(verb, line, recipient)
    event.typed = path.strip(b"<> \t")
    parameters.rcpt_options(core, event, options)
    return event


def _data(core: SmtpServer, verb: str, line: bytes, rest: bytes) -> events.Event:
    if core.chunking:
        raise Syntax(Reply(503, "5.5.1", "Error: DATA after BDAT"))
    _need_recipients(core)
    if rest.strip():
        raise Syntax(Reply(501, "5.5.4", "Syntax: DATA"))
    return events.Data(verb, line)


def _bdat(core: SmtpServer, verb: str, line: bytes, rest: bytes) -> events.Event:
    """Whatever the answer, a chunk that was announced is read to its end (SD-10)."""
    if "chunking" in core.discarded:
        raise Syntax(Reply(521, "5.5.1", "Error: command not implemented", hangup=True))
    words = rest.upper().split()
    good = words and _DIGITS.match(words[0]) and (len(words) == 1 or (len(words) == 2 and words[1] == b"LAST"))
    size = int(words[0]) if good and len(words[0]) < 20 else _MAX_CHUNK + 1
    if size > _MAX_CHUNK:
        core.abandon_chunks()
        reply = Reply(521, "5.5.4", "Syntax: BDAT count [LAST]", hangup=True)
        raise Syntax(reply, "malformed BDAT command syntax from %s: " + line[:100].decode("utf-8", "replace"))
    last = len(words) == 2
    core.announce_chunk(size)
    if not size and not last:
        core.chunking = core.chunk_failed = True
        raise Syntax(Reply(551, "5.7.1", "Null BDAT request"), "null BDAT request from %s")
    if core.chunk_failed:
        if last:
            core.abandon_chunks()
        raise Syntax(Reply(551, "5.0.0", f"Discarded {size} bytes after earlier error"))
    try:
        _need_recipients(core)
    except Syntax:
        core.chunking = core.chunk_failed = True
        if last:
            core.abandon_chunks()
        raise
    return events.Bdat(verb, line, size, last)


def _need_recipients(core: SmtpServer) -> None:
    if not core.mail:
        raise Syntax(_NEED_RCPT)
    if not core.recipients:
        raise Syntax(_NO_RECIPIENTS)


def _rset(core: SmtpServer, verb: str, line: bytes, rest: bytes) -> events.Event:
    if rest.strip():
        raise Syntax(Reply(501, "5.5.4", "Syntax: RSET"))
    return events.Rset(verb, line)


def _noop(core: SmtpServer, verb: str, line: bytes, rest: bytes) -> events.Event:
    return events.Noop(verb, line)


def _quit(core: SmtpServer, verb: str, line: bytes, rest: bytes) -> events.Event:
    return events.Quit(verb, line)


def _help(core: SmtpServer, verb: str, line: bytes, rest: bytes) -> events.Event:
    return events.Help(verb, line)


def _vrfy(core: SmtpServer, verb: str, line: bytes, rest: bytes) -> events.Event:
    rules = core.rules
    if rules.vrfy_disabled:
        raise Syntax(Reply(502, "5.5.1", "VRFY command is disabled"))
    words = rest.split()
    smtputf8 = bool(words) and rules.smtputf8 and words[-1].upper() == b"SMTPUTF8"
    if smtputf8:
        words.pop()
    if not words:
        raise Syntax(Reply(501, "5.5.4", "Syntax: VRFY address" + " [SMTPUTF8]" * rules.smtputf8))
    text = b" ".join(words)
    recipient = _address(core, text, False, smtputf8)
    if not recipient:
        raise Syntax(_BAD_RECIPIENT, _illegal("VRFY", text, always=True))
    return events.Vrfy(verb, line, text, recipient, smtputf8)


def _etrn(core: SmtpServer, verb: str, line: bytes, rest: bytes) -> events.Event:
    if core.rules.helo_required and not core.helo:
        raise Syntax(Reply(503, "", "Error: send HELO/EHLO first"))
    if core.mail:
        raise Syntax(Reply(503, "", "Error: MAIL transaction in progress"))
    words = rest.split()
    if len(words) != 1:
        raise Syntax(Reply(500, "", "Syntax: ETRN domain"))
    domain = words[0][1:] if words[0][:1] in (b"#", b"@") else words[0]
    if not (valid_name(domain, core.rules.smtputf8) or literal_address(domain)):
        raise Syntax(Reply(501, "", "Error: invalid parameter syntax"))
    return events.Etrn(verb, line, domain)


def _starttls(core: SmtpServer, verb: str, line: bytes, rest: bytes) -> events.Event:
    if rest.strip():
        raise Syntax(Reply(501, "5.5.4", "Syntax: STARTTLS"))
    if core.tls_active:
        raise Syntax(Reply(554, "5.5.1", "Error: TLS already active"))
    if not core.tls_offered:
        raise Syntax(Reply(502, "5.5.1", "Error: command not implemented"))
    return events.StartTls(verb, line)


def _auth(core: SmtpServer, verb: str, line: bytes, rest: bytes) -> events.Event:
    if core.rules.helo_required and not core.helo:
        raise Syntax(_NEED_HELO)
    if not core.auth_offered:
        raise Syntax(Reply(503, "5.5.1", "Error: authentication not enabled"))
    if core.mail:
        raise Syntax(_TRANSACTION)
    words = rest.split()
    if not 1 <= len(words) <= 2:
        raise Syntax(Reply(501, "5.5.4", "Syntax: AUTH mechanism"))
    return events.Auth(verb, line, words)


def _attributes(core: SmtpServer, verb: str, line: bytes, rest: bytes) -> events.Event:
    if core.mail:
        raise Syntax(_TRANSACTION)
    if not (core.xclient if verb == "XCLIENT" else core.xforward):
        raise Syntax(Reply(550, "5.7.0", "Error: insufficient authorization"))
    words = rest.split()
    if not words:
        raise Syntax(Reply(501, "5.5.4", f"Syntax: {verb} attribute=value..."))
    return events.Attributes(verb, line, parameters.attributes(verb, words, core.rules.ipv6))


def _illegal(verb: str, path: bytes, always: bool = False) -> str:
    """Nothing is said of a path that is simply not closed, but after VRFY, which takes whatever stands there."""
    if not always and path.startswith(b"<") and b">" not in path:
        return ""
    return f"Illegal address syntax from %s in {verb} command: {path.decode('utf-8', 'replace')}"


def _path_and_options(rest: bytes, keyword: bytes, syntax: Reply) -> tuple[bytes, list[bytes]]:
    """`FROM:<path> NAME=value ...`, with blanks after the colon allowed, and paths without <>."""
    rest = rest.lstrip()
    if rest[: len(keyword)].upper() != keyword:
        raise Syntax(syntax)
    words = parameters.words(rest[len(keyword) :])
    if not words:
        raise Syntax(syntax)
    return words[0], words[1:]


COMMANDS: dict[bytes, Command] = {
    b"HELO": Command(_helo, plain=True, last=True),
    b"EHLO": Command(_helo, plain=True, last=True),
    b"XCLIENT": Command(_attributes, plain=True),
    b"XFORWARD": Command(_attributes),
    b"STARTTLS": Command(_starttls, plain=True),
    b"AUTH": Command(_auth),
    b"MAIL": Command(_mail),
    b"RCPT": Command(_rcpt),
    b"DATA": Command(_data, last=True),
    b"BDAT": Command(_bdat),
    b"RSET": Command(_rset),
    b"NOOP": Command(_noop, plain=True, last=True),
    b"VRFY": Command(_vrfy, last=True),
    b"ETRN": Command(_etrn),
    b"QUIT": Command(_quit, plain=True),
    b"HELP": Command(_help, plain=True),
}
