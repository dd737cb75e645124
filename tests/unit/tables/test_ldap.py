"""ldap: against the package's own directory in memory (MT-11, NP-5)."""

from __future__ import annotations

import os
from typing import Any

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from pytwfix.contracts.tables import TableMisconfigured, TableUnavailable
from tests.kit.tables import MemoryTables, replace_file

try:
    import ldap3
except ImportError:
    ldap3 = None  # type: ignore[assignment]

PEOPLE = {
    "uid=bob,dc=lab": {"uid": "bob", "cn": "bob", "mail": "bob@d", "fwd": ["b1@x"], "objectClass": "person"},
    "uid=multi,dc=lab": {"uid": "multi", "cn": "multi", "mail": "multi@d", "fwd": ["m1@x", "m2@x"],
                         "objectClass": "person"},
    "uid=star,dc=lab": {"uid": "star", "cn": "star", "mail": "s*(x)@d", "fwd": ["s@x"], "objectClass": "person"},
    "cn=group,dc=lab": {"cn": "group", "member": ["uid=bob,dc=lab", "uid=multi,dc=lab"], "objectClass": "group"},
    "cn=loop,dc=lab": {"cn": "loop", "member": ["cn=loop,dc=lab"], "objectClass": "group"},
}


class LdapTests(SynchronousTestCase):
    def setUp(self) -> None:
        if ldap3 is None:
            raise SkipTest("the package ldap3 is not installed")
        self.tables = MemoryTables()
        self.config = os.path.abspath(self.mktemp())

    def table(self, text: str) -> Any:
        replace_file(self.config, f"search_base = dc=lab\n{text}\n".encode())
        table: Any = self.tables.driver(f"ldap:{self.config}")
        self.patch(table._servers, "_bound", self.directory)
        return table

    def directory(self, url: str) -> Any:
        connection = ldap3.Connection(ldap3.Server(url), client_strategy=ldap3.MOCK_SYNC, check_names=False)
        for dn, attributes in PEOPLE.items():
            connection.strategy.add_entry(dn, attributes)  # type: ignore[attr-defined]
        connection.open()
        connection.bind()
        return connection

    def test_lookup(self) -> None:
        """MT-11, NP-5: values in the server's order; the key is escaped."""
        table = self.table("query_filter = (mail=%s)\nresult_attribute = fwd")
        self.assertEqual([table.get(key) for key in (b"BOB@d", b"multi@d", b"s*(x)@d", b"none@d", b"*", b"")],
                         [b"b1@x", b"m1@x,m2@x", b"s@x", None, None, None])
        self.assertTrue(table.fixed)
        table.close()

    def test_groups(self) -> None:
        """NP-5: special_result_attribute is followed, leaf and terminal attributes."""
        group = "query_filter = (cn=%u)\nspecial_result_attribute = member\n"
        self.assertEqual(self.table(group + "result_attribute = mail").get(b"group"), b"bob@d,multi@d")
        leaf = self.table(group + "result_attribute = cn\nleaf_result_attribute = mail").get(b"group")
        self.assertEqual(sorted((leaf or b"").split(b",")), [b"bob", b"bob@d", b"group", b"multi", b"multi@d"])
        terminal = "query_filter = (mail=%s)\nterminal_result_attribute = uid\nresult_attribute = fwd"
        self.assertEqual(self.table(terminal).get(b"bob@d"), b"bob")

    def test_limits(self) -> None:
        """MT-8, NP-5: expansion_limit and recursion_limit are errors."""
        table = self.table("query_filter = (mail=%s)\nresult_attribute = fwd\nexpansion_limit = 1")
        self.assertEqual(table.get(b"bob@d"), b"b1@x")
        self.assertRaises(TableUnavailable, table.get, b"multi@d")
        loop = self.table("query_filter = (cn=%s)\nspecial_result_attribute = member\nrecursion_limit = 5")
        self.assertRaises(TableUnavailable, loop.get, b"loop")

    def test_formats(self) -> None:
        table = self.table("query_filter = (mail=%s)\nresult_attribute = fwd\nresult_format = %U+%s\ndomain = d")
        self.assertEqual([table.get(b"bob@d"), table.get(b"bob@e"), table.get(b"bob")], [b"bob+b1@x", None, None])
        self.assertFalse(table.fixed)

    def test_errors(self) -> None:
        self.assertRaises(TableUnavailable, self.table("query_filter = (mail=%s\nresult_attribute = fwd").get, b"a@d")
        self.assertRaises(TableMisconfigured, self.table, "recursion_limit = 0")
        self.assertRaises(TableMisconfigured, self.table, "bind = odd")
        self.assertRaises(TableMisconfigured, self.table, "server_host = gopher://localhost")
        self.assertRaises(TableMisconfigured, self.table, "query_filter = (mail=%q)")
        replace_file(self.config, b"server_host = ldap://127.0.0.1:1\ntimeout = 1\n")
        self.assertRaises(TableUnavailable, self.tables.driver(f"ldap:{self.config}").get, b"a")

    def test_escaping(self) -> None:
        from pytwfix.tables.ldap import escape_dn, escape_filter

        self.assertEqual(escape_filter(b"a*(b)\\\0"), b"a\\2A\\28b\\29\\5C\\00")
        self.assertEqual(escape_dn(b"a,b"), b"a\\,b")


class LdapUrlTests(SynchronousTestCase):
    """NP-5: URLs in attributes and referrals (RFC 4516)."""

    def setUp(self) -> None:
        if ldap3 is None:
            raise SkipTest("the package ldap3 is not installed")

    def test_parts(self) -> None:
        from pytwfix.tables.ldapurl import LdapUrl, is_url

        url = LdapUrl.parse("ldap://host:1/ou=a%2Cb,dc=lab?Mail,cn?ONE?(uid=%28x%29)")
        self.assertEqual(url, ("ou=a,b,dc=lab", ["mail", "cn"], ldap3.LEVEL, True, "(uid=(x))"))
        self.assertEqual(LdapUrl.parse("ldap:///dc=lab"), ("dc=lab", [], ldap3.BASE, False, ""))
        self.assertRaises(ValueError, LdapUrl.parse, "ldap:///dc=lab??wide")
        self.assertEqual([is_url(text) for text in ("LDAPI://x", "cn=ldap://x", "http://x")], [True, False, False])

    def test_attributes(self) -> None:
        """NP-5: what a URL names narrows the table's attributes; an option on either side counts."""
        from pytwfix.tables.ldapurl import LdapUrl

        def select(named: str, *wanted: str) -> list[str]:
            return LdapUrl.parse(f"ldap:///dc=lab?{named}").select(list(wanted))

        self.assertEqual(select("", "mail", "cn"), ["mail", "cn"])
        self.assertEqual(select("*", "mail"), ["mail"])
        self.assertEqual(select("cn,sn", "mail", "cn"), ["cn"])
        self.assertEqual(select("sn", "mail"), [])
        self.assertEqual(select("mail;lang-de", "mail"), ["mail;lang-de"])
        self.assertEqual(select("mail", "mail;lang-de"), ["mail;lang-de"])
        self.assertEqual(select("mail;lang-de", "mail;lang-en"), [])


class FailureTests(SynchronousTestCase):
    def test_words(self) -> None:
        """MT-11: results are logged in the words that OpenLDAP's library, and so Postfix, has for them."""
        if ldap3 is None:
            raise SkipTest("the package ldap3 is not installed")
        from pytwfix.tables.ldapservers import Failure

        words = {
            "sizeLimitExceeded": "Size limit exceeded", "invalidDNSyntax": "Invalid DN syntax", "referral": "Referral",
            "invalidCredentials": "Invalid credentials", "unwillingToPerform": "Server is unwilling to perform",
        }  # fmt: skip
        for name, said in words.items():
            self.assertEqual(Failure.of_result({"result": 4, "description": name}), (4, said))
        self.assertEqual(Failure.of_error(TimeoutError("x")), (-5, "Timed out"))
