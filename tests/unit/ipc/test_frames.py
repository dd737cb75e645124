"""pytwfix.ipc.frames: the stream between two processes."""

from __future__ import annotations

import struct

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.ipc.frames import LARGEST, Malformed, Reader, Writer

MESSAGES = [(1, 2, b"x" * 300, "text", None, True, 1.5), (0, 7), (-3, 0, {"a": b"b"})]


class Frames(SynchronousTestCase):
    """What is written is read, however it is cut."""

    def test_every_size_of_piece(self) -> None:
        """HOUSE 5: length-prefixed frames, several in one stream."""
        data = Writer().frames(MESSAGES)[0] * 3
        for size in (1, 2, 3, 4, 5, 7, 100, len(data) // 3, len(data) // 2, len(data)):
            reader = Reader()
            found = []
            for at in range(0, len(data), size):
                found += reader.feed(data[at : at + size])
            self.assertEqual(found, MESSAGES * 3, size)

    def test_bytes_that_are_no_utf8(self) -> None:
        """Text from the outside may hold surrogates (LK-10)."""
        data = Writer().frames([(0, 1, "caf\udce9")])[0]
        self.assertEqual(Reader().feed(data), [(0, 1, "caf\udce9")])

    def test_malformed(self) -> None:
        """A length that cannot be, and contents that are no list of messages."""
        for data in (
            struct.pack(">I", LARGEST + 1) + b"x",
            struct.pack(">I", 3) + b"abc",
            struct.pack(">I", 1) + b"\xc0",
            struct.pack(">I", 2) + b"\x91\xc1",
            struct.pack(">I", 0) + struct.pack(">I", 1) + b"\xc0",
        ):
            self.assertRaises(Malformed, Reader().feed, data)

    def test_what_cannot_be_sent(self) -> None:
        """One message that cannot be packed does not hold up the others."""
        bad = (5, 1, object())
        data, left = Writer().frames([(1, 1), bad, (2, 1)])
        self.assertEqual(left, [bad])
        self.assertEqual(Reader().feed(data), [(1, 1), (2, 1)])

    def test_too_large(self) -> None:
        """A batch that is too large goes in several frames; a message that is too large does not go."""
        half = b"x" * (LARGEST // 2)
        data, left = Writer().frames([(1, half), (2, half), (3, half + half)])
        self.assertEqual([message[0] for message in left], [3])
        self.assertEqual([message[0] for message in Reader().feed(data)], [1, 2])
