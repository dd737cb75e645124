"""The error and retry services (ER-1, SC-4).

`error` refuses every recipient, `retry` defers it. The reason is the nexthop, with its own status in front or 5.0.0 and
4.0.0; or what the queue manager gives instead, when it has given up a destination for a while.
"""

from __future__ import annotations

import re

from twisted.application.service import Service
from twisted.internet.defer import Deferred

from pytwfix.contracts.delivery import DeliveryRequest, DeliveryResult
from pytwfix.contracts.host import IHost
from pytwfix.deliver import mailbox
from pytwfix.deliver.guarded import guarded
from pytwfix.deliver.outcome import Outcome
from pytwfix.mail.status import Dsn

_STATUS = re.compile(r"\s*([245])\.(\d{1,3}\.\d{1,3})(?:\s+|\Z)")


def reason(nexthop: str, permanent: bool) -> Dsn:
    """The nexthop as status and text. The class of the status is the service's, whatever the text says."""
    class_ = "5" if permanent else "4"
    found = _STATUS.match(nexthop)
    if found is None:
        return Dsn(f"{class_}.0.0", nexthop.strip())
    return Dsn(f"{class_}.{found[2]}", nexthop[found.end() :].strip())


class ErrorAgent(Service):
    """IDeliveryAgent of a line in master.cf whose program is `error`; it defers where the service is called retry."""

    def __init__(self, host: IHost) -> None:
        self._host = host
        self._permanent = host.service != "retry"

    def deliver(self, request: DeliveryRequest) -> Deferred[DeliveryResult]:
        return guarded(self._host, request, self._deliver(request))

    async def _deliver(self, request: DeliveryRequest) -> DeliveryResult:
        dsn = request.override or reason(request.nexthop, self._permanent)
        async with mailbox.opened(self._host, request):
            outcome = Outcome(self._host, request)
            end = outcome.bounced if dsn.permanent else outcome.deferred
            for recipient in request.recipients:
                await end(recipient, dsn, "none", request.times)
        return outcome.result
