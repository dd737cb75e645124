"""The grammar of aliases, .forward and :include: files."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.deliver.local.aliases import Item, parse, parse_file


def plain(text: bytes) -> list[tuple[str, bytes]]:
    return [tuple(item) for item in parse(text)]  # type: ignore[misc]


class GrammarTests(SynchronousTestCase):
    def test_kinds(self) -> None:
        """AL-1: each kind of item, bare and quoted; a backslash is an escape unless it is doubled or quoted."""
        self.assertEqual(plain(b'games, /tmp/f, "|/bin/cmd a, b", |/bin/x, :include:/l, ":include:/a b", ~/box'), [
            ("address", b"games"), ("file", b"/tmp/f"), ("command", b"/bin/cmd a, b"), ("command", b"/bin/x"),
            ("include", b"/l"), ("include", b"/a b"), ("file", b"~/box"),
        ])  # fmt: skip
        self.assertEqual(plain(rb"\user, \\other"), [("address", b"user"), ("address", rb"\other")])

    def test_commands(self) -> None:
        """AL-1: arguments belong to a command in quotes; a bar joins what stands on both sides of it."""
        for text, expected in (
            (b"|/bin/x y", [("command", b"/bin/x"), ("address", b"y")]),
            (b'|"/bin/x y"', [("command", b"/bin/x y")]),
            (b'| "/bin/x y"', [("command", b"/bin/x y")]),
            (b'"|/bin/x y"', [("command", b"/bin/x y")]),
            (b'Some Body <"|/bin/x y">', [("command", b"/bin/x y")]),
            (b'"|/bin/x \\"a b\\""', [("command", b'/bin/x "a b"')]),
            (b"|/bin/x>y", [("command", b"/bin/x"), ("address", b"y")]),
            (b'games |"x"', [("address", b"games|x")]),
            (b'"|"', [("command", b"")]),
            (b"|", [("command", b"")]),
            (b"|/bin/x (a comment)", [("command", b"/bin/x")]),
        ):
            self.assertEqual(plain(text), expected, text)

    def test_addresses(self) -> None:
        """AL-1: comments, names, quotes; the result in internal form."""
        for text, expected in (
            (b"John Doe <j@x.example> (of, x)", [b"j@x.example"]),
            (b'"foo bar"@r.example', [b"foo bar@r.example"]),
            (b'"a\\"b"@x', [b'a"b@x']),
            (b"a @ b . c", [b"a@b.c"]),
            (b"<foo@bar>, foo bar, @x", [b"foo@bar", b"foo", b"bar", b"@x"]),
            (b"u@[192.0.2.1]", [b"u@[192.0.2.1]"]),
            (b"<>", []),
            (b'""', [b""]),
            (b" , ,", []),
            (b"(only a comment)", []),
            (b"games\\", [b"games"]),
            (b"games>, <a@b", [b"games", b"<a@b"]),
            (b"a)b", [b"a)b"]),
        ):
            self.assertEqual([value for _, value in plain(text)], expected, text)

    def test_unended(self) -> None:
        """AL-1: what lacks its end goes to the end of the line."""
        self.assertEqual(plain(b'"unended'), [("address", b"unended")])
        self.assertEqual(plain(b"(unended"), [])

    def test_groups(self) -> None:
        """AL-1: the members of a group stand for it."""
        both = [("address", b"a@b"), ("address", b"c")]
        for text in (b"friends: a@b, c;", b"two: a@b;, c", b"a@b, x:c;"):
            self.assertEqual(plain(text), both, text)
        self.assertEqual(plain(b"undisclosed-recipients:;"), [])
        self.assertEqual(plain(b"u@[IPv6:2001:db8::1]"), [("address", b"u@[IPv6:2001:db8::1]")])

    def test_names_end_at_spaces(self) -> None:
        """AL-1: names of files, unless they are quoted."""
        self.assertEqual(plain(b"/a b"), [("file", b"/a"), ("address", b"b")])
        self.assertEqual(plain(b":include:/a b"), [("include", b"/a"), ("address", b"b")])
        self.assertEqual(plain(b'"/a b", ":include:/c d"'), [("file", b"/a b"), ("include", b"/c d")])

    def test_files(self) -> None:
        """AL-1, LO-6: lines, comments (not where they are indented), empty lines; quotes that are not closed."""
        a, b, c, sharp = (Item("address", one) for one in (b"a", b"b", b"c", b"#"))
        self.assertEqual(parse_file(b"# x\n\na, b\nc\r\n"), [[a, b], [c]])
        self.assertEqual(parse_file(b"  # a"), [[sharp, a]])
        self.assertEqual(parse_file(b'"|a b\n"'), [[Item("command", b"a b ")], [Item("address", b" ")]])

    @settings(max_examples=200, deadline=None)
    @given(st.binary(max_size=60) | st.text("abc@\\\"'()<>,;:|/ \t.[]", max_size=40).map(str.encode))
    def test_anything(self, text: bytes) -> None:
        """AL-1: no input raises or hangs."""
        parse(text)
