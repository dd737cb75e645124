"""A notice as a mail: header and three parts of a multipart/report (RFC 3462; DS-1, DS-2, DS-4, DS-5). Pure.

The text is the template's, then a line or more for each recipient. The postmaster's copies have no text of ours. With
smtputf8_enable all parts are said to be 8bit and their text UTF-8, as addresses in it may be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pytwfix.bounce.deliverystatus import delivery_status, sender_text
from pytwfix.bounce.folding import folded
from pytwfix.mail.dates import mail_date
from pytwfix.mail.envelope import REQUIRETLS_ESMTP, REQUIRETLS_HEADER, SMTPUTF8_REQUESTED
from pytwfix.spool.reporttext import shown_address

if TYPE_CHECKING:
    from pytwfix.bounce.kinds import Kind
    from pytwfix.bounce.original import Original
    from pytwfix.bounce.settings import BounceSettings
    from pytwfix.bounce.templates import Template
    from pytwfix.contracts.reports import Report
    from pytwfix.mail.envelope import Envelope, Recipient

_BUILT_IN_FROM = "Mail Delivery System <MAILER-DAEMON>"
_OBSOLETE_FROM = "MAILER-DAEMON (Mail Delivery System)"


class Notice:
    """All that notices about one message have in common; `written` makes one of them."""

    __slots__ = ("_boundary", "_cfg", "_encoding", "_envelope", "_global", "_kind", "_original", "_template", "_text")

    def __init__(
        self,
        cfg: BounceSettings,
        envelope: Envelope,
        kind: Kind,
        template: Template,
        text: Sequence[str],
        original: Original,
        now: float,
    ) -> None:
        self._cfg = cfg
        # A list's owner, who hears of it instead of the sender, is told who the sender was.
        self._envelope = envelope if original.sender is None else replace(envelope, sender=original.sender)
        self._kind = kind
        self._template = template
        self._text = text
        self._original = original
        self._global = bool(envelope.sendopts & SMTPUTF8_REQUESTED)
        self._encoding = "8bit" if cfg.smtputf8_enable else envelope.encoding
        self._boundary = f"{envelope.queue_id}.{int(now)}/{cfg.myhostname}"

    @property
    def encoding(self) -> str:
        return self._encoding

    def written(
        self, queue_id: str, to: bytes, reports: Sequence[Report], now: float, postmaster: bool, whole: bool
    ) -> bytes:
        """The content with CRLF line ends. `queue_id` is the notice's own."""
        parts = [
            self._header(queue_id, to, now, postmaster),
            self._notification(reports, postmaster),
            self._status(reports),
        ]
        data = "".join(parts).encode("utf-8", "surrogateescape")
        if self._original.there:
            data += self._attachment(whole)
        return data + f"\r\n--{self._boundary}--\r\n".encode()

    # The header.

    def _header(self, queue_id: str, to: bytes, now: float, postmaster: bool) -> str:
        cfg, template = self._cfg, self._template
        date = mail_date(now)
        subject = template.postmaster_subject if postmaster else template.subject
        lines = [
            f"Received: by {cfg.myhostname} ({cfg.mail_name})",
            f"\tid {queue_id}; {date}",
            f"Date: {date}",
            f"From: {self._from()}",
            f"Subject: {subject or template.subject}",
            f"To: {shown_address(to)}",
            *self._thread(),
            f"Auto-Submitted: {'auto-generated' if postmaster else 'auto-replied'}",
            *self._tls(),
            "MIME-Version: 1.0",
            "Content-Type: multipart/report; report-type=delivery-status;",
            f'\tboundary="{self._boundary}"',
            *self._transfer_encoding(),
            "",
            "This is a MIME-encapsulated message.",
        ]
        return "\r\n".join(lines) + "\r\n"

    def _from(self) -> str:
        sender = self._template.sender
        if sender == _BUILT_IN_FROM and self._cfg.header_from_format.lower() == "obsolete":
            return _OBSOLETE_FROM
        return sender

    def _thread(self) -> list[str]:
        """enable_threaded_bounces: mail programs show the notice with what it is about."""
        identity = self._original.message_id.decode("utf-8", "replace")
        if not self._cfg.enable_threaded_bounces or not identity:
            return []
        return [f"References: {identity}", f"In-Reply-To: {identity}"]

    def _tls(self) -> list[str]:
        """A notice whose message did not insist on TLS, or of which nothing secret is left, shall arrive anyhow."""
        cfg, options = self._cfg, self._envelope.sendopts
        redacted = options & REQUIRETLS_ESMTP and cfg.requiretls_redact_dsn
        return ["TLS-Required: no"] if cfg.tls_required_enable and (options & REQUIRETLS_HEADER or redacted) else []

    def _transfer_encoding(self) -> list[str]:
        return [f"Content-Transfer-Encoding: {self._encoding}"] if self._encoding else []

    # The parts.

    def _part(self, description: str, content_type: str, encoded: bool = True) -> str:
        lines = [
            "",
            f"--{self._boundary}",
            f"Content-Description: {description}",
            f"Content-Type: {content_type}",
            *(self._transfer_encoding() if encoded else ()),
            "",
        ]
        return "\r\n".join(lines) + "\r\n"

    def _notification(self, reports: Sequence[Report], postmaster: bool) -> str:
        charset = self._template.charset
        if self._cfg.smtputf8_enable and charset.lower() == "us-ascii":
            charset = "utf-8"
        out = [self._part("Notification", f"text/plain; charset={charset}")]
        if not postmaster:
            out += [line + "\r\n" for line in self._text]
        for report in reports:
            reason = " ".join(report.dsn.reason.splitlines())
            out.append("\r\n" + folded(f"{_named(report.recipient)}: {reason}") + "\r\n")
        return "".join(out)

    def _status(self, reports: Sequence[Report]) -> str:
        what = "message/global-delivery-status" if self._global else "message/delivery-status"
        part = self._part("Delivery report", what, self._global)
        return part + delivery_status(self._envelope, reports, self._kind, self._cfg)

    def _attachment(self, whole: bool) -> bytes:
        kind = self._kind
        if whole:
            part = self._part(kind.attachment, "message/global" if self._global else "message/rfc822")
        else:
            what = "message/global-headers" if self._global else "text/rfc822-headers"
            part = self._part(kind.attachment + " Headers", what)
        head = f"{part}Return-Path: <{sender_text(self._envelope, self._cfg)}>\r\n"
        original = self._original
        content = original.content if whole else original.header
        return head.encode("utf-8", "surrogateescape") + content


def _named(recipient: Recipient) -> str:
    """Who it is, and what the sender called him if that was another address."""
    address, original = shown_address(recipient.address), shown_address(recipient.original)
    if not original or original.lower() == address.lower():
        return f"<{address}>"
    return f"<{address}> (expanded from <{original}>)"
