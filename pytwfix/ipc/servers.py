"""The answering side: handlers by method number for the real objects (ipc/methods.py).

Each function takes a contract's object and gives a dict for a Channel. Arguments come from another process: they are
checked, and Malformed goes back to it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred

from pytwfix.ipc import methods, values
from pytwfix.ipc.frames import Malformed

if TYPE_CHECKING:
    from pytwfix.contracts.counters import ICounters
    from pytwfix.contracts.delivery import DeliveryRequest, DeliveryResult, IDeliveryAgents
    from pytwfix.contracts.flushing import IFlusher
    from pytwfix.contracts.proxying import ITableProxy
    from pytwfix.contracts.queue import IQueue
    from pytwfix.contracts.reports import IReports
    from pytwfix.contracts.tlssessions import ITlsSessions
    from pytwfix.contracts.verification import IVerifier
    from pytwfix.ipc.channel import Handler

Handlers = dict[int, "Handler"]


def queue(real: IQueue, woken: Callable[[str], None] | None = None) -> Handlers:
    """`woken` hears of every message that this peer brings."""

    def wake(queue_id: str, packed: Any) -> None:
        envelope = None if packed is None else values.unpack_envelope(packed)
        if woken is not None:
            woken(queue_id)
        real.wake(queue_id, envelope)

    return {
        methods.WAKE: _checked(wake, str, object),
        methods.FLUSH: lambda sites: real.flush(None if sites is None else _strings(sites)),
        methods.DELIVER_NOW: _checked(real.deliver_now, str),
        methods.FORGET: lambda names: real.forget(_strings(names)),
        methods.PRESSED: _checked(real.pressed),
    }


def reports(real: IReports) -> Handlers:
    def record(log: str, queue_id: str, report: Any) -> Deferred[None]:
        return real.record(log, queue_id, values.unpack_report(report))

    def bounce_one(envelope: Any, report: Any) -> Deferred[None]:
        return real.bounce_one(values.unpack_envelope(envelope), values.unpack_report(report))

    return {
        methods.RECORD: _checked(record, str, str, object),
        methods.READ: _checked(lambda log, name: real.read(log, name).addCallback(values.pack_reports), str, str),
        methods.FORGET_LOG: _checked(real.forget, str, str),
        methods.NOTIFY_BOUNCE: lambda envelope: real.notify_bounce(values.unpack_envelope(envelope)),
        methods.NOTIFY_DELAY: lambda envelope: real.notify_delay(values.unpack_envelope(envelope)),
        methods.NOTIFY_TRACE: lambda envelope: real.notify_trace(values.unpack_envelope(envelope)),
        methods.BOUNCE_ONE: bounce_one,
    }


def verifier(real: IVerifier) -> Handlers:
    return {
        methods.QUERY: _checked(real.query, bytes),
        methods.UPDATE: _checked(real.update, bytes, int, str),
    }


class Counted:
    """The counts that one peer is responsible for: `release` takes its open connections back when it dies (AN-1)."""

    def __init__(self, real: ICounters) -> None:
        self._real = real
        self._open: dict[tuple[str, str], int] = {}

    def handlers(self) -> Handlers:
        return {
            methods.CONNECT: _checked(self._connect, str, str),
            methods.DISCONNECT: _checked(self._disconnect, str, str),
            methods.EVENT: _checked(self._real.event, str, str, str),
            methods.PEEK: _checked(self._real.peek, str, str, str),
        }

    def _connect(self, service: str, client: str) -> Deferred[tuple[int, int]]:
        key = (service, client)
        self._open[key] = self._open.get(key, 0) + 1
        return self._real.connect(service, client)

    def _disconnect(self, service: str, client: str) -> None:
        count = self._open.pop((service, client), 0)
        if not count:
            return  # it was counted by a process that has gone
        if count > 1:
            self._open[service, client] = count - 1
        self._real.disconnect(service, client)

    def release(self) -> None:
        for (service, client), count in self._open.items():
            for _ in range(count):
                self._real.disconnect(service, client)
        self._open.clear()


def tls_sessions(real: ITlsSessions) -> Handlers:
    return {
        methods.SESSION_LOOKUP: _checked(real.lookup, str, str),
        methods.SESSION_UPDATE: _checked(real.update, str, str, bytes),
        methods.SESSION_DELETE: _checked(real.delete, str, str),
    }


def proxymap(real: ITableProxy) -> Handlers:
    return {
        methods.TABLE_LOOKUP: _checked(real.lookup, str, int, bytes, bool),
        methods.TABLE_UPDATE: _checked(real.update, str, int, bytes, bytes),
        methods.TABLE_DELETE: _checked(real.delete, str, int, bytes),
        methods.TABLE_ITEMS: _checked(real.items, str, int),
    }


def flusher(real: IFlusher) -> Handlers:
    return {methods.ADD_SITE: _checked(real.add, str, str), methods.TAKE_SITE: _checked(real.take, str)}


def agents(real: IDeliveryAgents) -> Handlers:
    """Deliveries for the services that this process has. LookupError for another is a fault of whoever placed it."""

    def deliver(packed: Any) -> Deferred[Any]:
        request = values.unpack_request(packed)
        agent = real.agent(request.transport)
        if agent is None:
            raise ValueError(f"unknown mail transport: {request.transport}")
        return agent.deliver(request).addCallback(_packed_result, request)

    return {methods.DELIVER: deliver}


def _packed_result(result: DeliveryResult, request: DeliveryRequest) -> values.Packed:
    return values.pack_result(result, request)


def _strings(names: Any) -> list[str]:
    if type(names) is not tuple or not all(type(name) is str for name in names):
        raise Malformed("not a list of words")
    return list(names)


def _checked(function: Callable[..., Any], *kinds: type) -> Handler:
    """`function` for arguments of these kinds alone."""
    count = len(kinds)

    def handler(*arguments: Any) -> Any:
        if len(arguments) != count or not all(map(isinstance, arguments, kinds)):
            raise Malformed("argument of a wrong kind")
        return function(*arguments)

    return handler
