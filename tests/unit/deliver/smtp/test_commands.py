"""Command lines by what the server knows."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.deliver.smtp.commands import mail_command, xforward_commands
from pytwfix.dialogs.smtp_client_hello import Features
from pytwfix.mail.envelope import SMTPUTF8_REQUESTED, Client, Envelope


def features(**keywords: str) -> Features:
    found = Features()
    found.keywords.update(keywords)
    return found


class Commands(SynchronousTestCase):
    def mail(self, envelope: Envelope, size: int, eight_bit: bool, **keywords: str) -> str:
        return mail_command(envelope, b"a@b", features(**keywords), True, size, eight_bit, False).decode()

    def test_size(self) -> None:
        """SM-6: not said while the content may yet become longer."""
        self.assertEqual("MAIL FROM:<a@b> SIZE=30", self.mail(Envelope(), 30, False, SIZE=""))
        self.assertEqual("MAIL FROM:<a@b>", self.mail(Envelope(), -1, False, SIZE="100"))

    def test_body(self) -> None:
        """RFC 6531 section 3.6: who takes UTF-8 addresses takes 8-bit text."""
        envelope = Envelope(encoding="8bit", sendopts=SMTPUTF8_REQUESTED)
        self.assertEqual("MAIL FROM:<a@b> BODY=8BITMIME SMTPUTF8", self.mail(envelope, -1, True, SMTPUTF8=""))

    def test_unknown_client(self) -> None:
        """SD-44: what nobody knows is not said."""
        envelope = Envelope(client=Client("unknown", "192.0.2.1", "unknown", "helo", "ESMTP"), rewrite_context="remote")
        offered = features(XFORWARD="NAME ADDR PORT PROTO HELO SOURCE")
        self.assertEqual(
            [b"XFORWARD ADDR=192.0.2.1", b"XFORWARD PROTO=ESMTP HELO=helo SOURCE=REMOTE"],
            xforward_commands(envelope, offered, "Q1"),
        )
