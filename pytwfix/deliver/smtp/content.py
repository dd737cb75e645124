"""The content of a mail as one server gets it (SM-6, SM-15, SM-16).

A small mail that needs no change is sent as it lies in memory; a large one goes piece by piece. What is looked at or
converted (header checks, generic addresses, 8-bit text for a server that takes only 7-bit) is in memory as a whole.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

from pytwfix.basics.lineends import strays
from pytwfix.deliver import mailbox
from pytwfix.deliver.smtp import log
from pytwfix.deliver.smtp.sevenbit import downgraded
from pytwfix.dialogs.smtp_client_content import Folder, has_long_line
from pytwfix.mail.quoting import external_form
from pytwfix.mail.status import Dsn

if TYPE_CHECKING:
    from pytwfix.contracts.delivery import DeliveryRequest
    from pytwfix.contracts.queue import IMessage
    from pytwfix.deliver.smtp.configuration import Configuration
    from pytwfix.deliver.smtp.session import Session
    from pytwfix.mail.envelope import Recipient

_LONG = 262144  # from here on conversions are made in a thread
_BARE_LF = re.compile(rb"(?<!\r)\n")


def whole_lines(data: bytes) -> bytes:
    """A LF without CR must not reach a server that takes it for a line end: it might be the end of the mail (OB-8)."""
    return _BARE_LF.sub(b"\r\n", data) if strays(data)[1] else data


class Content:
    """The content of one request's mail."""

    __slots__ = ("_config", "_message", "_plain", "_request")

    def __init__(self, config: Configuration, request: DeliveryRequest, message: IMessage) -> None:
        self._config = config
        self._request = request
        self._message = message
        self._plain = not (config.looks_at_content or config.flags)

    def at_hand(self, session: Session) -> bytes | None:
        """The content for a session, without waiting; None when there is something to be done first."""
        data = self._message.cached()
        if data is None or not self._plain or self._converts(session, data):
            return None
        return self._folded(data)

    async def prepared(self, session: Session, recipient: Recipient) -> bytes | None:
        """The same, with all that has to be done; None when the content is to be sent piece by piece.

        `recipient`: the first one, for the headers that name it.
        """
        data = self._message.cached()
        if self._plain:
            if data is None and not self.may_convert(session):
                return None
        if data is None:
            data = b"".join([piece async for piece in self._message.body()])
        if self._config.looks_at_content:
            from pytwfix.deliver.smtp.rewriting import Rewriting

            data = await Rewriting(self._config, self._request.queue_id).apply(data)
        if self._converts(session, data):
            cfg = self._config.cfg
            limits = cfg.mime_nesting_limit, cfg.mime_boundary_length_limit
            if len(data) < _LONG:
                data = downgraded(data, *limits)
            else:
                data = await self._config.host.threads.run(downgraded, data, *limits)
        return self._folded(self._headers(recipient) + data)

    async def flag_problem(self, recipients: Sequence[Recipient]) -> Dsn | None:
        """flags=DO name one recipient in the mail; with D a mail that names it already goes in a circle (SM-16)."""
        flags, host = self._config.flags, self._config.host
        flag = next((one for one in "DO" if one in flags), "")
        if flag and len(recipients) > 1:
            log.one_recipient(host.log, flag, self._request.transport)
            return Dsn("4.3.5", "mail system configuration error")
        if "D" not in flags:
            return None
        address = external_form(recipients[0].address)
        if address.lower() not in mailbox.delivered_to(await mailbox.content(self._message)):
            return None
        shown = mailbox.printable(address)
        log.loop(host.log, self._request.queue_id, shown)
        return Dsn("5.4.6", f"mail forwarding loop for {shown}")

    async def pieces(self) -> AsyncIterator[bytes]:
        """The content as it is, with long lines folded."""
        folder = Folder(self._config.line_limit)
        said = False
        async for piece in self._message.body():
            yield folder.feed(whole_lines(piece))
            if folder.folded and not said:
                said = True
                log.line_broken(self._config.host.log, self._request.queue_id, self._config.line_limit)

    def _folded(self, data: bytes) -> bytes:
        data = whole_lines(data)
        limit = self._config.line_limit
        if len(data) <= limit or not has_long_line(data, limit):
            return data
        log.line_broken(self._config.host.log, self._request.queue_id, limit)
        return Folder(limit).feed(data)

    def may_convert(self, session: Session) -> bool:
        """Whether 8-bit text is made 7-bit for this server where there is any, so that the size is not known before."""
        return not (
            session.eight_bit
            or self._request.envelope.encoding == "7bit"
            or self._config.cfg.disable_mime_output_conversion
        )

    def _converts(self, session: Session, data: bytes) -> bool:
        return self.may_convert(session) and not data.isascii()

    def _headers(self, recipient: Recipient) -> bytes:
        """flags=DORX: Return-Path, X-Original-To, Delivered-To (SM-16)."""
        flags = self._config.flags
        lines = []
        if "R" in flags:
            lines.append(b"Return-Path: <%b>\r\n" % external_form(self._request.envelope.sender))
        if "O" in flags:
            lines.append(b"X-Original-To: %b\r\n" % external_form(recipient.original or recipient.address))
        if "D" in flags:
            lines.append(b"Delivered-To: %b\r\n" % external_form(recipient.address))
        return b"".join(lines)
