"""Content as it goes over the wire: dots and long lines (SM-6; RFC 5321 section 4.5.2)."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.dialogs.smtp_client_content import Folder, Stuffer, has_long_line, stuffed


class Stuffing(SynchronousTestCase):
    def test_whole(self) -> None:
        for content, wire in (
            (b"", b".\r\n"),
            (b"a\r\n", b"a\r\n.\r\n"),
            (b"a", b"a\r\n.\r\n"),
            (b".\r\n.a\r\n", b"..\r\n..a\r\n.\r\n"),
            (b"a\n.b\r\n", b"a\n.b\r\n.\r\n"),
        ):
            self.assertEqual(stuffed(content), wire)

    def test_pieces(self) -> None:
        """SD-48: pieces may be cut anywhere, between CR and LF too."""
        content = b".a\r\n..b\r\nc.\r\n\r\n.\r\n\r\r\n.last"
        for first in range(len(content) + 1):
            for second in range(first, len(content) + 1):
                stuffer = Stuffer()
                pieces = content[:first], content[first:second], content[second:]
                wire = b"".join(stuffer.feed(piece) for piece in pieces) + stuffer.end()
                self.assertEqual(wire, stuffed(content))


class Folding(SynchronousTestCase):
    def test_long_lines(self) -> None:
        for content, long in (
            (b"", False),
            (b"x" * 10, False),
            (b"x" * 10 + b"\r\n", False),
            (b"x" * 11 + b"\r\n", True),
            (b"x" * 11, True),
            (b"ab\r\n" * 10, False),
            (b"ab\r\n" * 10 + b"x" * 11 + b"\r\n" + b"ab\r\n" * 10, True),
            (b"x" * 10 + b"\r\n" + b"y" * 10 + b"\r\n", False),
        ):
            self.assertEqual(has_long_line(content, 10), long, content)
        self.assertFalse(has_long_line(b"x" * 100, 0))

    def test_fold(self) -> None:
        """SM-6: a line end and a space; nothing is lost."""
        self.assertEqual(Folder(4).feed(b"ab\r\nabcdefghijk\r\nx"), b"ab\r\nabcd\r\n efg\r\n hij\r\n k\r\nx")

    def test_pieces(self) -> None:
        content = b"ab\r\n" + b"c" * 25 + b"\r\n" + b"d" * 30
        whole = Folder(10).feed(content)
        for cut in range(len(content) + 1):
            if content[cut - 1 : cut + 1] == b"\r\n":
                continue
            folder = Folder(10)
            self.assertEqual(folder.feed(content[:cut]) + folder.feed(content[cut:]), whole, cut)
            self.assertTrue(folder.folded)
