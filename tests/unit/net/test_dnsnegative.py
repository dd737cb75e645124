"""net/dnsnegative.py: what it reads is what dnspython reads, and what is not plain it leaves alone."""

from __future__ import annotations

import random

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rrset
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.net import dnswire
from pytwfix.net.dnsnegative import lifetime
from pytwfix.net.dnswire import NXDOMAIN, Malformed, Parsed, Question, parse

_SOA = "ns.example. root.example. 1 3600 600 86400 {minimum}"


class Negative(SynchronousTestCase):
    def setUp(self) -> None:
        self.question = Question("2.0.0.127.bl.example", "A", 77)

    def reply(self, *authority: dns.rrset.RRset, rcode: int = NXDOMAIN, edns: bool = True) -> dns.message.Message:
        asked = dns.message.from_wire(self.question.wire)
        made = dns.message.make_response(asked, recursion_available=True)
        made.use_edns(0 if edns else False)
        made.set_rcode(dns.rcode.Rcode(rcode))
        made.authority.extend(authority)
        return made

    @staticmethod
    def soa(ttl: int = 300, minimum: int = 30, owner: str = "bl.example.") -> dns.rrset.RRset:
        return dns.rrset.from_text(owner, ttl, "IN", "SOA", _SOA.format(minimum=minimum))

    def both(self, data: bytes) -> tuple[Parsed | str, Parsed | str]:
        """What is read, and what dnspython alone reads."""
        found: list[Parsed | str] = []
        for slow in (False, True):
            if slow:
                self.patch(dnswire, "lifetime", lambda data, start: None)
            try:
                found.append(parse(data, self.question))
            except Malformed:
                found.append("malformed")
        self.patch(dnswire, "lifetime", lifetime)
        return found[0], found[1]

    def test_plain(self) -> None:
        """RFC 2308 section 5: the smaller of the record's TTL and its MINIMUM."""
        for rcode in (0, NXDOMAIN):
            for edns in (True, False):
                for authority, seconds in (((), 0), ((self.soa(),), 30), ((self.soa(20),), 20)):
                    data = self.reply(*authority, rcode=rcode, edns=edns).to_wire()
                    self.assertEqual(seconds, lifetime(data, self.question.end))
                    fast, slow = self.both(data)
                    self.assertEqual(slow, fast)

    def test_not_plain(self) -> None:
        """Other records, more of them, an extended code: dnspython's business."""
        ns = dns.rrset.from_text("bl.example.", 60, "IN", "NS", "ns.example.")
        for authority in ((ns,), (self.soa(), ns)):
            self.assertIsNone(lifetime(self.reply(*authority).to_wire(), self.question.end))
        bad = self.reply(self.soa())
        bad.set_rcode(dns.rcode.BADVERS)
        self.assertIsNone(lifetime(bad.to_wire(), self.question.end))
        more = self.reply(self.soa(), edns=False)
        more.additional.append(dns.rrset.from_text("ns.example.", 60, "IN", "A", "192.0.2.1"))
        self.assertIsNone(lifetime(more.to_wire(), self.question.end))

    def test_damaged(self) -> None:
        """Whatever was done to an answer, nothing raises but Malformed, and what is read is what dnspython reads."""
        chance = random.Random(26)
        whole = self.reply(self.soa()).to_wire()
        for _ in range(3000):
            data = bytearray(whole)
            for _ in range(chance.randrange(1, 4)):
                data[chance.randrange(self.question.end, len(data))] = chance.randrange(256)
            if chance.random() < 0.3:
                del data[chance.randrange(self.question.end, len(data)) :]
            fast, slow = self.both(bytes(data))
            if isinstance(slow, Parsed) and not slow.broken:
                self.assertEqual(slow, fast, bytes(data))
            else:
                self.assertTrue(isinstance(fast, str) or fast.answer is None)
