"""The SMTP client on loopback: a host with the real reactor, and the scripted server on a port of its own, with TLS."""

from __future__ import annotations

import tempfile
import time
from typing import Any

from OpenSSL import SSL, crypto
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory
from twisted.internet.ssl import ContextFactory
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from pytwfix.contracts.delivery import BUSY, DeliveryRequest, DeliveryResult
from pytwfix.deliver.smtp.service import SmtpAgent
from tests.kit.accepting import ZoneResolver
from tests.kit.certificates import authority, leaf
from tests.kit.delivering import MemoryReports, delivery
from tests.kit.host import MemoryHost
from tests.kit.smtpnet import SmtpServer


class LoopbackHost(MemoryHost):
    """MemoryHost, but with a real reactor and real time."""

    def __init__(self, reactor: Any, main: dict[str, str], program: str, **peers: Any) -> None:
        super().__init__(main, program, program, **peers)
        self.reactor = reactor

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    def call_later(self, seconds: float, function: Any, *args: Any) -> Any:
        return self.reactor.callLater(seconds, function, *args)


class ServerContext(ContextFactory):
    """A server's certificate for these names, by this authority."""

    def __init__(self, *names: str, by: str = "Test CA", days: int = 36500) -> None:
        certificate, key = leaf(*names, by=by, days=days)
        context = SSL.Context(SSL.TLS_METHOD)
        context.use_certificate(crypto.load_certificate(crypto.FILETYPE_PEM, certificate))
        context.use_privatekey(crypto.load_privatekey(crypto.FILETYPE_PEM, key))
        context.set_tlsext_servername_callback(self._named)
        self.asked: list[bytes | None] = []
        self._context = context

    def _named(self, connection: SSL.Connection) -> None:
        self.asked.append(connection.get_servername())

    def getContext(self) -> SSL.Context:
        return self._context


class Servers(Factory):
    noisy = False

    def __init__(self, case: LoopbackCase) -> None:
        self._case = case

    def buildProtocol(self, addr: Any) -> SmtpServer:
        server = SmtpServer(**self._case.replies)
        self._case.made.append(server)
        return server


class LoopbackCase(TestCase):
    """One server at `self.place`; `replies` is what it says, STARTTLS uses `self.context`."""

    timeout = 20

    def setUp(self) -> None:
        from twisted.internet import reactor

        self.reactor: Any = reactor
        self.made: list[SmtpServer] = []
        self.replies: dict[str, Any] = {}
        self.context = ServerContext("mx.dest.example")
        servers: Any = Servers(self)
        port: Any = self.reactor.listenTCP(0, servers, interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        self.port = port.getHost().port
        self.place = f"[127.0.0.1]:{self.port}"
        self.host: LoopbackHost
        self.agent: SmtpAgent | None = None

    def offer_tls(self) -> None:
        """STARTTLS as it should be."""

        def start(server: SmtpServer) -> None:
            server.transport.write(b"220 2.0.0 go\r\n")
            server.transport.startTLS(self.context)
            server.replies["EHLO"] = b"250-mx.dest.example\r\n250 PIPELINING\r\n"

        self.replies.update(EHLO=b"250-mx.dest.example\r\n250-STARTTLS\r\n250 PIPELINING\r\n", STARTTLS=start)

    def begin(self, **main: str) -> None:
        base = {"inet_interfaces": "127.0.0.1", "smtp_tls_loglevel": "1", "compatibility_level": "3.11"}
        self.host = LoopbackHost(self.reactor, {**base, **main}, "smtp", reports=MemoryReports())
        self.host.resolver = ZoneResolver()
        self.agent = SmtpAgent(self.host)
        self.addCleanup(self._end, self.agent)

    async def _ended(self, agent: SmtpAgent) -> None:
        agent.stopService()
        for _ in range(200):
            if all(server.gone for server in self.made):
                return
            await deferLater(self.reactor, 0.01)

    def _end(self, agent: SmtpAgent) -> Deferred[None]:
        return Deferred.fromCoroutine(self._ended(agent))

    async def deliver(self, nexthop: str = "", age: float = 0, sendopts: int = 0, **more: Any) -> DeliveryResult:
        more["flags"] = more.get("flags", 0) | BUSY  # more is coming: sessions are kept
        self.request: DeliveryRequest = delivery(b"u@dest.example", nexthop=nexthop or self.place, **more)
        times = self.request.times
        times.arrival = times.active = times.handoff = self.host.now()
        times.arrival -= age
        self.request.envelope.sendopts = sendopts
        assert self.agent is not None
        return await self.agent.deliver(self.request)

    def trust(self, name: str = "Test CA") -> str:
        """A file with the authority."""
        path = tempfile.mktemp(dir=self.mktemp_folder())
        with open(path, "wb") as file:
            file.write(authority(name))
        return path

    def mktemp_folder(self) -> str:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        return folder.name

    def logged(self, text: str) -> None:
        self.assertTrue(any(text in line for line in self.host.log.lines), self.host.log.lines)
