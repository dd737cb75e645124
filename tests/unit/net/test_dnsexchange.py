"""The resolver over real sockets on loopback: datagrams, TCP for what is truncated, resolv.conf from a file (SM-3)."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from pytwfix.basics.disk import Disk
from pytwfix.contracts.dns import TryAgain
from pytwfix.net.dns import Resolver
from pytwfix.net.dnsconfig import Config, Server
from tests.kit.host import InstantThreads, SeededRandom
from tests.kit.nameserver import NameServer


class TestSockets(TestCase):
    def setUp(self) -> None:
        from twisted.internet import reactor

        self.reactor: Any = reactor
        self.server = NameServer({("a.example", "TXT"): [f'"{number:0200}"' for number in range(20)]})
        port = self.server.listen(reactor)
        self.addCleanup(self.server.stop)
        self.resolver = self.make(Config((Server("127.0.0.1", port),), timeout=5.0))

    def make(self, config: Config) -> Resolver:
        return Resolver(self.reactor, SeededRandom(), self.reactor.seconds, config=config)

    async def _truncated(self) -> None:
        self.server.truncated.add("a.example")
        answer = await self.resolver.txt("a.example")
        self.assertEqual(len(answer.records), 20)
        self.assertEqual([over for _, _, over in self.server.asked], ["udp", "tcp"])

    def test_truncated(self) -> Deferred[None]:
        """A truncated answer is asked for over TCP."""
        return Deferred.fromCoroutine(self._truncated())

    async def _nobody(self) -> None:
        await self.server.stop()
        self.server.listen(self.reactor)  # for the clean-up
        resolver = self.make(Config((Server("127.0.0.1", 1),), timeout=5.0))
        await self.assertFailure(resolver.txt("a.example"), TryAgain)
        resolver = self.make(Config((Server("127.0.0.1", 1),), timeout=5.0, tcp=True))
        await self.assertFailure(resolver.txt("a.example"), TryAgain)

    def test_nobody(self) -> Deferred[None]:
        """Nobody listens: refused at once, UDP and TCP."""
        return Deferred.fromCoroutine(self._nobody())

    async def _from_file(self) -> None:
        path = self.mktemp()
        with open(path, "w") as file:
            file.write("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        seconds = self.reactor.seconds
        resolver = Resolver(
            self.reactor, SeededRandom(), seconds, InstantThreads(), Disk(), path=path, domain="d.example"
        )
        config = await resolver.config()
        self.assertEqual((config.timeout, config.search), (1.0, ("d.example",)))

    def test_from_file(self) -> Deferred[None]:
        """resolv.conf is read when it is needed."""
        return Deferred.fromCoroutine(self._from_file())
