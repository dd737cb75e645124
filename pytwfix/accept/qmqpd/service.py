"""The QMQP server as a service: a factory for connections, nothing else (QD-1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory

from pytwfix.accept.qmqpd.session import QmqpConnection, Session
from pytwfix.accept.qmqpd.settings import QmqpdSettings
from pytwfix.contracts.tables import DEFAULT_FLAGS, PARENT
from pytwfix.tables.matchlists import AddressList
from pytwfix.tables.names import split_list

if TYPE_CHECKING:
    from pytwfix.contracts.host import IHost


class QmqpdService(Service):
    """Serves one line of master.cf."""

    def __init__(self, host: IHost) -> None:
        self._host = host
        self._sessions: set[QmqpConnection] = set()
        self._stopped: Deferred[None] | None = None

    def stopService(self) -> Deferred[None] | None:
        """Fires when the last session has gone."""
        super().stopService()
        if not self._sessions:
            return None
        stopped = self._stopped = Deferred()
        for wire in list(self._sessions):
            wire.stop()
        return stopped

    def factory(self) -> _Connections:
        return _Connections(self)

    def connection(self) -> QmqpConnection | None:
        """None when the process limit is reached."""
        if not self._host.connected():
            return None
        return QmqpConnection(self._host, self._host.settings(QmqpdSettings), self._started)

    def _started(self, wire: QmqpConnection) -> None:
        self._sessions.add(wire)
        self._host.background(self._run(wire), "QMQP session")

    async def _run(self, wire: QmqpConnection) -> None:
        try:
            await Session(wire, self._authorised(wire.cfg)).run()
        finally:
            self._sessions.discard(wire)
            self._host.disconnected()
            stopped = self._stopped
            if stopped is not None and not self._sessions:
                self._stopped = None
                stopped.callback(None)

    def _authorised(self, cfg: QmqpdSettings) -> AddressList:
        name = "qmqpd_authorized_clients"
        flags = DEFAULT_FLAGS | (PARENT if name in split_list(cfg.parent_domain_matches_subdomains) else 0)
        return AddressList(self._host.tables, cfg.qmqpd_authorized_clients, name, flags)


class _Connections(Factory):
    noisy = False

    def __init__(self, service: QmqpdService) -> None:
        self._service = service

    def buildProtocol(self, addr: IAddress | None) -> QmqpConnection | None:
        return self._service.connection()
