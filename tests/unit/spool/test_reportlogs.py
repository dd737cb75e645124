"""bounce/, defer/ and trace/ files (INVENTORY RF-6, ST-3)."""

from __future__ import annotations

import errno
import os
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.contracts.queue import QueueError
from pytwfix.contracts.reports import BOUNCE, DEFER, Report
from pytwfix.mail.envelope import Recipient
from pytwfix.mail.status import Dsn
from pytwfix.spool.reportlogs import ReportLogs, entry_of
from pytwfix.spool.reporttext import block, entries
from tests.kit.spool import Spool, result

# Written by Postfix 3.7.
REAL = b"""
<"x y"@remote.example>: connect to 127.0.0.1[127.0.0.1]:13499: Connection refused
recipient="x y"@remote.example
offset=649
dsn_orig_rcpt=rfc822;"x y"@remote.example
notify_flags=4
status=4.4.1
action=delayed
reason=connect to 127.0.0.1[127.0.0.1]:13499: Connection refused


<one@remote.example>: connect to 127.0.0.1[127.0.0.1]:13499: Connection refused
recipient=one@remote.example
original_recipient=multi@remote.example
offset=750
dsn_orig_rcpt=rfc822;multi@remote.example
status=4.4.1
action=delayed
reason=connect to 127.0.0.1[127.0.0.1]:13499: Connection refused

"""
FULL = Report(
    Recipient(b"a@x", b"o@x", b"rfc822;o@x", 3, 77),
    Dsn("5.1.1", "host said: no", "failed", "smtp", "550 5.1.1 no", "dns", "mx.example"),
)


class Logs(SynchronousTestCase):
    def setUp(self) -> None:
        self.spool = Spool(self.mktemp())
        self.logs = ReportLogs(self.spool.host)

    def test_as_postfix_writes(self) -> None:
        """RF-6: the same bytes."""
        os.makedirs(f"{self.spool.path}/defer/A")
        with open(f"{self.spool.path}/defer/A/ABC1", "wb") as file:
            file.write(REAL)
        reports = result(self.logs.read(DEFER, "ABC1"))
        self.assertEqual(b"".join(block(entry_of(report)) for report in reports), REAL)
        self.assertEqual(reports[0].recipient.address, b"x y@remote.example")
        self.assertEqual(reports[1].recipient, Recipient(b"one@remote.example", b"multi@remote.example",
                                                         b"rfc822;multi@remote.example", 0, 750))  # fmt: skip

    def test_append_and_remove(self) -> None:
        """ST-3: one block a recipient, in one file a message; a missing one is empty."""
        result(self.logs.append(BOUNCE, "ABC1", FULL))
        result(self.logs.append(BOUNCE, "ABC1", FULL))
        self.assertEqual(result(self.logs.read(BOUNCE, "ABC1")), [FULL, FULL])
        self.assertEqual(os.stat(f"{self.spool.path}/bounce/ABC1").st_mode & 0o777, 0o600)
        result(self.logs.remove(BOUNCE, "ABC1"))
        result(self.logs.remove(BOUNCE, "ABC1"))
        self.assertEqual(result(self.logs.read(BOUNCE, "ABC1")), [])

    def test_lines_in_a_reason(self) -> None:
        """What a peer says cannot add lines of its own."""
        bad = FULL.dsn._replace(reason="no\nrecipient=other@x\n\n", dtext="a\nb")
        result(self.logs.append(DEFER, "ABC1", Report(FULL.recipient, bad)))
        (report,) = result(self.logs.read(DEFER, "ABC1"))
        self.assertEqual(report.recipient.address, b"a@x")
        self.assertEqual(report.dsn.reason, "no recipient=other@x  ")

    def test_failing_disk(self) -> None:
        """ST-5: an append that is not durable is no append."""
        disk: Any = type("Failing", (type(self.spool.host.disk),), {})()
        self.spool.host.disk = disk
        logs = ReportLogs(self.spool.host)
        result(logs.append(DEFER, "ABC1", FULL))

        def fails(fd: int) -> None:
            raise OSError(errno.EIO, "Input/output error")

        disk.fsync = fails
        self.failureResultOf(logs.append(DEFER, "ABC1", FULL), QueueError)
        del disk.fsync
        self.assertEqual(result(logs.read(DEFER, "ABC1")), [FULL])

    def test_bad_names(self) -> None:
        self.failureResultOf(self.logs.append(DEFER, "../x", FULL), QueueError)
        self.failureResultOf(self.logs.read(DEFER, "../x"), QueueError)
        self.failureResultOf(self.logs.remove(DEFER, "a/b"), QueueError)

    def test_cut_off(self) -> None:
        """A file that a crash cut off gives what there is."""
        for end in range(0, len(REAL), 7):
            self.assertLessEqual(len(list(entries(REAL[:end]))), 2)
        self.assertEqual(list(entries(b"\xff\xfe=\n\n=\n=x\n")), [])
