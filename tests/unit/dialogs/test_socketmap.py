"""socketmap and tcp_table as bytes (NP-1, NP-2)."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.dialogs import socketmap, tcp_table


class SocketmapTests(SynchronousTestCase):
    def test_request(self) -> None:
        """NP-2: a netstring; not more than 10000 bytes."""
        self.assertEqual(socketmap.request(b"map", b"a b"), b"7:map a b,")
        self.assertRaises(socketmap.SocketmapError, socketmap.request, b"map", b"x" * 10000)

    def test_reply_in_pieces(self) -> None:
        reader = socketmap.ReplyReader()
        answers = [reader.receive(bytes([octet])) for octet in b"10:OK a:b,c d,"]
        self.assertEqual(answers[:-1], [None] * 13)
        self.assertEqual(answers[-1], b"OK a:b,c d")

    def test_no_netstring(self) -> None:
        for data in (b"x", b":", b"3:abcd", b"9999999999", b"100001:"):
            self.assertRaises(socketmap.SocketmapError, socketmap.ReplyReader().receive, data)

    def test_limits(self) -> None:
        """NP-2: socketmap_max_query_size and socketmap_max_reply_size."""
        self.assertRaises(socketmap.SocketmapError, socketmap.request, b"map", b"abc", 6)
        self.assertEqual(b"7:map abc,", socketmap.request(b"map", b"abc", 7))
        long = b"OK " + b"x" * 200_000
        self.assertEqual(long, socketmap.ReplyReader(len(long)).receive(b"%d:%s," % (len(long), long)))
        self.assertRaises(socketmap.SocketmapError, socketmap.ReplyReader(5).receive, b"6:")

    def test_answers(self) -> None:
        self.assertEqual(socketmap.answer(b"OK a b").value, b"a b")
        self.assertIsNone(socketmap.answer(b"NOTFOUND ").value)
        for reply in (b"TEMP x", b"TIMEOUT x", b"PERM x", b"WHAT", b""):
            self.assertRaises(socketmap.SocketmapError, socketmap.answer, reply)


class TcpTableTests(SynchronousTestCase):
    def test_request(self) -> None:
        """NP-1: white space, % and what does not print as %XX."""
        self.assertEqual(tcp_table.request(b"a b%\xe9"), b"get a%20b%25%E9\n")
        self.assertRaises(tcp_table.TcpTableError, tcp_table.request, b" " * 2000)

    def test_answers(self) -> None:
        self.assertEqual(tcp_table.answer(b"200 a%20b").value, b"a b")
        self.assertIsNone(tcp_table.answer(b"500 not%20found").value)
        for line in (b"400 later", b"nonsense", b"200 %zz", b"", b"2"):
            self.assertRaises(tcp_table.TcpTableError, tcp_table.answer, line)
