"""Lists of strings, domains and networks (LK-8, LK-9, DL-1 to DL-3)."""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.contracts.tables import DEFAULT_FLAGS, PARENT, TableError
from pytwfix.tables.matchlists import AddressList, DomainList, StringList
from tests.kit.tables import MemoryTables, SlowTable


class MatchListTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.tables = MemoryTables()

    def test_strings(self) -> None:
        """DL-2: exact, whatever the case; bytes or text."""
        strings = StringList(self.tables, "example.com, Host.Example inline:{t.example=x}", "mydestination")
        for name, verdict in ((b"EXAMPLE.com", True), ("host.example", True), (b"a.example.com", False),
                              (b"T.example", True), (b"", False)):
            self.assertIs(strings.match_now(name), verdict, name)
            self.assertIs(self.successResultOf(strings.match(name)), verdict)

    def test_negation(self) -> None:
        """DL-2: the first match decides."""
        strings = StringList(self.tables, "!a.example, a.example b.example", "list")
        self.assertIs(strings.match_now(b"a.example"), False)
        self.assertIs(strings.match_now(b"b.example"), True)

    def test_file(self) -> None:
        """DL-2: a file's content stands in its place, turned round by `!`."""
        path = self.mktemp()
        with open(path, "w") as file:
            file.write("# comment\na.example b.example\n !c.example\n")
        strings = StringList(self.tables, f"{os.path.abspath(path)} d.example", "list")
        for name, verdict in ((b"b.example", True), (b"c.example", False), (b"d.example", True)):
            self.assertIs(strings.match_now(name), verdict, name)
        negated = StringList(self.tables, f"!{os.path.abspath(path)} d.example", "list")
        self.assertIs(negated.match_now(b"a.example"), False)
        self.assertIs(negated.match_now(b"c.example"), True)

    def test_missing_file(self) -> None:
        strings = StringList(self.tables, "a.example /nonexistent/file", "list")
        self.assertIs(strings.match_now(b"a.example"), True)
        self.assertEqual(self.tables.log.lines, ["error: open file /nonexistent/file: No such file or directory"])
        self.failureResultOf(strings.match(b"b.example"), TableError)
        self.assertRaises(TableError, strings.match_now, b"b.example")

    def test_failing_table(self) -> None:
        """LK-1: an error of a table is the list's error, and logged."""
        strings = StringList(self.tables, "a.example fail:x", "relay_domains")
        self.assertIs(strings.match_now(b"a.example"), True)
        self.failureResultOf(strings.match(b"b.example"), TableError)
        self.assertEqual(self.tables.log.lines, ["warning: relay_domains: fail:x: table lookup problem"])

    def test_domains(self) -> None:
        """DL-3, LK-8: `.dom` matches subdomains; `dom` does so too when the list is a parent list."""
        plain = DomainList(self.tables, "a.example .b.example inline:{.c.example=x}", "relay_domains")
        parent = DomainList(self.tables, "a.example inline:{c.example=x}", "relay_domains", DEFAULT_FLAGS | PARENT)
        for name, expected in ((b"a.example", True), (b"x.a.example", False), (b"x.y.b.example", True),
                               (b"b.example", False), (b"x.c.example", True), (b"c.example", False)):
            self.assertIs(plain.match_now(name), expected, name)
        for name, expected in ((b"a.example", True), (b"x.a.example", True), (b"xa.example", False),
                               (b"x.c.example", True), (b"c.example", True)):
            self.assertIs(parent.match_now(name), expected, name)

    def test_addresses(self) -> None:
        """DL-1, LK-9: addresses, networks, names, tables; a hit's value does not count."""
        text = "!10.1.0.0/16, 10.0.0.0/8 [::1]/128 2001:db8::/32 .example.com 192.0.2.7 cidr:{{203.0.113.0/24 REJECT}}"
        networks = AddressList(self.tables, text, "mynetworks")
        for name, address, expected in (
            ("x", "10.1.2.3", False), ("x", "10.2.2.3", True), ("x", "::1", True), ("x", "2001:db8:1::5", True),
            ("x", "::2", False), ("a.example.com", "1.1.1.1", True), ("example.com", "1.1.1.1", False),
            ("unknown", "192.0.2.7", True), ("unknown", "203.0.113.9", True), ("unknown", "203.0.114.9", False),
            ("", "", False),
        ):
            self.assertIs(networks.match_now(name, address), expected, (name, address))
            self.assertIs(self.successResultOf(networks.match(name.encode(), address.encode())), expected)

    def test_bad_network(self) -> None:
        """DL-1: a bad pattern makes the list fail, with a warning."""
        networks = AddressList(self.tables, "127.0.0.1 10.0.0.1/8", "mynetworks")
        self.assertIs(networks.match_now("", "127.0.0.1"), True)
        self.assertRaises(TableError, networks.match_now, "", "10.0.0.1")
        self.assertEqual(self.tables.log.lines, [
            'warning: mynetworks: non-null host address bits in "10.0.0.1/8", '
            'perhaps you should use "10.0.0.0/8" instead'
        ])

    def test_waits(self) -> None:
        slow = self.tables.slow["ldap:x"] = SlowTable("ldap:x", {b"b.example": b"1"})
        strings = StringList(self.tables, "a.example ldap:x", "list")
        self.assertIsNone(strings.match_now(b"a.example"))
        answer = strings.match(b"B.example")
        self.assertNoResult(answer)
        slow.fire()
        self.assertIs(self.successResultOf(answer), True)

    def test_empty(self) -> None:
        empty = AddressList(self.tables, "", "mynetworks")
        self.assertFalse(empty)
        self.assertIs(empty.match_now("a", "1.2.3.4"), False)
