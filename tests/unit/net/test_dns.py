"""The resolver against name servers in memory (SM-3, SD-36): failures, order of servers, times, cache, spoofing."""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.contracts.dns import MX, SRV, TLSA, Address, Answer, BadAnswer, DnsError, NoData, NoSuchName, TryAgain
from pytwfix.net.dns import Resolver
from pytwfix.net.dnsconfig import Config, Server
from tests.kit.host import MemoryLog, SeededRandom
from tests.kit.nameserver import NameServer, UdpClock, Zone

ZONE: Zone = {
    ("a.example", "A"): ["192.0.2.1", "192.0.2.2"],
    ("a.example", "AAAA"): ["2001:db8::1"],
    ("a.example", "MX"): ["20 b.example.", "10 a.example."],
    ("null.example", "MX"): ["0 ."],
    ("bad.example", "MX"): ["10 bad\\032host.example."],
    ("half.example", "MX"): ["10 -x.example.", "20 a.example."],
    ("alias.example", "CNAME"): ["other.example."],
    ("other.example", "CNAME"): ["a.example."],
    ("nowhere.example", "CNAME"): ["gone.example."],
    ("a.example", "TXT"): ['"one " "two"', '"tab\\009"'],
    ("_25._tcp.a.example", "TLSA"): ["3 1 1 " + "00ff" * 16],
    ("_s._tcp.a.example", "SRV"): ["1 2 25 a.example."],
    ("a.example", "NS"): ["ns.example."],
    ("1.2.0.192.in-addr.arpa", "PTR"): ["a.example."],
    (".", "NS"): ["a.root-servers.net."],
}


class DnsTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.server = NameServer(ZONE)
        self.net = UdpClock({"192.0.2.53": self.server})
        self.log = MemoryLog()
        self.make(Config((Server("192.0.2.53"),)))

    def make(self, config: Config) -> None:
        self.resolver = Resolver(self.net, SeededRandom(), self.net.seconds, config=config, log=self.log)

    def ask(self, name: str, rtype: str) -> Any:
        """The answer or the failure, without time passing."""
        out: list[Any] = []
        self.resolver.ask(name, rtype).addCallbacks(out.append, lambda failure: out.append(failure.value))
        for _ in range(10):
            self.net.advance(0)
        self.assertEqual(len(out), 1)
        self.assertEqual(self.net.open, 0)
        self.assertEqual(self.net.getDelayedCalls(), [])
        return out[0]

    def fails(self, kind: type[DnsError], name: str, rtype: str) -> str:
        error = self.ask(name, rtype)
        self.assertIs(type(error), kind)
        text: str = error.text
        return text


class TestRecords(DnsTestCase):
    def test_addresses(self) -> None:
        """SM-3: both families, in the server's order, with lifetime and the text for reply filters."""
        answer = self.ask("a.example", "A")
        self.assertEqual(answer.records, (Address(2, "192.0.2.1"), Address(2, "192.0.2.2")))
        self.assertEqual((answer.validated, answer.ttl, answer.name), (False, 60, "a.example"))
        self.assertEqual(answer.texts[0], "a.example. 60 IN A 192.0.2.1")
        answer = self.ask("a.example", "AAAA")
        self.assertEqual(answer.records, (Address(socket.AF_INET6, "2001:db8::1"),))

    def test_other_types(self) -> None:
        """SM-3, SD-36: MX, SRV, TLSA, TXT, NS, PTR, the root."""
        self.assertEqual(self.ask("a.example", "MX").records, (MX(20, "b.example"), MX(10, "a.example")))
        self.assertEqual(self.ask("_s._tcp.a.example", "SRV").records, (SRV(1, 2, 25, "a.example"),))
        self.assertEqual(self.ask("_25._tcp.a.example", "TLSA").records, (TLSA(3, 1, 1, b"\x00\xff" * 16),))
        self.assertEqual(self.ask("a.example", "TXT").records, ("one two", "tab?"))
        self.assertEqual(self.ask("a.example", "NS").records, ("ns.example",))
        self.assertEqual(self.ask("1.2.0.192.in-addr.arpa", "PTR").records, ("a.example",))
        self.assertEqual(self.ask(".", "NS").records, ("a.root-servers.net",))

    def test_methods(self) -> None:
        """contracts/dns.py: each method asks for its type."""
        resolver = self.resolver
        for call in (
            resolver.mx("a.example"), resolver.addresses("a.example", 2), resolver.addresses("a.example", 10),
            resolver.tlsa("_25._tcp.a.example"), resolver.txt("a.example"), resolver.srv("_s._tcp.a.example"),
            resolver.ns("a.example"), resolver.cname("alias.example"), resolver.ptr("192.0.2.1"),
        ):  # fmt: skip
            self.net.advance(0)
            self.successResultOf(call)
        asked = ["MX", "A", "AAAA", "TLSA", "TXT", "SRV", "NS", "CNAME", "PTR"]
        self.assertEqual([rtype for _name, rtype, _over in self.server.asked], asked)
        self.failureResultOf(resolver.ptr("nonsense"), NoSuchName)

    def test_null_mx(self) -> None:
        """SM-3: a null MX is MX(0, "")."""
        self.assertEqual(self.ask("null.example", "MX").records, (MX(0, ""),))

    def test_validated(self) -> None:
        """SM-3: the AD bit, which the question asks for."""
        self.server.validated = True
        self.assertTrue(self.ask("a.example", "A").validated)

    def test_cname(self) -> None:
        """CNAMEs in the answer: the last name, the smallest lifetime."""
        answer = self.ask("alias.example", "A")
        self.assertEqual((answer.name, answer.ttl, len(answer.records)), ("a.example", 40, 2))

    def test_cname_asked_on(self) -> None:
        """CNAMEs that the server does not follow are asked for one by one."""
        self.server.chase = False
        self.assertEqual(self.ask("alias.example", "A").name, "a.example")
        self.assertEqual([name for name, _, _ in self.server.asked], ["alias.example", "other.example", "a.example"])

    def test_cname_circle(self) -> None:
        """A circle ends."""
        self.server.zone = {("x.example", "CNAME"): ["y.example."], ("y.example", "CNAME"): ["x.example."]}
        self.server.chase = False
        self.fails(TryAgain, "x.example", "A")


class TestFailures(DnsTestCase):
    def test_words(self) -> None:
        """SM-3: no such name, no data, try again, as Postfix words them."""
        head = "Host or domain name not found. Name service error for name="
        self.server.rcodes = {"servfail.example": 2, "refused.example": 5, "formerr.example": 1}
        for kind, name, words in (
            (NoSuchName, "gone.example", "Host not found"),
            (NoData, "null.example", "Host found but no data record of requested type"),
            (TryAgain, "servfail.example", "Host not found, try again"),
            (TryAgain, "refused.example", "Host not found, try again"),
            (BadAnswer, "formerr.example", "Non-recoverable error"),
            (NoSuchName, "nowhere.example", "Host not found"),
        ):
            self.assertEqual(self.fails(kind, name, "A"), f"{head}{name} type=A: {words}")

    def test_invalid_name(self) -> None:
        """What is no host name is not asked for."""
        for name in ("bad..name", "-x.example", "192.0.2.1", "", "x" * 64 + ".example", "a b"):
            text = self.fails(NoSuchName, name, "A")
            self.assertIn(f"Name service error for {name}: invalid host or domain name", text)
        self.assertEqual(self.server.asked, [])

    def test_malformed_host(self) -> None:
        """SM-3: host names that are none are left out; nothing left is a bad answer."""
        text = self.fails(BadAnswer, "bad.example", "MX")
        self.assertEqual(
            text, "Name service error for name=bad.example type=MX: Malformed or unexpected name server reply"
        )
        warning = "warning: malformed domain name in resource data of MX record for bad.example: bad\\032host.example"
        self.assertEqual(self.log.lines, [warning])
        self.assertEqual(self.ask("half.example", "MX").records, (MX(20, "a.example"),))

    def test_malformed_record(self) -> None:
        """A record that cannot be read may be better next time."""
        self.server.zone = {("x.example", "A"): ["192.0.2.1"]}
        self.server.mangle = lambda data: [data.replace(b"\0\4\xc0\0\2\1", b"\0\2\xc0\0")]
        text = self.fails(TryAgain, "x.example", "A")
        self.assertIn("Malformed or unexpected name server reply", text)

    def test_edns_unknown(self) -> None:
        """A server that does not know EDNS is asked without."""
        plain = self.server.answers

        def answers(data: bytes, over: str) -> list[bytes]:
            if data[11]:
                return [data[:2] + b"\x81\x81" + b"\0" * 8]
            return plain(data, over)

        self.server.answers = answers  # type: ignore[method-assign]
        self.assertEqual(len(self.ask("a.example", "A").records), 2)


class TestServers(DnsTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.make(Config((Server("192.0.2.1"), Server("192.0.2.53")), timeout=5.0, attempts=2))

    def test_refused_at_once(self) -> None:
        """A server that is not there is no reason to wait."""
        self.net.refusing.add("192.0.2.1")
        self.assertEqual(len(self.ask("a.example", "A").records), 2)
        self.assertEqual(self.net.sent, [(0, "192.0.2.1"), (0, "192.0.2.53")])

    def test_silent(self) -> None:
        """After the timeout the next one is asked; the silent one goes last for a while."""
        first = self.resolver.addresses("a.example", 2)
        self.net.advance(5)
        self.net.advance(0)
        self.successResultOf(first)
        second = self.resolver.mx("a.example")
        self.net.advance(0)
        self.successResultOf(second)
        self.assertEqual(self.net.sent, [(0, "192.0.2.1"), (5, "192.0.2.53"), (5, "192.0.2.53")])
        self.net.advance(30)
        third = self.resolver.txt("a.example")
        self.assertEqual(self.net.sent[-1], (35, "192.0.2.1"))
        third.cancel()
        self.failureResultOf(third, CancelledError)
        self.net.advance(5)
        self.net.advance(0)

    def test_all_silent(self) -> None:
        """Every server twice, the second time longer, then try again."""
        self.server.silent.add("a.example")
        call = self.resolver.addresses("a.example", 2)
        self.net.pump([1] * 29)
        self.assertNoResult(call)
        self.net.advance(1)
        error = self.failureResultOf(call, TryAgain).value
        self.assertIn("Host not found, try again", error.text)
        self.assertEqual([when for when, _ in self.net.sent], [0, 5, 10, 20])
        self.assertEqual(self.net.open, 0)

    def test_failing(self) -> None:
        """SERVFAIL: the next server may know; who has spoken is not asked again."""
        other = NameServer({})
        other.rcodes["a.example"] = 2
        self.net.servers["192.0.2.1"] = other
        self.assertEqual(len(self.ask("a.example", "A").records), 2)
        self.server.rcodes["b.example"] = other.rcodes["b.example"] = 2
        self.net.sent.clear()
        self.fails(TryAgain, "b.example", "A")
        self.assertEqual(len(self.net.sent), 2)


class TestSpoofs(DnsTestCase):
    def test_ignored(self) -> None:
        """RFC 5452: a wrong ID, another question, a question, rubbish; then the true answer."""

        def mangle(data: bytes) -> list[bytes]:
            evil = data.replace(b"\xc0\0\2", b"\6\6\6")
            wrong_id = bytes((evil[0] ^ 1,)) + evil[1:]
            other = evil.replace(b"\1a\7example", b"\1b\7example")
            query = evil[:2] + b"\1\0" + evil[4:]
            return [b"", b"\0", wrong_id, other, query, data]

        self.server.mangle = mangle
        self.assertEqual(self.ask("a.example", "A").records[0], Address(2, "192.0.2.1"))

    def test_rubbish(self) -> None:
        """Right ID and question, nothing else: as good as no answer, and no exception in the log."""
        self.server.mangle = lambda data: [data[:14] + b"\xff" * 9, data[:40]]
        call = self.resolver.addresses("a.example", 2)
        self.net.pump([1] * 40)
        self.failureResultOf(call, TryAgain)
        self.assertEqual(self.log.lines, [])


class TestCache(DnsTestCase):
    def test_lifetime(self) -> None:
        """Kept as long as the record lives, whatever the case of the name."""
        self.ask("a.example", "A")
        self.ask("A.Example", "A")
        self.assertEqual(len(self.server.asked), 1)
        self.net.advance(60)
        self.ask("a.example", "A")
        self.assertEqual(len(self.server.asked), 2)

    def test_negative(self) -> None:
        """RFC 2308: "there is none" is kept as long as the SOA says; each caller gets an exception of his own."""
        one, two = self.ask("gone.example", "A"), self.ask("gone.example", "A")
        self.assertEqual((len(self.server.asked), one.ttl), (1, 30))
        self.assertIsNot(one, two)
        self.assertEqual(one.text, two.text)
        self.net.advance(30)
        self.ask("gone.example", "A")
        self.assertEqual(len(self.server.asked), 2)

    def test_failures_not_kept(self) -> None:
        """A server's failure is asked about again."""
        self.server.rcodes["a.example"] = 2
        self.fails(TryAgain, "a.example", "A")
        self.server.rcodes.clear()
        self.assertIsInstance(self.ask("a.example", "A"), Answer)

    def test_under_way(self) -> None:
        """Equal questions are one; a caller that gives up does not take the others along."""
        calls: list[Deferred[Answer]] = [self.resolver.addresses("a.example", 2) for _ in range(3)]
        calls[0].cancel()
        self.failureResultOf(calls[0], CancelledError)
        self.net.advance(0)
        self.assertEqual(self.successResultOf(calls[1]), self.successResultOf(calls[2]))
        self.assertEqual(len(self.server.asked), 1)

    def test_bounded(self) -> None:
        """The cache has a limit."""
        self.resolver = Resolver(
            self.net, SeededRandom(), self.net.seconds, config=Config((Server("192.0.2.53"),)), cache_size=10
        )
        for number in range(50):
            self.ask(f"{number}x.example", "A")
        self.assertLessEqual(len(self.resolver._cache._items), 10)
        self.assertEqual(self.fails(NoSuchName, "49x.example", "A")[:4], "Host")
        self.assertEqual(len(self.server.asked), 50)

    def test_reload(self) -> None:
        """A reload forgets."""
        self.ask("a.example", "A")
        self.successResultOf(self.resolver.reload())
        self.ask("a.example", "A")
        self.assertEqual(len(self.server.asked), 2)
