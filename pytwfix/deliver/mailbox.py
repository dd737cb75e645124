"""The form in which a mail is written into files and given to commands (LO-4, PI-1).

Line ends are LF. A `From ` line, Return-Path, X-Original-To and Delivered-To go before the content; in an mbox lines
that begin with "From " are quoted with ">" and an empty line ends the mail. Addresses are taken as they are to appear,
that is in external form.
"""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from pytwfix.contracts.delivery import DeliveryRequest
from pytwfix.contracts.host import IHost
from pytwfix.contracts.queue import IMessage

_DELIVERED_TO = re.compile(rb"(?im)^delivered-to:[ \t]*([^\n]*)")
_DAYS = (b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun")
_MONTHS = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")


@asynccontextmanager
async def opened(host: IHost, request: DeliveryRequest) -> AsyncIterator[IMessage]:
    """The request's message: the one in hand, else the queue file, opened for as long as this lasts. QueueError."""
    message = request.message
    if message is not None:
        yield message
        return
    message = await host.peers.store.open(request.queue, request.queue_id, known=request.envelope)
    request.message = message
    try:
        yield message
    finally:
        request.message = None
        message.close()


async def content(message: IMessage) -> bytes:
    """The whole content with LF line ends, the last line ended."""
    data = message.cached()
    if data is None:
        data = b"".join([piece async for piece in message.body()])
    data = data.replace(b"\r\n", b"\n")
    return data if data.endswith(b"\n") or not data else data + b"\n"


def from_line(sender: bytes, now: float) -> bytes:
    """`From sender  Tue Nov 24 09:46:10 2026` in local time; an empty sender is MAILER-DAEMON."""
    t = time.localtime(now)
    day, month = _DAYS[t.tm_wday], _MONTHS[t.tm_mon - 1]
    date = b"%s %s %2d %02d:%02d:%02d %d" % (day, month, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec, t.tm_year)
    return b"From %s  %s\n" % (sender or b"MAILER-DAEMON", date)


def trace_headers(sender: bytes | None, original: bytes = b"", delivered: bytes | Sequence[bytes] = b"") -> bytes:
    """Return-Path (not for None), X-Original-To and Delivered-To (not for b""), in this order."""
    lines: list[bytes] = []
    if sender is not None:
        lines.append(b"Return-Path: <%s>\n" % sender)
    if original:
        lines.append(b"X-Original-To: %s\n" % original)
    for address in (delivered,) if isinstance(delivered, bytes) else delivered:
        if address:
            lines.append(b"Delivered-To: %s\n" % address)
    return b"".join(lines)


def quote_from(data: bytes) -> bytes:
    """`>` before every line that begins with "From "."""
    if b"From " not in data:
        return data
    quoted = data.replace(b"\nFrom ", b"\n>From ")
    return b">" + quoted if quoted.startswith(b"From ") else quoted


def mbox(sender: bytes, now: float, headers: bytes, body: bytes) -> bytes:
    """One mail as it is appended to an mbox."""
    return b"".join((from_line(sender, now), headers, quote_from(body), b"\n"))


def delivered_to(body: bytes) -> set[bytes]:
    """The addresses of all Delivered-To headers, in lower case: a mail that comes back to one goes in a loop."""
    end = 0 if body.startswith(b"\n") else body.find(b"\n\n")
    head = body if end < 0 else body[: end + 1]
    return {match.group(1).lstrip().lower() for match in _DELIVERED_TO.finditer(head)}


def printable(text: bytes) -> str:
    """For log lines and notices: UTF-8 as it is, other bytes as question marks."""
    return text.decode("utf-8", "replace").replace("\ufffd", "?")
