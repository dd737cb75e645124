"""Name servers for tests: one on loopback sockets over a zone, and one in memory that a Clock drives."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.internet.error import CannotListenError
from twisted.internet.protocol import DatagramProtocol, Factory, Protocol
from twisted.internet.task import Clock

Zone = dict[tuple[str, str], list[str]]
_SOA = "ns.example. root.example. 1 3600 600 86400 30"


class NameServer:
    """Answers from `zone`: (name, type) -> texts of records. What is not there is NXDOMAIN or NODATA, with a SOA.

    `rcodes` are answers by rcode for names; `truncated` names do not fit into a datagram; `silent` names get no answer;
    `mangle` may change an answer's bytes.
    """

    def __init__(self, zone: Zone) -> None:
        self.zone = zone
        self.rcodes: dict[str, int] = {}
        self.truncated: set[str] = set()
        self.silent: set[str] = set()
        self.validated = False
        self.chase = True  # give what a CNAME leads to
        self.asked: list[tuple[str, str, str]] = []
        self.mangle: Callable[[bytes], list[bytes]] = lambda data: [data]

    def answers(self, data: bytes, over: str) -> list[bytes]:
        """The datagrams that answer one."""
        question = dns.message.from_wire(data)
        name = question.question[0].name.to_text(omit_final_dot=True) or "."
        rtype = question.question[0].rdtype.name
        self.asked.append((name, rtype, over))
        if name in self.silent:
            return []
        reply = dns.message.make_response(question, recursion_available=True)
        if name in self.rcodes:
            reply.set_rcode(dns.rcode.Rcode(self.rcodes[name]))
        elif over == "udp" and name in self.truncated:
            reply.flags |= dns.flags.TC
        else:
            self._fill(reply, name, rtype)
        if self.validated:
            reply.flags |= dns.flags.AD
        return self.mangle(reply.to_wire(max_size=65535, want_shuffle=False))

    def _fill(self, reply: dns.message.Message, name: str, rtype: str) -> None:
        while True:
            found = self.zone.get((name.lower(), rtype))
            alias = self.zone.get((name.lower(), "CNAME"))
            if found is not None:
                reply.answer.append(dns.rrset.from_text(name.rstrip(".") + ".", 60, "IN", rtype, *found))
                return
            if alias is None:
                break
            reply.answer.append(dns.rrset.from_text(name + ".", 40, "IN", "CNAME", *alias))
            if not self.chase:
                return
            name = alias[0].rstrip(".")
        if not any(known == name.lower() for known, _ in self.zone):
            reply.set_rcode(dns.rcode.NXDOMAIN)
        reply.authority.append(dns.rrset.from_text("example.", 300, "IN", "SOA", _SOA))

    def listen(self, reactor: Any) -> int:
        """On loopback, UDP and TCP; the port."""
        for _ in range(20):
            self._udp = reactor.listenUDP(0, _Datagrams(self), interface="127.0.0.1")
            port: int = self._udp.getHost().port
            try:
                self._tcp = reactor.listenTCP(port, _Streams(self), interface="127.0.0.1")
            except CannotListenError:  # somebody has the port for TCP
                self._udp.stopListening()
            else:
                return port
        raise AssertionError("no port is free for UDP and TCP")

    def stop(self) -> Deferred[Any]:
        return gatherResults([maybeDeferred(self._udp.stopListening), maybeDeferred(self._tcp.stopListening)])


class _Datagrams(DatagramProtocol):
    def __init__(self, server: NameServer) -> None:
        self._server = server

    def datagramReceived(self, data: bytes, addr: Any) -> None:
        for answer in self._server.answers(data, "udp"):
            self.transport.write(answer, addr)  # type: ignore[union-attr, call-arg, arg-type]


class _Stream(Protocol):
    def __init__(self, server: NameServer) -> None:
        self._server = server
        self._data = b""

    def dataReceived(self, data: bytes) -> None:
        self._data += data
        while len(self._data) >= 2:
            (size,) = struct.unpack("!H", self._data[:2])
            if len(self._data) < size + 2:
                return
            message, self._data = self._data[2 : size + 2], self._data[size + 2 :]
            for answer in self._server.answers(message, "tcp"):
                self.transport.write(struct.pack("!H", len(answer)) + answer)  # type: ignore[union-attr, call-arg]


class _Streams(Factory):
    noisy = False

    def __init__(self, server: NameServer) -> None:
        self._server = server

    def buildProtocol(self, addr: Any) -> Protocol:
        return _Stream(self._server)


class UdpClock(Clock):
    """A reactor with datagrams alone: `servers` by address; who is not there is silent, `refusing` ones say so."""

    def __init__(self, servers: dict[str, NameServer]) -> None:
        super().__init__()
        self.servers = servers
        self.refusing: set[str] = set()
        self.sent: list[tuple[float, str]] = []
        self.open = 0

    def listenUDP(self, port: int, protocol: DatagramProtocol, interface: str = "", maxPacketSize: int = 8192) -> None:
        self.open += 1
        protocol.makeConnection(_MemoryPort(self, protocol))  # type: ignore[arg-type]


class _MemoryPort:
    def __init__(self, network: UdpClock, protocol: DatagramProtocol) -> None:
        self._network = network
        self._protocol = protocol
        self._peer = ("", 0)

    def connect(self, host: str, port: int) -> None:
        self._peer = (host, port)

    def write(self, data: bytes) -> None:
        host = self._peer[0]
        self._network.sent.append((self._network.seconds(), host))
        if host in self._network.refusing:
            self._network.callLater(0, self._protocol.connectionRefused)
        elif host in self._network.servers:
            for answer in self._network.servers[host].answers(data, "udp"):
                self._network.callLater(0, self._protocol.datagramReceived, answer, self._peer)

    def stopListening(self) -> None:
        self._network.open -= 1
