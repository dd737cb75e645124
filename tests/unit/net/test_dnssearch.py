"""The search list (smtp_dns_resolver_options, SM-3), and dnssec_probe."""

from __future__ import annotations

from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.contracts.dns import Answer, NoSuchName, SearchList, TryAgain
from pytwfix.net.dnssearch import HostSearch
from pytwfix.net.dnssec import DnssecProbe
from tests.kit.accepting import ZoneResolver, a
from tests.kit.host import MemoryHost


class SearchedZone(ZoneResolver):
    """A zone with a search list; `validated` is what its answers are."""

    domains: tuple[str, ...] = ("one.example", "two.example")
    validated = False

    def search_list(self) -> Deferred[SearchList]:
        return succeed(SearchList(self.domains))

    def _ask(self, name: str, rtype: str) -> Deferred[Answer]:
        return super()._ask(name, rtype).addCallback(lambda answer: answer._replace(validated=self.validated))


class SearchTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.host = MemoryHost()
        self.zone = self.host.resolver = SearchedZone()

    def asked(self) -> list[str]:
        names = [name for name, _rtype in self.zone.asked]
        self.zone.asked.clear()
        return names

    def none(self, options: str, name: str) -> list[str]:
        error = self.failureResultOf(HostSearch(self.host, options).addresses(name, 2), NoSuchName).value
        self.assertEqual(error.name, name)
        return self.asked()

    def test_order(self) -> None:
        """SM-3: the names that a real Postfix asked for, in its order."""
        both = "res_defnames, res_dnsrch"
        self.assertEqual(self.none(both, "nxd"), ["nxd.one.example", "nxd.two.example", "nxd"])
        self.assertEqual(self.none(both, "a.nxd"), ["a.nxd", "a.nxd.one.example", "a.nxd.two.example"])
        self.assertEqual(self.none("res_defnames", "nxd"), ["nxd.one.example", "nxd"])
        self.assertEqual(self.none("res_defnames", "a.nxd"), ["a.nxd"])
        self.assertEqual(self.none("res_dnsrch", "nxd"), ["nxd"])

    def test_found(self) -> None:
        """The first that is there is the answer."""
        self.zone.zone = {("h.two.example", "A"): [a("192.0.2.1")]}
        answer = self.successResultOf(HostSearch(self.host, "res_defnames res_dnsrch").addresses("h", 2))
        self.assertEqual(answer.records, (a("192.0.2.1"),))

    def test_try_again(self) -> None:
        """A server that fails for one of the names may know it later; told by the name that was asked for."""
        text = (
            "Host or domain name not found. Name service error for name=h.one.example type=A: Host not found, try again"
        )
        self.zone.zone = {("h.one.example", "A"): TryAgain("h.one.example", "A", text)}
        error = self.failureResultOf(HostSearch(self.host, "res_defnames").addresses("h", 2), TryAgain).value
        self.assertIn("name=h type=A", error.text)

    def test_bad_option(self) -> None:
        self.assertRaises(ValueError, HostSearch, self.host, "res_debug")


class TestProbe(SynchronousTestCase):
    def lines(self, validated: bool, probe: str = "ns:.", known: bool = True) -> list[str]:
        host = MemoryHost({"dnssec_probe": probe})
        zone = host.resolver = SearchedZone({(".", "NS"): ["a.root-servers.net"]} if known else {})
        zone.validated = validated
        asker = DnssecProbe(host)
        asker.unvalidated()
        asker.unvalidated()
        return host.log.lines

    def test_unavailable(self) -> None:
        """SM-3: said once, in Postfix's words."""
        head = "warning: DNSSEC validation may be unavailable"
        reason = "warning: reason: dnssec_probe 'ns:.' received a response that is not DNSSEC validated"
        self.assertEqual(self.lines(False), [head, reason])
        self.assertIn("received no response: ", self.lines(False, known=False)[1])

    def test_silent(self) -> None:
        """A resolver that validates, or that is trusted."""
        self.assertEqual(self.lines(True), [])
        self.assertEqual(self.lines(False, ""), [])
        self.assertEqual(self.lines(False, "nonsense"), ["warning: malformed dnssec_probe value: nonsense"])
