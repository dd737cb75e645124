"""What a delivery agent works with, in memory: a message, reports, a resolver of addresses, cleanup, other agents."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed

from pytwfix.contracts.cleanup import Committed, Origin
from pytwfix.contracts.delivery import DeliveryRequest, DeliveryResult, Times
from pytwfix.contracts.reports import Report
from pytwfix.contracts.rewriting import CLASS_LOCAL, Resolved
from pytwfix.mail.envelope import Client, Envelope, Recipient


class MemoryMessage:
    """IMessage over bytes with CRLF line ends."""

    def __init__(self, envelope: Envelope, content: bytes) -> None:
        self.envelope = envelope
        self.queue_id = envelope.queue_id
        self.content = content
        self.marked: list[Recipient] = []
        self.closed = False

    async def body(self) -> AsyncIterator[bytes]:
        yield self.content

    def cached(self) -> bytes | None:
        return self.content

    def done(self, recipient: Recipient) -> None:
        recipient.done = True
        self.marked.append(recipient)

    def close(self) -> None:
        self.closed = True


class MemoryReports:
    """IReports: (log, queue ID, report) in order."""

    def __init__(self) -> None:
        self.records: list[tuple[str, str, Report]] = []
        self.singles: list[tuple[Envelope, Report]] = []

    def record(self, log: str, queue_id: str, report: Report) -> Deferred[None]:
        self.records.append((log, queue_id, report))
        return succeed(None)

    def bounce_one(self, envelope: Envelope, report: Report) -> Deferred[None]:
        self.singles.append((envelope, report))
        return succeed(None)


class LocalRewriter:
    """IRewriter of a host with one local domain; everything else goes to smtp."""

    def __init__(self, transport: str = "local", origin: bytes = b"example.com") -> None:
        self._transport = transport
        self._origin = origin

    def rewrite(self, context: str, address: bytes) -> Deferred[bytes]:
        return succeed(address if b"@" in address else address + b"@" + self._origin)

    def resolve(self, sender: bytes, address: bytes, verify: bool = False) -> Deferred[Resolved]:
        domain = address.rpartition(b"@")[2]
        if domain == self._origin:
            return succeed(Resolved(self._transport, "mx.example.com", address, CLASS_LOCAL))
        return succeed(Resolved("smtp", domain.decode(), address, 0))


class MemoryTransaction:
    """ITransaction that keeps what it is given."""

    def __init__(self, queue_id: str, origin: Origin, error: Exception | None) -> None:
        self.queue_id = queue_id
        self.origin = origin
        self.envelope = Envelope(queue_id)
        self.recipients: list[Recipient] = []
        self.content = b""
        self.aborted = False
        self._error = error

    def sender(self, address: bytes) -> Deferred[None]:
        self.envelope.sender = address
        return succeed(None)

    def recipient(self, recipient: Recipient) -> Deferred[None]:
        self.recipients.append(recipient)
        return succeed(None)

    def body(self, data: bytes) -> None:
        self.content += data

    def commit(self) -> Deferred[Committed]:
        if self._error is not None:
            return fail(self._error)
        return succeed(Committed(self.queue_id, len(self.content)))

    def abort(self, reason: str = "") -> None:
        self.aborted = True


class MemoryCleanup:
    """ICleanup; `error` is what commits fail with."""

    def __init__(self) -> None:
        self.mails: list[MemoryTransaction] = []
        self.error: Exception | None = None

    def begin(self, origin: Origin) -> Deferred[MemoryTransaction]:
        mail = MemoryTransaction(f"NEW{len(self.mails) + 1}", origin, self.error)
        self.mails.append(mail)
        return succeed(mail)


class MemoryAgents:
    """IDeliveryAgents: takes all for the services in `names`, keeps the requests."""

    def __init__(self, *names: str) -> None:
        self._names = names
        self.requests: list[DeliveryRequest] = []
        self.defers = False

    def agent(self, transport: str) -> Any:
        return self if transport in self._names else None

    def limit(self, transport: str) -> int:
        return 0

    def deliver(self, request: DeliveryRequest) -> Deferred[DeliveryResult]:
        self.requests.append(request)
        return succeed(DeliveryResult(list(request.recipients) if self.defers else []))


def delivery(
    *recipients: bytes | Recipient,
    content: bytes = b"Subject: x\r\n\r\nFrom here\r\nbye\r\n",
    sender: bytes = b"a@b.example",
    transport: str = "local",
    nexthop: str = "mx.example.com",
    flags: int = 0,
) -> DeliveryRequest:
    """A request with its message in hand, from a client 192.0.2.1."""
    client = Client("c.example", "192.0.2.1", "4711", "helo.example", "ESMTP")
    envelope = Envelope("QID1", sender, size=len(content), client=client)
    for number, recipient in enumerate(recipients):
        if isinstance(recipient, bytes):
            recipient = Recipient(recipient, recipient, offset=number + 1)
        envelope.recipients.append(recipient)
    message = MemoryMessage(envelope, content)
    return DeliveryRequest(
        "active", "QID1", transport, nexthop, envelope, list(envelope.recipients), Times(1.0, 1.0, 1.0), flags, message
    )
