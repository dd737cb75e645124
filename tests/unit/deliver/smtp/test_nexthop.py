"""What a nexthop names (SM-2)."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.deliver.smtp.nexthop import Destination, known_ports, parse_destination, port_number, split_nexthop


class NextHop(SynchronousTestCase):
    def test_forms(self) -> None:
        """SM-2: with and without MX, port, brackets; LMTP never asks for MX."""
        for text, host, port, mx in (
            ("a.example", "a.example", "smtp", True),
            ("a.example:587", "a.example", "587", True),
            ("[a.example]", "a.example", "smtp", False),
            ("[192.0.2.1]:2525", "192.0.2.1", "2525", False),
            ("[IPv6:2001:db8::1]:25", "2001:db8::1", "25", False),
            ("inet:a.example:24", "a.example", "24", True),
        ):
            found = parse_destination(text, "smtp", False)
            self.assertEqual((found.text, found.host, found.port, found.mx), (text, host, port, mx))
            self.assertFalse(parse_destination(text, "smtp", True).mx)
        self.assertEqual(
            parse_destination("unix:private/x", "24", True), Destination("unix:private/x", path="private/x")
        )

    def test_mistakes(self) -> None:
        for text in ("[a", "[]", "2001:db8::1", "a:99999"):
            self.assertRaises(ValueError, parse_destination, text, "smtp", False)

    def test_lists(self) -> None:
        self.assertEqual(split_nexthop("a, b c"), ["a", "b", "c"])
        self.assertEqual(split_nexthop("unix:/a b"), ["unix:/a b"])

    def test_ports(self) -> None:
        """known_tcp_ports."""
        known = known_ports("lmtp=24, smtps=submissions=465, x=y")
        self.assertEqual(known, {"lmtp": 24, "smtps": 465, "submissions": 465})
        self.assertEqual([port_number(text, known) for text in ("26", "SMTPS", "nobody")], [26, 465, 0])
