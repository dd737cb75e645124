"""Where the header ends, and line ends in between."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.cleanup.content import Content


class Parts:
    """IParts that remembers."""

    def __init__(self) -> None:
        self.head = b""
        self.body = b""
        self.ended: bytes | None = None

    def header(self, block: bytes) -> None:
        assert self.ended is None
        self.head += block

    def end_of_header(self, empty_line: bytes) -> None:
        assert self.ended is None
        self.ended = empty_line

    def text(self, data: bytes) -> None:
        assert self.ended is not None
        self.body += data


def split(data: bytes, piece: int = 0, clean: bool = True) -> Parts:
    parts = Parts()
    content = Content(parts, clean)
    for at in range(0, len(data), piece or len(data) or 1):
        content.write(data[at : at + (piece or len(data))])
    content.finish()
    return parts


class Splitting(SynchronousTestCase):
    def check(self, data: bytes, head: bytes, body: bytes, ended: bytes = b"\r\n") -> None:
        for piece in (0, 1, 2, 3, 7):
            parts = split(data, piece)
            self.assertEqual((head, body, ended), (parts.head, parts.body, parts.ended), (data, piece))

    def test_empty_line(self) -> None:
        self.check(b"A: 1\r\nB: 2\r\n 3\r\n\r\nbody\r\n", b"A: 1\r\nB: 2\r\n 3\r\n", b"body\r\n")
        self.check(b"\r\nbody\r\n", b"", b"body\r\n")

    def test_no_empty_line(self) -> None:
        """CL-9: a line that cannot be in a header begins the body, behind an empty line."""
        self.check(b"A: 1\r\nfoo bar\r\nX: 1\r\n", b"A: 1\r\n", b"foo bar\r\nX: 1\r\n")
        self.check(b"no header\r\n", b"", b"no header\r\n")
        self.check(b" leading\r\n", b"", b" leading\r\n")

    def test_header_only(self) -> None:
        self.check(b"A: 1\r\nB: 2\r\n", b"A: 1\r\nB: 2\r\n", b"", b"")
        self.check(b"A: 1\r\nB: 2", b"A: 1\r\nB: 2\r\n", b"", b"")
        self.check(b"", b"", b"", b"")

    def test_mailbox_lines(self) -> None:
        """CL-9: what a mailbox has in front of a mail is no header; who takes mail in has named it (FirstLines)."""
        self.check(b"A: 1\r\nFrom a@b Mon\r\nB: 1\r\n", b"A: 1\r\n", b"From a@b Mon\r\nB: 1\r\n")

    def test_stray(self) -> None:
        """OB-8, SD-19: a CR or LF that ends no line becomes a space, in the header and in the body."""
        self.check(b"A: 1\r2\n3\r\n\r\nb\rc\nd\r\r\n", b"A: 1 2 3\r\n", b"b c d \r\n")
        self.assertEqual(b"x\r", split(b"A: 1\r\n\r\nx\r", clean=False).body)

    def test_said_to_be_tidy(self) -> None:
        """OB-8: what the caller has looked at is not looked at again; what he could not see is: a CR held back."""
        parts = Parts()
        content = Content(parts, True)
        content.write(b"A: 1\r\n\r\nx\r")
        content.write(b"y\r\n", tidy=True)
        content.write(b"z\r\n", tidy=True)
        content.finish()
        self.assertEqual(b"x y\r\nz\r\n", parts.body)

    def test_dot_smuggling(self) -> None:
        r"""OB-8: `\r.\r` does not reach the next hop."""
        self.check(b"A: 1\r\n\r\nx\r.\ry\r\n", b"A: 1\r\n", b"x . y\r\n")

    def test_endless_header(self) -> None:
        """A header of megabytes is handed on in parts, each of whole fields."""
        block = b"".join(b"X-%d: %s\r\n more\r\n" % (n, b"x" * 60) for n in range(5000))
        parts = split(block + b"\r\nbody\r\n", 4096)
        self.assertEqual((block, b"body\r\n"), (parts.head, parts.body))

    def test_field_too_long(self) -> None:
        """A field of megabytes, in one line or in many, does not stay in memory, and takes no more than its share."""
        for start, more in ((b"A: ", b"x" * 70), (b"A: 1\r\n", b" x\r\n"), (b"A: 1\r\n", b" " + b"x" * 5000 + b"\r\n")):
            data = start + more * (3_000_000 // len(more))
            for end, head, body in ((b"\r\nB: 2\r\n\r\nbody\r\n", b"B: 2\r\n", b"body\r\n"), (b"", b"", b"")):
                for piece in (1 << 16, 5001):
                    parts = split(data + (end.lstrip(b"\r\n") if data.endswith(b"\n") else end), piece)
                    self.assertTrue(parts.head.startswith(start))
                    self.assertTrue(parts.head.endswith(b"\r\n" + head))
                    self.assertLess(len(parts.head), 1_200_000)
                    self.assertEqual(body, parts.body)

    def test_endless_line(self) -> None:
        """A body without line ends is not kept as if it were a header."""
        parts = Parts()
        content = Content(parts, True)
        for _ in range(10):
            content.write(b"x y" * 1000)
        self.assertEqual(30000, len(parts.body))

    @settings(max_examples=150, deadline=None)
    @given(st.lists(st.sampled_from([b"A: 1\r\n", b" x\r\n", b"\r\n", b"text\r\n", b"\r", b"\n", b":", b"From x\r\n"])),
           st.integers(1, 9))  # fmt: skip
    def test_pieces_do_not_matter(self, words: list[bytes], piece: int) -> None:
        """However content is cut, the same comes out."""
        data = b"".join(words)
        whole, cut = split(data), split(data, piece)
        self.assertEqual((whole.head, whole.ended, whole.body), (cut.head, cut.ended, cut.body))
