"""Address lists, taken apart and put together."""

from __future__ import annotations

import time

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.mail.addresslist import parse, render, tokens
from pytwfix.mail.quoting import external_form, quoted_local

PIECES = [
    b"a",
    b"@",
    b"b.c",
    b" ",
    b",",
    b";",
    b":",
    b"<",
    b">",
    b'"',
    b"\\",
    b"(x)",
    b"(",
    b")",
    b"[1]",
    b"[",
    b"\xc3\xa9",
]


def addresses(text: bytes) -> list[bytes]:
    return [element.address for element in parse(text, 1000) if element.address]


class Lists(SynchronousTestCase):
    def test_addresses(self) -> None:
        """CA-8: mailboxes in all their forms, in internal form."""
        for text, wanted in {
            b"a@b.c ,d@e.f": [b"a@b.c", b"d@e.f"],
            b"a @ b . c": [b"a@b.c"],
            b"Joe Q. Public <joe@x>": [b"joe@x"],
            b'"a b"@c': [b"a b@c"],
            b'"a\\"b"@c': [b'a"b@c'],
            b"a b c": [b"a", b"b", b"c"],
            b"a@b.c d@e.f": [b"a@b.c", b"d@e.f"],
            b"<@r1:u@h>": [b"@r1:u@h"],
            b"joe@host (Joe (nested) X)": [b"joe@host"],
            b"undisclosed-recipients: ;": [],
            b"grp: Joe <a>, b@c; , d": [b"a", b"b@c", b"d"],
            b"a@[1.2.3.4]": [b"a@[1.2.3.4]"],
            b"Joe <joe> trailing": [b"joe", b"trailing"],
            b"Joe (c) <joe (d) @ host> (e)": [b"joe@host"],
            b"<>": [],
            b"a\\,b@c": [b"a,b@c"],
            b"": [],
        }.items():
            self.assertEqual(wanted, addresses(text), text)

    def test_malformed(self) -> None:
        """CA-8: what 3.7 makes of lists that are no lists, asked of a running one."""
        for text, wanted in {
            b"<alice@x": [b"<alice@x"],
            b"Name <alice@x": [b"Name <alice@x"],
            b"Name alice@x>": [],
            b'a"b"@x': [b"a", b"b@x"],
            b"group: a": [b"group:a"],
            b"group: a, b": [b"group:a", b"b"],
            b"a:b": [b"a:b"],
            b"@a,@b:bob": [b"@a", b"@b:bob"],
            b"<bob> <alice>": [b"bob", b"alice"],
            b"<bob,alice>": [b"bob, alice"],
        }.items():
            self.assertEqual(wanted, addresses(text), text)

    def test_around(self) -> None:
        """CA-8: names, comments and marks as 3.7 writes them when an address in the list has changed."""
        for text, wanted in {
            b"Some\r\n  Body <a@b>": b"Some Body <a@b>",
            b'"b\\ob\t" <a@b>': b'"bob " <a@b>',
            b"a@b (x  y\r\n z)": b"a@b (x  y  z)",
            b"(c) Name <a@b> (d)": b"(c) Name <a@b>(d)",
            b"<a@b(c)>": b"<a@b (c)>",
            b"<a@b> <c@d>": b"<a@b> <c@d>",
            b"x <a@b> y": b"x <a@b>, y",
            b"(c) a (d) b (e)": b"a (c) (d), b (e)",
            b"(c) (d)": b"(c) (d)",
            b"J. Doe <a@b>": b"J. Doe <a@b>",
            b"us..er@x": b'"us..er"@x',
            b"@x": b'""@x',
            b'"bob"@x': b"bob@x",
        }.items():
            self.assertEqual(b"To: " + wanted + b"\r\n", render(b"To", parse(text, 100)), text)

    def test_too_many_tokens(self) -> None:
        """CL-5: what is behind header_address_token_limit is discarded."""
        self.assertEqual([b"a"] * 25, [element.address for element in parse(b"a, " * 100, 50)])

    def test_folding(self) -> None:
        """CA-8: long lists are folded between addresses, in groups too; a line has less than 70 octets."""
        elements = parse(b", ".join(b"user%d@lab.example" % n for n in range(7)), 1000)
        self.assertEqual(
            b"To: user0@lab.example, user1@lab.example, user2@lab.example,\r\n"
            b"\tuser3@lab.example, user4@lab.example, user5@lab.example,\r\n\tuser6@lab.example\r\n",
            render(b"To", elements),
        )
        for text, folded in (
            (b"a" * 59 + b", bbbb", b"To: " + b"a" * 59 + b", bbbb\r\n"),
            (b"a" * 60 + b", bbbb", b"To: " + b"a" * 60 + b",\r\n\tbbbb\r\n"),
            (b"a" * 59 + b", bbbb, c", b"To: " + b"a" * 59 + b",\r\n\tbbbb, c\r\n"),
            (b"g: " + b"a" * 50 + b", " + b"b" * 20 + b";", b"To: g: " + b"a" * 50 + b",\r\n\t" + b"b" * 20 + b";\r\n"),
            (b"none:;, a", b"To: none: ;, a\r\n"),
        ):
            elements = parse(text, 1000)
            self.assertEqual(folded, render(b"To", elements))

    def test_quoting(self) -> None:
        """External form has quotes where they are needed, and only there."""
        for local, wanted in {b"a.b": b"a.b", b"a b": b'"a b"', b"a.": b'"a."', b'a"': b'"a\\""', b"": b""}.items():
            self.assertEqual(wanted, quoted_local(local))
        self.assertEqual(b'"a@b"@c', external_form(b"a@b@c"))

    def test_many(self) -> None:
        """CA-8: however many of them, without going deeper for each, and in a time that grows as they do."""
        for text in b"<a> ", b"<a>, ", b"a:", b"a ", b"(c)<a>", b">a", b"<", b"a: b;":
            start = time.process_time()
            self.assertTrue(parse(text * 5000, 1 << 30), text)
            self.assertLess(time.process_time() - start, 10, text)

    @settings(max_examples=300, deadline=None)
    @given(st.lists(st.sampled_from(PIECES), max_size=25))
    def test_anything(self, pieces: list[bytes]) -> None:
        """Whatever a header holds, nothing is lost in tokens, and what is rendered has the same addresses."""
        text = b"".join(pieces)
        self.assertEqual(text, b"".join(raw for _, raw, _ in tokens(text)))
        elements = parse(text, 1000)
        again = render(b"To", elements)
        self.assertTrue(again.endswith(b"\r\n"))
        self.assertNotIn(b"\n\n", again.replace(b"\r", b""))
