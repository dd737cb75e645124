"""public/pickup, public/qmgr, public/showq: other programs' sockets (MA-8, MA-11, QM-1, QM-10, SV-2, PQ-2)."""

from __future__ import annotations

import os
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.contracts.queue import DEFERRED
from pytwfix.master import showqsocket
from pytwfix.master.triggers import trigger_factory
from tests.kit.host import MemoryHost
from tests.kit.spool import Spool


class Woken:
    """pickup, or the queue manager."""

    def __init__(self) -> None:
        self.calls: list[object] = []

    def trigger(self, *which: bool) -> None:
        self.calls.append(which)

    def flush(self) -> Deferred[None]:
        self.calls.append("flush")
        return succeed(None)


class Wire(StringTransport):
    aborted = False

    def abortConnection(self) -> None:
        self.aborted = True


class Triggers(SynchronousTestCase):
    def connect(self, program: str) -> Any:
        self.host = MemoryHost({}, program, program)
        self.woken = Woken()
        made: Any = trigger_factory(self.host, self.woken)  # type: ignore[arg-type]
        protocol = made.buildProtocol(None)
        self.wire = Wire()
        protocol.makeConnection(self.wire)
        return protocol

    def test_queue(self) -> None:
        """MA-8, QM-1: wake up looks at both queues; I and D at one, A at all, F forgets what is dead."""
        for data, calls in (
            (b"W", [(False, False)]), (b"I", [(True, False)]), (b"D", [(False, True)]), (b"A", [(True, True)]),
            (b"DFA", ["flush"]), (b"\0", []),
        ):  # fmt: skip
            self.connect("qmgr").dataReceived(data)
            self.assertEqual(self.woken.calls, calls, data)

    def test_pickup(self) -> None:
        """MA-8: any byte."""
        protocol = self.connect("pickup")
        protocol.dataReceived(b"W")
        self.assertEqual(self.woken.calls, [()])
        protocol.connectionLost()
        self.assertEqual(self.host.clock.getDelayedCalls(), [])

    def test_patience(self) -> None:
        """Who stays, or has much to say, is put out."""
        self.connect("pickup")
        self.host.clock.advance(11)
        self.assertTrue(self.wire.aborted)
        self.connect("pickup").dataReceived(b"W" * 65)
        self.assertTrue(self.wire.aborted)

    def test_others(self) -> None:
        """MA-11: no other program has a socket there."""
        self.assertIsNone(trigger_factory(MemoryHost({}, "cleanup", "cleanup"), None))  # type: ignore[arg-type]


class Showq(SynchronousTestCase):
    def test_listing(self) -> None:
        """SV-2, PQ-2: attribute lists, as Postfix's postqueue reads them."""
        directory = os.path.abspath(self.mktemp())
        spool = Spool(directory)
        queue_id = spool.put(b"Subject: x\r\n\r\nx\r\n", b"r@x.example", queue=DEFERRED).queue_id
        host: Any = MemoryHost({"queue_directory": directory}, "showq", "showq")
        protocol = showqsocket.factory(host).buildProtocol(None)
        wire = StringTransport()
        protocol.makeConnection(wire)
        head, first, *_ = wire.value().split(b"\0\0")
        self.assertEqual(head, b"protocol\0mail_queue_list_protocol")
        fields = first.split(b"\0")
        found = dict(zip(fields[::2], fields[1::2], strict=False))
        self.assertEqual(found[b"queue_name"], b"deferred")
        self.assertEqual(found[b"queue_id"], queue_id.encode())
        self.assertEqual(found[b"recipient"], b"r@x.example")
        self.assertTrue(wire.value().endswith(b"\0\0"))
        self.assertTrue(wire.disconnecting)

    def test_reader_goes(self) -> None:
        """A reader that goes away in the middle is no failure."""
        directory = os.path.abspath(self.mktemp())
        Spool(directory)
        host: Any = MemoryHost({"queue_directory": directory}, "showq", "showq")
        protocol = showqsocket.factory(host).buildProtocol(None)
        protocol.makeConnection(StringTransport())
        protocol.connectionLost()
        self.assertEqual(host.log.lines, [])
