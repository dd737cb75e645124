"""A report as a mail (RFC 8460 section 5.3). Pure."""

from __future__ import annotations

import base64
import re
import textwrap
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

from pytwfix.mail.dates import mail_date
from pytwfix.mail.hostnames import valid_name
from pytwfix.mail.tlsrpt import report_id

if TYPE_CHECKING:
    from pytwfix.mail.tlsrpt import Sender

MEDIA_TYPE = "application/tlsrpt+gzip"
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}")


class Packed(NamedTuple):
    """A report with gzip, its file's name, the domain it is about, and when that time began."""

    data: bytes
    name: str
    domain: str
    begin: int


def address_of(uri: str) -> bytes:
    """The address of a mailto: URI (RFC 6068), without what may stand behind it; b"" for what is no single address."""
    text = unquote(uri.partition(":")[2].partition("?")[0], errors="replace")
    local, _, domain = text.rpartition("@")
    if not _LOCAL.fullmatch(local) or not domain.isascii() or not valid_name(domain.encode()):
        return b""
    return text.encode("ascii")


def written(packed: Packed, to: bytes, sender: Sender, queue_id: str, now: float) -> bytes:
    """With CRLF line ends. What it is about is in the header for machines, and in the text for people."""
    boundary = f"{queue_id}.{packed.begin}/{sender.domain}"
    lines = [
        f"From: {sender.contact}",
        f"To: {to.decode('ascii')}",
        f"Date: {mail_date(now)}",
        f"Message-Id: <{queue_id}.{packed.begin}@{sender.domain}>",
        f"Subject: Report Domain: {packed.domain}",
        f" Submitter: {sender.domain}",
        f" Report-ID: <{report_id(packed.domain, packed.begin, sender)}>",
        f"TLS-Report-Domain: {packed.domain}",
        f"TLS-Report-Submitter: {sender.domain}",
        "TLS-Required: no",
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
        'Content-Type: multipart/report; report-type="tlsrpt";',
        f' boundary="{boundary}"',
        "",
        "This is a MIME-encapsulated message.",
        "",
        f"--{boundary}",
        *_text(packed.domain, sender.domain),
        f"--{boundary}",
        *_file(packed),
        f"--{boundary}--",
        "",
    ]
    return "\r\n".join(lines).encode("utf-8", "surrogateescape")


def _text(domain: str, submitter: str) -> list[str]:
    """Names have lines of their own: they may be long."""
    return [
        "Content-Type: text/plain; charset=us-ascii",
        "",
        "This is a report on TLS to the mail servers of",
        domain,
        "as the mail servers of",
        submitter,
        "have seen it (RFC 8460).",
        "",
    ]


def _file(packed: Packed) -> list[str]:
    return [
        f"Content-Type: {MEDIA_TYPE}",
        "Content-Transfer-Encoding: base64",
        "Content-Disposition: attachment;",
        f' filename="{packed.name}.gz"',
        "",
        *textwrap.wrap(base64.b64encode(packed.data).decode("ascii"), 76),
    ]
