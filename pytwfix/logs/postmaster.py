"""Sessions in which something went wrong, by mail to the postmaster (SD-56, SM-17).

Both SMTP sides tell of them in one form: a head, what was said line by line, and a tail.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from pytwfix.basics.printable import printable
from pytwfix.contracts.cleanup import INTERNAL, MAP, Origin
from pytwfix.mail.dates import mail_date
from pytwfix.mail.envelope import Recipient
from pytwfix.mail.errors import MailError

if TYPE_CHECKING:
    from pytwfix.contracts.host import IHost

HEARD, SAID = " In:  ", " Out: "
_WIDTH = 79
_INDENT = " " * 5


class INames(Protocol):
    """The settings that it needs."""

    @property
    def double_bounce_sender(self) -> str: ...
    @property
    def mail_name(self) -> str: ...
    @property
    def myhostname(self) -> str: ...


def told(prefix: str, data: bytes) -> Iterator[str]:
    """One line of a session as lines of the mail: cut at spaces, without control characters."""
    text, start = prefix + printable(data, utf8=True), len(prefix)
    while len(text) > _WIDTH:
        cut = text.rfind(" ", start, _WIDTH + 1)
        if cut < 0:
            cut = text.find(" ", _WIDTH + 1)
        if cut < 0:
            break
        yield text[:cut]
        text, start = _INDENT + text[cut + 1 :], len(_INDENT)
    yield text.rstrip(" ")


async def post(host: IHost, cfg: INames, service: str, to: str, subject: str, transcript: Sequence[str]) -> str:
    """Mail it, as `service`; why that cannot be done, or nothing. `subject` is without the mail system's name."""
    origin = Origin(INTERNAL | MAP, rewrite_context="local", source="local", service=service, arrival=host.now())
    address = to.encode("utf-8", "surrogateescape")
    sender = cfg.double_bounce_sender
    try:
        mail = await host.peers.cleanup.begin(origin)
        await mail.sender((sender if "@" in sender else f"{sender}@{cfg.myhostname}").encode())
        await mail.recipient(Recipient(address, address))
        date = mail_date(host.now())
        head = [
            f"Received: by {cfg.myhostname} ({cfg.mail_name})",
            f"\tid {mail.queue_id}; {date}",
            f"Date: {date}",
            f"From: Mail Delivery System <MAILER-DAEMON@{cfg.myhostname}>",
            f"To: Postmaster <{to}>",
            f"Subject: {cfg.mail_name} {subject}",
            "",
        ]
        lines = [*head, *transcript, "", "For other details, see the local mail logfile", ""]
        waiting = mail.body("\r\n".join(lines).encode("utf-8", "replace"))
        if waiting is not None:
            await waiting
        await mail.commit()
    except MailError as error:
        return f"postmaster notify: {error.reason or error.reply.line()}"
    return ""
