"""master/spread.py, hub.py and elsewhere.py: deliveries by other processes."""

from __future__ import annotations

from typing import Any, cast

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.contracts.delivery import DeliveryRequest, DeliveryResult
from pytwfix.contracts.queue import NoSuchMessage
from pytwfix.ipc import methods, servers
from pytwfix.ipc.link import Link
from pytwfix.mail.envelope import Envelope, Recipient
from pytwfix.master.elsewhere import Elsewhere
from pytwfix.master.placement import AGENTS, QUEUE, WORKER
from pytwfix.master.spread import PATIENCE, Spread
from tests.kit.channels import Pair
from tests.kit.delivering import MemoryMessage, MemoryReports
from tests.kit.host import MemoryHost
from tests.unit.master.test_plan import plan_of

MASTER = """\
relay unix - - n - 7 smtp
local unix - n n - - local
"""


class Process:
    """Another process: answers when a test says so."""

    def __init__(self, clock: Clock) -> None:
        self.requests: list[DeliveryRequest] = []
        self.answers: list[Deferred[DeliveryResult]] = []
        self.pair = Pair(servers.agents(self), clock=clock)  # type: ignore[arg-type]

    def agent(self, transport: str) -> Process:
        return self

    def deliver(self, request: DeliveryRequest) -> Deferred[DeliveryResult]:
        self.requests.append(request)
        self.answers.append(Deferred())
        return self.answers[-1]


class Files:
    """IQueueStore, as far as opening goes."""

    def __init__(self, envelope: Envelope | None) -> None:
        self.envelope = envelope
        self.opened: list[MemoryMessage] = []

    def open(self, queue: str, queue_id: str, lock: bool = True) -> Any:
        if self.envelope is None:
            raise NoSuchMessage(queue_id)
        self.opened.append(MemoryMessage(self.envelope, b""))
        return succeed(self.opened[-1])


class SpreadCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.reports = MemoryReports()
        self.files = Files(None)
        self.host = cast(Any, MemoryHost(service="qmgr", program="qmgr", store=self.files, reports=self.reports))
        self.host.plan = plan_of(self, "", MASTER)
        self.clock: Clock = self.host.clock
        self.spread = Spread(self.host, frozenset((QUEUE,)))

    def process(self, kind: str) -> Process:
        made = Process(self.clock)
        self.spread.groups[kind].attach(made.pair.near)
        return made

    def request(self, queue_id: str = "4XyZ", transport: str = "relay") -> DeliveryRequest:
        recipients = [Recipient(b"a@x.example", offset=10), Recipient(b"b@x.example", offset=20)]
        return DeliveryRequest("active", queue_id, transport, "x.example", Envelope(queue_id), recipients)

    def deliver(self, request: DeliveryRequest) -> Deferred[DeliveryResult]:
        agent = self.spread.agent(request.transport)
        assert agent is not None
        return agent.deliver(request)


class Choosing(SpreadCase):
    """HOUSE 3: who gets a request."""

    def test_kinds(self) -> None:
        """QM-7: mail for local goes to the agents, mail for the network to a worker; others there are not."""
        worker, agents = self.process(WORKER), self.process(AGENTS)
        self.deliver(self.request())
        self.deliver(self.request(transport="local"))
        worker.pair.pump()
        agents.pair.pump()
        self.assertEqual([one.transport for one in worker.requests], ["relay"])
        self.assertEqual([one.transport for one in agents.requests], ["local"])
        self.assertIsNone(self.spread.agent("uucp"))
        self.assertEqual((self.spread.limit("relay"), self.spread.limit("uucp")), (7, 0))

    def test_spread_over_workers(self) -> None:
        workers = [self.process(WORKER), self.process(WORKER)]
        for number in range(10):
            self.deliver(self.request(f"id{number}"))
        for one in workers:
            one.pair.pump()
        self.assertEqual([len(one.requests) for one in workers], [5, 5])

    def test_the_worker_that_took_it_in(self) -> None:
        """It has the mail in memory."""
        workers = [self.process(WORKER), self.process(WORKER)]
        group = self.spread.groups[WORKER]
        for number in range(5):
            group.brought(f"id{number}", workers[1].pair.near)
            self.deliver(self.request(f"id{number}"))
        workers[1].pair.pump()
        self.assertEqual(len(workers[1].requests), 5)

    def test_but_not_if_it_has_much_more_to_do(self) -> None:
        workers = [self.process(WORKER), self.process(WORKER)]
        group = self.spread.groups[WORKER]
        for number in range(30):
            group.brought(f"id{number}", workers[1].pair.near)
            self.deliver(self.request(f"id{number}"))
        for one in workers:
            one.pair.pump()
        self.assertGreater(len(workers[0].requests), 5)

    def test_answers(self) -> None:
        worker = self.process(WORKER)
        request = self.request()
        done = self.deliver(request)
        worker.pair.pump()
        worker.answers[0].callback(DeliveryResult(worker.requests[0].recipients[:1]))
        worker.pair.pump()
        self.assertEqual(self.successResultOf(done).deferred, request.recipients[:1])
        self.assertTrue(request.recipients[1].done)


class Waiting(SpreadCase):
    """While there is no process."""

    def test_one_comes(self) -> None:
        done = self.deliver(self.request())
        self.clock.advance(PATIENCE - 1)
        worker = self.process(WORKER)
        worker.pair.pump()
        self.assertEqual(len(worker.requests), 1)
        self.assertNoResult(done)

    def test_none_comes(self) -> None:
        """The mail is deferred."""
        self.files.envelope = Envelope("4XyZ")
        done = self.deliver(self.request())
        self.clock.advance(PATIENCE)
        self.assertEqual(len(self.successResultOf(done).deferred), 2)

    def test_the_end(self) -> None:
        """At stop nothing more is begun, and what is taken back stays in active/."""
        worker = self.process(WORKER)
        begun = self.deliver(self.request("id1"))
        worker.pair.pump()
        self.spread.rest()
        held = self.deliver(self.request("id2"))
        worker.pair.pump()
        worker.pair.lose()
        self.clock.advance(10 * PATIENCE)
        self.assertEqual(len(worker.requests), 1)
        self.assertNoResult(begun)
        self.assertNoResult(held)
        self.assertEqual(self.host.log.lines, [])


class TakenBack(SpreadCase):
    """HOUSE 3: when a worker dies the queue takes back its requests."""

    def test_deferred(self) -> None:
        """ST-3: whoever the file does not say is done is deferred, logged and recorded."""
        request = self.request()
        self.files.envelope = Envelope("4XyZ", recipients=[Recipient(b"a@x.example", offset=10, done=True)])
        worker = self.process(WORKER)
        done = self.deliver(request)
        worker.pair.pump()
        worker.pair.lose()
        result = self.successResultOf(done)
        self.assertEqual(result.deferred, request.recipients[1:])
        self.assertTrue(request.recipients[0].done)
        self.assertEqual([one[:2] for one in self.reports.records], [("defer", "4XyZ")])
        self.assertIn("to=<b@x.example>, relay=none", self.host.log.lines[0])
        self.assertIn("dsn=4.3.0, status=deferred (unknown mail transport error)", self.host.log.lines[0])
        self.assertTrue(self.files.opened[0].closed)


class FromElsewhere(SynchronousTestCase):
    """A process that is not the queue's hands a mail to another delivery service."""

    def test_by_way_of_the_queue(self) -> None:
        plan = plan_of(self, "", MASTER)
        link = Link("queue")
        agents = Elsewhere(link, lambda: plan)
        self.assertIsNone(agents.agent("uucp"))
        self.assertEqual((agents.limit("relay"), agents.limit("uucp")), (7, 0))
        request = DeliveryRequest("active", "4XyZ", "relay", "x", Envelope(), [Recipient(b"a")])
        agent = agents.agent("relay")
        assert agent is not None
        self.assertEqual(self.successResultOf(agent.deliver(request)).deferred, request.recipients)
        pair = Pair({methods.DELIVER: lambda _packed: succeed(((), None, None, True))})
        link.attach(pair.near)
        done = agent.deliver(request)
        pair.pump()
        self.assertEqual(self.successResultOf(done).deferred, [])
