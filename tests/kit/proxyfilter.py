"""An SMTP content filter: takes a mail in, changes its content, and sends it on to another port (SD-48, SD-54).

It is one for a mail that was queued (content_filter), and one in front of the queue (smtpd_proxy_filter): then the next
server's reply is its own.
"""

from __future__ import annotations

import smtplib
from collections.abc import Callable

from tests.kit.sinks import Received, Sink

_XFORWARD = "XFORWARD NAME ADDR PROTO HELO IDENT"
_OFFERED = ("PIPELINING", "8BITMIME", "DSN", "SIZE 100000000", "ENHANCEDSTATUSCODES", _XFORWARD)


class ProxyFilter:
    """`change` makes the content that is sent on; it raises `Refusal` for a mail that is not wanted."""

    def __init__(self, next_port: int, change: Callable[[bytes], bytes]) -> None:
        self._next = next_port
        self._change = change
        self.passed: list[Received] = []
        self.sink = Sink(extensions=_OFFERED, answer=self._pass_on)
        self.port = self.sink.port

    def close(self) -> None:
        self.sink.close()

    def _pass_on(self, message: Received) -> str:
        try:
            content = self._change(message.content)
        except Refusal as error:
            return str(error)
        self.passed.append(message)
        with smtplib.SMTP("127.0.0.1", self._next, local_hostname="filter.example", timeout=30) as client:
            client.ehlo()
            if client.has_extn("xforward") and message.forwarded:
                client.docmd("XFORWARD " + " ".join(f"{name}={value}" for name, value in message.forwarded.items()))
            code, text = client.mail(message.sender)
            for recipient in message.recipients:
                if code == 250:
                    code, text = client.rcpt(recipient)
            if code == 250:
                code, text = client.data(content)
            return f"{code} {text.decode()}"


class Refusal(Exception):
    """The reply to the end of a mail."""
