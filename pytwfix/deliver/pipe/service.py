"""The pipe delivery service: one agent for each line of master.cf (PI-1)."""

from __future__ import annotations

from twisted.application.service import Service
from twisted.internet.defer import Deferred

from pytwfix.contracts.delivery import DeliveryRequest, DeliveryResult
from pytwfix.contracts.host import IHost
from pytwfix.deliver.accounts import Accounts
from pytwfix.deliver.guarded import guarded
from pytwfix.deliver.pipe.agent import Delivery
from pytwfix.deliver.pipe.arguments import ArgumentError, Attributes, parse


class PipeAgent(Service):
    """IDeliveryAgent. `arguments` are the words of the line behind program name and -o options."""

    def __init__(self, host: IHost, arguments: list[str]) -> None:
        self._host = host
        self._accounts = Accounts(host)
        self._attributes: Attributes | None = None
        self._trouble = ""
        try:
            self._attributes = parse(arguments)
        except ArgumentError as error:
            self._trouble = str(error)

    def deliver(self, request: DeliveryRequest) -> Deferred[DeliveryResult]:
        delivery = Delivery(self._host, request, self._accounts, self._attributes, self._trouble)
        return guarded(self._host, request, delivery.run())
