"""What cleanup does with header fields: count, log, drop, complete, add (RFC 5322; INVENTORY CL-4, CL-5, CL-13, CL-15).

`Headers.block` is the short way, for a stranger's mail that nobody inspects: one search over all fields for the few
that matter, and the block goes on as it is. `Headers.field` is the long way, field by field: addresses rewritten, what
is missing noted. `Headers.sparse` takes the long way for the fields that need it alone, when nothing is checked. Fields
are bytes with CRLF line ends, continuation lines included.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pytwfix.cleanup import addressheaders, log
from pytwfix.mail.dates import compact_date, mail_date
from pytwfix.mail.envelope import REQUIRETLS_ESMTP, REQUIRETLS_HEADER, SMTPUTF8_HEADER
from pytwfix.mail.errors import MailError
from pytwfix.mail.queueid import is_long
from pytwfix.mail.reply import Reply

if TYPE_CHECKING:
    from pytwfix.cleanup.transaction import Transaction

TOO_MANY_HOPS = MailError(Reply(554, "5.4.0", "Error: too many hops"))
UNTERMINATED = "message header was not terminated by empty line"
_FIELD = re.compile(rb"[^\n]*+\n(?:[ \t][^\n]*+\n)*")
_SPACED = re.compile(rb"^([!-9;-~]+)[ \t]+:", re.MULTILINE)
_NAME = re.compile(rb"([!-9;-~]+)[ \t]*:")
_ALWAYS = (
    b"received",
    b"message-id",
    b"resent-message-id",
    b"content-type",
    b"content-transfer-encoding",
    b"tls-required",
    b"require-tls-esmtp",
)
_COMPLETED = (b"date", *addressheaders.KINDS)
_NAMING = frozenset((b"to", b"cc", b"resent-to", b"resent-cc"))
_searches: dict[tuple[frozenset[bytes], bool], re.Pattern[bytes]] = {}


def fields_of(block: bytes) -> Iterator[bytes]:
    """The fields of a header block."""
    for match in _FIELD.finditer(block):
        yield match.group()


def name_of(field: bytes) -> bytes:
    """A field's name in lower case, b"" when it is no field."""
    match = _NAME.match(field)
    return match.group(1).lower() if match else b""


def value_of(field: bytes) -> bytes:
    """A field's value, unfolded."""
    value = field.partition(b":")[2].strip()
    return value.replace(b"\r\n", b"") if b"\r\n" in value else value


def _value(name: bytes, field: bytes) -> bytes:
    """A field's value, as it is needed: that of an ID, which is logged, keeps its folds."""
    if name.endswith(b"message-id"):
        return field.partition(b":")[2].lstrip().removesuffix(b"\r\n").replace(b"\r\n", b"\n")
    return value_of(field)


def _search(drop: frozenset[bytes], completing: bool = False) -> re.Pattern[bytes]:
    """Finds, in a lower-case block that begins with LF, the fields that matter: for mail of our own users
    (`completing`) also those with addresses, and any that is Resent-."""
    found = _searches.get((drop, completing))
    if found is None:
        names = b"|".join(re.escape(name) for name in (*_ALWAYS, *sorted(drop), *(_COMPLETED if completing else ())))
        if completing:
            names += rb"|resent-[!-9;-~]+"
        found = _searches[drop, completing] = re.compile(rb"\n(" + names + rb")[ \t]*:")
    return found


class Headers:
    """The header of one mail."""

    __slots__ = (
        "_mail",
        "_message_id",
        "_tls_marked",
        "content_type",
        "encoding",
        "names",
        "received",
        "recipients",
        "resent",
    )

    def __init__(self, mail: Transaction) -> None:
        self._mail = mail
        self._message_id = False
        self._tls_marked = False
        self.received = 0
        self.names: set[bytes] = set()  # in lower case; only on the long way
        self.resent = False
        self.content_type = b""
        self.encoding = b""
        self.recipients: tuple[list[bytes], list[bytes]] = ([], [])  # of To:, Cc:, Bcc:, and of their Resent- kin

    # -- the short way ---------------------------------------------------------------------------------------------

    def block(self, block: bytes) -> bytes:
        """The block that goes on. MailError: the mail is refused."""
        mail, config = self._mail, self._mail.config
        if b"\0" in block or len(block) > config.header_limit:
            block = b"".join(self.trimmed(field) for field in fields_of(block))
        if not block.isascii():
            self._not_ascii()
        if b" :" in block or b"\t:" in block:
            block = _SPACED.sub(rb"\1:", block)
        drop = config.drop
        dropped: list[int] = []
        lower = b"\n" + block.lower()
        for match in _search(drop).finditer(lower):
            name = match.group(1)
            if name == b"received":
                self.received += 1
            elif name in drop:
                dropped.append(match.start())
            else:
                self._known(name, _value(name, _field_at(block, match.start())))
        if self.received >= config.hopcount:
            log.hops(mail.log, mail.queue_id)
            raise TOO_MANY_HOPS
        return _without(block, dropped) if dropped else block

    def trimmed(self, field: bytes) -> bytes:
        """NUL cuts a line short; a field that is too long ends at the limit (OB-11)."""
        if b"\0" in field:
            field = b"\n".join(_to_nul(line) for line in field.split(b"\n"))
        limit = self._mail.config.header_limit
        if len(field) > limit:
            text = field.replace(b"\r\n", b"\n")  # a line end counts as one
            if len(text) > limit:
                field = text[:limit].rstrip(b"\n").replace(b"\n", b"\r\n") + b"\r\n"
        return field

    def _not_ascii(self) -> None:
        if self._mail.config.utf8:
            self._mail.envelope.sendopts |= SMTPUTF8_HEADER

    def _known(self, name: bytes, value: bytes) -> None:
        """A field that means something to us, on both ways."""
        mail = self._mail
        if name == b"message-id":
            self._message_id = True
            log.message_id(mail.log, mail.queue_id, value)
        elif name == b"resent-message-id":
            log.resent_message_id(mail.log, mail.queue_id, value)
        elif name == b"content-type":
            self.content_type = value
        elif name == b"content-transfer-encoding":
            self.encoding = value.lower()
            if mail.config.detect_8bit and self.encoding in (b"8bit", b"binary"):
                mail.envelope.encoding = "8bit"
        elif name == b"tls-required":
            if mail.config.tls_required and value.lower() == b"no":
                mail.envelope.sendopts |= REQUIRETLS_HEADER
        elif name == b"require-tls-esmtp" and mail.config.requiretls_header and value.lower() == b"yes":
            mail.envelope.sendopts |= REQUIRETLS_ESMTP
            self._tls_marked = True

    def end(self) -> bytes:
        """The last words of both ways."""
        if not self._message_id:
            log.message_id(self._mail.log, self._mail.queue_id, b"<>")
        wanted = self._mail.envelope.sendopts & REQUIRETLS_ESMTP and self._mail.config.requiretls_header
        line = b"Require-TLS-ESMTP: yes\r\n" if wanted and not self._tls_marked else b""
        return line + self._unterminated() if self._mail.repaired else line

    def _unterminated(self) -> bytes:
        """non_empty_end_of_header_action, for a header that ended without an empty line (CL-9)."""
        action = self._mail.config.end_of_header
        if action == "reject":
            self._mail.refuse(MailError(Reply(550, "5.6.0", UNTERMINATED)))
        return f"MIME-Error: {UNTERMINATED}\r\n".encode() if action == "add_header" else b""

    # -- the long way ----------------------------------------------------------------------------------------------

    async def sparse(self, block: bytes) -> bytes:
        """The block that goes on. MailError: the mail is refused."""
        out: list[bytes] = []
        at = 0
        if not block.isascii():
            self._not_ascii()
        for match in _search(self._mail.config.drop, True).finditer(b"\n" + block.lower()):
            start = match.start()
            field = _field_at(block, start)
            out.append(block[at:start])
            out.append(await self.field(field))
            at = start + len(field)
        out.append(block[at:])
        return b"".join(out)

    async def field(self, field: bytes) -> bytes:
        """What goes on in place of a field, b"" for nothing. MailError: the mail is refused."""
        mail, config = self._mail, self._mail.config
        field = self.trimmed(field)
        if not field.isascii():
            self._not_ascii()
        name = name_of(field)
        self.names.add(name)
        if name.startswith(b"resent-"):
            self.resent = True
        if name == b"received":
            self.received += 1
            if self.received >= config.hopcount:
                log.hops(mail.log, mail.queue_id)
                raise TOO_MANY_HOPS
        elif name in _ALWAYS:
            self._known(name, _value(name, field))
        if name in addressheaders.KINDS:
            field = await self._addresses(name, field)
        return b"" if name in config.drop else field

    async def _addresses(self, name: bytes, field: bytes) -> bytes:
        mail = self._mail
        if mail.extracts and name in addressheaders.RECIPIENTS:
            found = addressheaders.addresses(field, mail.config.token_limit)
            self.recipients[name.startswith(b"resent-")].extend(found)
        if mail.rewrites and name not in mail.config.drop:
            return await addressheaders.rewritten(mail, name, field)
        return field

    def missing(self) -> bytes:
        """What the header must have and has not (CL-4), and the log line for a mail without message ID."""
        if not self._mail.adds:
            return self.end()
        mail, config = self._mail, self._mail.config
        prefix, names = ("Resent-", b"resent-") if self.resent else ("", b"")
        lines: list[bytes] = []
        if names + b"message-id" not in self.names:
            unique = "" if is_long(mail.queue_id) else f"{compact_date(mail.envelope.arrival)}."
            identity = f"<{unique}{mail.queue_id}@{config.hostname}>".encode()
            lines.append(f"{prefix}Message-Id: ".encode() + identity + b"\r\n")
            self._known(names + b"message-id", identity)
        if names + b"date" not in self.names:
            lines.append(f"{prefix}Date: {mail_date(mail.envelope.arrival)}\r\n".encode())
        if names + b"from" not in self.names:
            lines.append(f"{prefix}From: ".encode() + addressheaders.originator(mail.envelope, config) + b"\r\n")
        if config.undisclosed and not self._addressed():
            lines.append(config.undisclosed.encode() + b"\r\n")
        lines.append(self.end())
        return b"".join(lines)

    def _addressed(self) -> bool:
        """Whether a field names recipients; one that is dropped, or only for those who get it blindly, does not."""
        return not self.names.isdisjoint(_NAMING - self._mail.config.drop)


def _to_nul(line: bytes) -> bytes:
    return line.partition(b"\0")[0] + b"\r" if b"\0" in line else line


def _field_at(block: bytes, start: int) -> bytes:
    match = _FIELD.match(block, start)
    return match.group() if match else b""


def _without(block: bytes, starts: list[int]) -> bytes:
    """The block without the fields that begin at `starts`."""
    parts: list[bytes] = []
    at = 0
    for start in starts:
        parts.append(block[at:start])
        at = start + len(_field_at(block, start))
    parts.append(block[at:])
    return b"".join(parts)
