"""Questions to a name server on this machine whose socket is open: the short way must say what the long one says."""

from __future__ import annotations

from typing import Any

from pytwfix.contracts.dns import TryAgain
from pytwfix.net.dns import Resolver
from pytwfix.net.dnsconfig import Config, Server
from tests.kit.host import MemoryLog, SeededRandom
from tests.kit.nameserver import NameServer, UdpClock
from tests.unit.net import test_dns
from tests.unit.net.test_dns import ZONE

_NEAR = "127.0.0.53"


class Warm:
    """Its socket has been opened by an earlier question, and stays open."""

    def setUp(self) -> None:
        self.server = NameServer(ZONE)
        self.net = UdpClock({_NEAR: self.server})
        self.log = MemoryLog()
        self.make(Config((Server(_NEAR),)))

    def make(self, config: Config) -> None:
        servers = tuple(Server(_NEAR) if one.address == "192.0.2.53" else one for one in config.servers)
        config = config._replace(servers=servers)
        self.resolver = Resolver(self.net, SeededRandom(), self.net.seconds, config=config, log=self.log, linger=1e6)
        self.resolver.ask("warm.example", "A").addErrback(lambda _: None)
        self.net.advance(0)
        self.server.asked.clear()
        self.net.sent.clear()

    def ask(self, name: str, rtype: str) -> Any:
        out: list[Any] = []
        self.resolver.ask(name, rtype).addCallbacks(out.append, lambda failure: out.append(failure.value))
        for _ in range(10):
            self.net.advance(0)
        assert len(out) == 1, out
        return out[0]


class TestRecords(Warm, test_dns.TestRecords):
    """SM-3."""


class TestFailures(Warm, test_dns.TestFailures):
    """SM-3, SD-36."""


class TestSpoofs(Warm, test_dns.TestSpoofs):
    """RFC 5452."""


class TestCache(Warm, test_dns.TestCache):
    """RFC 2308."""

    def test_bounded(self) -> None:
        """It makes a resolver of its own, which has asked nothing yet."""
        self.net.servers["192.0.2.53"] = self.server
        super().test_bounded()


class TestServers(Warm, test_dns.DnsTestCase):
    """What is not plain is asked on as if the first answer had come the long way."""

    def setUp(self) -> None:
        super().setUp()
        self.other = NameServer(ZONE)
        self.net.servers["192.0.2.2"] = self.other
        self.make(Config((Server(_NEAR), Server("192.0.2.2")), timeout=5.0, attempts=2))

    def test_plain(self) -> None:
        """No coroutine is made for it."""
        self.resolver._work = self.fail  # type: ignore[method-assign,assignment]
        self.assertEqual(len(self.ask("a.example", "A").records), 2)
        self.assertEqual(type(self.ask("gone.example", "A")).__name__, "NoSuchName")

    def test_defect(self) -> None:
        """A defect of ours leaves nobody waiting, and is told."""
        from pytwfix.net import dns

        def broken(*_: object) -> None:
            raise ZeroDivisionError("no")

        self.patch(dns, "parse", broken)
        self.assertIs(type(self.ask("a.example", "A")), TryAgain)
        self.assertIn("ZeroDivisionError", "".join(self.log.lines))

    def test_failing(self) -> None:
        """SERVFAIL: the next one is asked, and this one not again."""
        self.server.rcodes["a.example"] = 2
        self.assertEqual(len(self.ask("a.example", "A").records), 2)
        self.assertEqual([where for _, where in self.net.sent], [_NEAR, "192.0.2.2"])
        self.other.rcodes["a.example"] = 2
        self.resolver._cache.clear()
        self.net.sent.clear()
        self.assertIs(type(self.ask("a.example", "A")), TryAgain)
        self.assertEqual(len(self.net.sent), 2)

    def test_silent(self) -> None:
        """After its time the next one is asked; then it goes last, as after any timeout."""
        self.server.silent.add("a.example")
        call = self.resolver.addresses("a.example", 2)
        self.net.advance(4.9)
        self.assertEqual(len(self.net.sent), 1)
        self.net.advance(0.1)
        self.net.advance(0)
        self.successResultOf(call)
        self.resolver.mx("a.example")
        self.assertEqual([where for _, where in self.net.sent], [_NEAR, "192.0.2.2", "192.0.2.2"])
        self.net.advance(0)

    def test_all_silent(self) -> None:
        """As often and as long as the long way: every server twice, the second time longer."""
        self.server.silent.add("a.example")
        self.other.silent.add("a.example")
        call = self.resolver.addresses("a.example", 2)
        self.net.pump([1] * 29)
        self.assertNoResult(call)
        self.net.advance(1)
        self.failureResultOf(call, TryAgain)
        self.assertEqual([when for when, _ in self.net.sent], [0, 5, 10, 20])

    def test_several_times(self) -> None:
        """One timer serves all questions, whichever ends first."""
        self.server.silent.update(("a.example", "b.example"))
        self.other.silent.update(("a.example", "b.example"))
        self.resolver.addresses("a.example", 2).addErrback(lambda _: None)
        self.net.advance(3)
        self.resolver.addresses("b.example", 2).addErrback(lambda _: None)
        self.net.pump([0.5] * 20)
        self.assertEqual([when for when, _ in self.net.sent][:4], [0, 3, 5, 8])
        self.net.pump([1] * 60)
        self.assertEqual(self.resolver._waiting, {})
