"""The mail as the flags of a pipe service want it (PI-1: B D F O R . > and eol=)."""

from __future__ import annotations

import re

from pytwfix.deliver import mailbox
from pytwfix.deliver.pipe.arguments import Attributes

_DOT = re.compile(rb"(?m)^\.")


def render(attributes: Attributes, body: bytes, sender: bytes, original: bytes, recipient: bytes, now: float) -> bytes:
    """`body` with LF line ends; addresses in external form; the result with the service's line ends."""
    flags = attributes.flags
    shown = sender or attributes.null_sender.encode("utf-8", "surrogateescape")
    headers = mailbox.trace_headers(
        shown if "R" in flags else None,
        original if "O" in flags else b"",
        recipient if "D" in flags else b"",
    )
    if ">" in flags:
        body = mailbox.quote_from(body)
    if "." in flags:
        body = _DOT.sub(b"..", body)
    first = mailbox.from_line(shown, now) if "F" in flags else b""
    data = b"".join((first, headers, body, b"\n" if "B" in flags else b""))
    return data if attributes.eol == b"\n" else data.replace(b"\n", attributes.eol)
