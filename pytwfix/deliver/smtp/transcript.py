"""What was said in a session in which a server broke the rules, for the postmaster (notify_classes = protocol; SM-17).

Nothing is recorded unless the class is on. Which replies break the rules: all but 4xx and 5xx where a refusal was
meant, and the codes 500 to 509 and 555, which say that we do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytwfix.deliver.smtp import log
from pytwfix.logs.postmaster import HEARD, SAID, post, told

if TYPE_CHECKING:
    from pytwfix.deliver.smtp.configuration import Configuration
    from pytwfix.dialogs.smtp_client_replies import Answer

_MOST_LINES = 1000


def breaks_rules(answer: Answer) -> bool:
    code = answer.code
    return not 400 <= code < 600 or 500 <= code < 510 or code == 555


class Transcript:
    """One session's with `peer`, which has its port. `notable` is set by the first reply that breaks the rules."""

    __slots__ = ("_config", "_lines", "_peer", "notable")

    def __init__(self, config: Configuration, peer: str) -> None:
        self._config = config
        self._peer = peer
        self._lines: list[tuple[str, bytes]] = []
        self.notable = False

    def sent(self, line: bytes) -> None:
        if len(self._lines) < _MOST_LINES:
            self._lines.append((SAID, b"AUTH ..." if line[:5].upper() == b"AUTH " else line))

    def heard(self, answer: Answer) -> None:
        if len(self._lines) < _MOST_LINES:
            self._lines += [(HEARD, line) for line in answer.lines]

    def post(self) -> None:
        """Mail it, once."""
        self.notable = False
        self._config.host.background(self._post(), "notice to the postmaster")

    async def _post(self) -> None:
        config, cfg = self._config, self._config.cfg
        said = [text for item in self._lines for text in told(*item)]
        transcript = [f"Unexpected response from {self._peer}.", "", "Transcript of session follows.", "", *said]
        subject = f"{'LMTP' if config.lmtp else 'SMTP'} client: errors from {self._peer}"
        failed = await post(config.host, cfg, "smtp", cfg.error_notice_recipient, subject, transcript)
        if failed:
            log.command_refused(config.host.log, failed)
