"""Contracts with the real object in another process: the same interfaces, every answer later (HOUSE 3).

Errors are those of the contract, or Gone. Where a room can do without an answer it gets one that lets it go on: clients
are not counted and TLS sessions not reused while the process that does it is away.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from pytwfix.contracts.delivery import DeliveryRequest, DeliveryResult
from pytwfix.contracts.reports import Report
from pytwfix.contracts.verification import Verified
from pytwfix.ipc import methods, values
from pytwfix.ipc.failures import Gone
from pytwfix.mail.envelope import Envelope

if TYPE_CHECKING:
    from pytwfix.contracts.queue import IMessage
    from pytwfix.ipc.channel import Channel
    from pytwfix.ipc.link import Link

_OFTEN = 50  # messages between two questions


class QueueProxy:
    """IQueue. Mail is never committed to active/ directly: the manager is elsewhere."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._woken = 0
        self._pressed = False
        self._asking = False

    def wake(self, queue_id: str, envelope: Envelope | None = None) -> None:
        self._woken += 1
        if not self._asking and (self._pressed or not self._woken % _OFTEN):
            self._asking = True
            self._link.call(methods.PRESSED).addBoth(self._told)
        self._link.cast(methods.WAKE, queue_id, None if envelope is None else values.pack_envelope(envelope))

    def _told(self, answer: object) -> None:
        self._asking = False
        self._pressed = answer is True

    def admits(self) -> bool:
        return False

    def pressed(self) -> bool:
        """As it was when the manager was asked last: now and then, or with each mail while it is pressed."""
        return self._pressed

    def wake_active(self, message: IMessage | None, envelope: Envelope) -> None:
        raise RuntimeError("a message was committed to active/ in a process that is not the queue manager's")

    def flush(self, sites: Sequence[str] | None = None) -> Deferred[None]:
        return self._link.call(methods.FLUSH, None if sites is None else list(sites))

    def deliver_now(self, queue_id: str) -> Deferred[bool]:
        return self._link.call(methods.DELIVER_NOW, queue_id)

    def forget(self, queue_ids: Iterable[str]) -> None:
        self._link.cast(methods.FORGET, list(queue_ids))


class ReportsProxy:
    """IReports."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def record(self, log: str, queue_id: str, report: Report) -> Deferred[None]:
        return self._link.call(methods.RECORD, log, queue_id, values.pack_report(report))

    def read(self, log: str, queue_id: str) -> Deferred[list[Report]]:
        return self._link.call(methods.READ, log, queue_id, read=values.unpack_reports)

    def forget(self, log: str, queue_id: str) -> Deferred[None]:
        return self._link.call(methods.FORGET_LOG, log, queue_id)

    def notify_bounce(self, envelope: Envelope) -> Deferred[None]:
        return self._link.call(methods.NOTIFY_BOUNCE, values.pack_envelope(envelope))

    def notify_delay(self, envelope: Envelope) -> Deferred[None]:
        return self._link.call(methods.NOTIFY_DELAY, values.pack_envelope(envelope))

    def notify_trace(self, envelope: Envelope) -> Deferred[None]:
        return self._link.call(methods.NOTIFY_TRACE, values.pack_envelope(envelope))

    def bounce_one(self, envelope: Envelope, report: Report) -> Deferred[None]:
        return self._link.call(methods.BOUNCE_ONE, values.pack_envelope(envelope), values.pack_report(report))


class VerifierProxy:
    """IVerifier."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def query(self, address: bytes) -> Deferred[Verified]:
        return self._link.call(methods.QUERY, address, read=values.unpack_verified)

    def update(self, address: bytes, status: int, text: str) -> Deferred[None]:
        return self._link.call(methods.UPDATE, address, status, text)


class CountersProxy:
    """ICounters."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def connect(self, service: str, client: str) -> Deferred[tuple[int, int]]:
        return self._link.call(methods.CONNECT, service, client, read=_pair).addErrback(_without, (0, 0))

    def disconnect(self, service: str, client: str) -> None:
        self._link.cast(methods.DISCONNECT, service, client)

    def event(self, service: str, client: str, kind: str) -> Deferred[int]:
        return self._link.call(methods.EVENT, service, client, kind).addErrback(_without, 0)

    def peek(self, service: str, client: str, kind: str) -> Deferred[int]:
        return self._link.call(methods.PEEK, service, client, kind).addErrback(_without, 0)


class TlsSessionsProxy:
    """ITlsSessions."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def lookup(self, cache: str, key: str) -> Deferred[bytes | None]:
        return self._link.call(methods.SESSION_LOOKUP, cache, key).addErrback(_without, None)

    def update(self, cache: str, key: str, session: bytes) -> None:
        self._link.cast(methods.SESSION_UPDATE, cache, key, session)

    def delete(self, cache: str, key: str) -> None:
        self._link.cast(methods.SESSION_DELETE, cache, key)


class TableProxy:
    """ITableProxy. Gone becomes the asker's TableUnavailable."""

    remote = True

    def __init__(self, link: Link) -> None:
        self._link = link

    def lookup(self, name: str, flags: int, key: bytes, writable: bool = False) -> Deferred[bytes | None]:
        return self._link.call(methods.TABLE_LOOKUP, name, flags, key, writable)

    def update(self, name: str, flags: int, key: bytes, value: bytes) -> Deferred[None]:
        return self._link.call(methods.TABLE_UPDATE, name, flags, key, value)

    def delete(self, name: str, flags: int, key: bytes) -> Deferred[bool]:
        return self._link.call(methods.TABLE_DELETE, name, flags, key)

    def items(self, name: str, flags: int) -> Deferred[list[tuple[bytes, bytes]]]:
        return self._link.call(methods.TABLE_ITEMS, name, flags, read=list)


class FlusherProxy:
    """IFlusher."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def add(self, site: str, queue_id: str) -> None:
        self._link.cast(methods.ADD_SITE, site, queue_id)

    def take(self, site: str) -> Deferred[list[str]]:
        return self._link.call(methods.TAKE_SITE, site, read=list)


class AgentProxy:
    """IDeliveryAgent: one delivery service in another process. `limit` is how long a delivery may take.

    Unlike the real one it fails with Gone when that process dies: who spreads the deliveries makes a result of it.
    """

    def __init__(self, link: Link | Channel, limit: float) -> None:
        self._link = link
        self._limit = limit

    def deliver(self, request: DeliveryRequest) -> Deferred[DeliveryResult]:
        return self._link.call(
            methods.DELIVER,
            values.pack_request(request),
            read=lambda answer: values.unpack_result(answer, request),
            limit=self._limit,
        )


def _pair(answer: Any) -> tuple[int, int]:
    first, second = values.typed(answer, int, int)
    return first, second


def _without(failure: Failure, instead: Any) -> Any:
    """Go on when the process that answers is away."""
    failure.trap(Gone)
    return instead
