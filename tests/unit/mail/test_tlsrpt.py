"""mail/tlsrpt.py: RFC 8460 sections 3, 4 and 5 (TL-10)."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.mail.tlsrpt import (
    KINDS,
    MOST_DETAILS,
    MOST_POLICIES,
    RESULTS,
    Applied,
    Detail,
    Sender,
    Tally,
    applied_of,
    file_name,
    line,
    parse_line,
    parse_record,
    report,
    shortened,
)

SENDER = Sender("Company-X", "sts-reporting@company-x.example", "mail.company-x.example")
DAY = 1459468800  # 2016-04-01, as in the RFC's example

texts = st.text(max_size=20)
applied = st.builds(
    Applied,
    st.sampled_from(sorted(KINDS)),
    st.lists(texts, max_size=3).map(tuple),
    st.lists(texts, max_size=2).map(tuple),
)
details = st.builds(Detail, st.sampled_from(sorted(RESULTS)), texts, texts, texts, texts)
sessions = st.lists(st.tuples(applied, st.none() | details), max_size=20)


def tally_of(events: list[tuple[Applied, Detail | None]]) -> Tally:
    made = Tally()
    for policy, failure in events:
        if failure is None:
            made.count(policy).successes += 1
        else:
            made.count(policy).fail(failure)
    return made


class Records(SynchronousTestCase):
    """RFC 8460 section 3."""

    def test_good(self) -> None:
        for text, places in (
            ("v=TLSRPTv1;rua=mailto:reports@example.com", ("mailto:reports@example.com",)),
            ("v=TLSRPTv1; rua=https://reporting.example.com/v1/tlsrpt;", ("https://reporting.example.com/v1/tlsrpt",)),
            (
                "v=TLSRPTv1 ; x=y; rua=mailto:a@b.example , https://c.example/",
                ("mailto:a@b.example", "https://c.example/"),
            ),
            ("v=TLSRPTv1; rua=ftp://a.example,MAILTO:a@b.example", ("MAILTO:a@b.example",)),
        ):
            self.assertEqual(places, parse_record(["v=spf1 -all", text]), text)

    def test_none(self) -> None:
        """No record, two of them, another version, nowhere that we could go."""
        good = "v=TLSRPTv1; rua=mailto:a@b.example"
        bad = (
            "v=TLSRPTv1", "v=TLSRPTv1;", "v=TLSRPTv2; rua=mailto:a@b.example", "v=TLSRPTv1; rua=mailto:\r\n@b.example",
            "v=TLSRPTv1; rua=http://a.example/", "v=TLSRPTv1; rua=mailto:" + "a" * 1000,
        )  # fmt: skip
        for found in ([], [good, good], *([one] for one in bad)):
            self.assertEqual((), parse_record(found), found)

    def test_many(self) -> None:
        """A domain does not make us send mail to half the world."""
        places = ",".join(f"mailto:a{number}@b.example" for number in range(50))
        self.assertEqual(4, len(parse_record([f"v=TLSRPTv1; rua={places}"])))


class Lines(SynchronousTestCase):
    @given(sessions)
    def test_there_and_back(self, events: list[tuple[Applied, Detail | None]]) -> None:
        """What was written is what is read."""
        tally = tally_of(events)
        text = line("dest.example", ["mailto:a@b.example"], tally)
        self.assertNotIn("\n", text)
        domain, places, found = parse_line(text)
        self.assertEqual(("dest.example", ("mailto:a@b.example",)), (domain, places))
        self.assertEqual(report("d", tally, 0, 1, SENDER), report("d", found, 0, 1, SENDER))

    @given(sessions, st.integers(0, 20))
    def test_sum(self, events: list[tuple[Applied, Detail | None]], at: int) -> None:
        """However sessions are shared out among processes, the report is the same."""
        whole, parts = tally_of(events), Tally()
        for some in (events[:at], events[at:]):
            parts.add(parse_line(line("d", [], tally_of(some)))[2])
        self.assertEqual(report("d", whole, 0, 1, SENDER), report("d", parts, 0, 1, SENDER))

    @given(st.integers(0, 200))
    def test_cut_off(self, size: int) -> None:
        """What a crash has left of a line is none."""
        tally = tally_of([(Applied(), None), (Applied(), Detail("certificate-expired", "c", "i", "h", "r"))])
        text = line("dest.example", ["mailto:a@b.example"], tally)
        if size < len(text):
            self.assertRaises(ValueError, parse_line, text[:size])

    def test_nonsense(self) -> None:
        for text in (
            "{}", "[]", "3", "null", '["d",[],[["other",[],[],1,0,[]]]]', '["d",[],[["sts",[],[],-1,0,[]]]]',
            '["d",[],[["sts",[],[],true,0,[]]]]', '["d","x",[]]', '[1,[],[]]', '["d",[],[["sts","x",[],1,0,[]]]]',
            '["d",[],[["sts",[],[],0,0,[["other","","","","",1]]]]]', "[" * 100000,
        ):  # fmt: skip
            self.assertRaises(ValueError, parse_line, text)

    def test_bounds(self) -> None:
        """Failures and policies beyond the bounds are counted, not told apart."""
        tally = Tally()
        for number in range(MOST_DETAILS + 7):
            tally.count(Applied()).fail(Detail("validation-failure", str(number)))
        for number in range(MOST_POLICIES + 7):
            tally.count(Applied("sts", (str(number),))).successes += 1
        made = report("d", tally, 0, 1, SENDER)["policies"]
        summaries = [one["summary"] for one in made]
        self.assertEqual(MOST_POLICIES + 7, sum(one["total-successful-session-count"] for one in summaries))
        self.assertEqual(MOST_DETAILS + 7, sum(one["total-failure-session-count"] for one in summaries))
        self.assertLessEqual(len(made), MOST_POLICIES + 1)
        self.assertEqual(MOST_DETAILS, max(len(one.get("failure-details", ())) for one in made))

    def test_texts(self) -> None:
        """What others say has a length, and no line ends."""
        self.assertEqual("a b", shortened("a\nb\r"))
        self.assertEqual(200, len(shortened("x" * 1000)))
        self.assertEqual(2, len(applied_of("sts", ["x" * 8000] * 9).strings))


class Reports(SynchronousTestCase):
    def test_example(self) -> None:
        """RFC 8460 appendix B, without what we do not know."""
        policy = Applied(
            "sts",
            ("version: STSv1", "mode: testing", "mx: *.mail.company-y.example", "max_age: 86400"),
            ("*.mail.company-y.example",),
        )
        tally = Tally()
        count = tally.count(policy)
        count.successes = 5326
        expired = Detail("certificate-expired", "", "2001:db8:abcd:0012::1", "mx1.mail.company-y.example")
        count.fail(expired, 100)
        refused = Detail(
            "starttls-not-supported", "", "2001:db8:abcd:0013::1", "mx2.mail.company-y.example", "203.0.113.56"
        )
        count.fail(refused, 200)
        failed = Detail("validation-failure", "X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED", "198.51.100.62",
                        "mx-backup.mail.company-y.example", "203.0.113.58")  # fmt: skip
        count.fail(failed, 3)
        made = report("company-y.example", tally, DAY, DAY + 86399, SENDER)
        self.assertEqual(
            {
                "organization-name": "Company-X",
                "date-range": {"start-datetime": "2016-04-01T00:00:00Z", "end-datetime": "2016-04-01T23:59:59Z"},
                "contact-info": "sts-reporting@company-x.example",
                "report-id": "20160401000000.company-y.example@mail.company-x.example",
                "policies": [
                    {
                        "policy": {
                            "policy-type": "sts",
                            "policy-string": [
                                "version: STSv1", "mode: testing", "mx: *.mail.company-y.example", "max_age: 86400",
                            ],
                            "policy-domain": "company-y.example",
                            "mx-host": ["*.mail.company-y.example"],
                        },
                        "summary": {"total-successful-session-count": 5326, "total-failure-session-count": 303},
                        "failure-details": [
                            {
                                "result-type": "certificate-expired",
                                "sending-mta-ip": "2001:db8:abcd:0012::1",
                                "receiving-mx-hostname": "mx1.mail.company-y.example",
                                "failed-session-count": 100,
                            },
                            {
                                "result-type": "starttls-not-supported",
                                "sending-mta-ip": "2001:db8:abcd:0013::1",
                                "receiving-mx-hostname": "mx2.mail.company-y.example",
                                "receiving-ip": "203.0.113.56",
                                "failed-session-count": 200,
                            },
                            {
                                "result-type": "validation-failure",
                                "sending-mta-ip": "198.51.100.62",
                                "receiving-ip": "203.0.113.58",
                                "receiving-mx-hostname": "mx-backup.mail.company-y.example",
                                "failed-session-count": 3,
                                "failure-reason-code": "X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED",
                            },
                        ],
                    }
                ],
            },
            json.loads(json.dumps(made)),
        )  # fmt: skip

    def test_name(self) -> None:
        """Section 5.1."""
        name = file_name("company-y.example", DAY, DAY + 86399, SENDER)
        self.assertEqual("mail.company-x.example!company-y.example!1459468800!1459555199.json", name)

    def test_long_names(self) -> None:
        """A file's name has a limit; domains that differ keep names that differ."""
        long = Sender("X", "x@x.example", ".".join(["x" * 60] * 4))
        names = {file_name(".".join(["d" * 60] * 4) + end, DAY, DAY + 86399, long) for end in ("a", "b")}
        self.assertEqual(2, len(names))
        self.assertLess(max(map(len, names)), 200)
