"""Parameters of SMTP commands: `NAME=value` words after MAIL, RCPT, XCLIENT and XFORWARD.

INVENTORY SD-6, SD-7, SD-43, SD-44, OB-10.

RFC 1870 (SIZE), 1652 (BODY), 3461 (RET ENVID NOTIFY ORCPT), 4954 (AUTH), 6531 (SMTPUTF8), 8689 (REQUIRETLS).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from pytwfix.mail import orcpt, status, xtext
from pytwfix.mail.hostnames import valid_address, valid_name
from pytwfix.mail.reply import Reply

if TYPE_CHECKING:
    from pytwfix.dialogs.smtp_events import Mail, Rcpt
    from pytwfix.dialogs.smtp_server import SmtpServer


class Syntax(Exception):
    """A command cannot be understood or is not allowed: `reply` for the client, `complaint` for the log ("%s" stands
    for the client)."""

    def __init__(self, reply: Reply, complaint: str = "") -> None:
        super().__init__(reply.text)
        self.reply = reply
        self.complaint = complaint


# A word is a run of these: <...> with quotes inside, "quoted", anything else but blanks.
_WORD = re.compile(rb'(?:<(?:"(?:[^"\\]|\\.)*"|[^>"])*>?|"(?:[^"\\]|\\.)*"?|\\.|[^\s<"\\]|\\)+', re.DOTALL)
_SIZE = re.compile(rb"[0-9]+\Z")
_MAX_SIZE = 2**63 - 1
_NO_DSN = Reply(501, "5.7.1", "DSN support is disabled")
_BAD_SIZE = Reply(501, "5.5.4", "Bad message size syntax")
_TOO_BIG = Reply(552, "5.3.4", "Message size exceeds file system imposed limit")
_BAD_RET = Reply(501, "5.5.4", "Bad RET parameter syntax")
_BAD_ENVID = Reply(501, "5.5.4", "Bad ENVID parameter syntax")
_BAD_NOTIFY = Reply(501, "5.5.4", "Error: Bad NOTIFY parameter syntax")
_BAD_ORCPT = Reply(501, "5.5.4", "Error: Bad ORCPT parameter syntax")
_RET = {b"FULL": status.RET_FULL, b"HDRS": status.RET_HDRS}
_NOTIFY = {b"SUCCESS": status.NOTIFY_SUCCESS, b"FAILURE": status.NOTIFY_FAILURE, b"DELAY": status.NOTIFY_DELAY}


def words(text: bytes) -> list[bytes]:
    """`text` split at blanks that are not inside <> or quotes."""
    if b"<" not in text and b'"' not in text:
        return text.split()
    return _WORD.findall(text)


def mail_options(core: SmtpServer, event: Mail, options: list[bytes], utf8_only: bool = False) -> None:
    """Read the parameters of MAIL into `event`; `utf8_only`: just SMTPUTF8, which the address needs."""
    for option in options:
        name, equals, value = option.partition(b"=")
        name = name.upper()
        if not equals and name == b"SMTPUTF8" and core.rules.smtputf8 and "smtputf8" not in core.discarded:
            event.smtputf8 = True
        elif not utf8_only:
            reader = _MAIL.get((name, bool(equals)))
            if reader is None or not reader(core, event, value):
                raise Syntax(_unsupported(option))


def rcpt_options(core: SmtpServer, event: Rcpt, options: list[bytes]) -> None:
    for option in options:
        name, _, value = option.partition(b"=")
        name = name.upper()
        if name == b"NOTIFY" and _:
            _notify(core, event, value)
        elif name == b"ORCPT" and _:
            _orcpt(core, event, value)
        else:
            raise Syntax(_unsupported(option))


def _unsupported(option: bytes) -> Reply:
    return Reply(555, "5.5.4", "Unsupported option: " + option[:100].decode("utf-8", "replace"))


def _size(core: SmtpServer, event: Mail, value: bytes) -> bool:
    if not _SIZE.match(value):
        raise Syntax(_BAD_SIZE)
    if len(value) > 19 or int(value) > _MAX_SIZE:
        raise Syntax(_TOO_BIG)
    event.size = int(value)
    return True


def _body(core: SmtpServer, event: Mail, value: bytes) -> bool:
    event.encoding = {b"7BIT": "7bit", b"8BITMIME": "8bit"}.get(value.upper(), "")
    return bool(event.encoding)


def _auth(core: SmtpServer, event: Mail, value: bytes) -> bool:
    event.auth = b"" if value == b"<>" else value  # it is told as it came
    return True


def _ret(core: SmtpServer, event: Mail, value: bytes) -> bool:
    _need_dsn(core)
    if event.ret or value.upper() not in _RET:
        raise Syntax(_BAD_RET)
    event.ret = _RET[value.upper()]
    return True


def _envid(core: SmtpServer, event: Mail, value: bytes) -> bool:
    _need_dsn(core)
    decoded = xtext.decode(value)
    if event.envid or not decoded or not decoded.isascii():
        raise Syntax(_BAD_ENVID)
    event.envid = decoded
    return True


def _xverp(core: SmtpServer, event: Mail, value: bytes) -> bool:
    if not core.xverp:
        return False
    event.xverp = True
    event.verp = value.decode("ascii", "replace")
    allowed = core.rules.verp_delimiters
    if len(event.verp) != 2 or not set(event.verp) <= set(allowed):
        raise Syntax(Reply(501, "5.5.4", f"Error: XVERP needs two characters from {allowed}"))
    return True


def _xverp_default(core: SmtpServer, event: Mail, value: bytes) -> bool:
    event.xverp = core.xverp
    return core.xverp


def _requiretls(core: SmtpServer, event: Mail, value: bytes) -> bool:
    event.requiretls = core.rules.requiretls and core.tls_active
    return event.requiretls


_MAIL: dict[tuple[bytes, bool], Callable[[SmtpServer, Mail, bytes], bool]] = {
    (b"SIZE", True): _size,
    (b"BODY", True): _body,
    (b"AUTH", True): _auth,
    (b"RET", True): _ret,
    (b"ENVID", True): _envid,
    (b"XVERP", True): _xverp,
    (b"XVERP", False): _xverp_default,
    (b"REQUIRETLS", False): _requiretls,
}


def _need_dsn(core: SmtpServer) -> None:
    if "dsn" in core.discarded:
        raise Syntax(_NO_DSN)


def _notify(core: SmtpServer, event: Rcpt, value: bytes) -> None:
    _need_dsn(core)
    if event.notify:
        raise Syntax(_BAD_NOTIFY)
    if value.upper() == b"NEVER":
        event.notify = status.NOTIFY_NEVER
        return
    for word in value.upper().split(b","):
        if word not in _NOTIFY:
            raise Syntax(_BAD_NOTIFY, _unknown_notify(word, value))
        event.notify |= _NOTIFY[word]


def _unknown_notify(word: bytes, value: bytes) -> str:
    """For the log; "%s" would be taken for the client."""
    if not word or word == b"NEVER":
        return ""
    text = value.decode("utf-8", "replace").replace("%s", "??")
    start = text.upper().find(word.decode("utf-8", "replace"))
    return f'unknown DSN NOTIFY command value "{text[start : start + len(word)]}" in "{text}"'


def _orcpt(core: SmtpServer, event: Rcpt, value: bytes) -> None:
    _need_dsn(core)
    decoded = orcpt.decode(value)
    if event.orcpt or decoded is None:
        raise Syntax(_BAD_ORCPT)
    event.orcpt = decoded


# XCLIENT and XFORWARD.

UNAVAILABLE, TEMPUNAVAIL = "[UNAVAILABLE]", "[TEMPUNAVAIL]"
XCLIENT_NAMES = ("NAME", "ADDR", "PROTO", "HELO", "REVERSE_NAME", "PORT", "LOGIN", "DESTADDR", "DESTPORT")
XFORWARD_NAMES = ("NAME", "ADDR", "PROTO", "HELO", "SOURCE", "PORT", "IDENT")
_MAX_VALUE = 255


def attributes(verb: str, options: list[bytes], ipv6: bool) -> dict[str, str]:
    """The attributes of XCLIENT or XFORWARD, checked and decoded. An IPv6 address has lost its prefix."""
    names = XCLIENT_NAMES if verb == "XCLIENT" else XFORWARD_NAMES
    values: dict[str, str] = {}
    for option in options:
        raw_name, equals, raw = option.partition(b"=")
        name = raw_name.upper().decode("ascii", "replace")
        if not equals:
            raise Syntax(Reply(501, "5.5.4", "Error: attribute=value expected"))
        if len(raw) > _MAX_VALUE:
            raise Syntax(Reply(501, "5.5.4", "Error: attribute value too long"))
        if name not in names:
            raise Syntax(Reply(501, "5.5.4", f"Bad {verb} attribute name: {raw_name.decode('utf-8', 'replace')}"))
        value = _attribute(verb, name, raw, ipv6)
        if value is None:
            raise Syntax(Reply(501, "5.5.4", f"Bad {name} syntax: {raw.decode('utf-8', 'replace')}"))
        values[name] = value
    return values


def _attribute(verb: str, name: str, raw: bytes, ipv6: bool) -> str | None:
    decoded = xtext.decode(raw)
    if decoded is None:
        return None
    text = decoded.decode("utf-8", "replace")
    if text.upper() in (UNAVAILABLE, TEMPUNAVAIL):
        return text.upper()
    if name in ("NAME", "REVERSE_NAME"):
        return text if valid_name(decoded) else None
    if name in ("ADDR", "DESTADDR"):
        return _address(text, ipv6)
    if name in ("PORT", "DESTPORT"):
        return text if text.isdecimal() and text.isascii() and len(text) < 6 else None
    if name == "PROTO" and verb == "XCLIENT":
        return text.upper() if text.upper() in ("SMTP", "ESMTP") else None
    if name == "SOURCE":
        return text.upper() if text.upper() in ("LOCAL", "REMOTE") else None
    return text


def _address(text: str, ipv6: bool) -> str | None:
    if text[:5].lower() == "ipv6:":
        text = text[5:]
    good = valid_address(text.encode("utf-8")) and (ipv6 or ":" not in text)
    return text if good else None
