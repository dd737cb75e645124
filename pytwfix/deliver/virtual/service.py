"""The virtual delivery service: one agent for each line of master.cf (VI-1)."""

from __future__ import annotations

from twisted.application.service import Service
from twisted.internet.defer import Deferred

from pytwfix.contracts.delivery import DeliveryRequest, DeliveryResult
from pytwfix.contracts.host import IHost
from pytwfix.deliver.guarded import guarded
from pytwfix.deliver.virtual.agent import Delivery


class VirtualAgent(Service):
    """IDeliveryAgent."""

    def __init__(self, host: IHost) -> None:
        self._host = host

    def deliver(self, request: DeliveryRequest) -> Deferred[DeliveryResult]:
        return guarded(self._host, request, Delivery(self._host, request).run())
