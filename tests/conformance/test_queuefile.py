"""Queue files of a real Postfix read by us, and ours read by it (INVENTORY RF-1 to RF-6, QU-2 to QU-5, PT-1, PQ-2)."""

from __future__ import annotations

import json
import os
from operator import itemgetter
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.commands import postcat, postqueue
from pytwfix.contracts.queue import ACTIVE, DEFERRED, HOLD, INCOMING
from pytwfix.mail.envelope import TRACE_RECORD
from pytwfix.spool.reportlogs import ReportLogs, entry_of
from pytwfix.spool.reporttext import block
from tests.kit.commands import CommandQueue
from tests.kit.editingmilter import EditingMilter
from tests.kit.realpostfix import RealPostfix
from tests.kit.spool import Spool, collected, result

SMALL = b"Subject: s\r\nFrom: x\r\n y\r\n\r\nhello\r\n\r\nbye\r\n"
LARGE = b"Subject: l\r\n\r\n" + (b"y" * 70 + b"\r\n") * 5000 + b"z" * 30000 + b"\r\n" + b"w" * 2048 + b"\r\nend\r\n"


def messages(listing: str) -> tuple[str, list[str]]:
    """postqueue -p: the first line, and the messages in one order (the real one's is the directory's)."""
    head, _, rest = listing.partition("\n")
    return head, sorted(rest.split("\n\n"))


class Conformance(SynchronousTestCase):
    main: dict[str, str] = {}

    def setUp(self) -> None:
        self.real = RealPostfix(**self.main)
        self.addCleanup(self.real.remove)
        self.spool = Spool(self.real.queue)

    def put(self, queue: str, content: bytes, *to: bytes, **more: Any) -> str:
        queue_id = self.spool.put(content, *to, queue=queue, **more).queue_id
        self.real.give(self.spool.store.paths.path(queue, queue_id))
        return queue_id

    def ours(self, main: object, *words: str) -> str:
        code, out, said = CommandQueue.run(self._here(), main, *words)
        self.assertEqual(code, 0, said)
        return out

    def _here(self) -> CommandQueue:
        here = CommandQueue.__new__(CommandQueue)
        here.directory = self.real.config
        return here


class PostfixReadsOurs(Conformance):
    main = {"default_transport": "discard:silently", "smtp_line_length_limit": "0"}

    def setUp(self) -> None:
        super().setUp()
        more = {"content_filter": "discard:x", "redirect": b"to@x", "warn_time": 5e9, "trace_flags": TRACE_RECORD,
                "verp": "+=", "full_name": b"F N", "dsn_ret": 1, "dsn_envid": b"env", "encoding": "8bit",
                "sendopts": 1}  # fmt: skip
        self.small = self.put(HOLD, SMALL, b"a@x.example", b"q u@x.example", **more)
        self.large = self.put(HOLD, LARGE, *[b"r%d@x.example" % number for number in range(300)])

    def test_postcat(self) -> None:
        """PT-1: the real postcat and ours say the same of files that we wrote."""
        for queue_id in (self.small, self.large):
            path = f"{self.real.queue}/hold/{queue_id}"
            for options in ((), ("-od",), ("-bh",), ("-e",), ("-h",), ("-b",), ("-d", "-e"), ("-r",)):
                theirs = self.real.run("postcat", *options, path).decode()
                self.assertEqual(self.ours(postcat.main, *options, path), theirs, options)
        self.assertIn(b"*** MESSAGE FILE END", self.real.run("postcat", f"{self.real.queue}/hold/{self.large}"))

    def test_postqueue(self) -> None:
        """PQ-2, PQ-3: and so do postqueue and ours."""
        deferred = self.put(DEFERRED, SMALL, b"d@x.example")
        self.put(ACTIVE, SMALL, b"act@x.example")
        self.put(INCOMING, SMALL, b"inc@x.example")
        os.chmod(self.spool.store.paths.path(DEFERRED, deferred), 0o710)
        head, listed = messages(self.ours(postqueue.main, "-p"))
        self.assertEqual((head, listed), messages(self.real.run("postqueue", "-p").decode()))
        ours = [json.loads(line) for line in self.ours(postqueue.main, "-j").splitlines()]
        theirs = [json.loads(line) for line in self.real.run("postqueue", "-j").splitlines()]
        for message in ours:
            for recipient in message["recipients"]:
                del recipient["orig_address"]  # 3.11
        by_id = itemgetter("queue_id")
        self.assertEqual(sorted(ours, key=by_id), sorted(theirs, key=by_id))

    def test_delivery(self) -> None:
        """The real queue manager and a real agent take what we queued, and mark and remove it."""
        ids = [
            self.put(INCOMING, SMALL, b"a@x.example", b"b@x.example"),
            self.put(INCOMING, LARGE, *[b"r%d@x.example" % number for number in range(300)]),
            self.put(DEFERRED, SMALL, b"c@x.example"),
        ]
        self.real.start()
        self.real.wait(lambda: not any(self.real.files(queue) for queue in (INCOMING, ACTIVE, DEFERRED)))
        log = self.real.log()
        for queue_id in ids:
            self.assertIn(f"{queue_id}: removed", log)
        self.assertEqual(log.count("status=sent (silently)"), 303)
        self.assertNotIn("warning", log)
        self.assertIn(f"{ids[0]}: from=<sender@example.org>, size=41, nrcpt=2 (queue active)", log)


class WeReadPostfix(Conformance):
    main = {
        "default_transport": "smtp:[127.0.0.1]:1",
        "virtual_alias_maps": "inline:{list@x.example=one@x.example}",
        "delay_warning_time": "4h",
    }

    def setUp(self) -> None:
        super().setUp()
        with open(f"{self.real.config}/checks", "w", encoding="ascii") as file:
            file.write("/^X-Hold:/ HOLD\n/^X-Filter:/ FILTER f:n\n/^X-To:/ REDIRECT to@x.example\n")
        with open(f"{self.real.config}/main.cf", "a", encoding="ascii") as file:
            file.write(f"header_checks = regexp:{self.real.config}/checks\n")
        os.utime(f"{self.real.config}/main.cf", (1, 1))

    def submit(self, text: bytes, *words: str) -> None:
        self.real.run("sendmail", "-i", "-f", "sender@y.example", *words, text=text)

    def test_deferred(self) -> None:
        """RF-2, RF-5, RF-6: envelope, content and the reasons of a mail that waits."""
        long = b"l" * 5000
        text = b"Subject: s\nTo: list@x.example\n\n" + long + b"\n.\nend\n"
        self.submit(text, "-N", "failure,delay", "-F", "Full Name", "list@x.example", '"q u"@x.example')
        self.real.start()
        self.real.wait(lambda: self.real.files("defer") and self.real.files(DEFERRED))
        self.real.stop()
        (queue_id,) = self.real.files(DEFERRED)
        (entry,) = collected(self.spool.store.scan(DEFERRED))
        self.assertEqual(entry.queue_id, queue_id)
        message = result(self.spool.store.open(DEFERRED, queue_id))
        envelope = message.envelope
        self.assertEqual((envelope.sender, envelope.full_name), (b"sender@y.example", b"Full Name"))
        found = {item.address: (item.original, item.orcpt, item.notify) for item in envelope.recipients}
        self.assertEqual(found[b"one@x.example"], (b"list@x.example", b"rfc822;list@x.example", 12))
        self.assertEqual(found[b"q u@x.example"][0], b"q u@x.example")
        self.assertGreater(envelope.warn_time, envelope.arrival)
        content = b"".join(collected(message.body()))
        self.assertTrue(content.endswith(b"\r\n\r\n" + long + b"\r\n.\r\nend\r\n"))
        message.close()
        logs = ReportLogs(self.spool.host)
        reports = result(logs.read("defer", queue_id))
        self.assertEqual({item.recipient.address for item in reports}, {b"one@x.example", b"q u@x.example"})
        with open(self.spool.store.paths.path("defer", queue_id), "rb") as file:
            self.assertEqual(b"".join(block(entry_of(item)) for item in reports), file.read())
        self.assertEqual(self.ours(postqueue.main, "-p"), self.real.run("postqueue", "-p").decode())

    def test_held(self) -> None:
        """RF-3: what header checks decided stands behind the content, recipients of sendmail -t too."""
        self.submit(b"X-Hold: 1\nX-Filter: 1\nX-To: 1\nTo: a@x.example\nBcc: b@x.example\n\nhi\n", "-t")
        self.real.start()
        self.real.wait(lambda: self.real.files(HOLD))
        self.real.stop()
        (queue_id,) = self.real.files(HOLD)
        message = result(self.spool.store.open(HOLD, queue_id))
        envelope = message.envelope
        self.assertEqual((envelope.content_filter, envelope.redirect), ("f:n", b"to@x.example"))
        self.assertEqual([item.address for item in envelope.recipients], [b"a@x.example", b"b@x.example"])
        self.assertTrue(all(item.offset > envelope.content_offset for item in envelope.recipients))
        message.done(envelope.recipients[0])
        self.spool.turn()
        message.close()
        path = f"{self.real.queue}/hold/{queue_id}"
        theirs = self.real.run("postcat", path).decode()
        self.assertIn("done_recipient: a@x.example\n", theirs)
        self.assertEqual(self.ours(postcat.main, path), theirs)


class EditedByMilter(Conformance):
    def setUp(self) -> None:
        self.milter = EditingMilter(
            b"hX-Added\0one\0", b"i\0\0\0\0X-First\0first\0", b"m\0\0\0\x01Subject\0longer than it was before\0",
            b"+<new@x.example>\0", b"-<gone@x.example>\0", b"e<other@x.example>\0\0",
            b"bnew body\r\n" + b"x" * 300 + b"\r\n",
        )  # fmt: skip
        self.addCleanup(self.milter.close)
        milters = f"inet:127.0.0.1:{self.milter.port}"
        self.main = {"non_smtpd_milters": milters, "default_transport": "smtp:[127.0.0.1]:1"}
        super().setUp()

    def test_pointers(self) -> None:
        """RF-2: records that point elsewhere, in the envelope and in the content."""
        text = b"From: a@x.example\nSubject: s\n\nold body\n"
        self.real.run("sendmail", "-f", "me@x.example", "gone@x.example", "stay@x.example", text=text)
        self.real.start()
        self.real.wait(lambda: self.real.files("defer") and self.real.files(DEFERRED))
        self.real.stop()
        (queue_id,) = self.real.files(DEFERRED)
        message = result(self.spool.store.open(DEFERRED, queue_id))
        self.assertEqual(message.envelope.sender, b"other@x.example")
        self.assertEqual([item.address for item in message.envelope.recipients], [b"stay@x.example", b"new@x.example"])
        content = b"".join(collected(message.body()))
        message.close()
        self.assertTrue(content.startswith(b"X-First: first\r\nReceived: by "))
        self.assertIn(b"\r\nSubject: longer than it was before\r\n", content)
        self.assertTrue(content.endswith(b"\r\nX-Added: one\r\n\r\nnew body\r\n" + b"x" * 300 + b"\r\n"))
        path = self.spool.store.paths.path(DEFERRED, queue_id)
        for options in ((), ("-od",), ("-odr",), ("-bh",)):
            self.assertEqual(self.ours(postcat.main, *options, path), self.real.run("postcat", *options, path).decode())
