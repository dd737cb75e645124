"""From the first word to the queue."""

from __future__ import annotations

from twisted.internet.defer import Deferred, fail, succeed
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.contracts.cleanup import BOUNCE, DISCARD, FILTER, HOLD, INTERNAL, MAP, SMTPUTF8_AUTODETECT, Origin
from pytwfix.contracts.queue import QueueError
from pytwfix.mail.envelope import SMTPUTF8_REQUESTED, Recipient
from pytwfix.mail.errors import MailError
from tests.kit.submitting import Mailer, now

BODY = b"Subject: x\r\n\r\nb\r\n"


class Commits(SynchronousTestCase):
    def test_queued(self) -> None:
        """CL-1, QU-6: durable first, then the queue manager hears of it."""
        mailer = Mailer()
        committed = mailer.send(BODY)
        self.assertEqual(("Q1", len(BODY), False), (committed.queue_id, committed.size, committed.discarded))
        self.assertEqual(["Q1"], mailer.queue.woken)
        envelope = mailer.mail().envelope
        self.assertEqual(
            ("remote", "Q1", "cli.example"), (envelope.rewrite_context, envelope.log_ident, envelope.client.helo)
        )

    def test_straight_to_active(self) -> None:
        """CL-1: a queue manager in the same process, and with room, takes the mail as it is."""
        mailer = Mailer(admitting=True)
        mailer.send(BODY)
        self.assertEqual(["active"], list(mailer.store.queues))
        self.assertEqual(["Q1"], [envelope.queue_id for envelope in mailer.queue.active])
        self.assertEqual([], mailer.queue.woken)

    def test_attributes(self) -> None:
        """queue_file_attribute_count_limit."""
        mailer = Mailer({"queue_file_attribute_count_limit": "2"})
        transaction = mailer.begin()
        now(transaction.recipient(Recipient(b"u@x")))
        transaction.envelope.attributes.update(a=b"1", b=b"2", c=b"3")
        self.failureResultOf(transaction.commit(), MailError)
        self.assertIn("warning: Q1: queue file attribute count limit exceeded", mailer.lines)

    def test_held_back(self) -> None:
        """CL-14: in_flow_delay, for what comes from outside while the active queue is full."""
        mailer = Mailer({"in_flow_delay": "2s"})
        mailer.queue.full = True
        begun = mailer.cleanup.begin(Origin(FILTER | MAP, service="smtpd"))
        mailer.host.clock.advance(1)
        self.assertNoResult(begun)
        mailer.host.clock.advance(1)
        self.successResultOf(begun)
        self.successResultOf(mailer.cleanup.begin(Origin(INTERNAL | MAP, service="bounce")))
        self.successResultOf(Mailer({"in_flow_delay": "0"}).cleanup.begin(Origin(FILTER)))

    def test_delay_notice(self) -> None:
        """SC-9: when the sender is to be told of a delay stands in the envelope."""
        for value, wait in (("0h", 0), ("4h", 14400)):
            mailer = Mailer({"delay_warning_time": value})
            mailer.send(BODY)
            envelope = mailer.mail().envelope
            self.assertEqual(envelope.arrival + wait if wait else 0, envelope.warn_time)

    def test_pieces_pass_through(self) -> None:
        """A body that nobody inspects is not looked at: large pieces stay what they are."""
        mailer = Mailer()
        transaction = mailer.begin()
        now(transaction.recipient(Recipient(b"u@x")))
        piece = b"x" * 70 + b"\r\n"
        transaction.body(BODY)
        for _ in range(3):
            transaction.body(piece * 1000)
        now(transaction.commit())
        self.assertEqual(BODY + piece * 3000, mailer.mail().content)

    def test_size_limit(self) -> None:
        """CL-14, OB-11: message_size_limit counts the envelope too; 0 is no limit."""
        mailer = Mailer({"message_size_limit": "1000"})
        self.assertEqual("552 5.3.4 Error: message file too big", mailer.refused(b"A: 1\r\n\r\n" + b"x" * 1000))
        many = tuple(b"user%d@x.example" % n for n in range(40))
        self.assertEqual("552 5.3.4 Error: message file too big", Mailer({"message_size_limit": "1000"}).refused(
            BODY, recipients=many))  # fmt: skip
        Mailer({"message_size_limit": "0"}).send(b"A: 1\r\n\r\n" + b"x" * 20_000_000)

    def test_no_recipients(self) -> None:
        """SD-9: nobody to deliver to."""
        self.assertEqual("550 5.1.0 Error: no recipients specified", Mailer().refused(BODY, recipients=()))

    def test_store_fails(self) -> None:
        """SD-9: a queue file that cannot be written."""
        mailer = Mailer()
        mailer.store.error = QueueError("disk full")
        self.assertEqual("451 4.3.0 Error: queue file write error", mailer.refused(BODY))
        self.assertEqual(["warning: Q1: disk full", "Q1: removed (canceled)"], mailer.lines[1:])
        self.assertEqual([], mailer.queue.woken)

    def test_cannot_begin(self) -> None:
        """SD-9: no queue file at all."""
        mailer = Mailer()
        mailer.store.create = lambda: fail(QueueError("no space"))  # type: ignore[method-assign]
        error = self.failureResultOf(mailer.cleanup.begin(Origin()), MailError)
        self.assertEqual("451 4.3.0 Error: queue file write error", error.value.reply.line())

    def test_slow_file(self) -> None:
        """A queue file that is behind makes the client wait."""
        mailer = Mailer()
        transaction = mailer.begin()
        behind: Deferred[None] = Deferred()
        transaction._message.content = lambda data: behind  # type: ignore[method-assign]
        transaction._write = transaction._message.content
        now(transaction.recipient(Recipient(b"u@x")))
        waiting = transaction.body(BODY)
        assert waiting is not None
        self.assertNoResult(waiting)
        behind.callback(None)
        self.successResultOf(waiting)
        now(transaction.commit())

    def test_abort(self) -> None:
        """CL-11, LG-7: removed (canceled), once."""
        mailer = Mailer()
        transaction = mailer.begin()
        transaction.abort()
        transaction.abort("again")
        self.assertEqual((["Q1: removed (canceled)"], ["Q1"]), (mailer.lines, mailer.store.aborted))
        mailer.send(BODY)
        self.assertEqual(1, len(mailer.store.aborted))

    def test_flags(self) -> None:
        """HOLD and DISCARD as flags; SMTPUTF8 for who did not know to ask (CL-12)."""
        held = Mailer()
        held.send(BODY, flags=HOLD)
        self.assertEqual(["hold"], list(held.store.queues))
        self.assertTrue(Mailer().send(BODY, flags=DISCARD).discarded)
        utf8 = Mailer()
        utf8.send("Subject: é\r\n\r\nb\r\n".encode(), flags=SMTPUTF8_AUTODETECT)
        self.assertTrue(utf8.mail().envelope.sendopts & SMTPUTF8_REQUESTED)

    def test_characters(self) -> None:
        """message_strip_characters and message_reject_characters."""
        mailer = Mailer({"message_strip_characters": r"\0"})
        mailer.send(b"A: 1\r\n\r\na\0b\r\n")
        self.assertTrue(mailer.mail().content.endswith(b"\r\n\r\nab\r\n"))
        self.assertEqual(
            "550 5.7.1 disallowed character",
            Mailer({"message_reject_characters": r"\0"}).refused(b"A: 1\r\n\r\na\0b\r\n"),
        )

    def test_smuggled_line_ends(self) -> None:
        """OB-8: cleanup_replace_stray_cr_lf."""
        mailer = Mailer()
        mailer.send(b"Subject: ca\rfe\r\n\r\nbo\rdy\n.\nx\r\n")
        self.assertEqual(b"Subject: ca fe\r\n\r\nbo dy . x\r\n", mailer.mail().content)
        off = Mailer({"cleanup_replace_stray_cr_lf": "no"})
        off.send(b"Subject: x\r\n\r\nbo\rdy\r\n")
        self.assertTrue(off.mail().content.endswith(b"bo\rdy\r\n"))


class Bounces(SynchronousTestCase):
    """CL-11: pickup does not wait for an answer."""

    def test_refused(self) -> None:
        mailer = Mailer({"header_checks": "regexp:{ {/^X-No/ REJECT 5.7.9 no thanks} }"})
        queued: list[bytes] = []
        mailer.reports.notify_bounce = lambda envelope: self._notified(mailer, queued)  # type: ignore[method-assign]
        mailer.send(b"X-No: 1\r\nA: 1\r\n\r\nb\r\n", flags=FILTER | MAP | BOUNCE, recipients=(b"a@x", b"b"))
        self.assertEqual([b"X-No: 1\r\nA: 1\r\n\r\nb\r\n"], queued)  # the whole mail, for the notice
        ((where, reports),) = mailer.reports.records.items()
        self.assertEqual(("bounce", "Q1"), where)
        self.assertEqual(
            [(b"a@x", "5.7.9", "no thanks"), (b"b@lab.example", "5.7.9", "no thanks")],
            [(one.recipient.address, one.dsn.status, one.dsn.reason) for one in reports],
        )
        self.assertEqual({"active": {}}, mailer.store.queues)
        self.assertEqual(
            [
                "Q1: to=<b@lab.example>, orig_to=<b>, relay=none, delay=0, delays=0/0/0/0, dsn=5.7.9, "
                "status=bounced (no thanks)",
                "Q1: removed",
            ],
            mailer.lines[-2:],
        )
        self.assertEqual(([], []), (mailer.queue.woken, mailer.queue.active))

    def _notified(self, mailer: Mailer, queued: list[bytes]) -> Deferred[None]:
        """While the notice is made the mail is in the active queue, and nobody in it is to be delivered to."""
        mail = mailer.mail("active")
        self.assertTrue(all(recipient.done for recipient in mail.envelope.recipients))
        queued.append(mail.content)
        return succeed(None)

    def test_not_now(self) -> None:
        """What may work later is told to the submitter, who keeps the mail."""
        mailer = Mailer({"header_checks": "regexp:{ {/^X-No/ REJECT 4.7.9 later} }"})
        self.assertEqual("451 4.7.9 later", mailer.refused(b"X-No: 1\r\n\r\nb\r\n", flags=FILTER | BOUNCE))
        self.assertEqual({}, mailer.reports.records)

    def test_no_recipients(self) -> None:
        mailer = Mailer()
        mailer.send(BODY, flags=FILTER | BOUNCE, recipients=())
        self.assertEqual("Q1: no recipients specified", mailer.lines[1])
        self.assertEqual([("bounce", "Q1")], mailer.reports.notices)
