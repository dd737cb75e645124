"""The milter protocol, packet by packet."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.dialogs import milter as wire
from pytwfix.dialogs.milter import Edit, MilterError, Packets

SIX = wire.parse_protocol("6")


def offered(version: int, actions: int = 0, events: int = 0, rest: bytes = b"") -> bytes:
    return b"O" + struct.pack("!III", version, actions, events) + rest


class Framing(SynchronousTestCase):
    """MI-2."""

    def test_pieces(self) -> None:
        """Packets come in pieces of any size."""
        data = wire.packet(b"c") + wire.packet(b"y", b"550 no\0") + wire.packet(b"p")
        for size in range(1, len(data) + 1):
            packets, found = Packets(), []
            for at in range(0, len(data), size):
                packets.receive(data[at : at + size])
                while (one := packets.next()) is not None:
                    found.append(one)
            self.assertEqual([b"c", b"y550 no\0", b"p"], found)

    def test_bad_lengths(self) -> None:
        for head, text in ((b"\0\0\0\0", "bad packet length: 0"), (b"\xff\xff\xff\xff", "unreasonable packet length")):
            packets = Packets()
            packets.receive(head)
            with self.assertRaises(MilterError) as caught:
                packets.next()
            self.assertIn(text, caught.exception.text)

    def test_macros(self) -> None:
        """MI-5: the letter of the command that follows, then names and values."""
        self.assertEqual(b"\0\0\0\x0bDRi\0Q1\0j\0m\0", wire.macros(b"R", [("i", "Q1"), ("j", "m")]))
        self.assertEqual(b"\0\0\0\x02DH", wire.macros(b"H", []))

    def test_strings(self) -> None:
        self.assertEqual(b"ab\0c\0", wire.strings(b"a\0b", b"c"))


class Negotiation(SynchronousTestCase):
    """MI-1, MI-2."""

    def test_offer(self) -> None:
        """What each version can do, as a real Postfix says it."""
        for text, version, actions, events in (
            ("6", 6, 0x1FF, 0x1FFFFF), ("2", 2, 0x3F, 0x7F), ("3", 3, 0x3F, 0x17F), ("4", 4, 0x3F, 0x37F),
            ("3 no_header_reply", 3, 0x3F, 0x1FF),
        ):  # fmt: skip
            self.assertEqual(
                b"\0\0\0\x0d" + offered(version, actions, events), wire.offer(wire.parse_protocol(text)), text
            )

    def test_bad_offers(self) -> None:
        for text in ("", "5", "6 nonsense", "no_header_reply"):
            self.assertRaises(ValueError, wire.parse_protocol, text)

    def test_agreement(self) -> None:
        """Events that the filter does without, and those that it does not answer."""
        agreed = wire.agree(SIX, offered(6, 1, wire.NO_HELO | wire.NO_HEADER_REPLY | wire.CAN_SKIP | 0x8000))
        self.assertFalse(agreed.wants(wire.HELO))
        self.assertTrue(agreed.wants(wire.RCPT))
        self.assertEqual((False, False, True), tuple(map(agreed.answers, (wire.HEADER, wire.RCPT, wire.MAIL))))
        self.assertEqual((True, False, False), (agreed.skips, agreed.refused_recipients, agreed.leading_space))

    def test_old_versions(self) -> None:
        """DATA is told from version 4 on, unknown commands from 3."""
        for version, unknown, data in ((2, False, False), (3, True, False), (4, True, True)):
            agreed = wire.agree(SIX, offered(version))
            self.assertEqual((unknown, data), (agreed.wants(wire.UNKNOWN), agreed.wants(wire.DATA)))

    def test_symbols(self) -> None:
        """MI-5: the filter's own lists of macros, by stage."""
        lists = b"\0\0\0\3i, {rcpt_addr}\0" + b"\0\0\0\5\0" + b"\0\0\0\x63x\0"
        agreed = wire.agree(SIX, offered(6, wire.CAN_SET_SYMBOLS, 0, lists))
        self.assertEqual({wire.RCPT: ["i", "{rcpt_addr}"], wire.END_OF_BODY: []}, agreed.symbols)

    def test_disagreement(self) -> None:
        for reply, text in (
            (b"c", 'unexpected reply "c" in initial handshake'),
            (b"O\0\0", "input packet too short for network long"),
            (offered(7), "protocol version 7 conflict with MTA protocol version 6"),
            (offered(6, 0x10000), "request mask 0x10000 conflict with MTA request mask 0x1ff"),
        ):
            with self.assertRaises(MilterError) as caught:
                wire.agree(SIX, reply)
            self.assertEqual(text, caught.exception.text)


class Replies(SynchronousTestCase):
    """MI-3."""

    def test_edits(self) -> None:
        for reply, edit in (
            (b"hX\0v\0", Edit(b"h", 0, b"X", b"v")),
            (b"i\0\0\0\x05X\0v\0", Edit(b"i", 5, b"X", b"v")),
            (b"m\0\0\0\x01X\0\0", Edit(b"m", 1, b"X", b"")),
            (b"e<a@b>\0", Edit(b"e", 0, b"<a@b>")),
            (b"e<a@b>\0RET=HDRS\0", Edit(b"e", 0, b"<a@b>", b"RET=HDRS")),
            (b"+<a@b>\0", Edit(b"+", 0, b"<a@b>")),
            (b"2<a@b>\0NOTIFY=NEVER\0", Edit(b"2", 0, b"<a@b>", b"NOTIFY=NEVER")),
            (b"-<a@b>\0", Edit(b"-", 0, b"<a@b>")),
            (b"b\0any", Edit(b"b", value=b"\0any")),
            (b"qwhy\0", Edit(b"q", value=b"why")),
        ):
            self.assertEqual(edit, wire.read_edit(reply), reply)
        self.assertIsNone(wire.read_edit(b"c"))

    def test_malformed(self) -> None:
        for reply, text in (
            (b"hX\0v", "missing string null termimator"), (b"hX\0", "missing string null termimator"),
            (b"i\0\0X\0v\0", "missing string null termimator"), (b"i\0", "input packet too short for network long"),
            (b"m\0\0\0\1\0v\0", "null change header name"), (b"+a\0b\0", "reply was followed by 2 data bytes"),
        ):  # fmt: skip
            with self.assertRaises(MilterError) as caught:
                wire.read_edit(reply)
            self.assertEqual(text, caught.exception.text, reply)

    def test_reply_texts(self) -> None:
        for data, expected in (
            (b"550 5.7.7 go away\0", (550, "5.7.7", "go away")),
            (b"450 later\0", (450, "", "later")),
            (b"550\0", (550, "", "")),
            (b"554 5.7.1 100%% sure\0", (554, "5.7.1", "100% sure")),
            (b"550-5.7.7 one\r\n550 5.7.7 two\0", (550, "5.7.7", "one\ntwo")),
            (b"550 4.7.7 odd\0", (550, "", "4.7.7 odd")),
        ):
            self.assertEqual(expected, wire.read_reply_text(data))
        for data in (b"250 ok\0", b"", b"55x no\0", b"5500 no\0"):
            with self.assertRaises(MilterError) as caught:
                wire.read_reply_text(data)
            self.assertTrue(caught.exception.ours)

    @given(st.binary(max_size=60))
    def test_anything(self, reply: bytes) -> None:
        """Whatever comes is an edit, none, or the filter's fault."""
        for read in (wire.read_edit, wire.read_reply_text, lambda data: wire.agree(SIX, data)):
            try:
                read(reply)
            except MilterError:
                continue
