"""The QMQP server as a service: a factory for connections, nothing else (QD-1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.application.service import Service
from twisted.internet.defer import Deferred

from pytwfix.accept.qmqpd.session import QmqpConnection, Session
from pytwfix.accept.qmqpd.settings import QmqpdSettings
from pytwfix.accept.sessions import Connections, Sessions
from pytwfix.contracts.tables import DEFAULT_FLAGS, PARENT
from pytwfix.tables.matchlists import AddressList
from pytwfix.tables.names import split_list

if TYPE_CHECKING:
    from pytwfix.contracts.host import IHost


class QmqpdService(Service):
    """Serves one line of master.cf."""

    def __init__(self, host: IHost) -> None:
        self._host = host
        self._sessions = Sessions(host, "QMQP session")

    def stopService(self) -> Deferred[None] | None:
        """Fires when the last session has gone."""
        super().stopService()
        return self._sessions.stop()

    def factory(self) -> Connections:
        return Connections(self.connection)

    def connection(self) -> QmqpConnection | None:
        """None when the process limit is reached."""
        if not self._host.connected():
            return None
        return QmqpConnection(self._host, self._host.settings(QmqpdSettings), self._started)

    def _started(self, wire: QmqpConnection) -> None:
        # The session is made where a failure of its making is logged, and the connection given back.
        self._sessions.begin(wire, lambda: Session(wire, self._authorised(wire.cfg)).run())

    def _authorised(self, cfg: QmqpdSettings) -> AddressList:
        name = "qmqpd_authorized_clients"
        flags = DEFAULT_FLAGS | (PARENT if name in split_list(cfg.parent_domain_matches_subdomains) else 0)
        return AddressList(self._host.tables, cfg.qmqpd_authorized_clients, name, flags)
