"""Logs of who waits for which site."""

from __future__ import annotations

import os

from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.flush.logfile import file_name
from pytwfix.flush.service import FlushService
from tests.kit.host import MemoryHost
from tests.kit.spool import result


class Queue:
    def __init__(self) -> None:
        self.asked: list[str] = []

    def deliver_now(self, queue_id: str) -> Deferred[bool]:
        self.asked.append(queue_id)
        return succeed(True)


class Flushing(SynchronousTestCase):
    def setUp(self) -> None:
        self.path = os.path.abspath(self.mktemp())
        os.makedirs(f"{self.path}/flush")
        self.queue = Queue()
        main = {"queue_directory": self.path, "fast_flush_domains": "x.example", "relay_domains": ""}
        self.host = MemoryHost(main, "flush", "flush", queue=self.queue)
        self.service = FlushService(self.host)
        self.service.startService()
        self.addCleanup(self.service.stopService)

    def add(self, *pairs: tuple[str, str]) -> None:
        for site, queue_id in pairs:
            self.service.add(site, queue_id)
        self.host.clock.advance(0)

    def files(self) -> list[str]:
        return sorted(os.listdir(f"{self.path}/flush"))

    def test_add(self) -> None:
        """FL-1, RF-6: queue IDs of mail for fast_flush_domains and their subdomains, a line each."""
        self.add(("x.example", "Q1"), ("y.example", "Q2"), ("sub.x.example", "Q3"), ("x.example", "Q4"))
        self.assertEqual(self.files(), ["sub_x_example", "x_example"])
        with open(f"{self.path}/flush/x_example", encoding="ascii") as file:
            self.assertEqual(file.read(), "Q1\nQ4\n")

    def test_take(self) -> None:
        """FL-1: each message once, also those that were just added; then the log is empty."""
        self.add(("x.example", "Q1"), ("x.example", "Q1"))
        self.service.add("x.example", "Q2")
        self.assertEqual(result(self.service.take("x.example")), ["Q1", "Q2"])
        self.assertEqual(result(self.service.take("x.example")), [])

    def test_none(self) -> None:
        """FL-1: a site of which there is no log yet."""
        self.assertEqual(result(self.service.take("x.example")), [])
        self.assertEqual(self.files(), [])

    def test_refused(self) -> None:
        """FL-1: other sites have no log."""
        for site in ("y.example", "", ".x.example"):
            error = self.failureResultOf(self.service.take(site), ValueError)
            self.assertEqual(str(error.value), f'Flush service is not configured for destination "{site}"')

    def test_rubbish(self) -> None:
        """FL-1: what is no queue ID is left out."""
        with open(f"{self.path}/flush/x_example", "wb") as file:
            file.write(b"Q1\n../../etc/passwd\n\xff\nQ2")
        self.assertEqual(result(self.service.take("x.example")), ["Q1", "Q2"])

    def test_refresh(self) -> None:
        """FL-1: a log that nobody asked for is delivered after fast_flush_refresh_time."""
        self.add(("x.example", "Q1"))
        now = self.host.now()
        os.utime(f"{self.path}/flush/x_example", (now, now))
        self.host.clock.advance(1000)
        self.assertEqual(self.queue.asked, [])
        for _ in range(43):
            self.host.clock.advance(1000)
        self.assertEqual(self.queue.asked, ["Q1"])

    def test_purge(self) -> None:
        """FL-1: an empty log is removed after fast_flush_purge_time."""
        with open(f"{self.path}/flush/x_example", "wb"):
            os.utime(f"{self.path}/flush/x_example", (1, 1))
        self.host.clock.advance(1000)
        self.assertEqual(self.files(), [])

    def test_off(self) -> None:
        """FL-1: without fast_flush_domains nothing is kept."""
        host = MemoryHost({"queue_directory": self.path, "fast_flush_domains": ""}, "flush", "flush")
        FlushService(host).add("x.example", "Q1")
        self.assertEqual(host.clock.getDelayedCalls(), [])

    def test_disk(self) -> None:
        """FL-1: a log that cannot be written costs a warning."""
        os.rmdir(f"{self.path}/flush")
        self.add(("x.example", "Q1"))
        self.assertIn("write fast flush logfile x.example", self.host.log.lines[0])

    def test_names(self) -> None:
        """FL-1: file names as Postfix makes them."""
        self.assertEqual(file_name("[192.0.2.1]"), "_192_0_2_1_")
        self.assertEqual(file_name("../x"), "___x")
