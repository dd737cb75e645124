"""Search lists (LK-1, LK-2) and what opens tables (LK-10, LK-12, LK-13)."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.contracts.tables import NO_PROXY, NO_UNAUTH, TableMisconfigured, TableUnavailable
from pytwfix.tables.maps import Maps
from pytwfix.tables.names import balanced, is_table, split_list, split_name
from tests.kit.tables import MemoryTables, SlowTable


class NamesTests(SynchronousTestCase):
    def test_braces_protect(self) -> None:
        """LK-1: a list is separated by commas and white space, `{}` protects."""
        self.assertEqual(split_list("hash:/a,  inline:{ k=v, x=y }\n static:{a b}"), [
            "hash:/a", "inline:{ k=v, x=y }", "static:{a b}",
        ])
        self.assertEqual(split_list(" , "), [])

    def test_names(self) -> None:
        """PM-1: a name without a type gets the default type; a type without a name is an error."""
        self.assertEqual(split_name("/etc/x", "lmdb"), ("lmdb", "/etc/x"))
        self.assertEqual(split_name("socketmap:inet:h:1:n"), ("socketmap", "inet:h:1:n"))
        with self.assertRaises(ValueError):
            split_name("static:")

    def test_balanced(self) -> None:
        self.assertEqual(balanced("{ a {b} }"), ("a {b}", ""))
        self.assertIn("missing '}'", balanced("{a")[1])
        self.assertIn("syntax error after '}'", balanced("{a}b")[1])

    def test_tables_in_match_lists(self) -> None:
        self.assertTrue(is_table("cidr:/x"))
        for word in ("::1", "[::1]/128", "2001:db8::/32", "/etc/x", "example.com"):
            self.assertFalse(is_table(word), word)


class MapsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.tables = MemoryTables()

    def maps(self, names: str) -> Maps:
        return Maps(self.tables, names, "virtual_alias_maps")

    def test_first_hit_wins(self) -> None:
        """LK-1: tables are searched in order."""
        maps = self.maps("inline:{a=1}, inline:{a=2, b=3}")
        self.assertEqual(self.successResultOf(maps.lookup(b"a")), b"1")
        self.assertEqual(self.successResultOf(maps.lookup(b"B")), b"3")
        self.assertIsNone(self.successResultOf(maps.lookup(b"c")))

    def test_empty_list(self) -> None:
        self.assertFalse(self.maps(""))
        self.assertTrue(self.maps("static:x"))

    def test_error_aborts(self) -> None:
        """LK-1: an error ends the search and is logged."""
        maps = self.maps("inline:{a=1}, fail:why, static:x")
        self.assertEqual(self.successResultOf(maps.lookup(b"a")), b"1")
        failure = self.failureResultOf(maps.lookup(b"key"), TableUnavailable)
        self.assertEqual(failure.value.table, "fail:why")
        self.assertIn('warning: fail:why lookup error for "key"', self.tables.log.lines)

    def test_empty_result(self) -> None:
        """LK-1: an empty value is an error."""
        self.failureResultOf(self.maps("inline:{{a=}}").lookup(b"a"), TableMisconfigured)
        self.assertIn("warning: virtual_alias_maps lookup of a returns an empty string result", self.tables.log.lines)

    def test_partial_keys(self) -> None:
        """LK-2: a part of a key is not asked of a pattern table."""
        maps = self.maps("regexp:{{/./ pattern}}, inline:{example.com=fixed}")
        self.assertEqual(self.successResultOf(maps.lookup(b"example.com", True)), b"fixed")
        self.assertEqual(self.successResultOf(maps.lookup(b"example.com")), b"pattern")
        self.assertTrue(maps.fixed)
        self.assertFalse(self.maps("regexp:{{/./ pattern}}").fixed)

    def test_waits_for_slow_tables(self) -> None:
        slow = self.tables.slow["ldap:x"] = SlowTable("ldap:x", {b"k": b"v"})
        maps = self.maps("inline:{a=1} ldap:x")
        self.assertFalse(maps.direct)
        answer = maps.lookup(b"k")
        self.assertNoResult(answer)
        slow.fire()
        self.assertEqual(self.successResultOf(answer), b"v")


class OpenTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.tables = MemoryTables()

    def test_unknown_type(self) -> None:
        """LK-13: an unknown type is a table that fails, said when it is opened and when it is asked."""
        table = self.tables.open("nosuch:x")
        failure = self.failureResultOf(table.lookup(b"a"), TableMisconfigured)
        self.assertEqual(failure.value.reason, "unsupported dictionary type: nosuch")
        self.assertEqual(self.tables.log.lines, [
            "error: unsupported dictionary type: nosuch",
            "warning: nosuch:x is unavailable. unsupported dictionary type: nosuch",
        ])
        self.assertFalse(table.fixed)

    def test_missing_file(self) -> None:
        """LK-13: so is a file that is missing."""
        for name, file in (("hash:/nonexistent/t", "t.db"), ("lmdb:/nonexistent/t", "t.lmdb"),
                           ("cdb:/nonexistent/t", "t.cdb"), ("texthash:/nonexistent/t", "t")):
            failure = self.failureResultOf(self.tables.open(name).lookup(b"a"), TableUnavailable)
            self.assertEqual(failure.value.reason, f"open database /nonexistent/{file}: No such file or directory")

    def test_nis(self) -> None:
        """MT-7, NP-8: warns, and is empty."""
        for kind in ("nis", "nisplus", "netinfo"):
            self.tables.log.lines.clear()
            self.assertIsNone(self.successResultOf(self.tables.open(f"{kind}:mail.aliases").lookup(b"a")))
            self.assertEqual(self.tables.log.lines, [
                "warning: dict_nis_init: NIS domain name not set - NIS lookups disabled"
            ])

    def test_one_table_for_a_name(self) -> None:
        self.assertIs(self.tables.open("static:x"), self.tables.open("static:x"))
        self.assertIsNot(self.tables.open("static:x"), self.tables.open("static:x", 0))

    def test_proxy_and_debug(self) -> None:
        """LK-12: proxy: opens the table itself, debug: logs each question."""
        self.assertEqual(self.successResultOf(self.tables.open("proxy:static:x").lookup(b"a")), b"x")
        self.assertEqual(self.successResultOf(self.tables.open("debug:static:x").lookup(b"a")), b"x")
        self.assertEqual(self.tables.log.lines, ['static:x lookup: "a" = "x"'])

    def test_not_for_sensitive_data(self) -> None:
        """RX-8: no proxy: and no tcp: where another user's rights depend on the answer."""
        for name in ("proxy:static:x", "tcp:localhost:1"):
            failure = self.failureResultOf(self.tables.open(name, NO_PROXY | NO_UNAUTH).lookup(b"a"))
            self.assertIn("map is not allowed for security sensitive data", str(failure.value))

    def test_utf8(self) -> None:
        """LK-10: a key that is not UTF-8 is not found, with a warning; keys are folded as Unicode."""
        table = self.tables.open("inline:{CAFÉ=1}")
        self.assertEqual(self.successResultOf(table.lookup("café".encode())), b"1")
        self.assertIsNone(self.successResultOf(table.lookup(b"caf\xe9")))
        self.assertEqual(self.tables.log.lines, [
            'warning: inline:{CAFÉ=1}: non-UTF-8 key "caf?": malformed UTF-8 or invalid codepoint'
        ])

    def test_value_that_is_not_utf8(self) -> None:
        """LK-10: nor may a value be something else."""
        table = self.tables.open("inline:{a=caf\udce9}")
        self.failureResultOf(table.lookup(b"a"), TableMisconfigured)
        raw = self.tables.open("inline:{a=caf\udce9}", 0)
        self.assertEqual(self.successResultOf(raw.lookup(b"a")), b"caf\xe9")

    def test_writable_in_memory(self) -> None:
        table = self.tables.open_writable("internal:cache")
        self.successResultOf(table.update(b"K", b"v"))
        self.assertEqual(list(table.items()), [(b"k", b"v")])
        self.assertTrue(self.successResultOf(table.delete(b"k")))
        self.assertFalse(self.successResultOf(table.delete(b"k")))
