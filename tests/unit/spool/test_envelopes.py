"""What an envelope that was read from a queue file costs: tens of thousands wait in memory."""

from __future__ import annotations

import tracemalloc

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.contracts.queue import DEFERRED
from pytwfix.mail.envelope import Envelope
from pytwfix.qmgr.message import Message
from tests.kit.spool import Spool, result

LARGEST = 1500  # bytes for a message of one recipient with all that is known of its client


class Memory(SynchronousTestCase):
    def setUp(self) -> None:
        self.spool = Spool(self.mktemp())

    def read(self, queue_id: str) -> Envelope:
        message = result(self.spool.store.open(DEFERRED, queue_id))
        message.close()
        return message.envelope

    def waiting(self) -> str:
        """A message that the store has not in memory."""
        envelope = self.spool.put(b"x\r\n", b"user@relay.example", queue=DEFERRED)
        self.spool = Spool(self.spool.path)
        return envelope.queue_id

    def test_shared(self) -> None:
        """RF-5, QM-4: what is the same in many messages is held once."""
        first, second = (self.read(self.waiting()) for _ in range(2))
        for name in ("name", "address", "helo", "protocol"):
            self.assertIs(getattr(first.client, name), getattr(second.client, name))
        self.assertIs(first.origin, second.origin)
        self.assertIsNot(first.client, second.client)
        self.assertIs(first.recipients[0].original, first.recipients[0].address)

    def test_size(self) -> None:
        """QM-4: bytes of a message in the active queue, before it has a destination."""
        queue_id = self.waiting()
        self.read(queue_id)
        tracemalloc.start(1)
        try:
            before = tracemalloc.get_traced_memory()[0]
            kept = [Message(self.read(queue_id), 1.0, False) for _ in range(200)]
            each = (tracemalloc.get_traced_memory()[0] - before) / len(kept)
        finally:
            tracemalloc.stop()
        self.assertLess(each, LARGEST)
