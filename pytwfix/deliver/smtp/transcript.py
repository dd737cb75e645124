"""What was said in a session in which a server broke the rules, for the postmaster (notify_classes = protocol; SM-17).

Nothing is recorded unless the class is on. Which replies break the rules: all but 4xx and 5xx where a refusal was
meant, and the codes 500 to 509 and 555, which say that we do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytwfix.contracts.cleanup import INTERNAL, MAP, Origin
from pytwfix.deliver.smtp import log
from pytwfix.mail.dates import mail_date
from pytwfix.mail.envelope import Recipient
from pytwfix.mail.errors import MailError

if TYPE_CHECKING:
    from pytwfix.deliver.smtp.configuration import Configuration
    from pytwfix.dialogs.smtp_client_replies import Answer

_MOST_LINES = 1000


def breaks_rules(answer: Answer) -> bool:
    code = answer.code
    return not 400 <= code < 600 or 500 <= code < 510 or code == 555


class Transcript:
    """One session's. `notable` is set by the first reply that breaks the rules."""

    __slots__ = ("_config", "_lines", "_namaddr", "notable")

    def __init__(self, config: Configuration, namaddr: str) -> None:
        self._config = config
        self._namaddr = namaddr
        self._lines: list[bytes] = []
        self.notable = False

    def sent(self, line: bytes) -> None:
        if len(self._lines) < _MOST_LINES:
            self._lines.append(b" Out: " + (b"AUTH ..." if line[:5].upper() == b"AUTH " else line))

    def heard(self, answer: Answer) -> None:
        if len(self._lines) < _MOST_LINES:
            self._lines += [b" In:  " + line for line in answer.lines]

    def post(self) -> None:
        """Mail it, once."""
        self.notable = False
        self._config.host.background(self._post(), "notice to the postmaster")

    async def _post(self) -> None:
        cfg, host = self._config.cfg, self._config.host
        to = cfg.error_notice_recipient.encode("utf-8", "surrogateescape")
        origin = Origin(INTERNAL | MAP, rewrite_context="local", source="local", service="smtp", arrival=host.now())
        sender = cfg.double_bounce_sender
        try:
            mail = await host.peers.cleanup.begin(origin)
            await mail.sender((sender if "@" in sender else f"{sender}@{cfg.myhostname}").encode())
            await mail.recipient(Recipient(to, to))
            waiting = mail.body(self._content(to))
            if waiting is not None:
                await waiting
            await mail.commit()
        except MailError as error:
            log.command_refused(host.log, f"postmaster notify: {error.reason or error.reply.line()}")

    def _content(self, to: bytes) -> bytes:
        cfg = self._config.cfg
        protocol = "LMTP" if self._config.lmtp else "SMTP"
        head = [
            f"From: Mail Delivery System <MAILER-DAEMON@{cfg.myhostname}>",
            f"To: Postmaster <{to.decode('utf-8', 'replace')}>",
            f"Subject: {cfg.mail_name} {protocol} client: errors from {self._namaddr}",
            f"Date: {mail_date(self._config.host.now())}",
            "",
            f"Unexpected response from {self._namaddr}.",
            "",
            "Transcript of session follows.",
            "",
        ]
        lines = [line.encode("utf-8", "replace") for line in head]
        lines += self._lines
        lines += [b"", b"For other details, see the local mail logfile", b""]
        return b"\r\n".join(lines)
