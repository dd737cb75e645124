"""Telling the comsat service of new mail, so that it can tell users who are logged in (LO-7).

One UDP datagram to port biff of this host, `user@offset` and a NUL byte, where the offset is the place in the mbox at
which the mail begins. Nobody answers, and nothing that goes wrong here matters to the mail: it is logged once.
"""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet.interfaces import IReactorUDP
from twisted.internet.protocol import DatagramProtocol

from pytwfix.contracts.host import IHost
from pytwfix.deliver.local import log

_HOST = "127.0.0.1"
_SERVICE = "biff"


class Biff:
    """One of a process. It takes a port with the first mail."""

    def __init__(self, host: IHost) -> None:
        self._host = host
        self._port = 0  # of the comsat service; -1 when it has none
        self._ours: Any = None
        self._socket = DatagramProtocol()

    def tell(self, user: str, offset: int) -> None:
        """Without waiting for anything."""
        if self._ours is not None:
            self._send(user, offset)
        elif self._port >= 0:
            self._host.background(self._begin(user, offset), "biff")

    async def _begin(self, user: str, offset: int) -> None:
        """The port of the service is in a file, or wherever nsswitch.conf says."""
        try:
            port = await self._host.threads.run(socket.getservbyname, _SERVICE, "udp")
        except OSError:
            if not self._port:
                log.no_biff(self._host.log, _SERVICE)
            self._port = -1
            return
        self._port = port
        if self._ours is None and _has_udp(self._host.reactor):
            self._ours = self._host.reactor.listenUDP(0, self._socket, interface=_HOST)
        if self._ours is not None:
            self._send(user, offset)

    def _send(self, user: str, offset: int) -> None:
        try:
            self._ours.write(b"%b@%d\0" % (user.encode("utf-8", "surrogateescape"), offset), (_HOST, self._port))
        except OSError as error:
            log.biff_failed(self._host.log, error.strerror or str(error))
            self._port = -1
            self.close()

    def close(self) -> None:
        """Give the port back."""
        if self._ours is not None:
            self._ours.stopListening()
            self._ours = None


def _has_udp(reactor: object) -> bool:
    return bool(IReactorUDP.providedBy(reactor))
