"""Every variant against the server's machine: one mail goes in, one comes out, in pieces of any size."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.dialogs import smtp_events as events
from pytwfix.dialogs.smtp_client_content import stuffed
from pytwfix.dialogs.smtp_server import Rules, SmtpServer
from pytwfix.mail.reply import Reply
from tests.dialogs.smuggling import variants

_OK = Reply(250, "2.0.0", "Ok")


class Taker:
    """Takes every mail; `mails` are their contents."""

    def __init__(self, reject: bool) -> None:
        self.core = SmtpServer(Rules(forbid_pipelining=False))
        self.core.reject_lf = reject
        self.mails: list[bytes] = []
        self.senders: list[bytes] = []
        self._content = b""

    def feed(self, data: bytes) -> None:
        self.core.receive(data)
        while isinstance(event := self.core.next_event(), events.Event):
            self._answer(event)

    def _answer(self, event: events.Event) -> None:
        core = self.core
        if isinstance(event, events.Body):
            self._content += event.data
        elif isinstance(event, events.Data):
            core.reply(Reply(354, "", "go on"))
        elif isinstance(event, events.Bdat):
            core.accept_chunk()
        elif isinstance(event, events.EndOfData):
            if event.last:
                self.mails.append(self._content)
                self._content = b""
            core.reply(_OK)
        elif isinstance(event, (events.Refused, events.ClosedByPolicy)):
            core.reply(event.reply)
        else:
            if isinstance(event, events.Mail):
                self.senders.append(event.sender)
            core.reply(_OK)


INTRO = b"EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n"


class Matrix(SynchronousTestCase):
    def take(self, data: bytes, size: int, reject: bool = False) -> Taker:
        taker = Taker(reject)
        for at in range(0, len(data), size):
            taker.feed(data[at : at + size])
        return taker

    def test_data(self) -> None:
        """SD-19, OB-7: normalize, and reject."""
        for content in variants():
            for size in (1, 7, len(content)):
                for reject in (False, True):
                    taker = self.take(INTRO + b"DATA\r\n" + content + b".\r\n", size, reject)
                    self.assertEqual((1, [b"a@b.example"]), (len(taker.mails), taker.senders), content)

    def test_bdat(self) -> None:
        """SD-10: a chunk is as long as it says, whatever stands in it."""
        for content in variants():
            for size in (1, len(content)):
                taker = self.take(INTRO + b"BDAT %d LAST\r\n" % len(content) + content, size)
                self.assertEqual((1, [b"a@b.example"]), (len(taker.mails), taker.senders), content)

    def test_onwards(self) -> None:
        """What was taken is one mail for the next server too, in DATA as our client sends it."""
        for content in variants():
            (taken,) = self.take(INTRO + b"DATA\r\n" + content + b".\r\n", 1 << 20).mails
            again = self.take(INTRO + b"DATA\r\n" + stuffed(taken), 1 << 20)
            self.assertEqual(([taken], [b"a@b.example"]), (again.mails, again.senders), content)
