"""Queue files of any bytes: CorruptMessage, nothing else; content of any bytes comes back (INVENTORY RF-1, RF-3)."""

from __future__ import annotations

import re
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.contracts.queue import CorruptMessage
from pytwfix.mail.envelope import Envelope, Recipient
from pytwfix.mail.quoting import external_form, internal_form
from pytwfix.spool import envelopes, records
from pytwfix.spool.queuefile import read_content, read_envelope
from pytwfix.spool.records import decode_content, encode_content, record
from pytwfix.spool.reporttext import block, entries


def _read(data: bytes) -> Callable[[int, int], bytes]:
    return lambda size, offset: data[offset : offset + size]


def _file(sender: bytes, addresses: list[bytes], content: bytes) -> bytes:
    envelope = Envelope(sender=sender, recipients=[Recipient(item) for item in addresses], arrival=5.5)
    front = envelopes.front(envelope)
    position = envelopes.SIZE_RECORD_LENGTH + len(front)
    front += envelopes.recipients(envelope.recipients, position)
    text = encode_content(content, 512)
    start = envelopes.SIZE_RECORD_LENGTH + len(front) + 2
    size = envelopes.size_record(len(text), start, len(addresses), 0, len(text), 0)
    return size + front + record(b"M") + text + record(b"X") + record(b"E")


class Files(SynchronousTestCase):
    @settings(max_examples=150, deadline=None)
    @given(st.binary(max_size=400), st.integers(0, 600), st.binary(min_size=1, max_size=20))
    def test_hostile(self, content: bytes, at: int, junk: bytes) -> None:
        data = _file(b"sender@x", [b"a@x", b"b@x"], content)
        for bad in (junk, data[:at] + junk + data[at + len(junk) :], data[:at]):
            try:
                reader = read_envelope(_read(bad), "ABCDE1")
                for _ in read_content(_read(bad), reader.data_offset):
                    continue
            except CorruptMessage:
                continue

    @settings(max_examples=150, deadline=None)
    @given(st.binary(max_size=50), st.lists(st.binary(max_size=200), max_size=5), st.binary(max_size=2000))
    def test_there_and_back(self, sender: bytes, addresses: list[bytes], content: bytes) -> None:
        data = _file(sender, addresses, content)
        reader = read_envelope(_read(data), "ABCDE1")
        self.assertEqual(reader.envelope.sender, sender)
        self.assertEqual([item.address for item in reader.envelope.recipients], addresses)
        found = b"".join(read_content(_read(data), reader.data_offset))
        ended = content if not content or content.endswith(b"\r\n") else content + b"\r\n"
        self.assertEqual(found, ended)


class Pieces(SynchronousTestCase):
    @settings(max_examples=150, deadline=None)
    @given(st.binary(max_size=3000), st.integers(1, 300))
    def test_any_length_of_lines(self, content: bytes, limit: int) -> None:
        content = re.sub(rb"[a-f]", b"\r\n", content) + b"\r\n"
        data = encode_content(content, limit)
        self.assertTrue(all(len(item.data) <= limit for item in records.iterate(data)))
        self.assertEqual(decode_content(data), (content, len(data), None))


class Texts(SynchronousTestCase):
    @settings(max_examples=100, deadline=None)
    @given(st.binary(max_size=2000))
    def test_any_report(self, data: bytes) -> None:
        for entry in entries(data):
            again = list(entries(block({"reason": "", **entry})))
            self.assertEqual(again[0]["recipient"] if again else "", entry["recipient"])

    @settings(max_examples=150, deadline=None)
    @given(st.binary(max_size=60))
    def test_quotes(self, local: bytes) -> None:
        self.assertEqual(internal_form(external_form(local + b"@x")), local + b"@x")
