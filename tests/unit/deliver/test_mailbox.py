"""The form of a mail in files."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.deliver import mailbox


class MailboxTests(SynchronousTestCase):
    def test_from_quoting(self) -> None:
        """LO-4: "From " at the beginning of a line, also the first; ">From " stays as it is."""
        self.assertEqual(
            mailbox.quote_from(b"From a\nx From b\nFrom c\n>From d\nFromage\n"),
            b">From a\nx From b\n>From c\n>From d\nFromage\n",
        )

    def test_headers(self) -> None:
        """LO-4: the order, and what may be missing."""
        self.assertEqual(
            mailbox.trace_headers(b"s@x", b"o@x", b"d@x"),
            b"Return-Path: <s@x>\nX-Original-To: o@x\nDelivered-To: d@x\n",
        )
        self.assertEqual(mailbox.trace_headers(b""), b"Return-Path: <>\n")
        self.assertEqual(mailbox.trace_headers(None, b"", b"d@x"), b"Delivered-To: d@x\n")

    def test_delivered_to(self) -> None:
        """LO-1: Delivered-To headers, whatever their case, as far as the line goes; not those of the body."""
        mail = b"delivered-TO:  A@x\nDelivered-To: e@x \nSubject: y\nDelivered-To: b@x\n\nDelivered-To: c@x\n"
        self.assertEqual(mailbox.delivered_to(mail), {b"a@x", b"b@x", b"e@x "})
        self.assertEqual(mailbox.delivered_to(b"\nDelivered-To: c@x\n\n"), set())
        self.assertEqual(mailbox.delivered_to(b""), set())
