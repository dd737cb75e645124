"""What stands in front of a mail's header."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.mail.firstlines import FirstLines

CASES = {
    b"A: b\r\n\r\nFrom x\r\n": b"A: b\r\n\r\nFrom x\r\n",
    b"From a b\r\nA: b\r\n": b"X-Mailbox-Line: From a b\r\nA: b\r\n",
    b"From a\r\n>>From b\r\nA: b\r\n": b"X-Mailbox-Line: From a\r\nX-Mailbox-Line: >>From b\r\nA: b\r\n",
    b"A: b\r\nFrom a\r\n": b"A: b\r\nFrom a\r\n",
    b" fold\r\nA: b\r\n": b"\r\n fold\r\nA: b\r\n",
    b"From a\r\n\tfold\r\n": b"X-Mailbox-Line: From a\r\n\r\n\tfold\r\n",
    b"From: a\r\n": b"From: a\r\n",
    b"From a": b"X-Mailbox-Line: From a",
    b">>": b">>",
    b"\r\nFrom a\r\n": b"\r\nFrom a\r\n",
    b"": b"",
}


class Lines(SynchronousTestCase):
    def test_pieces(self) -> None:
        """OB-8: the same in any pieces."""
        for text, wanted in CASES.items():
            for size in (1, 2, 7, 1000):
                lines = FirstLines()
                pieces = [text[at : at + size] for at in range(0, len(text), size)]
                out = b"".join(piece if lines.done else lines.feed(piece) for piece in pieces)
                self.assertEqual(wanted, out + lines.finish(), (text, size))

    def test_endless(self) -> None:
        """A line without end is not kept for ever."""
        lines = FirstLines()
        self.assertEqual(b"", lines.feed(b"From "))
        self.assertTrue(lines.feed(b"x" * 70000))
        self.assertTrue(lines.done)
