"""The SMTP client as a whole, over a network in memory."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.contracts.delivery import DeliveryResult
from pytwfix.deliver.smtp.service import SmtpAgent
from tests.kit.accepting import ZoneResolver
from tests.kit.delivering import MemoryReports, delivery
from tests.kit.host import MemoryHost
from tests.kit.smtpnet import MemoryNet, SmtpServer

RELAY = "[192.0.2.10]:25"


class SmtpCase(SynchronousTestCase):
    """One agent on one network; server 192.0.2.10 is there from the start."""

    lmtp = False

    def setUp(self) -> None:
        self.net = MemoryNet()
        self.reports = MemoryReports()
        self.server = SmtpServer()
        self.net.servers[("192.0.2.10", 25)] = lambda: self.server
        self.agent: Any = None
        self.begin()

    def begin(self, **main: str) -> None:
        program = "lmtp" if self.lmtp else "smtp"
        self.host = MemoryHost(main, program, program, clock=self.net, reports=self.reports)
        self.host.resolver = ZoneResolver()
        self.agent = SmtpAgent(self.host, self.lmtp)

    def deliver(self, *recipients: Any, nexthop: str = RELAY, **more: Any) -> DeliveryResult:
        done = self.start(*recipients, nexthop=nexthop, **more)
        self.net.settle()
        result: DeliveryResult = self.successResultOf(done)
        return result

    def start(self, *recipients: Any, nexthop: str = RELAY, **more: Any) -> Any:
        self.request = delivery(*(recipients or (b"u@dest.example",)), nexthop=nexthop, **more)
        self.request.times.arrival = self.request.times.active = self.request.times.handoff = self.host.now()
        return self.agent.deliver(self.request)

    @property
    def log(self) -> list[str]:
        return self.host.log.lines

    def ends(self) -> list[str]:
        """The delivery lines without times."""
        found = []
        for line in self.log:
            if ": to=<" in line:
                found.append(line[line.index("to=<") : line.index(", delay=")] + line[line.index(", dsn=") :])
        return found


class DeliveryTests(SmtpCase):
    def test_one_mail(self) -> None:
        """SM-6, LG-10: commands leave in one write, content in another."""
        result = self.deliver()
        self.assertEqual(result.deferred, [])
        self.assertEqual(
            self.server.writes[1],
            b"MAIL FROM:<a@b.example> SIZE=30\r\nRCPT TO:<u@dest.example>\r\nDATA\r\n",
        )
        self.assertEqual(len(self.server.writes), 3)
        self.assertEqual(self.server.mails, [self.request.message.content])
        self.assertEqual(
            self.ends(),
            [
                "to=<u@dest.example>, relay=192.0.2.10[192.0.2.10]:25, dsn=2.0.0, "
                "status=sent (250 2.0.0 Ok: queued as 4711)"
            ],
        )
        self.assertTrue(self.request.recipients[0].done)
