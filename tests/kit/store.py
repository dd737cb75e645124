"""The queue in memory: a store that keeps messages in dicts, a queue manager and reports that remember."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed

from pytwfix.contracts.queue import INCOMING, NoSuchMessage, QueueEntry, QueueError
from pytwfix.contracts.reports import Report
from pytwfix.mail.envelope import Envelope, Recipient


class MemoryNewMessage:
    """INewMessage."""

    def __init__(self, store: MemoryStore, queue_id: str) -> None:
        self.queue_id = queue_id
        self.pieces: list[bytes] = []
        self.size = 0
        self._store = store

    def content(self, data: bytes) -> Deferred[None] | None:
        self.pieces.append(data)
        self.size += len(data)
        return None

    def commit(self, envelope: Envelope, queue: str = INCOMING) -> Deferred[Envelope]:
        if self._store.error is not None:
            return fail(self._store.error)
        envelope.size = self.size
        self._store.queues.setdefault(queue, {})[self.queue_id] = MemoryMessage(envelope, b"".join(self.pieces))
        return succeed(envelope)

    def abort(self) -> None:
        self._store.aborted.append(self.queue_id)


class MemoryMessage:
    """IMessage."""

    def __init__(self, envelope: Envelope, content: bytes) -> None:
        self.envelope = envelope
        self.content = content

    @property
    def queue_id(self) -> str:
        return self.envelope.queue_id

    async def body(self) -> AsyncIterator[bytes]:
        yield self.content

    def cached(self) -> bytes | None:
        return self.content

    def done(self, recipient: Recipient) -> None:
        recipient.done = True

    def close(self) -> None:
        """Nothing is open."""


class MemoryStore:
    """IQueueStore: `queues` by name, messages by queue ID (Q1, Q2, ...). Set `error` to make commits fail."""

    def __init__(self) -> None:
        self.queues: dict[str, dict[str, MemoryMessage]] = {}
        self.aborted: list[str] = []
        self.error: QueueError | None = None
        self._count = 0

    def create(self) -> Deferred[MemoryNewMessage]:
        self._count += 1
        return succeed(MemoryNewMessage(self, f"Q{self._count}"))

    def open(
        self, queue: str, queue_id: str, lock: bool = True, alone: bool = False, known: Envelope | None = None
    ) -> Deferred[MemoryMessage]:
        found = self.queues.get(queue, {}).get(queue_id)
        return fail(NoSuchMessage(queue_id)) if found is None else succeed(found)

    def at_hand(self, queue_id: str) -> MemoryMessage | None:
        return self.queues.get("active", {}).get(queue_id)

    async def scan(self, queue: str) -> AsyncIterator[QueueEntry]:
        for queue_id, message in list(self.queues.get(queue, {}).items()):
            yield QueueEntry(queue, queue_id, message.envelope.size, 0.0, 0o700)

    def move(self, queue_id: str, source: str, target: str, when: float | None = None) -> Deferred[None]:
        message = self.queues.get(source, {}).pop(queue_id, None)
        if message is None:
            return fail(NoSuchMessage(queue_id))
        self.queues.setdefault(target, {})[queue_id] = message
        return succeed(None)

    def remove(self, queue: str, queue_id: str) -> Deferred[None]:
        self.queues.get(queue, {}).pop(queue_id, None)
        return succeed(None)

    def touch(self, queue: str, queue_id: str, when: float) -> Deferred[None]:
        return succeed(None)

    def update(self, message: Any) -> Deferred[None]:
        return succeed(None)

    def free_space(self) -> int:
        return 1 << 40

    def only(self, queue: str = INCOMING) -> MemoryMessage:
        """The one message of a queue."""
        (message,) = self.queues[queue].values()
        return message


class WokenQueue:
    """IQueue: who was woken, and whether messages may go to active at once."""

    def __init__(self, admitting: bool = False) -> None:
        self.admitting = admitting
        self.full = False
        self.woken: list[str] = []
        self.active: list[Envelope] = []

    def admits(self) -> bool:
        return self.admitting

    def pressed(self) -> bool:
        return self.full

    def wake(self, queue_id: str, envelope: Envelope | None = None) -> None:
        self.woken.append(queue_id)

    def wake_active(self, message: Any, envelope: Envelope) -> None:
        self.active.append(envelope)


class KeptReports:
    """IReports: what was recorded, by log and queue ID, and which notices were asked for."""

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], list[Report]] = {}
        self.notices: list[tuple[str, str]] = []

    def record(self, log: str, queue_id: str, report: Report) -> Deferred[None]:
        self.records.setdefault((log, queue_id), []).append(report)
        return succeed(None)

    def forget(self, log: str, queue_id: str) -> Deferred[None]:
        self.records.pop((log, queue_id), None)
        return succeed(None)

    def notify_bounce(self, envelope: Envelope) -> Deferred[None]:
        self.notices.append(("bounce", envelope.queue_id))
        return succeed(None)

    def notify_trace(self, envelope: Envelope) -> Deferred[None]:
        self.notices.append(("trace", envelope.queue_id))
        return succeed(None)
