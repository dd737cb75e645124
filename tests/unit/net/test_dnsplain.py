"""net/dnsplain.py: what it reads is what dnspython reads, and what is not plain it leaves alone."""

from __future__ import annotations

import random

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.net import dnswire
from pytwfix.net.dnsplain import records
from pytwfix.net.dnswire import NAMES, Malformed, Parsed, Question, parse

_VALUES = {
    "A": ["127.0.0.2", "192.0.2.1", "0.0.0.0"],
    "AAAA": ["2001:db8::1", "fe80::1:0:0:1", "2001:db8:0:0:1::", "::1", "::ffff:192.0.2.1"],
    "PTR": ["mail.example.", "a_b.example.", "x.", "MiXed.Example.", "bad..", "two\\.dots.example.", ".", "-.example."],
    "NS": ["ns1.example.", "ns2.else.where."],
    "MX": ["10 mail.example.", "0 .", "20 a.b.c.d.example.", "65535 under_score.example."],
}
_NAME = "Mail.Example.com"


class Plain(SynchronousTestCase):
    def reply(self, question: Question, *answer: dns.rrset.RRset) -> dns.message.Message:
        made = dns.message.make_response(dns.message.from_wire(question.wire), recursion_available=True)
        made.answer.extend(answer)
        return made

    def both(self, data: bytes, question: Question) -> tuple[Parsed | str, Parsed | str]:
        """What is read, and what dnspython alone reads."""
        found: list[Parsed | str] = []
        for read in (records, lambda data, start, kind: None):
            self.patch(dnswire, "records", read)
            try:
                found.append(parse(data, question))
            except Malformed:
                found.append("malformed")
        self.patch(dnswire, "records", records)
        return found[0], found[1]

    def test_same(self) -> None:
        """SM-3, SD-37: random answers of each type, with other sections, are read alike."""
        chance = random.Random(3)
        plain = 0
        for _ in range(600):
            rtype = chance.choice(sorted(_VALUES))
            question = Question(_NAME, rtype, 77)
            values = [text for text in chance.choices(_VALUES[rtype], k=chance.randint(1, 4)) if ".." not in text]
            made = self.reply(question)
            if values:
                made.answer.append(dns.rrset.from_text(f"{_NAME}.", chance.choice((0, 60, 3600)), "IN", rtype, *values))
            if chance.random() < 0.3:
                made.authority.append(dns.rrset.from_text("example.com.", 60, "IN", "NS", "ns.example."))
                made.additional.append(dns.rrset.from_text("ns.example.", 60, "IN", "A", "192.0.2.1"))
            if chance.random() < 0.2:
                made.flags |= dns.flags.AD
            made.use_edns(0 if chance.random() < 0.5 else False)
            data = made.to_wire()
            plain += records(data, question.end, NAMES[rtype]) is not None
            fast, slow = self.both(data, question)
            self.assertEqual(slow, fast, (rtype, values))
        self.assertGreater(plain, 300)

    def test_damaged(self) -> None:
        """Any octet changed, any length: never an answer that dnspython does not read too, never another error."""
        for rtype in ("A", "MX", "PTR"):
            question = Question(_NAME, rtype, 77)
            answer = dns.rrset.from_text(f"{_NAME}.", 60, "IN", rtype, *_VALUES[rtype][:2])
            good = self.reply(question, answer).to_wire()
            for at in range(4, len(good)):
                for octet in (0, 1, 0x40, 0xC0, 0xFF):
                    data = good[:at] + bytes((octet,)) + good[at + 1 :]
                    if not question.answered_by(data):
                        continue
                    fast, slow = self.both(data, question)
                    if isinstance(slow, Parsed) and isinstance(fast, Parsed):
                        self.assertEqual((slow.rcode, slow.answer), (fast.rcode, fast.answer), (rtype, at, octet))
                    else:
                        self.assertEqual(slow, fast)
            for end in range(question.end, len(good)):
                self.assertIsNone(records(good[:end], question.end, NAMES[rtype]))

    def test_not_plain(self) -> None:
        """Aliases, other types, another owner, an extended code: dnspython's business."""
        question = Question(_NAME, "A", 77)
        alias = dns.rrset.from_text(f"{_NAME}.", 60, "IN", "CNAME", "other.example.")
        address = dns.rrset.from_text("other.example.", 60, "IN", "A", "192.0.2.1")
        for answer in ((alias, address), (address,), (alias,)):
            self.assertIsNone(records(self.reply(question, *answer).to_wire(), question.end, 1))
        bad = self.reply(question, dns.rrset.from_text(f"{_NAME}.", 60, "IN", "A", "192.0.2.1"))
        bad.set_rcode(dns.rcode.BADVERS)
        self.assertIsNone(records(bad.to_wire(), question.end, 1))
