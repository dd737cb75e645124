"""A queue manager in memory: a store with times, agents that answer when they are told to, a plain rewriter."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed

from pytwfix.contracts.delivery import DeliveryRequest, DeliveryResult
from pytwfix.contracts.queue import (
    ACTIVE,
    DEFERRED,
    INCOMING,
    CorruptMessage,
    MessageBusy,
    NoSuchMessage,
    QueueEntry,
    QueueError,
)
from pytwfix.contracts.reports import BOUNCE, DEFER, Report
from pytwfix.contracts.rewriting import CLASS_DEFAULT, CLASS_LOCAL, Resolved
from pytwfix.mail.envelope import Envelope, Recipient
from pytwfix.mail.status import FAILED, Dsn
from pytwfix.qmgr.service import QmgrService
from tests.kit.host import MemoryHost
from tests.kit.store import KeptReports, MemoryMessage, MemoryStore

REFUSED = Dsn("4.4.1", "connect to relay.example[192.0.2.1]:25: Connection refused")


class TimedStore(MemoryStore):
    """`times` and `expired` by queue ID; `broken`, `busy`: what happens to who opens one; `removed`, `updated`."""

    def __init__(self, host: MemoryHost) -> None:
        super().__init__()
        self.host = host
        self.times: dict[str, float] = {}
        self.broken: set[str] = set()
        self.busy: set[str] = set()
        self.removed: list[str] = []
        self.updated: list[tuple[str, float, int]] = []
        self.opened: list[str] = []
        self.fails: QueueError | None = None

    def put(self, queue: str, envelope: Envelope, when: float = 0.0) -> None:
        self.queues.setdefault(queue, {})[envelope.queue_id] = MemoryMessage(envelope, b"x\r\n")
        self.times[envelope.queue_id] = when

    def ids(self, queue: str) -> list[str]:
        return list(self.queues.get(queue, {}))

    def open(
        self, queue: str, queue_id: str, lock: bool = True, alone: bool = False, known: Envelope | None = None
    ) -> Deferred[MemoryMessage]:
        self.opened.append(queue_id)
        if queue_id in self.broken:
            return fail(CorruptMessage("unexpected end of file"))
        if alone and queue_id in self.busy:
            return fail(MessageBusy(queue_id))
        return super().open(queue, queue_id, lock, alone)

    def at_hand(self, queue_id: str) -> MemoryMessage | None:
        return None

    async def scan(self, queue: str) -> AsyncIterator[QueueEntry]:
        for queue_id, message in list(self.queues.get(queue, {}).items()):
            yield QueueEntry(queue, queue_id, message.envelope.size, self.times.get(queue_id, 0.0), 0o700)

    def move(self, queue_id: str, source: str, target: str, when: float | None = None) -> Deferred[None]:
        if self.fails is not None:
            return fail(self.fails)
        if when is not None:
            self.times[queue_id] = when
        return super().move(queue_id, source, target, when)

    def remove(self, queue: str, queue_id: str) -> Deferred[None]:
        if queue_id not in self.queues.get(queue, {}):
            return fail(NoSuchMessage(f"remove {queue_id}: No such file or directory"))
        self.removed.append(queue_id)
        return super().remove(queue, queue_id)

    def update(self, message: Any) -> Deferred[None]:
        envelope = message.envelope
        self.updated.append((envelope.queue_id, envelope.warn_time, envelope.trace_flags))
        return succeed(None)


class Agent:
    """IDeliveryAgent that waits. `requests` have no answer yet."""

    def __init__(self, world: World, name: str) -> None:
        self._world = world
        self.name = name
        self.requests: list[DeliveryRequest] = []
        self.seen: list[DeliveryRequest] = []
        self.waiting: list[Deferred[DeliveryResult]] = []
        self.at_once: Any = None  # a function of the request that makes the result

    def deliver(self, request: DeliveryRequest) -> Deferred[DeliveryResult]:
        self.seen.append(request)
        if self.at_once is not None:
            return succeed(self.at_once(request))
        self.requests.append(request)
        done: Deferred[DeliveryResult] = Deferred()
        self.waiting.append(done)
        return done

    def answer(self, result: DeliveryResult) -> None:
        """End the oldest delivery."""
        self.requests.pop(0)
        self.waiting.pop(0).callback(result)

    def sent(self) -> None:
        for recipient in self.requests[0].recipients:
            recipient.done = True
        self.answer(DeliveryResult(recorded=False))

    def deferred(self, dead: Dsn | None = None) -> None:
        self.answer(self._world.defer(self.requests[0], dead or REFUSED, dead))

    def bounced(self) -> None:
        request = self.requests[0]
        for recipient in request.recipients:
            recipient.done = True
            report = Report(recipient, Dsn("5.1.1", "nobody", FAILED))
            self._world.reports.records.setdefault((BOUNCE, request.queue_id), []).append(report)
        self.answer(DeliveryResult())

    def crashed(self) -> None:
        self.requests.pop(0)
        self.waiting.pop(0).errback(ConnectionError("premature disconnect"))

    def recipients(self) -> list[list[bytes]]:
        return [[one.address for one in request.recipients] for request in self.seen]


class Agents:
    """IDeliveryAgents."""

    def __init__(self, world: World, *names: str) -> None:
        self.agents = {name: Agent(world, name) for name in names}
        self.limits: dict[str, int] = {}

    def agent(self, transport: str) -> Agent | None:
        return self.agents.get(transport)

    def limit(self, transport: str) -> int:
        return self.limits.get(transport, 100)


class Rewriter:
    """IRewriter: example.com is local, the rest goes to smtp by domain; `routes` for others. `slow`: it waits."""

    def __init__(self) -> None:
        self.routes: dict[bytes, tuple[str, str]] = {}
        self.slow: list[Deferred[Resolved]] | None = None
        self.asked: list[tuple[bytes, bytes, bool]] = []

    def resolve(self, sender: bytes, address: bytes, verify: bool = False) -> Deferred[Resolved]:
        self.asked.append((sender, address, verify))
        domain = address.rpartition(b"@")[2]
        if domain in self.routes:
            found = Resolved(*self.routes[domain], address, CLASS_DEFAULT)
        elif domain == b"example.com":
            found = Resolved("local", "example.com", address, CLASS_LOCAL)
        else:
            found = Resolved("smtp", domain.decode(), address, CLASS_DEFAULT)
        if self.slow is None:
            return succeed(found)
        answer: Deferred[Resolved] = Deferred()
        self.slow.append(answer)
        answer.addCallback(lambda _: found)
        return answer


class Notices(KeptReports):
    """IReports; `fails` is what every notice fails with."""

    def __init__(self) -> None:
        super().__init__()
        self.fails: Exception | None = None
        self.bounced: list[list[Report]] = []

    def read(self, log: str, queue_id: str) -> Deferred[list[Report]]:
        return succeed(list(self.records.get((log, queue_id), [])))

    def _notify(self, what: str, envelope: Envelope, forget: bool) -> Deferred[None]:
        if self.fails is not None:
            return fail(self.fails)
        self.notices.append((what, envelope.queue_id))
        if what == BOUNCE:
            self.bounced.append(self.records.get((BOUNCE, envelope.queue_id), []))
        if forget:
            self.records.pop((what, envelope.queue_id), None)
        return succeed(None)

    def notify_bounce(self, envelope: Envelope) -> Deferred[None]:
        return self._notify("bounce", envelope, True)

    def notify_trace(self, envelope: Envelope) -> Deferred[None]:
        return self._notify("trace", envelope, True)

    def notify_delay(self, envelope: Envelope) -> Deferred[None]:
        return self._notify("delay", envelope, False)


class Flusher:
    """IFlusher."""

    def __init__(self) -> None:
        self.added: list[tuple[str, str]] = []
        self.waiting: dict[str, list[str]] = {}

    def add(self, site: str, queue_id: str) -> None:
        self.added.append((site, queue_id))

    def take(self, site: str) -> Deferred[list[str]]:
        if site not in self.waiting:
            return fail(ValueError(site))
        return succeed(self.waiting.pop(site))


class World:
    """A queue manager with all that it asks. The retry service answers at once."""

    def __init__(self, *transports: str, start: bool = True, **main: str) -> None:
        self.host = MemoryHost(main, "qmgr", "qmgr")
        self.store = TimedStore(self.host)
        self.agents = Agents(self, *(transports or ("smtp", "local", "error", "retry")))
        self.reports = Notices()
        self.rewriter = Rewriter()
        self.flusher = Flusher()
        peers = self.host.peers
        peers.store, peers.agents, peers.reports = self.store, self.agents, self.reports
        peers.rewriter, peers.flusher = self.rewriter, self.flusher
        retry = self.agents.agents.get("retry")
        if retry is not None:
            retry.at_once = lambda request: self.defer(request, request.override or Dsn("4.0.0", request.nexthop))
        self.queue = QmgrService(self.host)
        if start:
            self.queue.startService()
            self.turn()

    @property
    def log(self) -> list[str]:
        return self.host.log.lines

    def turn(self, seconds: float = 0) -> None:
        self.host.clock.advance(seconds)

    def agent(self, name: str = "smtp") -> Agent:
        return self.agents.agents[name]

    def defer(self, request: DeliveryRequest, dsn: Dsn, dead: Dsn | None = None) -> DeliveryResult:
        """What an agent answers that defers all; the reasons are in the defer log."""
        for recipient in request.recipients:
            report = Report(recipient, dsn)
            self.reports.records.setdefault((DEFER, request.queue_id), []).append(report)
        return DeliveryResult(list(request.recipients), dead)

    def envelope(self, queue_id: str, *to: bytes, sender: bytes = b"a@b.example", **more: Any) -> Envelope:
        people = [Recipient(one, one, offset=number + 1) for number, one in enumerate(to)]
        arrival = more.pop("arrival", self.host.now())
        return Envelope(queue_id, sender, people, arrival, 100, **more)

    def mail(self, queue_id: str, *to: bytes, sender: bytes = b"a@b.example", **more: Any) -> Envelope:
        """A mail that cleanup puts into active/ itself."""
        envelope = self.envelope(queue_id, *to, sender=sender, **more)
        self.store.put(ACTIVE, envelope)
        self.queue.wake_active(None, envelope)
        return envelope

    def waiting(self, queue_id: str, *to: bytes, queue: str = DEFERRED, when: float = 0.0, **more: Any) -> Envelope:
        """A mail in a queue on disk."""
        envelope = self.envelope(queue_id, *to, **more)
        self.store.put(queue, envelope, when)
        return envelope

    def incoming(self, queue_id: str, *to: bytes, **more: Any) -> Envelope:
        return self.waiting(queue_id, *to, queue=INCOMING, **more)
