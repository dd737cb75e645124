"""What other processes do for one that is not the queue's: proxies by contract, and deliveries (HOUSE 3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from pytwfix.contracts.delivery import DeliveryRequest, DeliveryResult
from pytwfix.ipc import proxies
from pytwfix.ipc.failures import Gone
from pytwfix.master import placement
from pytwfix.master.plan import program

if TYPE_CHECKING:
    from pytwfix.ipc.link import Link
    from pytwfix.master.plan import Plan


def contracts(link: Link) -> dict[str, Any]:
    """What Rooms takes as `remote`."""
    return {
        "queue": proxies.QueueProxy(link),
        "reports": proxies.ReportsProxy(link),
        "verifier": proxies.VerifierProxy(link),
        "counters": proxies.CountersProxy(link),
        "tls_sessions": proxies.TlsSessionsProxy(link),
        "proxymap": proxies.TableProxy(link),
        "flusher": proxies.FlusherProxy(link),
    }


class Elsewhere:
    """IDeliveryAgents by way of the queue's process: local may hand a mail to lmtp. `plan` gives the plan of now."""

    def __init__(self, link: Link, plan: Callable[[], Plan]) -> None:
        self._link = link
        self._plan = plan

    def agent(self, transport: str) -> _Agent | None:
        plan = self._plan()
        line = plan.by_name().get(transport)
        if line is None or program(line) not in placement.DELIVERY:
            return None
        return _Agent(proxies.AgentProxy(self._link, float(plan.settings.daemon_timeout)))

    def limit(self, transport: str) -> int:
        plan = self._plan()
        line = plan.by_name().get(transport)
        return 0 if line is None else plan.limit(line)


class _Agent:
    """IDeliveryAgent, which never fails: when the other process dies, all stay in the queue."""

    __slots__ = ("_proxy",)

    def __init__(self, proxy: proxies.AgentProxy) -> None:
        self._proxy = proxy

    def deliver(self, request: DeliveryRequest) -> Deferred[DeliveryResult]:
        return self._proxy.deliver(request).addErrback(_stay, request)


def _stay(failure: Failure, request: DeliveryRequest) -> DeliveryResult:
    failure.trap(Gone)
    return DeliveryResult(list(request.recipients))
