"""Servers that say anything at all: the client never raises, never hangs, never takes a refusal for a yes."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.protocol import Protocol

from pytwfix.dialogs.smtp_client import SmtpClient, Stage, Todo, Transfer
from pytwfix.dialogs.smtp_client_replies import ReplyParser
from tests.kit.smtpcase import SmtpCase

_LINE = st.one_of(
    st.sampled_from(
        [
            b"250 2.0.0 ok\r\n",
            b"354 go\r\n",
            b"550 5.1.1 no\r\n",
            b"450 x\r\n",
            b"250-PIPELINING\r\n",
            b"220 x ESMTP\r\n",
        ]
        + [b"421 bye\r\n", b"\r\n", b"250\n", b"nonsense\r\n", b"250-8BITMIME\r\n250 SIZE 5\r\n", b"334 \r\n"]
    ),
    st.binary(max_size=30),
)
_TALK = st.lists(_LINE, max_size=12)


class Babbler(Protocol):
    """Says the next thing whenever it hears something, then hangs up."""

    transport: Any

    def __init__(self, talk: list[bytes]) -> None:
        self.talk = list(talk)

    def connectionMade(self) -> None:
        self.dataReceived(b"")

    def dataReceived(self, data: bytes) -> None:
        if self.talk:
            self.transport.write(self.talk.pop(0))
        else:
            self.transport.loseConnection()


class Fuzz(SmtpCase):
    @settings(max_examples=300, deadline=None)
    @given(st.lists(st.binary(max_size=20)))
    def test_parser(self, pieces: list[bytes]) -> None:
        """OB-1: replies come out the same however they were cut."""
        cut, whole = ReplyParser(), ReplyParser()
        found, expected = [], []
        for piece in pieces:
            cut.receive(piece)
            while (answer := cut.next()) is not None:
                found.append(answer.lines)
        whole.receive(b"".join(pieces))
        while (answer := whole.next()) is not None:
            expected.append(answer.lines)
        self.assertEqual(found, expected)

    @settings(max_examples=300, deadline=None)
    @given(_TALK, st.booleans(), st.booleans())
    def test_transfer(self, talk: list[bytes], pipelining: bool, lmtp: bool) -> None:
        """SM-7: who is said to have the mail was answered 2xx at the end of data."""
        client = SmtpClient()
        client.receive(b"220 x\r\n")
        client.next_reply()
        transfer = Transfer(client, b"MAIL", [b"RCPT"] * 2, pipelining=pipelining, lmtp=lmtp)
        for line in talk:
            client.receive(line)
            todo = transfer.advance()
            while todo in (Todo.CONTENT, Todo.NOTHING):
                transfer.content_sent()
                todo = transfer.advance()
            if todo is Todo.DONE:
                self.assertNotIn(None, transfer.answers)
                break
        for decided in transfer.answers:
            if decided is not None and decided[1].kind == 2:
                self.assertIn(decided[0], (Stage.END, Stage.DATA))

    @settings(max_examples=200, deadline=None)
    @given(_TALK)
    def test_delivery(self, talk: list[bytes]) -> None:
        """ST-2: each recipient has one end, whatever the server says."""
        self.setUp()
        self.net.servers[("192.0.2.10", 25)] = lambda: Babbler(talk)
        done = self.start(b"a@d.example", b"b@d.example")
        self.net.settle()
        for _ in range(8):
            self.wait(601)
        result = self.successResultOf(done)
        self.assertEqual(len(self.ends()), 2)
        finished = [one for one in self.request.recipients if one.done]
        self.assertEqual(len(finished) + len(result.deferred), 2)
        self.assertFalse([line for line in self.log if "Traceback" in line or line.startswith("error")])
