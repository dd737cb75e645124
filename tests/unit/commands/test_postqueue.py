"""postqueue(1) and mailq(1) on files, and what they make of answers."""

from __future__ import annotations

import io
import json
import os

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.commands import controlclient, mailq, postqueue
from pytwfix.contracts.reports import BOUNCE, DEFER, Report
from pytwfix.mail.envelope import Recipient
from pytwfix.mail.status import Dsn
from pytwfix.showq.format import lines
from pytwfix.spool.reportlogs import ReportLogs
from tests.kit.commands import CommandQueue
from tests.kit.spool import result

DOWN = "postqueue: warning: Mail system is down -- accessing queue directly (Connect to the Postfix showq service: "

FLUSH = "postqueue: fatal: Cannot flush mail queue"

class Postqueue(SynchronousTestCase):
    def setUp(self) -> None:
        self.queue = CommandQueue(self.mktemp())
        self.patch(os, "geteuid", lambda: 0)
        self.patch(os, "environ", {"TZ": "UTC"})

    def put(self, queue: str, *to: bytes) -> str:
        return self.queue.spool.put(b"Subject: s\r\n\r\nhello\r\n", *to, queue=queue).queue_id

    def defer(self, log: str, queue_id: str, address: bytes, reason: str) -> None:
        report = Report(Recipient(address, b"o@x"), Dsn("4.4.1", reason, "delayed"))
        result(ReportLogs(self.queue.spool.host).append(log, queue_id, report))

    def test_empty(self) -> None:
        """PQ-2."""
        code, out, said = self.queue.run(postqueue.main, "-p")
        self.assertEqual((code, out, said[: len(DOWN)]), (0, "Mail queue is empty\n", DOWN))
        self.assertEqual(self.queue.run(postqueue.main, "-j")[:2], (0, ""))

    def test_listing(self) -> None:
        """PQ-2: as Postfix 3.7 prints it: columns, marks, reasons to the right, recipients, totals."""
        deferred = self.put("deferred", b"a@x", b"b@x", b"c@x")
        self.defer(DEFER, deferred, b"b@x", "short")
        self.defer(DEFER, deferred, b"a@x", "l" * 90)
        held = self.put("hold", b"h@x")
        active = self.put("active", "ü@x".encode(), b"q u@x")
        os.chmod(f"{self.queue.spool.path}/active/{active}", 0o710)
        code, out, _ = self.queue.run(postqueue.main, "-p")
        self.assertEqual(code, 0)
        out = out.replace("Nov 14 22:13:20", "NOW")
        expected = f"""\
-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------
{active}*#      21 Tue NOW  sender@example.org
                                         ü@x
                                         "q u"@x

{deferred}      21 Tue NOW  sender@example.org
{"(short)":>78}
                                         b@x
({"l" * 90})
                                         a@x
                                                          (reason unavailable)
                                         c@x

{held}!      21 Tue NOW  sender@example.org
                                         h@x

-- 0 Kbytes in 3 Requests.
"""
        self.assertEqual(out.split("\n"), expected.split("\n"))

    def test_json(self) -> None:
        """PQ-3: one object a line."""
        queue_id = self.put("deferred", b"a@x", b"ok@x")
        self.defer(DEFER, queue_id, b"a@x", 'say "no"')
        self.defer(BOUNCE, queue_id, b"gone@x", "never")
        _, out, _ = self.queue.run(postqueue.main, "-j")
        self.assertEqual(
            [json.loads(line) for line in out.splitlines()],
            [
                {
                    "queue_name": "deferred",
                    "queue_id": queue_id,
                    "arrival_time": 1700000000,
                    "message_size": 21,
                    "forced_expire": False,
                    "sender": "sender@example.org",
                    "recipients": [
                        {"address": "a@x", "orig_address": "o@x", "delay_reason": 'say "no"'},
                        {"address": "gone@x", "orig_address": "o@x", "bounce_reason": "never"},
                        {"address": "ok@x", "orig_address": "ok@x"},
                    ],
                }
            ],
        )
        self.assertTrue(out.startswith('{"queue_name": "deferred", "queue_id": '))

    def test_long_ids(self) -> None:
        """PQ-2: wider columns."""
        message = {"queue_name": "active", "queue_id": "4SVLCh0sf8z7Qhl", "arrival_time": 0, "message_size": 5000,
                   "forced_expire": False, "sender": "s@x", "recipients": [{"address": "r@x"}]}  # fmt: skip
        found = list(lines([message], True))
        self.assertEqual(found[0], "----Queue ID----- --Size-- ---Arrival Time---- --Sender/Recipient------")
        self.assertRegex(found[1], r"^4SVLCh0sf8z7Qhl\*      5000 \w+ \w+ .\d \d\d:\d\d:\d\d s@x$")
        self.assertEqual(found[2], " " * 47 + "r@x")
        self.assertEqual(found[-1], "-- 4 Kbytes in 1 Request.")

    def test_odd_files(self) -> None:
        """What is not complete or makes no sense is left out, what is cut off is shown as far as it goes."""
        good, cut = self.put("hold", b"a@x"), self.put("hold", b"b@x")
        unfinished = self.put("incoming", b"c@x")
        os.chmod(f"{self.queue.spool.path}/incoming/{unfinished}", 0o600)
        os.truncate(f"{self.queue.spool.path}/hold/{cut}", 300)
        with open(f"{self.queue.spool.path}/hold/BAD12345", "wb") as file:
            file.write(b"garbage")
        os.chmod(f"{self.queue.spool.path}/hold/BAD12345", 0o700)
        found = {}
        for line in self.queue.run(postqueue.main, "-j")[1].splitlines():
            message = json.loads(line)
            found[message["queue_id"]] = [item["address"] for item in message["recipients"]]
        self.assertEqual(found, {good: ["a@x"], cut: []})

    def test_down(self) -> None:
        """PQ-1: without the daemon nothing can be flushed, and only root sees the queue."""
        for words in (("-f",), ("-i", "ABCDE1")):
            code, _, said = self.queue.run(postqueue.main, *words)
            self.assertEqual((code, said.splitlines()[-1]), (69, f"{FLUSH} - mail system is down"))
        self.patch(os, "geteuid", lambda: 1000)
        code, _, said = self.queue.run(postqueue.main, "-p")
        reason = "Connect to the Postfix showq service: No such file or directory"
        down = f"postqueue: fatal: Queue report unavailable - mail system is down ({reason})\n"
        self.assertEqual((code, said), (69, down))

    def test_site(self) -> None:
        """PQ-1, FL-1: a site must be a domain for which there may be a log."""
        for site in ("x..y", "[1.2.3]", ".x.example", "1.2.3.4", "user@x", "x.example.", "", "[x.example]"):
            code, _, said = self.queue.run(postqueue.main, "-s", site)
            self.assertEqual((code, said), (69, f'{FLUSH} - invalid destination: "{site}"\n'))
        nobody = CommandQueue(self.mktemp(), fast_flush_domains="")
        for site in ("x.example", "[1.2.3.4]", "[ipv6:::1]", "x_y"):
            code, _, said = nobody.run(postqueue.main, "-s", site)
            self.assertEqual(code, 69)
            self.assertIn(f'Flush service is not configured for destination "{site}"', said)

    def test_usage(self) -> None:
        """PQ-1: exactly one thing to do."""
        for words in ((), ("-p", "-f"), ("-p", "extra"), ("-Z",)):
            code, _, said = self.queue.run(postqueue.main, *words)
            self.assertEqual((code, said.splitlines()[-1]), (69, "postqueue: fatal: " + postqueue._USAGE))
        code, _, said = self.queue.run(postqueue.main, "-i", "../x")
        self.assertEqual((code, said), (69, 'postqueue: fatal: Cannot flush queue ID - invalid name: "../x"\n'))

    def test_mailq(self) -> None:
        _, out, _ = self.queue.run(lambda words: mailq.main(["-C", words[1], "-v"]))
        self.assertEqual(out, "Mail queue is empty\n")


class Answers(SynchronousTestCase):
    """contracts/control.py: lines up to the one that says how it went."""

    def test_lines(self) -> None:
        answer = io.BytesIO(b'{"a": 1}\n{"a": 2}\n{"ok": true}\n{"a": 3}\n')
        self.assertEqual(list(controlclient._lines(answer)), [b'{"a": 1}\n', b'{"a": 2}\n'])

    def test_no(self) -> None:
        answer = io.BytesIO(b'{"ok": false, "error": "User x(5) is not allowed to view the mail queue", "code": 77}\n')
        error = self.assertRaises(controlclient.ControlError, list, controlclient._lines(answer))
        self.assertEqual((error.code, str(error)), (77, "User x(5) is not allowed to view the mail queue"))

    def test_broken(self) -> None:
        for text in (b"", b'{"a": 1}\n', b"garbage\n"):
            self.assertRaises(controlclient.ControlError, list, controlclient._lines(io.BytesIO(text)))

    def test_garbage(self) -> None:
        """A line that is no message is told, not a traceback."""
        self.patch(controlclient, "ask_lines", lambda path, request: iter([b"garbage\n"]))
        answers = controlclient.ask("/nowhere", {"verb": "list"})
        error = self.assertRaises(controlclient.ControlError, list, answers)
        self.assertIn("malformed server response", str(error))

    def test_nobody_listens(self) -> None:
        answers = controlclient.ask(os.path.abspath(self.mktemp()), {"verb": "list"})
        self.assertRaises(controlclient.ControlDown, list, answers)
