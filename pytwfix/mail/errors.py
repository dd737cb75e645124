"""Errors that say what the peer may hear and what only the log may know (HABITS 7)."""

from __future__ import annotations

from pytwfix.mail.reply import Reply


class MailError(Exception):
    """A request cannot be met: `reply` goes to the peer, `reason` to the log only.

    Temporary or permanent follows from the reply's class.
    """

    def __init__(self, reply: Reply, reason: str = "") -> None:
        super().__init__(reason or reply.line())
        self.reply = reply
        self.reason = reason

    @property
    def temporary(self) -> bool:
        return self.reply.code < 500


def queue_file_write_error(reason: str) -> MailError:
    """The reply for anything that goes wrong on our own side while a mail is taken in (SD-9, CA-5)."""
    return MailError(Reply(451, "4.3.0", "Error: queue file write error"), reason)
