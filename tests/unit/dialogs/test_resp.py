"""RESP: requests, replies in pieces of any size, nonsense."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.dialogs.resp import MAXIMUM_VALUE, ReplyReader, RespError, RespMalformed, request

REPLIES = b"+OK\r\n$3\r\na\r\n\r\n$-1\r\n:-7\r\n-ERR no\r\n$0\r\n\r\n"


class RespTests(SynchronousTestCase):
    def test_request(self) -> None:
        self.assertEqual(request(b"GET", b"a b"), b"*2\r\n$3\r\nGET\r\n$3\r\na b\r\n")

    @given(st.integers(1, len(REPLIES)))
    def test_replies(self, size: int) -> None:
        reader = ReplyReader(6)
        found = None
        for start in range(0, len(REPLIES), size):
            self.assertIsNone(found)
            found = reader.receive(REPLIES[start : start + size])
        assert found is not None
        self.assertIsInstance(found[4], RespError)
        self.assertEqual(str(found.pop(4)), "ERR no")
        self.assertEqual(found, [b"OK", b"a\r\n", None, -7, b""])

    def test_malformed(self) -> None:
        for bad in (b"x\r\n", b"$x\r\n", b":\r\n", b"$2\r\nabc\r\n", b"$-2\r\n", b"$%d\r\n" % (MAXIMUM_VALUE + 1),
                    b"*1\r\n", b"+" * 5000):
            self.assertRaises(RespMalformed, ReplyReader(1).receive, bad)

    @given(st.binary(max_size=40))
    def test_anything(self, data: bytes) -> None:
        try:
            ReplyReader(2).receive(data)
        except RespMalformed:
            pass
