"""The line of a pipe service in master.cf."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.basics.cescapes import unescape
from pytwfix.deliver.pipe.arguments import ArgumentError, expand, parse
from pytwfix.deliver.pipe.content import render


class ParseTests(SynchronousTestCase):
    def refused(self, *words: str) -> str:
        return str(self.assertRaises(ArgumentError, parse, words))

    def test_attributes(self) -> None:
        """PI-1: every attribute; argv= takes the rest, braces protect spaces."""
        found = parse(
            [
                "flags=DRhu",
                "user=nobody:games",
                "null_sender=",
                "size=100",
                "directory=/d",
                "chroot=/c",
                "eol=\\r\\n",
                "argv=/bin/x",
                "-r",
                "{ a  b }",
                "user=$user",
            ]
        )
        self.assertEqual((found.user, found.group, found.flags), ("nobody", "games", frozenset("DRhu")))
        self.assertEqual((found.null_sender, found.size, found.eol), ("", 100, b"\r\n"))
        self.assertEqual((found.directory, found.chroot), ("/d", "/c"))
        self.assertEqual(found.argv, ["/bin/x", "-r", "a  b", "user=$user"])

    def test_empty_macros(self) -> None:
        """PI-1: a dollar sign alone is an error; two are one."""
        for word in ("$", "a$", "$ x", "$@", "${}", "$$$"):
            self.assertEqual(self.refused("user=u", "argv=/bin/x", word), f'empty macro name: "{word}"')
        for word in ("$$", "a$$b", "$$$$", "$user", "${user}", "$(user)", "$$$user"):
            self.assertEqual(parse(["user=u", "argv=/bin/x", word]).argv, ["/bin/x", word])

    def test_refused(self) -> None:
        """PI-1: what is missing or unknown is said."""
        self.assertEqual(self.refused("argv=/bin/x"), "missing user= command-line attribute")
        self.assertEqual(self.refused("user=u"), "missing argv= command-line attribute")
        self.assertEqual(self.refused("user=u", "argv=/x", "${foo}"), 'unknown macro name: "foo"')
        self.assertEqual(self.refused("user=u", "flags=Z", "argv=/x"), 'unknown flag: "Z"')
        self.assertEqual(self.refused("user=u", "what", "argv=/x"), 'unknown attribute name: "what"')
        self.assertEqual(self.refused("user=u", "size=x", "argv=/x"), 'bad size= value: "x"')

    def test_escapes(self) -> None:
        """PI-1: eol=."""
        self.assertEqual(unescape(r"\r\n\t\\\101x"), "\r\n\t\\Ax")


class ExpandTests(SynchronousTestCase):
    def test_macros(self) -> None:
        """PI-1: $name, ${name}, $(name), $$; nothing is split, nothing goes through a shell."""
        message = {"sender": "a b;c", "size": "9"}
        self.assertEqual(expand(["x", "$sender-${size}$(size)", "$$x"], message, [{}]), ["x", "a b;c-99", "$x"])

    def test_many_recipients(self) -> None:
        """PI-1: an argument with a recipient's macro is repeated, one without is not."""
        recipients = [{"recipient": "a@x", "user": "a"}, {"recipient": "b@x", "user": "b"}]
        self.assertEqual(
            expand(["-f", "$sender", "r=${recipient}", "$user.$size"], {"sender": "s", "size": "9"}, recipients),
            ["-f", "s", "r=a@x", "r=b@x", "a.9", "b.9"],
        )


class RenderTests(SynchronousTestCase):
    def rendered(self, flags: str, body: bytes = b"S: x\n\n.dot\nFrom y\n", **words: str) -> bytes:
        line = [f"flags={flags}", "user=u", *(f"{name}={value}" for name, value in words.items()), "argv=/x"]
        return render(parse(line), body, words.get("_", "s@x").encode(), b"o@x", b"r@x", 0.0)

    def test_nothing(self) -> None:
        """PI-1: without flags the mail as it is."""
        self.assertEqual(self.rendered(""), b"S: x\n\n.dot\nFrom y\n")

    def test_all(self) -> None:
        """PI-1: F R O D . > B, in the order that Postfix has."""
        data = self.rendered("BDFOR.>")
        self.assertRegex(data, rb"^From s@x  \w{3} \w{3} ")
        self.assertEqual(
            data.partition(b"\n")[2],
            b"Return-Path: <s@x>\nX-Original-To: o@x\nDelivered-To: r@x\nS: x\n\n..dot\n>From y\n\n",
        )

    def test_null_sender(self) -> None:
        """PI-1: null_sender= also in Return-Path."""
        attributes = parse(["flags=R", "user=u", "argv=/x"])
        self.assertEqual(render(attributes, b"", b"", b"", b"", 0.0), b"Return-Path: <MAILER-DAEMON>\n")

    def test_line_ends(self) -> None:
        """PI-1: eol= holds for headers too."""
        self.assertEqual(self.rendered("R", b"x\ny\n", eol="\\r\\n"), b"Return-Path: <s@x>\r\nx\r\ny\r\n")
