"""From maildrop to the queue."""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.accept.pickup import drop, records
from pytwfix.accept.pickup.service import INTERVAL, PickupService
from pytwfix.basics.disk import Disk
from pytwfix.contracts.queue import QueueError
from pytwfix.mail.envelope import TRACE_VERIFY_ONLY
from pytwfix.mail.errors import MailError
from tests.kit.submitting import Mailer, now
from tests.unit.accept.pickup.test_records import R, mail

SIMPLE = (R(b"S", b"joe"), R(b"R", b"u@x.example"))


class Pickup(SynchronousTestCase):
    def setUp(self) -> None:
        self.directory = self.mktemp()
        for name in ("maildrop", "corrupt"):
            os.makedirs(f"{self.directory}/{name}")

    def start(self, **main: str) -> PickupService:
        self.mailer = Mailer({"queue_directory": self.directory, **main})
        service = PickupService(self.mailer.host)
        service.startService()
        self.addCleanup(service.stopService)
        return service

    def drop(self, data: bytes) -> str:
        return drop.write(Disk(), self.directory, data, 1.5)

    @property
    def waiting(self) -> list[str]:
        return os.listdir(f"{self.directory}/maildrop")

    def test_submit(self) -> None:
        """PK-1, PD-1, LG-8: durable, picked up, logged with whose it is."""
        service = self.start()
        name = now(service.submit(mail(R(b"F", b"Joe X"), *SIMPLE), 1000))
        self.assertTrue(name)
        self.assertEqual("Q1: uid=1000 from=<joe>", self.mailer.lines[0])
        message = self.mailer.mail()
        self.assertEqual((b"joe@lab.example", "local"), (message.envelope.sender, message.envelope.rewrite_context))
        self.assertTrue(
            message.content.startswith(b"Received: by mx.lab.example (Postfix, from userid 1000)\r\n\tid Q1; ")
        )
        self.assertIn(b"From: Joe X <joe@lab.example>\r\n", message.content)
        self.assertEqual([], self.waiting)

    def test_every_minute(self) -> None:
        """PK-1: without a trigger a file is found within a minute."""
        self.start()
        self.drop(mail(*SIMPLE))
        self.mailer.host.clock.advance(INTERVAL)
        self.assertEqual(["incoming"], list(self.mailer.store.queues))

    def test_left_while_down(self) -> None:
        """PK-1: what waits at the start is picked up."""
        self.drop(mail(*SIMPLE))
        self.start()
        self.assertEqual([], self.waiting)
        self.assertEqual(f"Q1: uid={os.getuid()} from=<joe>", self.mailer.lines[0])

    def test_requeued(self) -> None:
        """PS-21, LG-8: a file of postsuper -r keeps its envelope and gets no Received of ours."""
        self.drop(
            mail(
                R(b"C", b"1"),
                records.attribute("log_ident", b"OLD1"),
                R(b"S", b"s@x"),
                R(b"D", b"d@x"),
                R(b"R", b"r@x"),
            )
        )
        self.start(content_filter="smtp:[f]")
        self.assertEqual(f"Q1: uid={os.getuid()} from=<s@x> orig_id=OLD1", self.mailer.lines[0])
        self.assertEqual([b"r@x"], self.mailer.recipients)
        self.assertTrue(self.mailer.mail().content.startswith(b"Subject: x\r\n"))
        self.assertEqual("smtp:[f]", self.mailer.mail().envelope.content_filter)

    def test_options(self) -> None:
        """SE-1, OB-13: DSN options and -bv, which goes round the content filter."""
        self.drop(
            mail(
                records.attribute("envelope_id", b"env"), records.attribute("ret_flags", b"2"),
                records.attribute("trace_flags", b"%d" % TRACE_VERIFY_ONLY), R(b"V", b""), *SIMPLE,
            )
        )  # fmt: skip
        self.start(content_filter="smtp:[f]")
        envelope = self.mailer.mail().envelope
        self.assertEqual((b"env", 2, TRACE_VERIFY_ONLY, "+=", ""), (
            envelope.dsn_envid, envelope.dsn_ret, envelope.trace_flags, envelope.verp, envelope.content_filter
        ))  # fmt: skip

    def test_corrupt(self) -> None:
        """PK-1: a file that makes no sense goes to corrupt, and does not stop the others."""
        name = self.drop(b"nonsense")
        self.drop(mail(*SIMPLE))
        self.start()
        self.assertEqual([name], os.listdir(f"{self.directory}/corrupt"))
        self.assertTrue(any(line.startswith(f"warning: maildrop/{name}: ") for line in self.mailer.lines))
        self.assertEqual([b"u@x.example"], self.mailer.recipients)

    def test_not_ready(self) -> None:
        """QU-4: without the x bit it is still written; links are not believed."""
        name = self.drop(mail(*SIMPLE))
        os.chmod(f"{self.directory}/maildrop/{name}", 0o600)
        os.symlink("/etc/passwd", f"{self.directory}/maildrop/LINK")
        self.start()
        self.assertEqual({}, self.mailer.store.queues)
        self.assertEqual({name, "LINK"}, set(self.waiting))

    def test_try_again(self) -> None:
        """CL-11: what cleanup cannot take now stays for the next scan."""
        self.drop(mail(*SIMPLE))
        service = self.start(message_size_limit="0")
        self.mailer.store.queues.clear()
        self.mailer.store.error = QueueError("disk full")
        self.drop(mail(*SIMPLE))
        service.trigger()
        self.assertEqual(1, len(self.waiting))
        self.assertIn("try again later", self.mailer.lines[-1])
        self.mailer.store.error = None
        self.mailer.host.clock.advance(INTERVAL)
        self.assertEqual([], self.waiting)

    def test_bounced(self) -> None:
        """CL-11: what cleanup refuses is bounced, and the file is done with."""
        self.start(header_checks="regexp:{ {/^Subject/ REJECT} }")
        self.drop(mail(*SIMPLE))
        self.mailer.host.clock.advance(INTERVAL)
        self.assertEqual([], self.waiting)
        self.assertEqual([("bounce", "Q1")], self.mailer.reports.notices)

    def test_refused_submissions(self) -> None:
        """PD-1: malformed, too big, not allowed, not in this name."""
        data = mail(*SIMPLE)
        for main, submission, code in (
            ({}, b"nonsense", 554),
            ({"message_size_limit": "10"}, data, 552),
            ({"authorized_submit_users": "!root"}, data, 550),
            ({"local_login_sender_maps": "inline:{ root=other@x }"}, data, 550),
            ({"local_login_sender_maps": "fail:x"}, data, 451),
        ):
            error = self.failureResultOf(self.start(**main).submit(submission, 0), MailError)
            self.assertEqual(code, error.value.reply.code, main)
        self.assertEqual([], self.waiting)

    def test_login_senders(self) -> None:
        """PD-1: local_login_sender_maps with its patterns; extensions do not count."""
        for pattern, sender in (
            ("*", b"any@x"), ("<>", b""), ("@x.example", b"u@X.example"), ("u@x.example", b"u+ext@x.example"),
        ):  # fmt: skip
            service = self.start(
                local_login_sender_maps=f"inline:{{ {{root = no@x {pattern}}} }}", recipient_delimiter="+"
            )
            now(service.submit(mail(R(b"S", sender), R(b"R", b"r@x")), 0))

    def test_nameless_user(self) -> None:
        """PD-1: a uid without a name is "unknown", and `uid:` with the number in local_login_sender_maps."""
        service = self.start(authorized_submit_users="unknown", local_login_sender_maps="inline:{ {uid:54321 = joe} }")
        now(service.submit(mail(*SIMPLE), 54321))
