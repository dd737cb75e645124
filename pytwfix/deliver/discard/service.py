"""The discard service (DI-1)."""

from __future__ import annotations

from twisted.application.service import Service
from twisted.internet.defer import Deferred

from pytwfix.contracts.delivery import DeliveryRequest, DeliveryResult
from pytwfix.contracts.host import IHost
from pytwfix.deliver import mailbox
from pytwfix.deliver.guarded import guarded
from pytwfix.deliver.outcome import Outcome
from pytwfix.mail.status import Dsn


class DiscardAgent(Service):
    """IDeliveryAgent."""

    def __init__(self, host: IHost) -> None:
        self._host = host

    def deliver(self, request: DeliveryRequest) -> Deferred[DeliveryResult]:
        return guarded(self._host, request, self._deliver(request))

    async def _deliver(self, request: DeliveryRequest) -> DeliveryResult:
        dsn = request.override or Dsn("2.0.0", request.nexthop)
        async with mailbox.opened(self._host, request):
            outcome = Outcome(self._host, request)
            for recipient in request.recipients:
                await outcome.sent(recipient, dsn, "none", request.times)
        return outcome.result
