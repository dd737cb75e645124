"""Notices (BO-1 to BO-3, DS-1 to DS-5, LG-12, ST-3), through a real cleanup; texts as a real Postfix 3.7 sent them."""

from __future__ import annotations

import os
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.bounce.service import BounceService
from pytwfix.contracts.queue import QueueError
from pytwfix.contracts.reports import BOUNCE, DEFER, TRACE, Report
from pytwfix.mail.dates import mail_date
from pytwfix.mail.envelope import (
    REQUIRETLS_ESMTP,
    REQUIRETLS_HEADER,
    SMTPUTF8_REQUESTED,
    TRACE_RECORD,
    Envelope,
    Recipient,
)
from pytwfix.mail.errors import MailError
from pytwfix.mail.status import NOTIFY_DELAY, NOTIFY_FAILURE, NOTIFY_NEVER, NOTIFY_SUCCESS, RET_HDRS, Dsn
from tests.kit.store import MemoryMessage
from tests.kit.submitting import Mailer, now

START = 1_700_000_000.0
CONTENT = b"Subject: t\r\nMessage-Id: <orig@x>\r\n\r\nbody\r\n"

WHOLE = """\
Received: by mx.lab.example (Postfix)
	id Q1; {date}
Date: {date}
From: Mail Delivery System <MAILER-DAEMON@lab.example>
Subject: Undelivered Mail Returned to Sender
To: sender@lab.example
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
	boundary="OLD.1700000000/mx.lab.example"
Content-Transfer-Encoding: 8bit
Message-Id: <20231114221320.Q1@mx.lab.example>

This is a MIME-encapsulated message.

--OLD.1700000000/mx.lab.example
Content-Description: Notification
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

This is the mail system at host mx.lab.example.

I'm sorry to have to inform you that your message could not
be delivered to one or more recipients. It's attached below.

For further assistance, please send mail to postmaster.

If you do so, please include this problem report. You can
delete your own text from the attached returned message.

                   The mail system

<perm@sink.example>: host 127.0.0.1[127.0.0.1] said: 550 5.1.1 recipient
    refused by sink (in reply to RCPT TO command)

<nouser@lab.example> (expanded from <alias@lab.example>): unknown user:
    "nouser"

--OLD.1700000000/mx.lab.example
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.lab.example
Original-Envelope-Id: env+id
X-Postfix-Queue-ID: OLD
X-Postfix-Sender: rfc822; sender@lab.example
Arrival-Date: {arrival}

Final-Recipient: rfc822; perm@sink.example
Original-Recipient: rfc822;first@orig.example
Action: failed
Status: 5.1.1
Remote-MTA: dns; 127.0.0.1
Diagnostic-Code: smtp; 550 5.1.1 recipient refused by sink

Final-Recipient: rfc822; nouser@lab.example
Original-Recipient: rfc822;alias@lab.example
Action: failed
Status: 5.1.1
Diagnostic-Code: X-Postfix; unknown user: "nouser"

--OLD.1700000000/mx.lab.example
Content-Description: Undelivered Message
Content-Type: message/rfc822
Content-Transfer-Encoding: 8bit

Return-Path: <sender@lab.example>
Subject: t
Message-Id: <orig@x>

body

--OLD.1700000000/mx.lab.example--
"""

REMOTE = Dsn(
    "5.1.1", "host 127.0.0.1[127.0.0.1] said: 550 5.1.1 recipient refused by sink (in reply to RCPT TO command)",
    "failed", "smtp", "550 5.1.1 recipient refused by sink", "dns", "127.0.0.1",
)  # fmt: skip
UNKNOWN = Dsn("5.1.1", 'unknown user: "nouser"', "failed")
DEFERRED = Dsn("4.4.1", "connect to x[192.0.2.1]:25: Connection refused", "delayed")


class BounceTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.start({})

    def start(self, main: dict[str, str]) -> None:
        self.directory = self.mktemp()
        os.mkdir(self.directory)
        for name in (BOUNCE, DEFER, TRACE):
            os.mkdir(f"{self.directory}/{name}")
        self.mailer = Mailer({"queue_directory": self.directory, **main})
        self.service = BounceService(self.mailer.host)
        self.envelope = Envelope("OLD", b"sender@lab.example", arrival=START - 60, size=len(CONTENT))
        self.put(CONTENT)

    def put(self, content: bytes) -> None:
        self.mailer.store.queues["active"] = {"OLD": MemoryMessage(self.envelope, content)}

    def record(self, log: str, recipient: Recipient | bytes, dsn: Dsn, relay: str = "none") -> None:
        if isinstance(recipient, bytes):
            recipient = Recipient(recipient, recipient)
        now(self.service.record(log, "OLD", Report(recipient, dsn, relay, START)))

    @property
    def mails(self) -> list[MemoryMessage]:
        return list(self.mailer.store.queues.get("incoming", {}).values())

    def text(self, at: int = 0) -> str:
        return self.mails[at].content.decode().replace("\r\n", "\n")

    def senders(self) -> list[tuple[bytes, bytes]]:
        return [(mail.envelope.sender, mail.envelope.recipients[0].address) for mail in self.mails]

    def notices(self) -> list[str]:
        return [line for line in self.mailer.lines if " notification" in line]

    def bounce(self) -> None:
        now(self.service.notify_bounce(self.envelope))


class TestBounce(BounceTestCase):
    def test_whole(self) -> None:
        """DS-1, LG-12, ST-3: one notice for all recipients, from the null sender; then the log is gone."""
        self.envelope.dsn_envid = b"env+id"
        self.record(BOUNCE, Recipient(b"perm@sink.example", b"perm@sink.example", b"rfc822;first@orig.example"), REMOTE)
        self.record(BOUNCE, Recipient(b"nouser@lab.example", b"alias@lab.example"), UNKNOWN)
        self.bounce()
        self.assertEqual(self.text(), WHOLE.format(date=mail_date(START), arrival=mail_date(START - 60)))
        self.assertEqual(self.senders(), [(b"", b"sender@lab.example")])
        self.assertEqual(self.mails[0].envelope.encoding, "8bit")
        self.assertEqual(self.notices(), ["OLD: sender non-delivery notification: Q1"])
        self.assertLess(
            self.mailer.lines.index("OLD: sender non-delivery notification: Q1"),
            self.mailer.lines.index("Q1: message-id=<20231114221320.Q1@mx.lab.example>"),
        )
        self.assertEqual(now(self.service.read(BOUNCE, "OLD")), [])
        self.bounce()
        self.assertEqual(len(self.mails), 1)

    def test_original_left_out(self) -> None:
        """DS-1, DS-3: RET=HDRS and bounce_size_limit leave the header only."""
        self.record(BOUNCE, b"a@lab.example", UNKNOWN)
        self.envelope.dsn_ret = RET_HDRS
        self.bounce()
        self.assertIn(
            "Content-Description: Undelivered Message Headers\nContent-Type: text/rfc822-headers\n", self.text()
        )
        self.assertIn("\nMessage-Id: <orig@x>\n\n--OLD", self.text())
        self.assertNotIn("body", self.text())
        self.start({"bounce_size_limit": "10"})
        self.record(BOUNCE, b"a@lab.example", UNKNOWN)
        self.bounce()
        self.assertNotIn("body", self.text())

    def test_notify(self) -> None:
        """DS-3: NOTIFY says which failures the sender hears of; none is no notice."""
        self.record(BOUNCE, Recipient(b"never@x", b"never@x", notify=NOTIFY_NEVER), UNKNOWN)
        self.record(BOUNCE, Recipient(b"delay@x", b"delay@x", notify=NOTIFY_DELAY), UNKNOWN)
        self.bounce()
        self.assertEqual(self.mails, [])
        self.assertEqual(now(self.service.read(BOUNCE, "OLD")), [])
        self.record(BOUNCE, Recipient(b"never@x", b"never@x", notify=NOTIFY_NEVER), UNKNOWN)
        self.record(BOUNCE, Recipient(b"fail@x", b"fail@x", notify=NOTIFY_FAILURE | NOTIFY_SUCCESS), UNKNOWN)
        self.bounce()
        self.assertIn("<fail@x>:", self.text())
        self.assertNotIn("never@x", self.text())

    def test_expired(self) -> None:
        """ST-3: what was only delayed has failed when its notice is sent."""
        self.record(BOUNCE, b"a@x", DEFERRED)
        self.bounce()
        self.assertIn("Action: failed\nStatus: 4.4.1\n", self.text())

    def test_no_original(self) -> None:
        """A message that has gone is told of all the same."""
        self.mailer.store.queues["active"] = {}
        self.record(BOUNCE, b"a@x", UNKNOWN)
        self.bounce()
        self.assertTrue(self.text().endswith('unknown user: "nouser"\n\n--OLD.1700000000/mx.lab.example--\n'))
        self.assertIn("warning: OLD: notice without the original message: OLD", self.mailer.lines)

    def test_hostile_text(self) -> None:
        """Peers' words and addresses make no lines of their own."""
        recipient = Recipient(b"a\nb@x", b"a\nb@x", b"rfc822;a\r\nX: y")
        self.record(BOUNCE, recipient, Dsn("5.0.0", "a\nb", "", "smtp", "c\r\nd\x00", "dns", "e\nf"))
        self.bounce()
        for line in self.text().split("\n"):
            self.assertFalse(line.startswith(('b"', "X: y")) or line in ("b", "d", "f"), line)
        self.assertIn("<a?b@x>: a b\n", self.text())

    def test_failure(self) -> None:
        """LG-12: a notice that cannot be written leaves the log for the next time."""
        self.record(BOUNCE, b"a@x", UNKNOWN)
        self.mailer.store.error = QueueError("no space")
        self.assertRaises(MailError, self.bounce)
        self.assertIn("OLD: sender notification failed to sender@lab.example: no space", self.mailer.lines)
        self.assertEqual(len(now(self.service.read(BOUNCE, "OLD"))), 1)

    def test_verp(self) -> None:
        """SC-11: one notice a recipient, to the sender that its mail had."""
        self.envelope.verp = "+="
        for name in (b"a@x.example", b"b@y.example"):
            self.record(BOUNCE, name, UNKNOWN)
        self.bounce()
        to = [mail.envelope.recipients[0].address for mail in self.mails]
        self.assertEqual(to, [b"sender+a=x.example@lab.example", b"sender+b=y.example@lab.example"])
        self.assertNotIn("b@y.example", self.text(0))
        self.assertIn("To: sender+a=x.example@lab.example\n", self.text(0))

    def test_verp_copies(self) -> None:
        """SC-11, BO-3: a postmaster's copy for each notice, and for who wants none."""
        self.start({"notify_classes": "bounce"})
        self.envelope.verp = "+="
        self.record(BOUNCE, b"a@x.example", UNKNOWN)
        self.record(BOUNCE, Recipient(b"b@x.example", b"b@x.example", notify=NOTIFY_NEVER), UNKNOWN)
        self.bounce()
        to = [mail.envelope.recipients[0].address for mail in self.mails]
        boss = b"postmaster@lab.example"
        self.assertEqual(to, [b"sender+a=x.example@lab.example", boss, boss])
        self.assertNotIn("b@x.example", self.text(1))

    def test_one(self) -> None:
        """BO-1: a notice for a single recipient at once."""
        recipient = Recipient(b"a@x", b"a@x")
        now(self.service.bounce_one(self.envelope, Report(recipient, UNKNOWN)))
        self.assertIn('<a@x>: unknown user: "nouser"\n', self.text())

    def test_utf8(self) -> None:
        """DS-1: the global forms of RFC 6533; the notice needs SMTPUTF8 too."""
        self.envelope.sendopts = SMTPUTF8_REQUESTED
        self.put("Subject: é\r\n\r\ncafé\r\n".encode())
        self.record(BOUNCE, "nö@lab.example".encode(), Dsn("5.1.1", 'unknown user: "nö"'))
        self.bounce()
        text = self.text()
        self.assertIn(
            "Content-Type: message/global-delivery-status\nContent-Transfer-Encoding: 8bit\n\nReporting", text
        )
        self.assertIn("Final-Recipient: utf-8; nö@lab.example\nOriginal-Recipient: utf-8;nö@lab.example\n", text)
        self.assertIn("Content-Type: message/global\n", text)
        self.assertIn('<nö@lab.example>: unknown user: "nö"\n', text)
        self.assertTrue(self.mails[0].envelope.sendopts & SMTPUTF8_REQUESTED)

    def test_no_utf8(self) -> None:
        """DS-1: without smtputf8_enable nothing is said of encodings that the mail did not say."""
        self.start({"smtputf8_enable": "no"})
        self.record(BOUNCE, b"a@x", UNKNOWN)
        self.bounce()
        self.assertNotIn("Content-Transfer-Encoding", self.text())
        self.assertIn("Content-Type: text/plain; charset=us-ascii\n\nThis is", self.text())

    def test_requiretls(self) -> None:
        """DS-5: the content of REQUIRETLS mail is left out, and the notice may go where there is no TLS."""
        self.envelope.sendopts = REQUIRETLS_ESMTP
        self.record(BOUNCE, b"a@x", UNKNOWN)
        self.bounce()
        self.assertNotIn("body", self.text())
        self.assertIn("\nTLS-Required: no\n", self.text())
        self.assertFalse(self.mails[0].envelope.sendopts & REQUIRETLS_ESMTP)
        self.start({"requiretls_redact_dsn": "no"})
        self.envelope.sendopts = REQUIRETLS_ESMTP
        self.record(BOUNCE, b"a@x", UNKNOWN)
        self.bounce()
        self.assertIn("body", self.text())
        self.assertNotIn("\nTLS-Required: no\n", self.text())
        self.assertTrue(self.mails[0].envelope.sendopts & REQUIRETLS_ESMTP)

    def test_tls_not_required(self) -> None:
        """DS-5: the notice of a mail that needs no TLS needs none."""
        self.envelope.sendopts = REQUIRETLS_HEADER
        self.record(BOUNCE, b"a@x", UNKNOWN)
        self.bounce()
        self.assertIn("\nTLS-Required: no\n", self.text())

    def test_thread(self) -> None:
        """DS-4: enable_threaded_bounces; header_from_format."""
        self.start({"enable_threaded_bounces": "yes", "header_from_format": "obsolete"})
        self.record(BOUNCE, b"a@x", UNKNOWN)
        self.bounce()
        self.assertIn("\nReferences: <orig@x>\nIn-Reply-To: <orig@x>\n", self.text())
        self.assertIn("\nFrom: MAILER-DAEMON@lab.example (Mail Delivery System)\n", self.text())

    def test_template(self) -> None:
        """DS-2: bounce_template_file; an error in it is logged and the built-in text is taken."""
        path = os.path.abspath(self.mktemp())
        self.start({"bounce_template_file": path})
        self.record(BOUNCE, b"a@x", UNKNOWN)
        self.bounce()
        self.assertIn(f"warning: open {path}: No such file or directory", self.mailer.lines)
        self.assertIn("I'm sorry", self.text(0))
        texts = ("Charset: iso-8859-1\nFrom: Me <me@x.example>\nSubject: Oh\n\nHi $myhostname\n", "$nosuch\n")
        for text in texts:
            with open(path, "w") as file:
                file.write(f"failure_template = <<EOF\n{text}EOF\n")
            self.record(BOUNCE, b"a@x", UNKNOWN)
            self.bounce()
        self.assertIn("charset=iso-8859-1", self.text(1))
        self.assertIn("From: Me <me@x.example>\nSubject: Oh\n", self.text(1))
        self.assertIn("\n\nHi mx.lab.example\n\n<a@x>", self.text(1))
        self.assertIn("I'm sorry", self.text(2))
        self.assertIn(f"warning: {path}: undefined $name in failure template: $nosuch", self.mailer.lines)


class TestPostmaster(BounceTestCase):
    def test_copy(self) -> None:
        """BO-3, DS-4: notify_classes has bounce: a copy with the header only, of all recipients."""
        self.start({"notify_classes": "bounce", "bounce_notice_recipient": "boss"})
        self.record(BOUNCE, Recipient(b"never@x", b"never@x", notify=NOTIFY_NEVER), UNKNOWN)
        self.record(BOUNCE, b"a@x", UNKNOWN)
        self.bounce()
        self.assertEqual(
            self.senders(),
            [(b"", b"sender@lab.example"), (b"double-bounce@mx.lab.example", b"boss@lab.example")],
        )
        text = self.text(1)
        self.assertIn("Subject: Postmaster Copy: Undelivered Mail\nTo: boss@lab.example\n", text)
        self.assertIn("Auto-Submitted: auto-generated\n", text)
        self.assertIn("Content-Transfer-Encoding: 8bit\n\n\n<never@x>:", text)
        self.assertNotIn("body", text)
        self.assertEqual(self.notices()[1], "OLD: postmaster non-delivery notification: Q2")

    def test_copy_fails(self) -> None:
        """A copy that fails does not make the notice go out again."""
        self.start({"notify_classes": "bounce", "local_header_rewrite_clients": ""})
        self.record(BOUNCE, b"a@x", UNKNOWN)
        begin = self.mailer.cleanup.begin

        def once(origin: Any) -> Any:
            if self.mails:
                self.mailer.store.error = QueueError("full")
            return begin(origin)

        self.patch(self.mailer.cleanup, "begin", once)
        self.bounce()
        self.assertEqual(len(self.mails), 1)
        self.assertIn("OLD: postmaster notification failed to postmaster: full", self.mailer.lines)

    def test_double_bounce(self) -> None:
        """BO-2, BO-3: mail from the null sender: nobody hears, or the postmaster if 2bounce says so, of all of it."""
        self.envelope.sender = b""
        self.record(BOUNCE, b"a@x", UNKNOWN)
        self.bounce()
        self.assertEqual(self.mails, [])
        self.start({"notify_classes": "2bounce", "2bounce_notice_recipient": "boss"})
        self.envelope.sender, self.envelope.dsn_ret = b"", RET_HDRS
        self.record(BOUNCE, b"a@x", UNKNOWN)
        self.bounce()
        self.assertEqual(self.senders(), [(b"double-bounce@mx.lab.example", b"boss@lab.example")])
        self.assertIn("X-Postfix-Sender: rfc822; MAILER-DAEMON@mx.lab.example\n", self.text())
        self.assertIn("Return-Path: <MAILER-DAEMON@mx.lab.example>\n", self.text())
        self.assertIn("body", self.text())

    def test_triple_bounce(self) -> None:
        """BO-2: what the postmaster cannot get either is the end."""
        self.start({"notify_classes": "bounce, 2bounce"})
        self.envelope.sender = b"Double-Bounce@mx.lab.example"
        self.record(BOUNCE, b"a@x", UNKNOWN)
        self.bounce()
        self.assertEqual(self.mails, [])
        self.assertEqual(self.mailer.lines, ["warning: OLD: undeliverable postmaster notification discarded"])


class TestDelay(BounceTestCase):
    def test_delay(self) -> None:
        """BO-1, DS-1: a warning with the header only; the log stays."""
        self.start({"delay_warning_time": "4h", "notify_classes": "delay"})
        self.record(DEFER, b"a@x", DEFERRED)
        self.record(DEFER, Recipient(b"b@x", b"b@x", notify=NOTIFY_FAILURE), DEFERRED)
        now(self.service.notify_delay(self.envelope))
        text = self.text(0)
        self.assertIn("Subject: Delayed Mail (still being retried)\n", text)
        self.assertIn("delivered for more than 4 hour(s).\nIt will be retried until it is 5 day(s) old.\n", text)
        self.assertIn("Action: delayed\nStatus: 4.4.1\n", text)
        self.assertIn(f"\nWill-Retry-Until: {mail_date(START - 60 + 5 * 86400)}\n\n--OLD", text)
        self.assertIn("Content-Description: Undelivered Message Headers\n", text)
        self.assertNotIn("<b@x>", text)
        self.assertIn("Subject: Postmaster Warning: Delayed Mail\n", self.text(1))
        self.assertIn("<b@x>", self.text(1))
        self.assertEqual(
            self.notices(), ["OLD: sender delay notification: Q1", "OLD: postmaster delay notification: Q2"]
        )
        self.assertEqual(len(now(self.service.read(DEFER, "OLD"))), 2)

    def test_nobody(self) -> None:
        """BO-2: no warnings of notices."""
        self.record(DEFER, b"a@x", DEFERRED)
        self.envelope.sender = b""
        now(self.service.notify_delay(self.envelope))
        self.assertEqual(self.mails, [])


class TestTrace(BounceTestCase):
    SENT = Dsn("2.0.0", "delivered to mailbox", "delivered")

    def test_success(self) -> None:
        """DS-3: NOTIFY=SUCCESS: only those, with who delivered."""
        self.record(TRACE, Recipient(b"a@x", b"a@x", notify=NOTIFY_SUCCESS), self.SENT, "local")
        self.record(TRACE, b"b@x", self.SENT, "local")
        now(self.service.notify_trace(self.envelope))
        text = self.text()
        self.assertIn("Subject: Successful Mail Delivery Report\n", text)
        self.assertIn("<a@x>: delivery via local: delivered to mailbox\n", text)
        self.assertIn("Action: delivered\nStatus: 2.0.0\n", text)
        self.assertIn("Diagnostic-Code: X-Postfix; delivery via local: delivered to mailbox\n", text)
        self.assertIn("Content-Description: Message Headers\nContent-Type: text/rfc822-headers\n", text)
        self.assertNotIn("b@x", text)
        self.assertEqual(self.notices(), ["OLD: sender delivery status notification: Q1"])
        self.assertEqual(now(self.service.read(TRACE, "OLD")), [])

    def test_nobody(self) -> None:
        """DS-3: who has no address hears nothing."""
        self.envelope.sender = b""
        self.record(TRACE, b"a@x", self.SENT, "local")
        now(self.service.notify_trace(self.envelope))
        self.assertEqual(self.mails, [])
        self.assertEqual(
            self.notices(), ["OLD: not sending trace/success notification for single-bounce message"]
        )  # fmt: skip

    def test_verify(self) -> None:
        """DS-3: sendmail -v and -bv: all recipients."""
        self.envelope.trace_flags = TRACE_RECORD
        self.record(TRACE, b"a@x", self.SENT, "local")
        self.record(TRACE, b"b@x", UNKNOWN)
        now(self.service.notify_trace(self.envelope))
        text = self.text()
        self.assertIn("Subject: Mail Delivery Status Report\n", text)
        self.assertIn("\nEnclosed is the mail delivery report that you requested.\n", text)
        self.assertIn('<b@x>: unknown user: "nouser"\n', text)
        self.assertIn("Action: failed\n", text)
