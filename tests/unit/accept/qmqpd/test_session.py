"""qmqpd, from the first byte to the answer."""

from __future__ import annotations

from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.accept.qmqpd.service import QmqpdService
from pytwfix.mail.errors import MailError
from pytwfix.mail.reply import Reply
from tests.kit.accepting import MemoryCleanup, StaticNames
from tests.kit.host import MemoryHost

PEER = "client.example[192.0.2.1]"


def ns(data: bytes) -> bytes:
    return b"%d:%b," % (len(data), data)


MAIL = ns(ns(b"Subject: x\n\nbody\n") + ns(b"a@b.c") + ns(b"d@e.f"))


class Qmqp(SynchronousTestCase):
    def setUp(self) -> None:
        self.cleanup = MemoryCleanup()
        main = {"qmqpd_authorized_clients": "192.0.2.0/24"}
        self.host = MemoryHost(main, "628", "qmqpd", cleanup=self.cleanup)
        self.host.names = StaticNames({"192.0.2.1": "client.example"})
        self.service = QmqpdService(self.host)
        self.service.startService()

    def connect(self, address: str = "192.0.2.1") -> Any:
        wire: Any = self.service.factory().buildProtocol(None)
        wire.makeConnection(StringTransport(peerAddress=IPv4Address("TCP", address, 4711)))
        return wire

    def answer(self, data: bytes, address: str = "192.0.2.1") -> bytes:
        wire = self.connect(address)
        wire.dataReceived(data)
        self.host.clock.advance(1)
        self.assertTrue(wire.transport.disconnecting)
        said: bytes = wire.transport.value()
        return said

    def test_mail(self) -> None:
        """QD-1, LG-8."""
        self.assertEqual(ns(b"KOk: queued as Q1"), self.answer(MAIL))
        (mail,) = self.cleanup.mails
        self.assertEqual((b"a@b.c", "committed"), (mail.from_, mail.ended))
        self.assertEqual([b"d@e.f"], [one.address for one in mail.recipients])
        start = b"Received: from client.example (client.example [192.0.2.1])\r\n\t"
        start += b"by mx.example.com (Postfix) with QMQP id Q1"
        self.assertTrue(mail.content.startswith(start + b"\r\n\tfor <d@e.f>; "))
        self.assertTrue(mail.content.endswith(b"\r\nSubject: x\r\n\r\nbody\r\n"))
        lines = [f"connect from {PEER}", f"Q1: client={PEER}", f"disconnect from {PEER}"]
        self.assertEqual(lines, self.host.log.lines)

    def test_stranger(self) -> None:
        said = self.answer(MAIL, "198.51.100.7")
        self.assertEqual(ns(b"DError: unknown[198.51.100.7] is not authorized to use this service"), said)

    def test_errors(self) -> None:
        """As a real Postfix says it."""
        self.assertEqual(ns(b"Dnetstring format error while receiving QMQP packet header"), self.answer(b"abc:"))
        line = f"Q1: {PEER}: netstring format error while receiving QMQP packet header"
        self.assertIn(line, self.host.log.lines)
        self.assertEqual(ns(b"DError: no recipients specified"), self.answer(ns(ns(b"") + ns(b""))))
        self.assertEqual(["aborted", "aborted"], [mail.ended for mail in self.cleanup.mails])

    def test_gone_or_silent(self) -> None:
        wire = self.connect()
        wire.dataReceived(b"100:10:abc")
        wire.connectionLost(Failure(ConnectionDone()))
        self.assertIn(f"Q1: {PEER}: lost connection while receiving message content", self.host.log.lines)
        wire = self.connect()
        self.host.clock.advance(300)
        self.assertIn(f"Q2: {PEER}: read/write timeout while receiving QMQP packet header", self.host.log.lines)
        self.assertTrue(wire.transport.disconnecting)

    def test_cleanup(self) -> None:
        self.cleanup.error = MailError(Reply(451, "4.3.0", "Error: queue file write error"))
        self.assertEqual(ns(b"ZError: queue file write error"), self.answer(MAIL))
        self.cleanup.error = MailError(Reply(550, "5.7.1", "Error: message content rejected"))
        self.assertEqual(ns(b"DError: message content rejected"), self.answer(MAIL))

    def test_verp(self) -> None:
        self.answer(ns(ns(b"") + ns(b"list-@b.c-@[]") + ns(b"d@e.f") + ns(b"g@h.i")))
        (mail,) = self.cleanup.mails
        self.assertEqual((b"list@b.c", "-="), (mail.from_, mail.envelope.verp))
        self.assertNotIn(b"for <", mail.content)

    def test_stop(self) -> None:
        wire = self.connect()
        stopped: Any = self.service.stopService()
        self.assertTrue(wire.transport.disconnecting)
        self.successResultOf(stopped)
