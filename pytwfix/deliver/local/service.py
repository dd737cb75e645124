"""The local delivery service (LO-1)."""

from __future__ import annotations

from twisted.application.service import Service
from twisted.internet.defer import Deferred

from pytwfix.contracts.delivery import DeliveryRequest, DeliveryResult
from pytwfix.contracts.host import IHost
from pytwfix.deliver import mailbox
from pytwfix.deliver.accounts import Accounts
from pytwfix.deliver.guarded import guarded
from pytwfix.deliver.local.agent import Attempt
from pytwfix.deliver.local.biff import Biff
from pytwfix.deliver.local.lookup import Aliases
from pytwfix.deliver.local.settings import LocalSettings


class LocalAgent(Service):
    """IDeliveryAgent."""

    def __init__(self, host: IHost) -> None:
        self._host = host
        self._accounts = Accounts(host)
        self._biff = Biff(host)

    def stopService(self) -> None:
        self._biff.close()
        super().stopService()

    def deliver(self, request: DeliveryRequest) -> Deferred[DeliveryResult]:
        return guarded(self._host, request, self._deliver(request))

    async def _deliver(self, request: DeliveryRequest) -> DeliveryResult:
        result = DeliveryResult()
        aliases = Aliases(self._host, self._host.settings(LocalSettings).alias_maps)
        async with mailbox.opened(self._host, request) as message:
            for recipient in request.recipients:
                attempt = Attempt(self._host, request, message, recipient, self._accounts, aliases, self._biff)
                if await attempt.run():
                    result.deferred.append(recipient)
        return result
