"""The SMTP server as a service: a factory for connections, nothing else (SD-1, SD-22)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred

from pytwfix.accept.sessions import Connections, Sessions
from pytwfix.accept.smtpd import log
from pytwfix.accept.smtpd.catalogue import unhonoured
from pytwfix.accept.smtpd.client import UNKNOWN, Connected
from pytwfix.accept.smtpd.configuration import Configuration
from pytwfix.accept.smtpd.safety import Fatal
from pytwfix.accept.smtpd.session import Session
from pytwfix.accept.smtpd.settings import SmtpdSettings
from pytwfix.accept.smtpd.wire import Wire
from pytwfix.settings.kinds import SettingsError

if TYPE_CHECKING:
    from pytwfix.contracts.host import IHost


class SmtpdService(Service):
    """Serves one line of master.cf. Sessions under way keep the settings that they started with."""

    def __init__(self, host: IHost) -> None:
        self._host = host
        self._configuration: Configuration | None = None
        self._sessions = Sessions(host, "smtpd session")

    def startService(self) -> None:
        """Raises Fatal (logged) for settings with which Postfix would not run."""
        super().startService()
        try:
            self.configuration()
        except Fatal as error:
            self._host.log.fatal(str(error))
            raise

    def stopService(self) -> Deferred[None] | None:
        """Clients hear 421 when they come to rest; fires when the last has gone."""
        super().stopService()
        return self._sessions.stop()

    def configuration(self) -> Configuration:
        """Parsed anew when the settings are others than before (reload, stress). Raises Fatal."""
        made = self._configuration
        if made is None or made.settings is not self._host.settings(SmtpdSettings):
            try:
                made = self._configuration = Configuration(self._host)
            except SettingsError as error:
                raise Fatal(str(error)) from error
            if made.tls.wanted and not made.tls.enabled:
                log.no_certificates(self._host.log)
            if made.tls.vain:
                log.tls_not_required(self._host.log)
            for name in unhonoured(self._host):
                log.not_honoured(self._host.log, name)
        return made

    def factory(self) -> Connections:
        return Connections(self.connection)

    def connection(self) -> Wire | None:
        """A new connection's protocol; None when the process limit is reached."""
        if not self._host.connected():
            return None
        try:
            configuration = self.configuration()
        except Fatal as error:
            self._host.log.fatal(str(error))
            self._host.disconnected()
            return None
        return Wire(self._host, configuration, self._started)

    def _started(self, wire: Wire) -> None:
        session = Session(self._host, wire.configuration, wire, _connected(wire))
        self._sessions.begin(wire, session.run)


def _connected(wire: Wire) -> Connected:
    proxied = wire.proxied
    if proxied is not None:
        return Connected(proxied.client, proxied.client_port, proxied.server, proxied.server_port)
    transport: Any = wire.transport
    peer, own = transport.getPeer(), transport.getHost()
    address = getattr(peer, "host", UNKNOWN)
    if address.startswith("::ffff:") and "." in address:
        address = address[7:]
    port, own_port = str(getattr(peer, "port", UNKNOWN)), str(getattr(own, "port", UNKNOWN))
    return Connected(address, port, getattr(own, "host", UNKNOWN), own_port)
