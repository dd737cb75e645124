"""verify: cache and probes (VE-1)."""

from __future__ import annotations

import os
from collections.abc import Awaitable

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.contracts.delivery import PROBE, VERIFY_ONLY, DeliveryRequest, Times
from pytwfix.contracts.verification import BOUNCE, DEFER, OK, TODO, Verified
from pytwfix.deliver.outcome import Outcome
from pytwfix.mail.envelope import TRACE_PROBE
from pytwfix.mail.errors import queue_file_write_error
from pytwfix.mail.status import Dsn
from pytwfix.verify.service import VerifyService
from tests.kit.accepting import MemoryCleanup
from tests.kit.host import MemoryHost
from tests.kit.submitting import Mailer

DAY, HOUR = 86400, 3600
USER = b"user@example.com"


class Verifying(SynchronousTestCase):
    def make(self, **main: str) -> VerifyService:
        self.cleanup = MemoryCleanup()
        values = {"address_verify_map": "", **main}
        self.host = MemoryHost(values, "verify", "verify", cleanup=self.cleanup)
        made = VerifyService(self.host)
        made.startService()
        self.addCleanup(made.stopService)
        return made

    def ask(self, made: VerifyService, address: bytes = USER) -> tuple[int, str]:
        found: Verified = self.successResultOf(made.query(address))
        return found.status, found.text

    def tell(self, made: VerifyService, status: int, text: str = "said") -> None:
        self.successResultOf(made.update(USER, status, text))

    def test_probe(self) -> None:
        """VE-1: an address that is not known is probed once, by a mail that is marked as a probe."""
        made = self.make()
        self.assertEqual((TODO, "Address verification in progress"), self.ask(made))
        self.ask(made)
        (mail,) = self.cleanup.mails
        self.assertEqual((b"double-bounce@mx.example.com", "committed"), (mail.from_, mail.ended))
        self.assertEqual([USER], [one.address for one in mail.recipients])
        self.assertTrue(mail.envelope.trace_flags & TRACE_PROBE)
        self.tell(made, OK, "250 ok")
        self.assertEqual((OK, "250 ok"), self.ask(made))

    def test_probe_lost(self) -> None:
        """A probe that never comes back is sent again after a while; one that cannot be queued is logged."""
        made = self.make()
        self.cleanup.error = queue_file_write_error("disk full")
        self.ask(made)
        self.assertIn("disk full", self.host.log.lines[-1])
        self.host.clock.advance(999)
        self.ask(made)
        self.assertEqual(1, len(self.cleanup.mails))
        self.host.clock.advance(1)
        self.ask(made)
        self.assertEqual(2, len(self.cleanup.mails))

    def test_refresh(self) -> None:
        """VE-1: good 31d and 7d, bad 3d and 3h."""
        bad = (3 * HOUR, 3 * DAY)
        for status, refresh, expire in ((OK, 7 * DAY, 31 * DAY), (BOUNCE, *bad), (DEFER, *bad)):
            made = self.make()
            self.tell(made, status)
            self.host.clock.advance(refresh - 1)
            self.assertEqual((status, "said"), self.ask(made))
            self.assertEqual(0, len(self.cleanup.mails))
            self.host.clock.advance(1)
            self.assertEqual((status, "said"), self.ask(made))
            self.assertEqual(1, len(self.cleanup.mails))
            self.host.clock.advance(expire - refresh)
            self.assertEqual(TODO, self.ask(made)[0])

    def test_optimistic(self) -> None:
        """A good address stays good while a probe fails; a bad one becomes good at once."""
        made = self.make()
        self.tell(made, OK)
        self.tell(made, BOUNCE, "550 no")
        self.assertEqual((OK, "said"), self.ask(made))
        self.host.clock.advance(7 * DAY)
        for _ in range(3):
            self.ask(made)
            self.tell(made, BOUNCE, "550 no")
        self.assertEqual(1, len(self.cleanup.mails))
        other = self.make()
        self.tell(other, BOUNCE, "550 no")
        self.tell(other, OK, "250 yes")
        self.assertEqual((OK, "250 yes"), self.ask(other))

    def test_no_negative_cache(self) -> None:
        """address_verify_negative_cache = no: a failure is told to who waits now, and not kept."""
        made = self.make(address_verify_negative_cache="no")
        self.ask(made)
        self.tell(made, BOUNCE, "550 no")
        self.assertEqual((BOUNCE, "550 no"), self.ask(made))
        self.host.clock.advance(10)
        self.assertEqual(TODO, self.ask(made)[0])
        self.assertEqual(2, len(self.cleanup.mails))

    def test_sender(self) -> None:
        """address_verify_sender: empty or <> is the null sender, a bare name is completed."""
        for text, expected in (("", b""), ("<>", b""), ("probe", b"probe@mx.example.com"), ("a@b.test", b"a@b.test")):
            self.ask(self.make(address_verify_sender=text))
            self.assertEqual(expected, self.cleanup.mails[0].from_)

    def test_changing_sender(self) -> None:
        """VE-1: address_verify_sender_ttl."""
        self.ask(self.make(address_verify_sender="probe", address_verify_sender_ttl="3600s"))
        self.assertEqual(b"probeHVCZ@mx.example.com", self.cleanup.mails[0].from_)

    def test_table(self) -> None:
        """address_verify_map keeps `status:probed:updated:text` over a restart; the sweep empties it."""
        directory = os.path.abspath(self.mktemp())
        os.makedirs(directory)
        name = f"lmdb:{directory}/verify_cache"
        self.tell(self.make(address_verify_map=name), BOUNCE, "550 no: such user")
        made = self.make(address_verify_map=name)
        self.successResultOf(made.update(b"Mixed@Case", OK, "yes"))
        self.assertEqual((OK, "yes"), self.ask(self.make(address_verify_map=name), b"Mixed@Case"))
        self.successResultOf(self.host.tables.open_writable(name, 0).delete(b"Mixed@Case"))
        made = self.make(address_verify_map=name)
        self.assertEqual((BOUNCE, "550 no: such user"), self.ask(made))
        table = self.host.tables.open_writable(name, 0)
        self.host.clock.advance(0)
        swept = b"_LAST_CACHE_CLEANUP_COMPLETED_"
        self.assertEqual(
            [(USER, b"2:0:1700000000:550 no: such user"), (swept, b"1700000000")], sorted(table.items(), reverse=True)
        )
        self.host.clock.pump([12 * HOUR] * 6)
        self.assertEqual([swept], [key for key, _value in table.items()])
        self.assertEqual(f"cache {name} full cleanup: retained=0 dropped=1 entries", self.host.log.lines[-1])

    def test_sweeps(self) -> None:
        """VE-1: a sweep at once if none is known of, then every interval, also over a restart."""
        directory = os.path.abspath(self.mktemp())
        os.makedirs(directory)
        name = f"lmdb:{directory}/verify_cache"
        for expected in (1, 0):
            self.make(address_verify_map=name)
            self.host.clock.advance(0)
            self.host.clock.advance(12 * HOUR - 1)
            self.assertEqual(expected, len([line for line in self.host.log.lines if "full cleanup" in line]))
        self.host.clock.advance(1)
        self.assertIn("full cleanup: retained=0 dropped=0 entries", self.host.log.lines[-1])
        self.make(address_verify_cache_cleanup_interval="0")
        self.host.clock.advance(30 * DAY)
        self.assertEqual([], self.host.log.lines)

    def test_broken_table(self) -> None:
        made = self.make(address_verify_map="lmdb:/nonexistent/cache")
        self.tell(made, OK)
        self.assertEqual(OK, self.ask(made)[0])
        self.assertIn("in memory only", "".join(self.host.log.lines))


class Queueing(SynchronousTestCase):
    """Probes through a real cleanup, outcomes through a delivery agent's."""

    def setUp(self) -> None:
        tables = "inline:{ {alias@lab.example=user@x.example}, {list@lab.example=a@x.example b@x.example} }"
        self.mailer = Mailer({"address_verify_map": "", "virtual_alias_maps": tables, "always_bcc": "copy@x.example"})
        self.service = VerifyService(self.mailer.host)
        self.mailer.host.peers.verifier = self.service

    def ask(self, address: bytes) -> Verified:
        return self.successResultOf(self.service.query(address))

    def test_alias(self) -> None:
        """VE-1: the outcome of an alias's probe is the alias's."""
        self.ask(b"alias@lab.example")
        envelope = self.mailer.mail().envelope
        (recipient,) = envelope.recipients
        self.assertEqual((b"user@x.example", b"double-bounce@lab.example"), (recipient.address, envelope.sender))
        request = DeliveryRequest(
            "active", "Q1", "smtp", "x.example", envelope, [recipient], flags=VERIFY_ONLY | PROBE
        )  # fmt: skip
        outcome = Outcome(self.mailer.host, request)
        self.successResultOf(_ended(outcome.bounced(recipient, Dsn("5.1.1", "no such user"), "none", Times())))
        self.assertEqual(Verified(BOUNCE, "no such user"), self.ask(b"alias@lab.example"))

    def test_list(self) -> None:
        """VE-1: an alias for several is there; no probe is queued."""
        self.ask(b"list@lab.example")
        self.assertEqual(Verified(OK, "aliased to multiple recipients"), self.ask(b"list@lab.example"))
        self.assertEqual({}, self.mailer.store.queues)


def _ended(work: Awaitable[None]) -> Deferred[None]:
    async def wait() -> None:
        await work

    return Deferred.fromCoroutine(wait())
