"""An SMTP or LMTP client on a network in memory, with one server that is there from the start."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.contracts.delivery import BUSY, DeliveryResult
from pytwfix.deliver.smtp.service import SmtpAgent
from tests.kit.accepting import ZoneResolver
from tests.kit.delivering import MemoryReports, delivery
from tests.kit.host import MemoryHost
from tests.kit.smtpnet import MemoryNet, SmtpServer

RELAY = "[192.0.2.10]:25"


class SmtpCase(SynchronousTestCase):
    """One agent on one network; server 192.0.2.10 is there from the start."""

    lmtp = False
    busy = True  # the queue manager says that more mail for the destination is coming

    def setUp(self) -> None:
        self.net = MemoryNet()
        self.reports = MemoryReports()
        self.server = SmtpServer()
        self.net.servers[("192.0.2.10", 25)] = lambda: self.server
        self.agent: Any = None
        self.begin()

    def begin(self, **main: str) -> None:
        program = "lmtp" if self.lmtp else "smtp"
        main = {"inet_interfaces": "127.0.0.1", **main}
        self.host = MemoryHost(main, program, program, clock=self.net, reports=self.reports)
        self.host.resolver = ZoneResolver()
        self.agent = SmtpAgent(self.host, self.lmtp)

    def deliver(self, *recipients: Any, nexthop: str = RELAY, **more: Any) -> DeliveryResult:
        done = self.start(*recipients, nexthop=nexthop, **more)
        self.net.settle()
        result: DeliveryResult = self.successResultOf(done)
        return result

    def start(self, *recipients: Any, nexthop: str = RELAY, **more: Any) -> Any:
        more["flags"] = more.get("flags", 0) | (BUSY if self.busy else 0)
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

    def logged(self, text: str) -> None:
        self.assertTrue(any(text in line for line in self.log), self.log)

    def never_logged(self, text: str) -> None:
        self.assertFalse(any(text in line for line in self.log), self.log)

    def listens(self, address: str, port: int = 25, **replies: Any) -> SmtpServer:
        """Another server; it answers every connection to its place."""
        server = SmtpServer(**replies)
        self.net.servers[(address, port)] = lambda: server
        return server

    def wait(self, seconds: float) -> None:
        self.net.advance(seconds)
        self.net.settle()
