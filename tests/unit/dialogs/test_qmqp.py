"""QMQP, in pieces of any size."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.dialogs.qmqp import (
    CONTENT,
    HEADER,
    RECIPIENT,
    Content,
    End,
    Event,
    QmqpError,
    QmqpServer,
    Recipient,
    Sender,
)


def ns(data: bytes) -> bytes:
    return b"%d:%b," % (len(data), data)


def fed(data: bytes, size: int = 1000, limit: int = 0) -> list[Event]:
    server = QmqpServer(limit)
    return [event for at in range(0, len(data), size) for event in server.receive(data[at : at + size])]


class Packets(SynchronousTestCase):
    def test_mail(self) -> None:
        """QD-1: content with CRLF line ends, then who."""
        data = ns(ns(b"Subject: x\n\r\n.\nend") + ns(b"a@b.c") + ns(b"d@e.f") + ns(b"g@h.i"))
        for size in (1, 3, 1000):
            events = fed(data, size)
            content = b"".join(event.data for event in events if isinstance(event, Content))
            self.assertEqual(b"Subject: x\r\n\r\n.\r\nend\r\n", content, size)
            rest = [event for event in events if not isinstance(event, Content)]
            self.assertEqual([Sender(b"a@b.c"), Recipient(b"d@e.f"), Recipient(b"g@h.i"), End()], rest)

    def test_nobody(self) -> None:
        self.assertEqual([Sender(b""), End()], fed(ns(ns(b"") + ns(b""))))

    def test_wrong(self) -> None:
        good = ns(b"x") + ns(b"a") + ns(b"b")
        for data, words, limit in (
            (b"abc:def,", "format error", 0),
            (b":", "format error", 0),
            (b"9" * 12, "exceeds storage limit", 0),
            (b"100:5:abcdefgh", "format error", 0),
            (ns(ns(b"x" * 20)), "exceeds storage limit", 10),
            (ns(ns(b"x") + ns(b"a" * 3000)), "exceeds storage limit", 0),
            (b"%d:%bxx," % (len(good) + 2, good), "format error", 0),
            (b"%d:%bx" % (len(good), good), "format error", 0),
            (b"3:5:abcde,", "format error", 0),
        ):
            self.assertIn(words, str(self.assertRaises(QmqpError, fed, data, 1000, limit)))

    def test_activity(self) -> None:
        for data, activity in ((b"", HEADER), (b"100:10:abc", CONTENT), (b"100:1:x,1:a,", RECIPIENT)):
            server = QmqpServer(0)
            server.receive(data)
            self.assertEqual(activity, server.activity)
