"""Sockets that listen, joined to the services that serve them (MA-1, MA-7).

A port whose service has as many sessions as it may have rests: the kernel keeps new clients waiting, or another process
takes them.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from twisted.internet import tcp, unix
from twisted.internet.interfaces import IProtocolFactory

from pytwfix.master.sockets import BACKLOG, Place
from pytwfix.master.triggers import trigger_factory

if TYPE_CHECKING:
    from pytwfix.master.host import ServiceHost


class _UnixPort(unix.Port):
    """Closing it leaves the socket's name alone: other processes serve it, or this one's successor will."""

    def connectionLost(self, reason: Any) -> None:
        tcp.Port.connectionLost(self, reason)


class Ports:
    """`hosts` are the process's services by service/type; `sockets` what was bound for them."""

    def __init__(self, reactor: Any, hosts: Mapping[str, ServiceHost], sockets: Mapping[Place, socket.socket]) -> None:
        self._reactor = reactor
        self._hosts = hosts
        self.sockets = dict(sockets)
        self._ports: dict[Place, Any] = {}

    def open(self, services: Mapping[str, Any]) -> None:
        """Serve every socket whose service is here and that is not served yet."""
        for place, bound in self.sockets.items():
            if place in self._ports or place.key not in self._hosts:
                continue
            factory = self._factory(place.key, services.get(place.key))
            if factory is not None:
                self._ports[place] = self._adopt(place, bound, factory)
                self._hosts[place.key].full = self._resting(place.key)

    def _factory(self, key: str, service: Any) -> IProtocolFactory | None:
        made = getattr(service, "factory", None)
        if made is not None:
            found: IProtocolFactory = made()
            return found
        return trigger_factory(self._hosts[key], service)

    def _adopt(self, place: Place, bound: socket.socket, factory: IProtocolFactory) -> Any:
        port: Any
        if place.family == socket.AF_UNIX:
            port = _UnixPort._fromListeningDescriptor(self._reactor, bound.fileno(), factory)
            port.startListening()
        else:
            port = self._reactor.adoptStreamPort(bound.fileno(), place.family, factory)
        bound.listen(BACKLOG)  # adoptStreamPort has set Twisted's own, which is 50
        return port

    def _resting(self, key: str) -> Any:
        def full(yes: bool) -> None:
            for place, port in self._ports.items():
                if place.key == key and port.connected:
                    (port.stopReading if yes else port.startReading)()

        return full

    def close(self) -> None:
        """Accept nothing more."""
        for port in self._ports.values():
            port.stopListening()
        self._ports.clear()

    def close_service(self, key: str) -> None:
        for place in [one for one in self._ports if one.key == key]:
            self._ports.pop(place).stopListening()
            self.sockets.pop(place).close()
