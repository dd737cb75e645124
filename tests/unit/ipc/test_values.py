"""pytwfix.ipc.values and failures: how contracts' values and errors travel."""

from __future__ import annotations

from typing import Any

import msgpack
from twisted.internet.defer import CancelledError
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.contracts import dns, queue, tables
from pytwfix.contracts.asuser import AsUserError
from pytwfix.contracts.delivery import DeliveryRequest, DeliveryResult, Times
from pytwfix.contracts.reports import Report
from pytwfix.contracts.verification import Verified
from pytwfix.ipc import failures, values
from pytwfix.ipc.frames import Malformed
from pytwfix.mail.envelope import Client, Envelope, Recipient
from pytwfix.mail.errors import MailError
from pytwfix.mail.reply import Reply
from pytwfix.mail.status import Dsn


def over(packed: object) -> Any:
    """As it arrives."""
    return msgpack.unpackb(
        msgpack.packb(packed, unicode_errors="surrogateescape"), use_list=False, unicode_errors="surrogateescape"
    )


RECIPIENTS = [
    Recipient(b"a@x.example", b"A@x.example", b"rfc822;a@x.example", 7, 120, False),
    Recipient(b"\xff@y", offset=9),
]
ENVELOPE = Envelope(
    queue_id="4XyZ", sender=b"s@x.example", recipients=RECIPIENTS, arrival=1.5, size=100, encoding="8bit",
    rewrite_context="remote", log_ident="L", client=Client(*"abcdefghijkl"), origin=Client(name="o"),
    origin_ident="I", dsn_envid=b"E", dsn_ret=1, sendopts=3, trace_flags=512, content_filter="smtp:[x]:1",
    redirect=b"r@x", verp="+=", full_name=b"F", warn_time=2.5, content_offset=200, flags=1, force_expired=True,
    attributes={"sasl_method": b"plain"},
)  # fmt: skip


class Values(SynchronousTestCase):
    """Each value arrives as it was."""

    def test_envelope(self) -> None:
        """RF-5: every field of an envelope."""
        self.assertEqual(values.unpack_envelope(over(values.pack_envelope(ENVELOPE))), ENVELOPE)
        self.assertEqual(values.unpack_envelope(over(values.pack_envelope(Envelope()))), Envelope())

    def test_every_field_is_packed(self) -> None:
        """A field that somebody adds must not be forgotten here."""
        for kind, packed in ((Recipient, values._RECIPIENT), (Client, "x" * 12)):
            self.assertEqual(len(kind.__dataclass_fields__), len(packed))
        self.assertEqual(len(Envelope.__dataclass_fields__), len(values._ENVELOPE) + 4)

    def test_request(self) -> None:
        """QM-7: a request goes without the recipients that are not asked for, and without the message in hand."""
        override = Dsn("4.3.0", "why", dtype="smtp")
        message: Any = object()
        times = Times(1.5, 2.0, 3.0)
        request = DeliveryRequest(
            "active", "4XyZ", "smtp", "[x.example]", ENVELOPE, RECIPIENTS[:1], times, 5, message, override
        )
        found = values.unpack_request(over(values.pack_request(request)))
        self.assertEqual(found.recipients, RECIPIENTS[:1])
        self.assertEqual(found.envelope.recipients, [])
        self.assertEqual(found.envelope.client, ENVELOPE.client)
        self.assertIsNone(found.message)
        self.assertEqual((found.queue, found.queue_id, found.transport), ("active", "4XyZ", "smtp"))
        self.assertEqual((found.nexthop, found.times, found.flags), ("[x.example]", times, 5))
        self.assertEqual(found.override, override)

    def test_result(self) -> None:
        """SC-3: the asker gets its own recipients back; those that do not stay are done."""
        asked = DeliveryRequest("active", "4XyZ", "smtp", "x", Envelope(), [Recipient(b"a"), Recipient(b"b")])
        there = values.unpack_request(over(values.pack_request(asked)))
        dead = Dsn("4.4.1", "no answer")
        result = DeliveryResult([there.recipients[1]], dead, None, False)
        found = values.unpack_result(over(values.pack_result(result, there)), asked)
        self.assertIs(found.deferred[0], asked.recipients[1])
        self.assertEqual([one.done for one in asked.recipients], [True, False])
        self.assertEqual((found.dead, found.transport_dead, found.recorded), (dead, None, False))
        self.assertRaises(Malformed, values.unpack_result, ((5,), None, None, True), asked)

    def test_reports(self) -> None:
        """BO-1."""
        report = Report(RECIPIENTS[0], Dsn("5.1.1", "unknown", "failed"), "mx[1]:25", 3.5)
        self.assertEqual(values.unpack_reports(over(values.pack_reports([report]))), [report])

    def test_verified(self) -> None:
        """VE-1."""
        self.assertEqual(values.unpack_verified(over(Verified(0, "ok"))), Verified(0, "ok"))

    def test_wrong_kinds(self) -> None:
        """Whoever talks to the network is not trusted with more than what its calls say."""
        for unpack, packed in (
            (values.unpack_recipient, ("a", b"", b"", 0, 0, False)),
            (values.unpack_client, ("a",) * 11),
            (values.unpack_client, (b"a",) * 12),
            (values.unpack_envelope, None),
            (values.unpack_envelope, ((), (), (), (), {})),
            (values.unpack_dsn, ("5.0.0",)),
            (values.unpack_reports, 7),
            (values.unpack_times, (1, 2, 3)),
            (values.unpack_request, ("active",)),
            (values.unpack_verified, ("0", "ok")),
        ):
            self.assertRaises(Malformed, unpack, packed)
        bad = list(values.pack_envelope(ENVELOPE))
        bad[4] = {"a": "b"}
        self.assertRaises(Malformed, values.unpack_envelope, over(bad))


class Failures(SynchronousTestCase):
    """HABITS 7: an error says the same on the other side."""

    def _over(self, error: Exception) -> Exception:
        found = failures.unpack_failure(over(failures.pack_failure(error)))
        self.assertIs(type(found), type(error))
        return found

    def test_mail_error(self) -> None:
        error = self._over(MailError(Reply(421, "4.3.2", "bye", True), "private"))
        assert isinstance(error, MailError)
        self.assertEqual((error.reply, error.reason), (Reply(421, "4.3.2", "bye", True), "private"))

    def test_queue_errors(self) -> None:
        for kind in (queue.QueueError, queue.CorruptMessage, queue.NoSuchMessage, queue.MessageBusy):
            self.assertEqual(str(self._over(kind("text"))), "text")

    def test_table_errors(self) -> None:
        """LK-13."""
        error = self._over(tables.TableUnavailable("hash:/x", "gone"))
        assert isinstance(error, tables.TableUnavailable)
        self.assertEqual((error.table, error.reason), ("hash:/x", "gone"))

    def test_dns_errors(self) -> None:
        error = self._over(dns.TryAgain("x.example", "MX", "try again"))
        assert isinstance(error, dns.TryAgain)
        self.assertEqual((error.name, error.rtype, error.text), ("x.example", "MX", "try again"))

    def test_others(self) -> None:
        error = self._over(AsUserError("locked", "text"))
        assert isinstance(error, AsUserError)
        self.assertEqual((error.kind, error.text), ("locked", "text"))
        denied = self._over(PermissionError(13, "Permission denied", "/key"))
        assert isinstance(denied, PermissionError)
        self.assertEqual((denied.errno, denied.filename), (13, "/key"))
        self._over(CancelledError())
        self.assertEqual(str(self._over(ValueError("no"))), "no")
        self.assertEqual(str(self._over(failures.Busy("much"))), "much")

    def test_unknown_errors(self) -> None:
        """An error of no contract arrives as its text, and counts as a temporary failure."""
        found = failures.unpack_failure(over(failures.pack_failure(ZeroDivisionError("x"))))
        assert isinstance(found, failures.RemoteFailure)
        self.assertEqual(found.reason, "ZeroDivisionError: x")
        self.assertTrue(found.temporary)
        self.assertFalse(failures.known(ZeroDivisionError()))

    def test_malformed(self) -> None:
        for packed in (
            None,
            (),
            ("What",),
            ("MailError", 1),
            ("MailError", ("a", "b", "c", 0), "r"),
            ("OSError", "x"),
            (7,),
        ):
            self.assertRaises(Malformed, failures.unpack_failure, packed)
