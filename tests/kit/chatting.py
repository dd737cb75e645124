"""Servers that transcripts are played against: a session in memory, and services of a mail system on the loopback."""

from __future__ import annotations

import os
import re
import socket
import ssl
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from pytwfix.accept.smtpd.service import SmtpdService
from pytwfix.anvil.service import AnvilService
from pytwfix.contracts.dns import MX, Address, DnsError, TryAgain
from pytwfix.rewrite.service import RewriteService
from tests.kit.accepting import FlushedQueue, MemoryCleanup, RoomyStore, StaticNames, ZoneResolver
from tests.kit.host import MemoryHost
from tests.kit.mailsystem import MailSystem
from tests.kit.nameserver import Zone
from tests.kit.transcript import Transcript, read
from tests.kit.waiting import wait_for

HERE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "dialogs", "smtpd")
# Domains of each class, and what no dialog is to be kept waiting by; generated dialogs stand on these too.
DOMAINS = {
    "relay_domains": "relay.example",
    "virtual_alias_domains": "alias.example",
    "virtual_alias_maps": "inline:{ana@alias.example=bob@test.example}",
    "virtual_mailbox_domains": "box.example",
    "virtual_mailbox_maps": "inline:{eve@box.example=eve/}",
    "virtual_mailbox_base": "/nowhere",
    "virtual_transport": "discard",
    "local_transport": "discard",
    "relay_transport": "discard",
    "relay_recipient_maps": "inline:{joe@relay.example=x}",
    "default_transport": "discard",
    "alias_maps": "",
    "smtpd_peername_lookup": "no",
    "smtpd_error_sleep_time": "0",
    "notify_classes": "",
    "smtpd_forbid_bare_newline": "normalize",
    "smtpd_forbid_unauth_pipelining": "yes",
    "smtpd_relay_restrictions": "permit_mynetworks, reject_unauth_destination",
    "recipient_delimiter": "+",
    "fast_flush_domains": "relay.example",
    "smtpd_client_connection_count_limit": "0",
    "smtpd_tls_security_level": "none",
    "smtpd_timeout": "20s",
}
MAIN = {
    **DOMAINS,
    "compatibility_level": "3.6",
    "myhostname": "mx.test.example",
    "mydomain": "test.example",
    "myorigin": "test.example",
    "mydestination": "test.example",
    "local_recipient_maps": "inline:{bob=x, alice=x, postmaster=x}",
    "transport_maps": "inline:{{undeliverable.example=error:5.1.2 no such place}, {later.example=retry:4.4.1 not now}, "
    "{wordless.example=error:no mail there}}",
    "inet_interfaces": "127.0.0.1",
    "inet_protocols": "ipv4",
    "mynetworks": "127.0.0.0/8",
    "smtpd_authorized_xclient_hosts": "127.0.0.0/8, 192.0.2.0/24, 198.51.100.0/24, [2001:db8::]/32",
    "smtputf8_enable": "yes",
    "parent_domain_matches_subdomains": "debug_peer_list, fast_flush_domains, mynetworks, relay_domains, "
    "smtpd_access_maps",
}
_TRY_AGAIN = "SERVFAIL"
ZONE: Zone = {
    ("good.example", "MX"): ["10 mail.good.example."],
    ("good.example", "NS"): ["ns1.good.example."],
    ("mail.good.example", "A"): ["192.0.2.50"],
    ("ns1.good.example", "A"): ["192.0.2.53"],
    ("addressed.example", "A"): ["192.0.2.51"],
    ("nomail.example", "MX"): ["0 ."],
    ("nodata.example", "TXT"): ["nothing"],
    ("bad.example", "MX"): ["10 mail.bad.example."],
    ("bad.example", "NS"): ["ns.evil.example."],
    ("mail.bad.example", "A"): ["198.51.100.66"],
    ("ns.evil.example", "A"): ["198.51.100.53"],
    ("client.bad.example", "A"): ["198.51.100.66"],
    ("66.100.51.198.dnsbl.example", "A"): ["127.0.0.2", "127.0.0.10"],
    ("66.100.51.198.dnsbl.example", "TXT"): ['"listed by us, for ever"', '"see dnsbl.example"'],
    ("67.100.51.198.dnsbl.example", "A"): ["127.0.0.4"],
    ("66.100.51.198.dnswl.example", "A"): ["127.0.0.1"],
    ("bad.example.rhsbl.example", "A"): ["127.0.0.2"],
    ("client.bad.example.rhsbl.example", "A"): ["127.0.0.2"],
    ("reverse.bad.example.rhsbl.example", "A"): ["127.0.0.2"],
    ("helo.bad.example.rhsbl.example", "A"): ["127.0.0.2"],
}
FAILING = ("broken.example", "1.2.0.192.brokenbl.example", "66.100.51.198.brokenbl.example")


def transcripts() -> list[Transcript]:
    names = sorted(name for name in os.listdir(HERE) if name.endswith(".chat"))
    return [read(os.path.join(HERE, name), name.removesuffix(".chat")) for name in names]


def records() -> dict[tuple[str, str], Any]:
    """ZONE as a resolver in memory takes it."""
    out: dict[tuple[str, str], Any] = {}
    for (name, rtype), texts in ZONE.items():
        out[name, rtype] = [_record(rtype, text) for text in texts]
    for name in FAILING:
        for rtype in ("MX", "A", "AAAA", "NS", "TXT"):
            out[name, rtype] = _failure(name, rtype)
    return out


def _failure(name: str, rtype: str) -> DnsError:
    text = f"Host or domain name not found. Name service error for name={name} type={rtype}: Host not found, try again"
    return TryAgain(name, rtype, text)


def _record(rtype: str, text: str) -> object:
    if rtype == "MX":
        preference, host = text.split()
        return MX(int(preference), host.rstrip("."))
    if rtype == "A":
        return Address(socket.AF_INET, text)
    return text.rstrip(".") if rtype == "NS" else "".join(re.findall(r'"([^"]*)"', text) or [text])


class CorePlayer:
    """A session whose peers are all in memory; its clock runs when it is waited for."""

    def __init__(self, transcript: Transcript) -> None:
        parameters = {name: value for name, value in transcript.parameters.items() if name != "syslog_name"}
        self._host = host = MemoryHost({**MAIN, **parameters})
        host.names = StaticNames()
        host.resolver = ZoneResolver(records())
        peers: dict[str, Any] = {
            "cleanup": MemoryCleanup(), "rewriter": RewriteService(host), "store": RoomyStore(),
            "queue": FlushedQueue(), "counters": AnvilService(host),
        }  # fmt: skip
        for name, peer in peers.items():
            setattr(host.peers, name, peer)
        self._service = SmtpdService(host)
        self._service.startService()
        self._open: list[tuple[Any, StringTransport]] = []
        self._lines: list[str] = []

    def connect(self) -> None:
        wire: Any = self._service.factory().buildProtocol(None)
        peer, own = IPv4Address("TCP", "127.0.0.1", 4711), IPv4Address("TCP", "127.0.0.1", 25)
        transport = StringTransport(peerAddress=peer, hostAddress=own)
        wire.makeConnection(transport)
        self._lines = []
        self._open.append((wire, transport))

    def send(self, data: bytes) -> None:
        self._open[-1][0].dataReceived(data)

    def _look(self) -> None:
        transport = self._open[-1][1]
        self._lines += transport.value().decode("utf-8", "replace").splitlines()
        transport.clear()

    def line(self) -> str | None:
        for _ in range(100):
            self._look()
            if self._lines:
                return self._lines.pop(0)
            self._host.clock.advance(0.5)
        return None

    def hung_up(self) -> bool:
        self._look()
        return not self._lines and bool(self._open[-1][1].disconnecting)

    def handshake(self, client: bool = False) -> None:
        raise AssertionError("there is no TLS in memory")

    def log(self) -> list[str]:
        for wire, _ in self._open:
            wire.connectionLost(Failure(ConnectionDone()))
        return self._host.log.lines


class DaemonPlayer:
    """A service of a mail system, whose log lines have the transcript's name in them."""

    def __init__(self, system: MailSystem, name: str, port: int, authority: str) -> None:
        self._system = system
        self._port = port
        self._tag = f"postfix/{name}/smtpd["
        self._authority = authority
        self._open: list[socket.socket] = []
        self._stream: Any = None

    def connect(self) -> None:
        connection = socket.create_connection(("127.0.0.1", self._port), 10)
        self._open.append(connection)
        self._stream = connection.makefile("rb")

    def send(self, data: bytes) -> None:
        try:
            self._open[-1].sendall(data)
        except OSError:
            pass  # what it said before it hung up may still be there

    def line(self) -> str | None:
        try:
            got: bytes = self._stream.readline()
        except OSError:
            return None
        return got.decode("utf-8", "replace").rstrip("\r\n") if got else None

    def hung_up(self) -> bool:
        return self.line() is None

    def handshake(self, client: bool = False) -> None:
        context = ssl.create_default_context(cafile=self._authority)
        if client:
            context.load_cert_chain(os.path.join(os.path.dirname(self._authority), "client.pem"))
        self._open[-1] = context.wrap_socket(self._open[-1], server_hostname="mx.test.example")
        self._stream = self._open[-1].makefile("rb")

    def log(self) -> list[str]:
        self._stream.close()
        for number, connection in enumerate(self._open, 1):
            connection.close()
            self._wait_ended(number)
        return [line.partition(self._tag)[2].partition("]: ")[2] for line in self._lines()]

    def _wait_ended(self, count: int) -> None:
        """So many sessions are over: the log has them in order."""

        def ended() -> bool:
            return sum(" disconnect from " in line for line in self._lines()) >= count

        wait_for(lambda: ended() or None, lambda: "\n".join(self._lines()), 10)

    def _lines(self) -> list[str]:
        return [line for line in self._system.log().splitlines() if self._tag in line]
