"""The SMTP and LMTP client as a service: one agent for each line of master.cf (SM-1)."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.application.service import Service
from twisted.internet.defer import Deferred

from pytwfix.basics.tasks import fired
from pytwfix.contracts.delivery import DeliveryRequest, DeliveryResult
from pytwfix.contracts.host import IHost
from pytwfix.deliver.guarded import guarded
from pytwfix.deliver.smtp.configuration import Configuration
from pytwfix.deliver.smtp.delivery import Delivery
from pytwfix.deliver.smtp.pool import Pool
from pytwfix.deliver.smtp.settings import LmtpSettings, SmtpSettings
from pytwfix.settings.kinds import SettingsError


class SmtpAgent(Service):
    """IDeliveryAgent. `arguments` are the words of the line behind program name and -o options (flags=DORX)."""

    def __init__(self, host: IHost, lmtp: bool = False, arguments: Sequence[str] = ()) -> None:
        self._host = host
        self._lmtp = lmtp
        self._arguments = arguments
        self._settings: type[SmtpSettings] = LmtpSettings if lmtp else SmtpSettings
        self._configuration: Configuration | None = None
        self._pool = Pool(0)

    def stopService(self) -> None:
        super().stopService()
        self._pool.close()
        self._settle()

    def deliver(self, request: DeliveryRequest) -> Deferred[DeliveryResult]:
        config = self._configuration
        try:
            if config is None or config.cfg is not self._host.settings(self._settings):
                config = self._configured()
        except SettingsError as error:
            self._host.log.fatal(str(error))
            return fired(DeliveryResult(list(request.recipients)))
        return guarded(self._host, request, Delivery(config, self._pool, request).run())

    def _configured(self) -> Configuration:
        """Made anew when the settings are others than before (reload). Idle sessions were made by the old ones."""
        self._settle()
        config = self._configuration = Configuration(self._host, self._lmtp, self._arguments)
        self._pool.close()
        self._pool = Pool(config.idle_limit)
        return config

    def _settle(self) -> None:
        """What was counted under the settings until now is written."""
        if self._configuration is not None and self._configuration.tlsrpt is not None:
            self._configuration.tlsrpt.close()
