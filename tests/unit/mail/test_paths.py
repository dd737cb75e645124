"""Paths of MAIL and RCPT, host names, xtext."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.mail import xtext
from pytwfix.mail.hostnames import literal_address, valid_mail_domain, valid_name
from pytwfix.mail.paths import parse_path

# path, address or None, whether strict_rfc821_envelopes takes it too: asked of a running Postfix.
CASES: list[tuple[bytes, bytes | None, bool]] = [
    (b"<a@b.example>", b"a@b.example", True),
    (b"<>", b"", True),
    (b"< a@b.example >", b"a@b.example", True),
    (b"<@r.example:a@b.example>", b"a@b.example", True),
    (b'<"a b"@c.example>', b"a b@c.example", True),
    (b'<"a@b"@c.example>', b"a@b@c.example", True),
    (b"<a . b@c.example>", b"a.b@c.example", True),
    (b"<a\\ b@c.example>", b"a b@c.example", True),
    (b"<a:b@c.example>", b"a:b@c.example", True),
    (b"<<a@b.example>>", b"a@b.example", True),
    (b"<a@[IPv6:::1]>", b"a@[IPv6:::1]", True),
    (b"<a@b.12>", b"a@b.12", True),
    (b"<a.@b.example>", b"a.@b.example", True),
    (b"<a@b@>", b"a@b@", True),
    (b"<@c.example>", b"@c.example", False),
    (b"<@@>", None, False),
    (b"<@a.example:@b.example:x@c.example>", b"@b.example:x@c.example", False),
    (b"<a@b.example.>", b"a@b.example.", True),
    (b"<a@b_c.example>", b"a@b_c.example", True),
    (b"<x!a@c.example>", b"x!a@c.example", True),
    (b"<:include:/x@lab.example>", b":include:/x@lab.example", True),
    ("<jö@b.example>".encode(), "jö@b.example".encode(), True),
    (b"a@b.example", b"a@b.example", False),
    (b'"a b"@c.example', b"a b@c.example", False),
    (b"<a@b.c;>", b"a@b.c", False),
    (b"<x@y.z (a b) >", b"x@y.z", False),
    (b'<""@b.example>', b"@b.example", False),
    (b"<a,b@c.example>", None, False),
    (b"<a;b@c.example>", None, False),
    (b"<a(x)b@c.example>", None, False),
    (b"<a b@c.example>", None, False),
    (b'<a"b c"d@x.y>', None, False),
    (b'<"abc>', None, False),
    (b"<a@[1.2.3]>", None, False),
    (b"<a@127.0.0.1>", None, False),
    (b"<a@12345>", None, False),
    (b"<a@.b>", None, False),
    (b"<a@-b.example>", None, False),
    (b"<a@b..example>", None, False),
    (b"<a@b.example", None, False),
    (b"<a@b.example>junk", None, False),
    (b"<-a@b.example>", None, False),
    (b"<bob@>", None, False),
    ("<a@bücher.example>".encode(), None, False),
    (b"<a@" + b"b" * 64 + b".example>", None, False),
]


class Paths(SynchronousTestCase):
    def test_null_domain(self) -> None:
        """AD-*: resolve_null_domain lets `user@` pass."""
        for path in (b"<u@>", b"<u%h@>"):
            self.assertEqual(path[1:-1], parse_path(path, null=True))
            self.assertIs(None, parse_path(path))

    def test_cases(self) -> None:
        """SD-6, SD-7: what Postfix takes and what it does not."""
        for path, address, strict in CASES:
            self.assertEqual(address, parse_path(path), path)
            self.assertEqual(address if strict else None, parse_path(path, strict=True), path)

    def test_options(self) -> None:
        self.assertEqual("a@bücher.example".encode(), parse_path("<a@bücher.example>".encode(), utf8=True))
        self.assertEqual(b"-a@b.example", parse_path(b"<-a@b.example>", min_user=True))
        self.assertEqual(b"a@127.0.0.1", parse_path(b"<a@127.0.0.1>", numeric=True))


class Hosts(SynchronousTestCase):
    def test_names(self) -> None:
        """SD-27."""
        for name in (b"a", b"a.b", b"a.b.", b"a_b.c", b"1a.2", b"x" * 63):
            self.assertTrue(valid_name(name), name)
        for name in (
            b"",
            b".",
            b"a..b",
            b"-a",
            b"a-",
            b"a.-b",
            b"1.2.3.4",
            b"x" * 64,
            b"a b",
            b"a" * 64 + b".b",
            b"a/b",
        ):
            self.assertFalse(valid_name(name), name)

    def test_literals(self) -> None:
        self.assertEqual(b"192.0.2.1", literal_address(b"[192.0.2.1]"))
        self.assertEqual(b"2001:db8::1", literal_address(b"[IPv6:2001:db8::1]"))
        for text in (b"192.0.2.1", b"[192.0.2.256]", b"[IPv6:zz]", b"[2001:db8::1]", b"[x]"):
            self.assertEqual(b"", literal_address(text), text)
        self.assertTrue(valid_mail_domain(b"[192.0.2.1]"))


class Xtext(SynchronousTestCase):
    def test_round(self) -> None:
        """OB-10: no way to hide a NUL or a line end."""
        self.assertEqual(b"a+b=c d", xtext.decode(xtext.encode(b"a+b=c d")))
        self.assertEqual(b"a+2Bb", xtext.encode(b"a+b"))
        for text in (b"a+ZZ", b"a+0", b"a b", b"a+00b", b"a+0Ab", b"a+0D"):
            self.assertIsNone(xtext.decode(text), text)
