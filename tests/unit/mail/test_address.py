"""Parts of addresses (INVENTORY AD-3)."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.mail import address
from pytwfix.mail.quoting import external_form, internal_form


class Parts(SynchronousTestCase):
    def test_split_is_at_the_last_at(self) -> None:
        self.assertEqual(address.split_address(b"a@b@example.org"), (b"a@b", b"example.org"))
        self.assertEqual(address.split_address(b"local"), (b"local", b""))
        self.assertEqual(address.domain_part(b"a@Example.ORG"), b"example.org")
        self.assertEqual(address.lower_domain(b"Aa@Bb"), b"Aa@bb")
        self.assertEqual(address.local_part(b"x@y"), b"x")

    def test_literals(self) -> None:
        self.assertTrue(address.is_literal(b"[192.0.2.1]"))
        self.assertTrue(address.is_literal(b"[IPv6:2001:db8::1]"))
        self.assertFalse(address.is_literal(b"example.org"))

    def test_extension(self) -> None:
        """AD-3: the first delimiter of the set ends the user."""
        self.assertEqual(address.split_extension(b"user+a-b", b"+-"), (b"user", b"+a-b"))
        self.assertEqual(address.split_extension(b"us-er+a", b"+-"), (b"us", b"-er+a"))
        self.assertEqual(address.split_extension(b"+x", b"+"), (b"+x", b""))
        self.assertEqual(address.split_extension(b"user", b"+"), (b"user", b""))
        self.assertEqual(address.split_extension(b"user+x", b""), (b"user+x", b""))
        self.assertEqual(address.without_extension(b"user+x@example.org", b"+"), b"user@example.org")

    def test_extension_exceptions(self) -> None:
        """AD-3: owner- and -request with `-`, and the system's own names."""
        self.assertEqual(address.split_extension(b"owner-list", b"-"), (b"owner-list", b""))
        self.assertEqual(address.split_extension(b"list-request", b"-"), (b"list-request", b""))
        self.assertEqual(address.split_extension(b"list-request", b"-", False), (b"list", b"-request"))
        self.assertEqual(address.split_extension(b"Mailer-Daemon", b"-"), (b"Mailer-Daemon", b""))
        self.assertEqual(address.split_extension(b"double-bounce", b"-"), (b"double-bounce", b""))


class Quotes(SynchronousTestCase):
    def test_there_and_back(self) -> None:
        for internal in (b"a b@x", b'q"u\\o@x', b"a@b@x", b".a@x", b"plain@x", b"nodomain", b""):
            self.assertEqual(internal_form(external_form(internal)), internal)

    def test_bad_quotes_stay(self) -> None:
        self.assertEqual(internal_form(b'"open@x'), b'"open@x')
        self.assertEqual(internal_form(b"a\\ b@x"), b"a b@x")
