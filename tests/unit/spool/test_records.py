"""The codec of records (INVENTORY RF-1, RF-2, RF-3)."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.spool import records
from pytwfix.spool.cursor import Cursor
from pytwfix.spool.records import BadRecord, decode_content, encode_content, read_record, record


class Records(SynchronousTestCase):
    def test_length(self) -> None:
        """RF-1: seven bits a byte, low bits first, the high bit says that more follow."""
        self.assertEqual(record(b"N", b"x" * 5), b"N\x05xxxxx")
        self.assertEqual(record(b"N", b"x" * 127)[:2], b"N\x7f")
        self.assertEqual(record(b"N", b"x" * 128)[:3], b"N\x80\x01")
        self.assertEqual(record(b"L", b"x" * 2048)[:3], b"L\x80\x10")

    def test_there_and_back(self) -> None:
        for size in (0, 1, 127, 128, 16383, 16384, 100000):
            data = b"pre" + record(b"R", b"a" * size)
            found = read_record(data, 3, 100)
            self.assertEqual((found.offset, found.kind, len(found.data), found.end), (103, 82, size, 100 + len(data)))

    def test_hostile(self) -> None:
        for bad in (b"", b"N", b"N\x80", b"N\x05abc", b"\x00\x00", b"z\x00", b"N\xff\xff\xff\xff\xff\xff\x01"):
            self.assertRaises(BadRecord, read_record, bad, 0)

    def test_padding(self) -> None:
        for size in (3, 4, 130, 131, 132, 8000):
            self.assertEqual(len(records.padding(size)), size)
            self.assertEqual(read_record(records.padding(size), 0).end, size)

    def test_attribute(self) -> None:
        self.assertEqual(records.attribute(b"encoding", b"8bit"), b"A\x0dencoding=8bit")


class Content(SynchronousTestCase):
    def test_lines(self) -> None:
        self.assertEqual(encode_content(b"a\r\n\r\nbc\r\n", 2048), b"N\x01aN\x00N\x02bc")
        self.assertEqual(encode_content(b"", 2048), b"")
        self.assertEqual(encode_content(b"a", 2048), b"N\x01a")

    def test_long_lines(self) -> None:
        """RF-3: as Postfix 3.7 writes them: a line of the limit is an L record and an empty N record."""
        kinds = {2047: ["N2047"], 2048: ["L2048", "N0"], 2049: ["L2048", "N1"], 4096: ["L2048", "L2048", "N0"]}
        for size, expected in kinds.items():
            data = encode_content(b"x" * size + b"\r\n", 2048)
            self.assertEqual([f"{item.kind:c}{len(item.data)}" for item in records.iterate(data)], expected)

    def test_there_and_back(self) -> None:
        for text in (b"a\r\n", b"\r\n\r\n", b"x" * 200 + b"\r\nb\r\n", b"y" * 9000 + b"\r\n" + b"\0\xff\n\r z\r\n"):
            data = encode_content(text, 2048) + record(b"X")
            found, used, stop = decode_content(data)
            self.assertEqual((found, used), (text, len(data) - 2))
            self.assertIsNotNone(stop)

    def test_cut_off(self) -> None:
        """What is not all there is left for later."""
        data = encode_content(b"one\r\ntwo\r\n", 2048)
        self.assertEqual(decode_content(data[:-1]), (b"one\r\n", 5, None))
        self.assertEqual(decode_content(b"N"), (b"", 0, None))

    def test_padding_is_left_out(self) -> None:
        self.assertEqual(decode_content(record(b"w", b"gone") + record(b"N", b"a"))[0], b"a\r\n")


class Cursors(SynchronousTestCase):
    def _cursor(self, data: bytes, raw: bool = False) -> Cursor:
        return Cursor(lambda size, offset: data[offset : offset + size], raw=raw)

    def _kinds(self, data: bytes, raw: bool = False) -> str:
        cursor = self._cursor(data, raw)
        out = ""
        while (item := cursor.next()) is not None:
            out += chr(item.kind)
        return out

    def test_pointers(self) -> None:
        """RF-2: a pointer is followed, a zero one and padding are passed over."""
        data = record(b"p", b"%15d" % 0) + record(b"w", b"..") + record(b"p", b"%15d" % 41)
        data += record(b"S", b"s") + record(b"E")
        self.assertEqual(self._kinds(data), "E")
        self.assertEqual(self._kinds(data, raw=True), "pwpSE")

    def test_circle(self) -> None:
        data = record(b"S", b"x" * 3) + record(b"p", b"%15d" % 5)
        self.assertRaises(BadRecord, self._kinds, data)

    def test_large_record(self) -> None:
        data = record(b"S", b"x") + record(b"A", b"y" * 50000) + record(b"R", b"z")
        self.assertEqual(self._kinds(data), "SAR")

    def test_cut_off(self) -> None:
        for end in range(1, 9):
            self.assertRaises(BadRecord, self._kinds, (record(b"S", b"x") + record(b"R", b"abcd"))[:-end])
            if end == 5:
                break
