"""Listings of the queue: the quick look at a file says what the whole walk through its records says (PQ-2, RF-1)."""

from __future__ import annotations

import os

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.showq import listing
from pytwfix.spool import records
from pytwfix.spool.cursor import Cursor
from pytwfix.spool.paths import QueuePaths

_TEXT = st.binary(max_size=200)
_RECORDS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from([b"A", b"O", b"R", b"D", b"S", b"N", b"o", b"n", b"<", b"w", b"K"]), _TEXT),
        st.tuples(st.just(b"T"), st.sampled_from([b"1795729603 251276", b"12", b"x", b""])),
        st.tuples(st.just(b"p"), st.sampled_from([b"0", b"40", b"9", b"x", b"100000"])),
        st.tuples(st.just(b"E"), st.just(b"")),
        st.tuples(st.just(b"\x01"), _TEXT),
    ),
    max_size=12,
)


def size_record(content: int, before: int) -> bytes:
    return records.record(b"C", b"%15d %15d %15d %15d %15d" % (content, before, 1, 0, content))


class Quick(SynchronousTestCase):
    def read(self, data: bytes, quick: bool) -> tuple[object, ...]:
        path = self.mktemp()
        with open(path, "wb") as file:
            file.write(data)
        fd = os.open(path, os.O_RDONLY)
        try:
            found = listing._Envelope()
            if quick:
                found.read(fd)
            else:
                try:
                    found._read(Cursor(lambda size, offset: os.pread(fd, size, offset)))
                except (records.BadRecord, ValueError, IndexError):
                    pass
            return found.arrival, found.size, found.sender, found.recipients
        finally:
            os.close(fd)

    @settings(max_examples=300, deadline=None)
    @given(_RECORDS, st.binary(max_size=300), _RECORDS, st.integers(0, 5000), st.integers(-3, 3))
    def test_same(
        self, envelope: list[tuple[bytes, bytes]], content: bytes, after: list[tuple[bytes, bytes]], cut: int, off: int
    ) -> None:
        """Whole files, files that are cut off, content that ends elsewhere than it should, records of any kind."""
        head = b"".join(records.record(kind, data) for kind, data in envelope)
        body = records.encode_content(content + b"\r\n", 2048) if content else b""
        first = size_record(len(body) + off, len(head) + 84)
        first = size_record(len(body) + off, len(first) + len(head) + 2)
        tail = records.record(b"X") + b"".join(records.record(kind, data) for kind, data in after)
        data = (first + head + records.record(b"M") + body + tail)[: cut or None]
        self.assertEqual(self.read(data, True), self.read(data, False))

    def test_backwards(self) -> None:
        """A size record that has the content end before it begins, which must not be gone through for ever."""
        head = records.record(b"S", b"s") + records.record(b"R", b"r@example.com") + records.record(b"M")
        for size in (-60, -10, 0):
            data = size_record(size, 84) + head + records.record(b"X") + records.record(b"E")
            found = self.read(data, True)
            self.assertEqual(found, self.read(data, False))
            self.assertEqual(found[3], [(b"r@example.com", b"")])

    def test_large(self) -> None:
        """An envelope, and content, beyond what is read first."""
        head = b"".join(records.record(b"R", b"r%d@example.com" % number) for number in range(1000))
        body = records.record(b"N", b"x" * 50) * 5000
        first = size_record(len(body), 0)
        first = size_record(len(body), len(first) + len(head) + 2)
        tail = records.record(b"X") + records.record(b"R", b"last@example.com") + records.record(b"E")
        data = first + head + records.record(b"M") + body + tail
        found = self.read(data, True)
        self.assertEqual(found, self.read(data, False))
        self.assertEqual(found[3][-1], (b"last@example.com", b""))  # type: ignore[index]

    def test_log(self) -> None:
        """QU-2: in the same subdirectory as the message, or in none, as hash_queue_names has it."""
        for names, wanted in (
            ("deferred defer", "/q/defer/A/"), ("deferred", "/q/defer/"), ("defer", "/q/defer/A/"),
        ):  # fmt: skip
            paths = QueuePaths("/q", names, 1)
            place = "/q/deferred/A/ABC" if "deferred" in names.split() else "/q/deferred/ABC"
            self.assertEqual(listing.Logs(paths).folder("defer", "deferred", "ABC", place), wanted)
