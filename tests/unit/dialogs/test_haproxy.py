"""HAProxy's header in both versions."""

from __future__ import annotations

import struct

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.dialogs.haproxy import Endpoints, HaproxyError, Header, HeaderReader

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
FOUND = Endpoints("192.0.2.9", "1234", "192.0.2.25", "25")


def binary(command: int, family: int, body: bytes) -> bytes:
    return SIGNATURE + struct.pack("!BBH", command, family, len(body)) + body


class Headers(SynchronousTestCase):
    def test_text(self) -> None:
        """SD-45: version 1, in pieces of any size; what follows is not touched."""
        data = b"PROXY TCP4 192.0.2.9 192.0.2.25 1234 25\r\nEHLO x\r\n"
        self.assertEqual(Header(FOUND, b"EHLO x\r\n"), HeaderReader().receive(data))
        reader = HeaderReader()
        for at in range(40):
            self.assertIsNone(reader.receive(data[at : at + 1]))
        self.assertEqual(Header(FOUND, b""), reader.receive(data[40:41]))
        found = HeaderReader().receive(b"PROXY TCP6 2001:db8::1 2001:db8::2 1 2\r\n")
        self.assertEqual(Header(Endpoints("2001:db8::1", "1", "2001:db8::2", "2"), b""), found)

    def test_binary(self) -> None:
        """SD-45: version 2, with options behind the addresses; LOCAL is the balancer's own."""
        body = bytes((192, 0, 2, 9, 192, 0, 2, 25)) + struct.pack("!HH", 1234, 25)
        data = binary(0x21, 0x11, body + b"\x04\0\1x") + b"rest"
        self.assertEqual(Header(FOUND, b"rest"), HeaderReader().receive(data))
        for end in range(len(data) - 4):
            self.assertIsNone(HeaderReader().receive(data[:end]))
        self.assertEqual(Header(None, b""), HeaderReader().receive(binary(0x20, 0, b"")))
        found = HeaderReader().receive(binary(0x21, 0x21, bytes(15) + b"\1" + bytes(15) + b"\2" + bytes(4)))
        self.assertEqual(Header(Endpoints("::1", "0", "::2", "0"), b""), found)

    def test_wrong(self) -> None:
        """SD-45: what is logged."""
        for data, words in (
            (b"EHLO x\r\n", "short protocol header: EHLO x\\r\\n"),
            (b"PROXY UNKNOWN\r\n", "bad or missing protocol type: PROXY UNKNOWN\\r\\n"),
            (b"PROXY TCP4 192.0.2.999 192.0.2.25 1 2\r\n", "bad or missing client address"),
            (b"PROXY TCP4 192.0.2.9 ::1 1 2\r\n", "bad or missing server address"),
            (b"PROXY TCP4 192.0.2.9 192.0.2.25 x 2\r\n", "bad or missing client port"),
            (b"PROXY TCP4 192.0.2.9 192.0.2.25 1 70000\r\n", "bad or missing server port"),
            (b"x" * 600, "line too long"),
            (binary(0x22, 0x11, bytes(12)), "unsupported command"),
            (binary(0x21, 0x31, bytes(12)), "unsupported network protocol"),
            (binary(0x21, 0x11, bytes(11)), "short address field"),
        ):
            self.assertIn(words, str(self.assertRaises(HaproxyError, HeaderReader().receive, data)))
        for reader, data in (
            (HeaderReader(ipv6=False), b"PROXY TCP6 ::1 ::1 1 2\r\n"),
            (HeaderReader(ipv4=False), b"PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n"),
        ):
            self.assertRaises(HaproxyError, reader.receive, data)
