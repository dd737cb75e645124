"""master/ports.py: sockets that listen, joined to services."""

from __future__ import annotations

import os
import socket
from typing import Any, cast

from twisted.internet.protocol import Factory
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.master import ports
from pytwfix.master.ports import Ports
from pytwfix.master.sockets import BACKLOG, Place, bind


class Port:
    """A port of Twisted's."""

    connected = True

    def __init__(self, factory: Any) -> None:
        self.factory = factory
        self.calls: list[str] = []

    def stopReading(self) -> None:
        self.calls.append("rest")

    def startReading(self) -> None:
        self.calls.append("go on")

    def stopListening(self) -> None:
        self.calls.append("stop")
        self.connected = False


class Reactor(Clock):
    """Adopts."""

    def __init__(self) -> None:
        super().__init__()
        self.adopted: list[Port] = []
        self.readers: list[Any] = []

    def adoptStreamPort(self, fd: int, family: int, factory: Any) -> Port:
        self.adopted.append(Port(factory))
        return self.adopted[-1]

    def addReader(self, reader: Any) -> None:
        self.readers.append(reader)

    def removeReader(self, reader: Any) -> None:
        if reader in self.readers:
            self.readers.remove(reader)

    def removeWriter(self, writer: Any) -> None:
        """Nothing writes here."""


class Bound:
    """A socket."""

    def __init__(self) -> None:
        self.backlog = 0
        self.closed = False

    def fileno(self) -> int:
        return 99

    def listen(self, backlog: int) -> None:
        self.backlog = backlog

    def close(self) -> None:
        self.closed = True


class Host:
    full: Any = None


class Server:
    def __init__(self) -> None:
        self.made: Any = Factory()

    def factory(self) -> Any:
        return self.made


V4, V6 = Place("25/inet", socket.AF_INET, "", 25), Place("25/inet", socket.AF_INET6, "::", 25)
OTHER = Place("26/inet", socket.AF_INET, "", 26)


class PortCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = Reactor()
        self.bound: dict[Place, Any] = {V4: Bound(), V6: Bound()}
        self.hosts: dict[str, Any] = {"25/inet": Host()}
        self.server = Server()
        self.ports = Ports(self.reactor, self.hosts, self.bound)

    def open(self) -> list[Port]:
        self.ports.open({"25/inet": self.server, "26/inet": self.server})
        return self.reactor.adopted


class Opening(PortCase):
    def test_served(self) -> None:
        """MA-1: each socket once, with our own backlog."""
        self.open()
        self.assertEqual([port.factory for port in self.open()], [self.server.made] * 2)
        self.assertEqual([one.backlog for one in self.bound.values()], [BACKLOG] * 2)

    def test_not_here(self) -> None:
        """A service that another process runs, and one that has nothing to serve a socket with."""
        self.ports.sockets[OTHER] = cast(Any, Bound())
        self.assertEqual(len(self.open()), 2)
        self.hosts["26/inet"] = Host()
        self.patch(ports, "trigger_factory", lambda host, service: None)
        self.ports.open({"26/inet": object()})
        self.assertEqual(len(self.reactor.adopted), 2)
        self.assertIsNone(self.hosts["26/inet"].full)

    def test_new(self) -> None:
        """MA-5: a service that a reload brings."""
        self.open()
        self.ports.sockets[OTHER] = cast(Any, Bound())
        self.hosts["26/inet"] = Host()
        self.assertEqual(len(self.open()), 3)


class Resting(PortCase):
    def test_limit(self) -> None:
        """MA-7: all ports of the service rest at its limit, and go on when there is room; those of others do not."""
        self.ports.sockets[OTHER] = cast(Any, Bound())
        self.hosts["26/inet"] = Host()
        *own, other = self.open()
        self.hosts["25/inet"].full(True)
        self.hosts["25/inet"].full(False)
        self.assertEqual([port.calls for port in own], [["rest", "go on"]] * 2)
        self.assertEqual(other.calls, [])

    def test_closed(self) -> None:
        """A session that ends while the system stops does not open the port again."""
        opened = self.open()
        self.ports.close()
        self.hosts["25/inet"].full(False)
        self.assertEqual([port.calls for port in opened], [["stop"]] * 2)


class Closing(PortCase):
    def test_service(self) -> None:
        """MA-5: a service that is gone from master.cf; its sockets are closed, the others stay."""
        self.ports.sockets[OTHER] = cast(Any, Bound())
        self.hosts["26/inet"] = Host()
        *own, other = self.open()
        self.ports.close_service("25/inet")
        self.ports.close_service("25/inet")
        self.assertEqual([port.calls for port in (*own, other)], [["stop"], ["stop"], []])
        self.assertTrue(all(one.closed for one in self.bound.values()))
        self.assertEqual(list(self.ports.sockets), [OTHER])


class Unix(SynchronousTestCase):
    """MA-11: sockets in the file system."""

    def test_name_stays(self) -> None:
        """Closing the port leaves the name: other processes serve it."""
        path = os.path.relpath(self.mktemp())
        place = Place("policy/unix", socket.AF_UNIX, path)
        bound, reactor = bind(place), Reactor()
        made = Ports(reactor, {"policy/unix": cast(Any, Host())}, {place: bound})
        made.open({"policy/unix": Server()})
        self.assertEqual(len(reactor.readers), 1)
        made.close()
        reactor.advance(0)
        self.assertEqual(reactor.readers, [])
        self.assertTrue(os.path.exists(path))
        bound.close()
