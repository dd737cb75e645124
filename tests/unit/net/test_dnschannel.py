"""One socket for all questions to a name server on this machine."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, gatherResults
from twisted.trial.unittest import SynchronousTestCase, TestCase

from pytwfix.contracts.dns import Address, Answer, TryAgain
from pytwfix.net.dns import Resolver
from pytwfix.net.dnschannel import is_loopback
from pytwfix.net.dnsconfig import Config, Server
from tests.kit.host import SeededRandom
from tests.kit.nameserver import NameServer, UdpClock

ZONE = {(f"h{number}.example", "A"): [f"192.0.2.{number}"] for number in range(100)}


def first(answer: Answer) -> str:
    """The first address."""
    record = answer.records[0]
    assert isinstance(record, Address)
    return record.address


class OneSocket(SynchronousTestCase):
    def make(self, address: str, linger: float = 5.0) -> tuple[UdpClock, Resolver]:
        clock = UdpClock({address: NameServer(ZONE)})
        config = Config((Server(address, 53),), timeout=2.0, attempts=1)
        return clock, Resolver(clock, SeededRandom(), clock.seconds, config=config, linger=linger)

    def test_shared(self) -> None:
        """RFC 5452: one port for a server on loopback, one each for any other."""
        for address, ports in (("127.0.0.1", 1), ("::1", 1), ("192.0.2.53", 100)):
            clock, resolver = self.make(address)
            answers = [resolver.addresses(f"h{number}.example", 2) for number in range(100)]
            self.assertEqual(ports, clock.open)
            clock.advance(0)
            found = [first(self.successResultOf(answer)) for answer in answers]
            self.assertEqual([f"192.0.2.{number}" for number in range(100)], found)

    def test_rest(self) -> None:
        """The socket is closed when nobody has needed it, and opened again."""
        clock, resolver = self.make("127.0.0.1")
        for _ in range(2):
            resolver.addresses("h1.example", 2)
            clock.advance(0)
            self.assertEqual(1, clock.open)
            clock.advance(5)
            self.assertEqual(0, clock.open)
            resolver._cache.clear()

    def test_refused(self) -> None:
        """Nobody listens: all who wait hear of it."""
        clock, resolver = self.make("127.0.0.1")
        clock.refusing.add("127.0.0.1")
        answers = [resolver.addresses(f"h{number}.example", 2) for number in range(3)]
        clock.advance(0)
        for answer in answers:
            self.failureResultOf(answer, TryAgain)

    def test_silence(self) -> None:
        """An answer that does not come is not waited for longer than the others."""
        clock, resolver = self.make("127.0.0.1")
        clock.servers.clear()
        answer = resolver.addresses("h1.example", 2)
        clock.advance(2)
        self.failureResultOf(answer, TryAgain)

    def test_many(self) -> None:
        """Beyond 200 questions under way each has a port of its own again."""
        clock, resolver = self.make("127.0.0.1")
        clock.servers.clear()
        for number in range(250):
            resolver.ask(f"n{number}.example", "A")
        self.assertEqual(51, clock.open)

    def test_loopback(self) -> None:
        for address, near in {"127.0.0.53": True, "::1": True, "10.0.0.1": False, "2001:db8::1": False}.items():
            self.assertEqual(near, is_loopback(address))


class RealSocket(TestCase):
    def setUp(self) -> None:
        from twisted.internet import reactor

        self.server = NameServer(ZONE)
        port = self.server.listen(reactor)
        self.addCleanup(self.server.stop)
        self.reactor: Any = reactor
        self.resolver = Resolver(
            reactor, SeededRandom(), self.reactor.seconds, config=Config((Server("127.0.0.1", port),), timeout=5.0)
        )

    def test_answers(self) -> Deferred[Any]:
        """Each question gets its own answer, in any order."""
        asked = [self.resolver.addresses(f"h{number}.example", 2) for number in range(99, -1, -1)]
        done = gatherResults(asked)

        def check(answers: list[Any]) -> None:
            found = [first(answer) for answer in answers]
            self.assertEqual([f"192.0.2.{number}" for number in range(99, -1, -1)], found)

        return done.addCallback(check)
