"""mail/mtasts.py: RFC 8461, with the examples of its sections 3 and 4."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.mail.mtasts import LONGEST, StsPolicy, parse_policy, record_id

GOOD = "version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.example.net\r\nmax_age: 604800\r\n"


class Records(SynchronousTestCase):
    def test_id(self) -> None:
        """RFC 8461 section 3.1."""
        for text in ("v=STSv1; id=20160831085700Z;", "v=STSv1;id=20160831085700Z", "v=STSv1 ; x=y; id=20160831085700Z"):
            self.assertEqual("20160831085700Z", record_id([text]), text)
            self.assertEqual("20160831085700Z", record_id(["v=spf1 -all", text]), text)

    def test_none(self) -> None:
        """Others, none, two, or one without a good id: there is no policy."""
        good = "v=STSv1; id=1;"
        bad = "v=STSv1; id=" + "1" * 33
        for texts in ([], ["v=spf1 -all"], [good, good], ["v=STSv1;"], ["v=STSv1; id=a-b"], ["v=STSv2; id=1"], [bad]):
            self.assertIsNone(record_id(texts), texts)


class Policies(SynchronousTestCase):
    def test_good(self) -> None:
        """RFC 8461 section 3.2."""
        policy = parse_policy(GOOD)
        self.assertEqual(("enforce", ("mail.example.com", "*.example.net"), 604800), policy[:3])
        self.assertEqual("version: STSv1", policy.lines[0])
        self.assertEqual(policy, parse_policy(GOOD.replace("\r\n", "\n")))

    def test_unknown_and_repeated(self) -> None:
        """What we do not know is passed over; of a field that comes twice the first counts."""
        policy = parse_policy(GOOD + "mode: none\r\nfuture: x y z\r\n")
        self.assertEqual("enforce", policy.mode)

    def test_none_needs_no_mx(self) -> None:
        self.assertEqual(("none", (), 60), parse_policy("version: STSv1\nmode: none\nmax_age: 60\n")[:3])

    def test_longest(self) -> None:
        self.assertEqual(LONGEST, parse_policy(GOOD.replace("604800", "9999999999")).max_age)

    def test_bad(self) -> None:
        """Each says what is wrong."""
        for old, new, reason in (
            ("STSv1", "STSv2", "version"),
            ("version: STSv1\r\n", "", "version"),
            ("enforce", "always", "unknown mode: always"),
            ("mode: enforce\r\n", "", "no mode"),
            ("604800", "soon", "bad max_age: soon"),
            ("604800", "-1", "bad max_age"),
            ("max_age: 604800\r\n", "", "no max_age"),
            ("mail.example.com", "mail.*.com", "bad mx"),
            ("mail.example.com", "mail_1 example", "bad mx"),
            ("mx: mail.example.com\r\nmx: *.example.net\r\n", "", "names no mx"),
            ("mode", "<html>", "not a field"),
        ):
            error = self.assertRaises(ValueError, parse_policy, GOOD.replace(old, new))
            self.assertIn(reason, str(error))

    def test_names(self) -> None:
        """RFC 8461 section 4.1: `*` is one label, at the left."""
        policy = StsPolicy("enforce", ("mail.example.com", "*.example.net"), 1)
        for host in ("mail.example.com", "MAIL.example.com.", "a.example.net"):
            self.assertTrue(policy.names(host), host)
        for host in ("example.com", "x.mail.example.com", "example.net", "a.b.example.net", "mail.example.com.evil"):
            self.assertFalse(policy.names(host), host)
