"""The queue manager on real queue files: what is on disk after each step, and what another one makes of it."""

from __future__ import annotations

import os
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.contracts.delivery import DeliveryRequest, DeliveryResult
from pytwfix.contracts.queue import ACTIVE, CORRUPT, DEFERRED, INCOMING
from pytwfix.mail.envelope import Envelope
from pytwfix.qmgr.service import QmgrService
from tests.kit.scheduling import Notices, Rewriter
from tests.kit.spool import Spool, collected, result

CONTENT = b"Subject: x\r\n\r\nhello\r\n"


class Agent:
    """Delivers to those in `takes`, and reads the content."""

    def __init__(self, spool: Spool, *takes: bytes) -> None:
        self._spool = spool
        self.takes = takes
        self.requests: list[DeliveryRequest] = []
        self.read: list[bytes] = []

    def agent(self, transport: str) -> Agent:
        return self

    def limit(self, transport: str) -> int:
        return 100

    def deliver(self, request: DeliveryRequest) -> Deferred[DeliveryResult]:
        self.requests.append(request)
        own = request.message is None
        message = request.message or result(self._spool.store.open(request.queue, request.queue_id))
        self.read.append(message.cached() or b"".join(collected(message.body())))
        left = []
        for recipient in request.recipients:
            if recipient.address in self.takes:
                message.done(recipient)
            else:
                left.append(recipient)
        if own:
            message.close()
        return succeed(DeliveryResult(left, recorded=False))


class OnDisk(SynchronousTestCase):
    def setUp(self) -> None:
        self.spool = Spool(self.mktemp())
        self.reports = Notices()
        self.queue, self.agent = self.manager(b"a@x.example")

    def manager(self, *takes: bytes) -> tuple[QmgrService, Agent]:
        """A queue manager that has started, on a store that has nothing in memory."""
        spool = self.spool
        spool.store = spool.again()
        agent = Agent(spool, *takes)
        peers: Any = spool.host.peers
        peers.store, peers.agents, peers.rewriter, peers.reports = spool.store, agent, Rewriter(), self.reports
        made = QmgrService(spool.host)
        made.startService()
        self.addCleanup(made.stopService)
        spool.turn()
        return made, agent

    def files(self) -> dict[str, list[str]]:
        queues = (INCOMING, ACTIVE, DEFERRED, CORRUPT)
        found = {queue: [entry.queue_id for entry in collected(self.spool.store.scan(queue))] for queue in queues}
        return {queue: names for queue, names in found.items() if names}

    def direct(self, *to: bytes) -> Envelope:
        """A mail that cleanup puts into active/."""
        self.assertTrue(self.queue.admits())
        envelope = self.spool.put(CONTENT, *to, queue=ACTIVE)
        self.queue.wake_active(None, envelope)
        return envelope

    def test_direct(self) -> None:
        """QU-5, HOUSE 5: delivered from memory, then its file is removed."""
        self.direct(b"a@x.example")
        self.assertIsNotNone(self.agent.requests[0].message)
        self.assertEqual((self.agent.read, self.files()), ([CONTENT], {}))

    def test_deferred(self) -> None:
        """ST-2, ST-6, QU-5: who is done is marked in the file, whose time is that of the next attempt."""
        envelope = self.direct(b"a@x.example", b"b@x.example")
        self.assertEqual(self.files(), {DEFERRED: [envelope.queue_id]})
        path = self.spool.store.paths.path(DEFERRED, envelope.queue_id)
        self.assertEqual(os.stat(path).st_mtime, int(self.spool.host.now() + 300))
        self.agent.takes = (b"b@x.example",)
        self.spool.host.clock.advance(300)
        self.assertEqual([one.address for one in self.agent.requests[1].recipients], [b"b@x.example"])
        self.assertEqual(([CONTENT] * 2, {}), (self.agent.read, self.files()))

    def test_restart(self) -> None:
        """QU-6, ST-5: a queue manager that comes after a crash delivers what was active, to who is not done."""
        envelope = self.spool.put(CONTENT, b"a@x.example", b"b@x.example", queue=ACTIVE)
        message = result(self.spool.store.open(ACTIVE, envelope.queue_id))
        message.done(message.envelope.recipients[0])
        message.close()
        self.spool.turn()
        _, agent = self.manager(b"b@x.example")
        self.assertEqual([one.address for one in agent.requests[0].recipients], [b"b@x.example"])
        self.assertEqual(self.files(), {})

    def test_still_delivered(self) -> None:
        """ST-7: an agent of before has it locked."""
        envelope = self.spool.put(CONTENT, b"a@x.example", queue=ACTIVE)
        message = result(self.spool.again().open(ACTIVE, envelope.queue_id))
        _, agent = self.manager(b"a@x.example")
        self.assertIn(f"{envelope.queue_id}: skipped, still being delivered", self.spool.host.log.lines)
        self.assertEqual((agent.requests, self.files()), ([], {DEFERRED: [envelope.queue_id]}))
        message.close()

    def test_corrupt(self) -> None:
        """QM-3: a file that is cut off."""
        envelope = self.spool.put(CONTENT, b"a@x.example")
        path = self.spool.store.paths.path(INCOMING, envelope.queue_id)
        os.truncate(path, 100)
        self.queue, agent = self.manager()
        self.assertEqual((agent.requests, self.files()), ([], {CORRUPT: [envelope.queue_id]}))

    def test_expired_by_hand(self) -> None:
        """QU-4: postsuper -e sets a mode bit."""
        envelope = self.spool.put(CONTENT, b"b@x.example", queue=DEFERRED)
        os.chmod(self.spool.store.paths.path(DEFERRED, envelope.queue_id), 0o710)
        result(self.queue.flush())
        self.spool.turn()
        self.assertEqual(self.agent.requests[0].transport, "retry")
        self.assertEqual(self.files(), {})

    def test_taken_away(self) -> None:
        """QU-5: a file that was removed by hand under a delivery."""
        envelope = self.spool.put(CONTENT, b"a@x.example", b"b@x.example", queue=ACTIVE)
        os.unlink(self.spool.store.paths.path(ACTIVE, envelope.queue_id))
        self.queue.wake_active(None, envelope)
        self.spool.turn()
        self.assertEqual(self.files(), {})

    def test_woken(self) -> None:
        """QM-1: from incoming/ with the envelope in hand."""
        envelope = self.spool.put(CONTENT, b"a@x.example")
        self.queue.wake(envelope.queue_id, envelope)
        self.assertEqual((self.agent.read, self.files()), ([CONTENT], {}))
