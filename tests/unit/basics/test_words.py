"""Durations, printable text, endpoints, networks, exit codes (MC-7, LG-*, DL-1, MT-4, LK-9)."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.basics import sysexits
from pytwfix.basics.durations import parse_duration
from pytwfix.basics.hostport import HostPort, parse_hostport, split_endpoint
from pytwfix.basics.netblocks import pack, parse_netblock, unpack
from pytwfix.basics.printable import printable, printable_text


class TestDurations(SynchronousTestCase):
    def test_units(self) -> None:
        """MC-7: one unit letter; without one, the default's unit."""
        for text, seconds in (("5s", 5), ("2m", 120), ("1h", 3600), ("3d", 259200), ("1w", 604800), (" 7 ", 7)):
            self.assertEqual(parse_duration(text), seconds)
        self.assertEqual(parse_duration("2", "d"), 172800)
        self.assertEqual(parse_duration("h"), 0)

    def test_bad(self) -> None:
        """MC-7: what is no length of time."""
        for text in ("", "x", "3 parsecs", "1H", "5x", "1.5h", "9999999w", "--1", "\u0663s"):
            self.assertRaises(ValueError, parse_duration, text)


class TestPrintable(SynchronousTestCase):
    def test_ascii(self) -> None:
        """A question mark for each byte that cannot be printed."""
        self.assertEqual(printable(b"a\r\n\x00\x7f\xc3\xa9~ "), "a??????~ ")

    def test_utf8(self) -> None:
        """Well-formed UTF-8 stays, bad bytes and control characters do not."""
        self.assertEqual(printable("é\u0085\n".encode() + b"\xff", utf8=True), "é???")
        self.assertEqual(printable_text("é", utf8=True), "é")


class TestHostPort(SynchronousTestCase):
    def test_forms(self) -> None:
        """host, host:port, [host]:port, [ipv6:addr], a lone port."""
        self.assertEqual(parse_hostport("mx.example:25"), HostPort("mx.example", "25"))
        self.assertEqual(parse_hostport("mx.example", default_port="smtp"), HostPort("mx.example", "smtp"))
        self.assertEqual(parse_hostport("[mx.example]:submission"), HostPort("mx.example", "submission", True))
        self.assertEqual(parse_hostport("[::1]"), HostPort("::1", "", True))
        self.assertEqual(parse_hostport("[IPv6:::1]:25"), HostPort("::1", "25", True))
        self.assertEqual(parse_hostport("10025", default_host="localhost"), HostPort("localhost", "10025"))
        self.assertEqual(parse_hostport(":25", default_host="all"), HostPort("all", "25"))
        self.assertEqual(repr(HostPort("a", "1", True)), "[a]:1")

    def test_bad(self) -> None:
        """What is none of these."""
        for text in ("", "[a", "[a]b", "[]:25", "::1:25", "a:99999", ":25"):
            self.assertRaises(ValueError, parse_hostport, text)

    def test_endpoints(self) -> None:
        """unix: and inet: in front."""
        self.assertEqual(split_endpoint("unix:private/x"), ("unix", "private/x"))
        self.assertEqual(split_endpoint("inet:127.0.0.1:10023"), ("inet", "127.0.0.1:10023"))
        self.assertEqual(split_endpoint("localhost:1"), ("inet", "localhost:1"))


class TestNetblocks(SynchronousTestCase):
    def test_match(self) -> None:
        """DL-1, LK-9: addresses and networks, with and without brackets."""
        for text, inside, outside in (
            ("192.0.2.1", "192.0.2.1", "192.0.2.2"),
            ("192.0.2.0/24", "192.0.2.255", "192.0.3.0"),
            ("0.0.0.0/0", "255.1.2.3", "::1"),
            ("[2001:db8::]/32", "2001:db8:1::1", "2001:db9::1"),
            ("2001:db8::1", "2001:DB8:0::1", "2001:db8::2"),
            ("[::]/0", "::1", "1.2.3.4"),
        ):
            block = parse_netblock(text)
            self.assertTrue(block.matches(inside), text)
            self.assertFalse(block.matches(outside), text)
        self.assertTrue(parse_netblock("192.0.2.0/24").matches("::ffff:192.0.2.7"))
        self.assertFalse(parse_netblock("0.0.0.0/0").matches("unknown"))
        self.assertEqual(str(parse_netblock("[2001:db8::]/32")), "2001:db8::/32")

    def test_host_bits(self) -> None:
        """MT-4: host bits that are set, with the better pattern."""
        error = self.assertRaises(ValueError, parse_netblock, "192.0.2.5/24")
        wanted = 'non-null host address bits in "192.0.2.5/24", perhaps you should use "192.0.2.0/24" instead'
        self.assertEqual(str(error), wanted)

    def test_bad(self) -> None:
        """What is no network."""
        for text in ("", "1.2.3", "1.2.3.4/33", "1.2.3.4/x", "[::1", "::1/129", "host/24", "01.2.3.4"):
            self.assertRaises(ValueError, parse_netblock, text)

    def test_pack(self) -> None:
        """Mapped addresses come out as IPv4."""
        self.assertEqual(pack("::ffff:1.2.3.4"), bytes((1, 2, 3, 4)))
        self.assertEqual(unpack(bytes(15) + b"\1"), "::1")
        self.assertIs(pack("x"), None)


class TestSysexits(SynchronousTestCase):
    def test_texts(self) -> None:
        """The usual words."""
        self.assertEqual(sysexits.text(sysexits.NOUSER), "user unknown")
        self.assertEqual(sysexits.text(1), "")
