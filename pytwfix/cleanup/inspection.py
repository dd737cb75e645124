"""A mail whose fields and lines must be looked at one by one (INVENTORY CL-5 to CL-9).

Stands between Content and the queue file. Every field of the header passes its checks, then what Headers does with
fields; the body is read line by line only if body_checks, the headers of its parts or strict 8-bit rules ask for it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytwfix.basics.tasks import start
from pytwfix.cleanup import log
from pytwfix.cleanup.headers import fields_of, name_of, value_of
from pytwfix.cleanup.sequence import Waiting, settled
from pytwfix.mail.errors import MailError
from pytwfix.mail.mime import BODY, BOUNDARY, NESTED_HEADER, PART_HEADER, Structure
from pytwfix.mail.reply import Reply
from pytwfix.mail.sevenbit import CONVERTED, encoding_field, quoted_printable

if TYPE_CHECKING:
    from pytwfix.cleanup.transaction import Transaction
    from pytwfix.tables.maps import Maps

_SPACED = re.compile(rb"([!-9;-~]+)[ \t]+:")
_FIELD_LINE = re.compile(rb"[!-9;-~]+[ \t]*:")
_LONG_LINE = 1 << 20
EIGHT_BIT_HEADER = "improper use of 8-bit data in message header"
EIGHT_BIT_BODY = "improper use of 8-bit data in message body"
EIGHT_BIT = (b"8bit", b"binary", b"quoted-printable", b"base64")  # not said to be 7bit, right or wrong
BAD_ENCODING = "invalid message/* or multipart/* encoding domain"


class Inspection:
    """IParts of content.py."""

    __slots__ = (
        "_converting",
        "_field",
        "_length",
        "_long",
        "_mail",
        "_structure",
        "_tail",
        "_type_and_encoding",
        "_unconverted",
    )

    def __init__(self, mail: Transaction) -> None:
        self._mail = mail
        config = mail.config
        self._structure = Structure(config.nesting_limit if config.mime else 0, config.boundary_limit)
        self._field: list[bytes] = []  # lines of a part's header field
        self._type_and_encoding = [b"", b""]
        self._length = 0  # of the text of this part, as far as it was checked
        self._tail = b""
        self._long = False  # in a line that is too long to be kept
        self._converting = False  # the text of this part becomes quoted-printable
        self._unconverted = False  # there is 8-bit text that does not say that it is

    # -- the mail's own header -------------------------------------------------------------------------------------

    def header(self, block: bytes) -> Waiting:
        mail = self._mail
        config = mail.config
        odd = b" :" in block or b"\t:" in block or b"\0" in block or len(block) > config.header_limit
        if odd or mail.checked or mail.strict or config.convert:
            return settled(start(self._header(block)))
        return settled(start(self._sparse(block)))

    async def _sparse(self, block: bytes) -> None:
        waiting = self._mail.keep(await self._mail.headers.sparse(block))
        if waiting is not None:
            await waiting

    async def _header(self, block: bytes) -> None:
        mail = self._mail
        out: list[bytes] = []
        for field in fields_of(block):
            if mail.discarded:
                return
            if b"\0" in field:
                field = field.partition(b"\0")[0] + b"\r\n"
            name = name_of(field)
            if mail.strict and mail.config.strict_7bit_headers and not field.isascii():
                self._mime_error(EIGHT_BIT_HEADER, field)
            for line in await self._checked(self._header_maps(name, False), field):
                kept = await mail.headers.field(_SPACED.sub(rb"\1:", line, 1) if b":" in line else line)
                out.append(b"" if self._replaced(line) else kept)
        waiting = mail.keep(b"".join(out))
        if waiting is not None:
            await waiting

    async def _checked(self, maps: Maps | None, field: bytes) -> list[bytes]:
        """The fields in place of one, with line ends."""
        mail = self._mail
        if not mail.checked or maps is None or not maps or mail.checks.over:
            return [field]
        text = field.rstrip(b"\r\n").replace(b"\r\n", b"\n")
        lines = await mail.checks.apply(maps, "header", text)
        if lines == [text]:
            return [field]
        return [line.replace(b"\n", b"\r\n") + b"\r\n" for line in lines]

    def _header_maps(self, name: bytes, nested: bool) -> Maps:
        config = self._mail.config
        if config.mime and (name.startswith(b"content-") or name == b"mime-version"):
            return config.mime_header_checks
        return config.nested_header_checks if nested else config.header_checks

    def end_of_header(self, empty_line: bytes) -> Waiting:
        mail = self._mail
        if mail.discarded:
            return None
        headers = mail.headers
        self._structure.open(headers.content_type, headers.encoding)
        if self._structure.bad_encoding and mail.strict and mail.config.strict_encoding:
            self._mime_error(BAD_ENCODING, headers.encoding)
        return mail.keep(headers.missing() + self._encoding(headers.encoding) + empty_line)

    def _replaced(self, field: bytes) -> bool:
        """Whether another field is to stand for this one (force_mime_input_conversion)."""
        if not self._mail.config.convert or name_of(field) != b"content-transfer-encoding":
            return False
        return value_of(field).lower() in CONVERTED

    def _encoding(self, encoding: bytes) -> bytes:
        """The field that stands for one that was `_replaced`, when its header ends."""
        if not self._mail.config.convert:
            return b""
        composite = self._structure.composite
        self._converting = encoding in CONVERTED and not composite
        return encoding_field(encoding, composite)

    # -- the body --------------------------------------------------------------------------------------------------

    def text(self, data: bytes) -> Waiting:
        if not self._looks():
            if self._tail or self._field:  # it was looked at until now
                gathered = b"".join(line + b"\r\n" for line in self._field)
                data, self._tail, self._field = gathered + self._tail + data, b"", []
            return self._mail.text(data)
        return settled(start(self._text(data)))

    def _looks(self) -> bool:
        mail, config = self._mail, self._mail.config
        if mail.strict or config.convert:
            return True
        if not mail.checked or mail.checks.over:
            return False
        parts = config.mime and bool(mail.headers.content_type)
        return bool(config.body_checks or (parts and (config.mime_header_checks or config.nested_header_checks)))

    async def _text(self, data: bytes) -> None:
        if self._mail.headers.content_type and self._mail.config.detect_8bit:
            self._mail.detect_8bit(data)
        out: list[bytes] = []
        if self._tail:
            data, self._tail = self._tail + data, b""
        lines = data.split(b"\r\n")
        rest = lines.pop()
        for line in lines:
            if self._long:
                out.append(line + b"\r\n")
                self._long = False
            else:
                out.extend(await self._line(line))
        if self._long or len(rest) > _LONG_LINE:
            out.append(rest)
            self._unconverted = self._unconverted or not rest.isascii()
            self._long = bool(rest) or self._long
        else:
            self._tail = rest
        waiting = self._mail.write(b"".join(out))
        if waiting is not None:
            await waiting

    async def _line(self, line: bytes) -> list[bytes]:
        """What goes on in place of a line."""
        before = self._structure.state
        kind = self._structure.line(line)
        if before != BODY:
            if kind != BOUNDARY and line[:1] in (b" ", b"\t") and self._field:
                self._field.append(line)
                return []
            out = await self._end_field(before == NESTED_HEADER)
            if kind != BOUNDARY and _FIELD_LINE.match(line):
                self._field.append(line)
                return out
            out.append(self._header_ended(kind == BOUNDARY))
            if kind == BOUNDARY:
                return [*out, line + b"\r\n"]
            if line:
                return [*out, *(await self._body_line(line))]
            return [*out, b"\r\n"]
        if kind == BOUNDARY:
            self._begin()
            return [line + b"\r\n"]
        return await self._body_line(line)

    def _begin(self) -> None:
        self._length = 0
        self._type_and_encoding = [b"", b""]
        self._converting = False

    async def _end_field(self, nested: bool) -> list[bytes]:
        """A field of a part's header is complete."""
        if not self._field:
            return []
        field = self._mail.headers.trimmed(b"\r\n".join(self._field).partition(b"\0")[0] + b"\r\n")
        self._field = []
        name = name_of(field)
        if name == b"content-type":
            self._type_and_encoding[0] = value_of(field)
        elif name == b"content-transfer-encoding":
            self._type_and_encoding[1] = value_of(field).lower()
        config = self._mail.config
        if self._mail.strict and config.strict_7bit_headers and not field.isascii():
            self._mime_error(EIGHT_BIT_HEADER, field)
        maps = self._header_maps(name, True) if nested else config.mime_header_checks
        return [line for line in await self._checked(maps, field) if not self._replaced(line)]

    def _header_ended(self, at_boundary: bool) -> bytes:
        """What the header of a part still needs. It may be cut off by a boundary."""
        content_type, encoding = self._type_and_encoding
        self._begin()
        if at_boundary:
            return encoding_field(encoding, False) if self._mail.config.convert else b""
        self._structure.open(content_type, encoding)
        if self._structure.bad_encoding and self._mail.strict and self._mail.config.strict_encoding:
            self._mime_error(BAD_ENCODING, content_type)
        return self._encoding(encoding)

    async def _body_line(self, line: bytes) -> list[bytes]:
        mail, config = self._mail, self._mail.config
        if not line.isascii():
            if self._mail.strict and config.strict_8bit_body and self._structure.domain not in EIGHT_BIT:
                self._mime_error(EIGHT_BIT_BODY, line)
            self._unconverted = self._unconverted or not self._converting
        lines = [line]
        if line and mail.checked and config.body_checks and not mail.checks.over:
            if not config.body_limit or self._length < config.body_limit:
                self._length += len(line) + 1
                lines = await mail.checks.apply(config.body_checks, "body", line)
        if self._converting:
            lines = [part for one in lines for part in quoted_printable(one)]
        return [one + b"\r\n" for one in lines]

    def _mime_error(self, reason: str, sample: bytes) -> None:
        """Strict rules are broken."""
        mail = self._mail
        if mail.refusal is not None:
            return
        log.mime_error(mail.log, mail.queue_id, reason, sample.strip(), mail.context(session=False))
        mail.refuse(MailError(Reply(550, "5.6.0", reason)))

    async def finish(self) -> None:
        """What waited for its line end or for more of its field."""
        out: list[bytes] = []
        if self._tail:
            tail, self._tail = self._tail, b""
            out = await self._line(tail)
        if self._structure.state in (PART_HEADER, NESTED_HEADER):
            out += await self._end_field(self._structure.state == NESTED_HEADER)
        if self._mail.config.convert and not self._unconverted:
            self._mail.envelope.encoding = "7bit"
        waiting = self._mail.write(b"".join(out))
        if waiting is not None:
            await waiting
