"""deliver/local/biff.py: the comsat service is told of new mail (LO-7)."""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet.interfaces import IReactorUDP
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from pytwfix.contracts.asuser import AsUserError
from pytwfix.deliver import accounts
from pytwfix.deliver.accounts import Account
from pytwfix.deliver.local.service import LocalAgent
from tests.kit.asuser import MemoryAsUser
from tests.kit.delivering import LocalRewriter, MemoryAgents, MemoryCleanup, MemoryReports, delivery
from tests.kit.host import MemoryHost

_GAMES = {"games": Account("games", 5, 60, "/home/games", "/bin/sh")}


@implementer(IReactorUDP)
class Datagrams(Clock):
    """A reactor that keeps what is sent by UDP. `trouble` is raised instead."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[tuple[bytes, tuple[str, int]]] = []
        self.ports = 0
        self.trouble: OSError | None = None

    def listenUDP(self, port: int, protocol: Any, interface: str = "", maxPacketSize: int = 8192) -> Any:
        self.ports += 1
        return self

    def write(self, data: bytes, address: tuple[str, int]) -> None:
        if self.trouble:
            raise self.trouble
        self.sent.append((data, address))

    def stopListening(self) -> None:
        self.ports -= 1


class BiffTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.patch(accounts, "by_name", _GAMES.get)
        self.patch(socket, "getservbyname", lambda name, kind: {("biff", "udp"): 512}[(name, kind)])
        self.reactor = Datagrams()
        self.asuser = MemoryAsUser()

    def agent(self, **main: str) -> LocalAgent:
        values = {"alias_maps": "", "mail_spool_directory": "/spool", "forward_path": "", "biff": "yes", **main}
        peers: dict[str, Any] = {"asuser": self.asuser, "reports": MemoryReports(), "cleanup": MemoryCleanup()}
        self.host = MemoryHost(
            values, "local", "local", clock=self.reactor, rewriter=LocalRewriter(), agents=MemoryAgents("p1"), **peers
        )
        return LocalAgent(self.host)

    def deliver(self, agent: LocalAgent) -> None:
        self.successResultOf(agent.deliver(delivery(b"games@example.com", content=b"S: x\r\n\r\n")))

    def test_told(self) -> None:
        """LO-7: the user, and where in the mbox the mail begins; the port is taken once, and given back."""
        agent = self.agent()
        self.deliver(agent)
        size = len(self.asuser.written[0][1].data)
        self.deliver(agent)
        comsat = ("127.0.0.1", 512)
        self.assertEqual(self.reactor.sent, [(b"games@0\0", comsat), (b"games@%d\0" % size, comsat)])
        self.assertEqual(self.reactor.ports, 1)
        agent.stopService()
        self.assertEqual(self.reactor.ports, 0)

    def test_not_told(self) -> None:
        """LO-7: not for a Maildir, not with biff = no, not when the mail was not delivered."""
        self.deliver(self.agent(mail_spool_directory="/spool/"))
        self.deliver(self.agent(biff="no"))
        self.asuser.trouble["/spool/games"] = AsUserError("temporary", "no")
        self.deliver(self.agent())
        self.assertEqual(self.reactor.sent, [])

    def test_no_service(self) -> None:
        """LO-7: a host that does not know the service is told so once; mail is delivered."""

        def unknown(name: str, kind: str) -> int:
            raise OSError("service/proto not found")

        self.patch(socket, "getservbyname", unknown)
        agent = self.agent()
        self.deliver(agent)
        self.deliver(agent)
        self.assertEqual(len(self.asuser.written), 2)
        self.assertEqual(len([line for line in self.host.log.lines if "biff/udp" in line]), 1)

    def test_trouble(self) -> None:
        """LO-7: what cannot be sent is told once."""
        self.reactor.trouble = OSError(1, "Operation not permitted")
        agent = self.agent()
        self.deliver(agent)
        self.deliver(agent)
        self.assertEqual(len([line for line in self.host.log.lines if "biff: Operation not permitted" in line]), 1)
