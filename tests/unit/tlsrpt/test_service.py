"""tlsrpt/service.py, sending.py: the owner of reports, its clock, and where reports go (TL-10; RFC 8460)."""

from __future__ import annotations

import gzip
import json
import os
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.contracts.queue import INCOMING
from pytwfix.mail.envelope import REQUIRETLS_HEADER
from pytwfix.mail.tlsrpt import Applied, Tally, line
from pytwfix.net import https
from pytwfix.tlsrpt.service import TlsrptService
from tests.kit.store import MemoryMessage
from tests.kit.submitting import Mailer

DAY = 86400
BEGIN = 1_700_000_000 // DAY * DAY
GRACE = 60


class Web:
    """Stands for net/https.post: `status` is what it answers, None for nobody there."""

    def __init__(self) -> None:
        self.status: int | None = 200
        self.posted: list[tuple[str, str, https.Posting]] = []
        self.held: list[Deferred[None]] | None = None

    async def post(self, host: Any, name: str, path: str, posting: https.Posting, *rest: Any) -> https.Page:
        if self.held is not None:
            self.held.append(Deferred())
            await self.held[-1]
        self.posted.append((name, path, posting))
        if self.status is None:
            raise https.NoPage("it has no address")
        return https.Page(self.status, "", b"")


class ServiceCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.directory = self.mktemp()
        os.makedirs(f"{self.directory}/tlsrpt/counts")
        self.web = Web()
        self.patch(https, "post", self.web.post)
        self.service: TlsrptService | None = None
        self.addCleanup(self.stop)

    def start(self, **main: str) -> None:
        """At 10:00 of the day after that of the counts, or as the clock stands."""
        base = {"pytwfix_tlsrpt": "yes", "data_directory": self.directory, "pytwfix_tlsrpt_delay": "0",
                "mynetworks": "127.0.0.0/8"}  # fmt: skip
        self.mailer = Mailer({**base, **main})
        self.host = self.mailer.host
        self.host._start = BEGIN + DAY - 5  # just before midnight
        self.service = TlsrptService(self.host)
        self.service.startService()

    def stop(self) -> None:
        if self.service is not None and self.service.running:
            self.service.stopService()

    def count(
        self, domain: str = "a.example", places: tuple[str, ...] = ("mailto:tls@a.example",), day: int = 0
    ) -> None:
        tally = Tally()
        tally.count(Applied()).successes = 1
        with open(f"{self.directory}/tlsrpt/counts/{BEGIN + day * DAY}.{DAY}.1.1", "a", encoding="ascii") as file:
            file.write(f"\n{line(domain, places, tally)}\n")

    def reports(self) -> list[str]:
        return sorted(name for name in os.listdir(f"{self.directory}/tlsrpt") if name.endswith(".json"))

    def waiting(self) -> list[str]:
        folder = f"{self.directory}/tlsrpt/waiting"
        return sorted(os.listdir(folder)) if os.path.isdir(folder) else []

    def queued(self) -> list[MemoryMessage]:
        return list(self.mailer.store.queues.get(INCOMING, {}).values())

    def logged(self, text: str) -> None:
        self.assertTrue(any(text in one for one in self.host.log.lines), self.host.log.lines)

    def pass_midnight(self) -> None:
        self.host.clock.advance(5 + GRACE + 1)


class Clock(ServiceCase):
    def test_midnight(self) -> None:
        """Reports are made when the day is over and all have written their counts, day after day."""
        self.start()
        self.count()
        self.host.clock.advance(5 + GRACE - 1)
        self.assertEqual([], self.reports())
        self.host.clock.advance(2)
        self.assertEqual([f"lab.example!a.example!{BEGIN}!{BEGIN + DAY - 1}.json"], self.reports())
        self.assertEqual(([], []), (self.waiting(), self.queued()))
        self.count(day=1)
        self.host.clock.advance(DAY)
        self.assertEqual(2, len(self.reports()))

    def test_after_a_pause(self) -> None:
        """What is over at the start is reported at once."""
        self.count(day=-2)
        self.start()
        self.host.clock.advance(0)
        self.assertEqual(1, len(self.reports()))

    def test_off(self) -> None:
        self.count(day=-2)
        self.start(pytwfix_tlsrpt="no")
        self.assertEqual([], self.host.clock.getDelayedCalls())

    def test_stop(self) -> None:
        self.start()
        self.host.clock.advance(0)
        self.stop()
        self.assertEqual([], self.host.clock.getDelayedCalls())

    def test_old(self) -> None:
        self.start()
        self.count()
        self.pass_midnight()
        (name,) = self.reports()
        path = f"{self.directory}/tlsrpt/{name}"
        for days, left in ((13, 1), (15, 0)):
            os.utime(path, (self.host.now() - days * DAY,) * 2)
            self.host.clock.advance(DAY)
            self.assertEqual(left, len(self.reports()), days)

    def test_disk(self) -> None:
        """A disk that does not work is no end: one warning, and the day after all is there."""
        self.start()
        self.count()
        os.chmod(f"{self.directory}/tlsrpt", 0o755)
        os.rename(f"{self.directory}/tlsrpt/counts", f"{self.directory}/kept")
        with open(f"{self.directory}/tlsrpt/counts", "w", encoding="ascii"):
            pass
        for _ in range(2):
            self.pass_midnight()
            self.host.clock.advance(DAY)
        self.assertEqual(1, sum("TLS reports: " in one for one in self.host.log.lines), self.host.log.lines)
        os.unlink(f"{self.directory}/tlsrpt/counts")
        os.rename(f"{self.directory}/kept", f"{self.directory}/tlsrpt/counts")
        self.host.clock.advance(DAY)
        self.assertEqual(1, len(self.reports()))


class Mail(ServiceCase):
    def test_queued(self) -> None:
        """Section 5.3: from the null sender, to whom the domain says, whatever TLS is like there."""
        self.start(pytwfix_tlsrpt_send="yes", pytwfix_tlsrpt_contact="tls@mx.lab.example")
        self.count(places=("mailto:tls@a.example", "mailto:b%40@", "mailto:other@c.example"))
        self.pass_midnight()
        first, second = self.queued()
        for message, address in ((first, b"tls@a.example"), (second, b"other@c.example")):
            self.assertEqual(
                (b"", [address]), (message.envelope.sender, [one.address for one in message.envelope.recipients])
            )
            self.assertTrue(message.envelope.sendopts & REQUIRETLS_HEADER)
        self.logged("TLS report for a.example to mailto:b%40@: not an address; given up")
        self.logged(f"{first.envelope.queue_id}: TLS report for a.example")
        self.assertEqual([], self.waiting())
        self.host.clock.advance(2 * DAY)
        self.assertEqual(2, len(self.queued()))

    def test_sender(self) -> None:
        self.start(pytwfix_tlsrpt_send="yes", pytwfix_tlsrpt_sender="bounces@lab.example")
        self.count()
        self.pass_midnight()
        self.assertEqual(b"bounces@lab.example", self.queued()[0].envelope.sender)

    def test_delay(self) -> None:
        """Section 4.1: at a time of its own within some hours."""
        self.start(pytwfix_tlsrpt_send="yes", pytwfix_tlsrpt_delay="4h")
        for number in range(20):
            self.count(f"{number}.example", (f"mailto:tls@{number}.example",))
        self.pass_midnight()
        seen = []
        for _ in range(5):
            seen.append(len(self.queued()))
            for _ in range(61):
                self.host.clock.advance(60)
        self.assertEqual(20, seen[-1] or len(self.queued()))
        self.assertEqual(sorted(set(seen[:4])), seen[:4])

    def test_restart(self) -> None:
        """What waits is sent by whoever comes after."""
        self.start(pytwfix_tlsrpt_send="yes", pytwfix_tlsrpt_delay="4h")
        self.count()
        self.pass_midnight()
        self.assertEqual((1, []), (len(self.waiting()), self.queued()))
        self.stop()
        self.start(pytwfix_tlsrpt_send="yes")
        for _ in range(5 * 60):
            self.host.clock.advance(60)
        self.assertEqual(([], 1), (self.waiting(), len(self.queued())))


class Post(ServiceCase):
    def setUp(self) -> None:
        super().setUp()
        self.start(pytwfix_tlsrpt_send="yes")
        self.count(places=("https://www.a.example:8443/tls?x",))

    def test_posted(self) -> None:
        """Section 5.4."""
        self.pass_midnight()
        ((name, path, posting),) = self.web.posted
        self.assertEqual(("www.a.example", "/tls?x", 8443, "application/tlsrpt+gzip"),
                         (name, path, posting.port, posting.kind))  # fmt: skip
        report = json.loads(gzip.decompress(posting.data))
        self.assertEqual("2023-11-14T00:00:00Z", report["date-range"]["start-datetime"])
        self.logged("TLS report for a.example: posted to https://www.a.example:8443/tls?x")
        self.assertEqual([], self.waiting())

    def test_again(self) -> None:
        """Section 5.6: every hour for a day, then no more."""
        for status in (500, None):
            self.web.status = status
            before = len(self.web.posted)
            self.pass_midnight()
            for _ in range(48 * 60):
                self.host.clock.advance(60)
            self.assertEqual(25, len(self.web.posted) - before)
            self.assertEqual([], self.waiting())
            self.logged("; given up")
            self.count(places=("https://www.a.example/",), day=1)
        self.logged("HTTP status 500; tried again later")
        self.logged("it has no address; tried again later")

    def test_recovers(self) -> None:
        """Where it was accepted it is not sent again."""
        self.count(places=("https://www.a.example/", "mailto:tls@a.example"))
        self.web.status = 503
        self.pass_midnight()
        self.web.status = 202
        for _ in range(120):
            self.host.clock.advance(60)
        self.assertEqual((2, 1, []), (len(self.web.posted), len(self.queued()), self.waiting()))

    def test_slow_server(self) -> None:
        """It holds up itself and four others, not the rest; a stop does not begin another."""
        for number in range(20):
            self.count(f"{number}.example", (f"https://www.{number}.example/",))
        self.web.held = []
        self.pass_midnight()
        self.assertEqual(5, len(self.web.held))
        self.web.held[0].callback(None)
        self.assertEqual(6, len(self.web.held))
        self.stop()
        for held in self.web.held[1:]:
            held.callback(None)
        self.assertEqual(6, len(self.web.held))
        self.assertEqual(15, len(self.waiting()))
        self.assertEqual([], self.host.clock.getDelayedCalls())
