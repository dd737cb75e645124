"""An SMTP client in memory: a service, one connection, and what was said."""

from __future__ import annotations

from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from pytwfix.accept.smtpd.service import SmtpdService
from pytwfix.anvil.service import AnvilService
from pytwfix.contracts.rewriting import CLASS_ALIAS, CLASS_LOCAL, CLASS_RELAY, CLASS_VIRTUAL
from tests.kit.accepting import FlushedQueue, MemoryCleanup, RoomyStore, StaticNames, TableRewriter, ZoneResolver
from tests.kit.host import MemoryHost

CLASSES = {
    b"example.com": CLASS_LOCAL,
    b"relay.example": CLASS_RELAY,
    b"alias.example": CLASS_ALIAS,
    b"box.example": CLASS_VIRTUAL,
}
MAIN = {
    "compatibility_level": "3.11",
    "smtpd_forbid_unauth_pipelining": "no",
    "smtpd_error_sleep_time": "0",
    "local_recipient_maps": "inline:{bob=x, alice=x, postmaster=x}",
    "mynetworks": "192.0.2.0/24",
}


def smtpd_host(main: dict[str, str] | None = None, **peers: Any) -> MemoryHost:
    """A host whose peers are all in memory."""
    host = MemoryHost({**MAIN, **(main or {})})
    host.names = StaticNames({"192.0.2.1": "client.example", "127.0.0.1": "localhost"})
    host.resolver = ZoneResolver()
    given = {"cleanup": MemoryCleanup(), "rewriter": TableRewriter(CLASSES), "store": RoomyStore()}
    given.update(queue=FlushedQueue(), counters=AnvilService(host), **peers)
    for name, peer in given.items():
        setattr(host.peers, name, peer)
    return host


class Smtp:
    """One connection to smtpd. `said` gives the reply lines since the last call."""

    def __init__(self, host: MemoryHost, address: str = "198.51.100.7", service: SmtpdService | None = None) -> None:
        self.host = host
        self.service = service or SmtpdService(host)
        if not self.service.running:
            self.service.startService()
        wire: Any = self.service.factory().buildProtocol(None)
        self.wire = wire
        peer = IPv4Address("TCP", address, 4711)
        self.transport = StringTransport(peerAddress=peer, hostAddress=IPv4Address("TCP", "192.0.2.25", 25))
        wire.makeConnection(self.transport)

    def send(self, *lines: str) -> list[str]:
        """The lines, one after the other, each after the reply to the last; all replies."""
        for line in lines:
            self.wire.dataReceived(line.encode() + b"\r\n")
        return self.said()

    def raw(self, data: bytes) -> list[str]:
        self.wire.dataReceived(data)
        return self.said()

    def said(self) -> list[str]:
        lines: list[str] = self.transport.value().decode().splitlines()
        self.transport.clear()
        return lines

    def last(self, *lines: str) -> str:
        return self.send(*lines)[-1]

    def vanish(self) -> None:
        self.wire.connectionLost(Failure(ConnectionDone()))

    @property
    def closed(self) -> bool:
        return bool(self.transport.disconnecting)

    @property
    def mails(self) -> Any:
        return self.host.peers.cleanup.mails

    @property
    def log(self) -> list[str]:
        return self.host.log.lines
