"""The servers of a destination: MX records, addresses, their order (SM-3, OB-4).

`find` gives them best first. Trouble: there are none, or none that is not this machine.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, NamedTuple

from pytwfix.contracts.dns import MX, SRV, Address, Answer, DnsError, NoData, NoSuchName, TryAgain
from pytwfix.deliver.smtp import log
from pytwfix.deliver.smtp.dnsfilter import filtered
from pytwfix.deliver.smtp.failures import Trouble, loops_back, not_found
from pytwfix.deliver.smtp.nexthop import port_number, service_port
from pytwfix.mail.hostnames import valid_ipv4, valid_ipv6
from pytwfix.mail.idn import to_ascii
from pytwfix.mail.status import Dsn

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from pytwfix.deliver.smtp.configuration import Configuration
    from pytwfix.deliver.smtp.nexthop import Destination

_SMTP_PORT = 25


class Server(NamedTuple):
    """One address of one host. `validated`: DNSSEC vouches for it; `mx_validated`: for the MX record, if any."""

    host: str
    address: str
    port: int
    family: int = socket.AF_INET
    preference: int = 0
    validated: bool = False
    path: str = ""
    mx_validated: bool = True

    @property
    def namaddr(self) -> str:
        """`host[address]`, as failure texts have it."""
        return f"{self.host}[{self.path or self.address}]"

    @property
    def relay(self) -> str:
        """`host[address]:port`, as the delivery line has it."""
        return f"{self.host}[{self.path}]" if self.path else f"{self.host}[{self.address}]:{self.port}"


async def find(config: Configuration, destination: Destination) -> list[Server]:
    """All servers of a destination, in the order in which they are to be tried."""
    return await Search(config, destination).run()


class Search:
    """The look-ups for one destination."""

    def __init__(self, config: Configuration, destination: Destination) -> None:
        self._config = config
        self._host = config.host
        self._destination = destination
        self._domain = destination.host
        self._port = 0
        self._nearest = 0  # the preference of the best MX record, with an address or without
        self.ours = False  # this machine is one of the servers

    async def run(self) -> list[Server]:
        self._port = await self._port_number()
        place = self._destination
        address = place.host
        ipv4, ipv6 = valid_ipv4(address.encode("utf-8", "replace")), valid_ipv6(address.encode("utf-8", "replace"))
        if (ipv4 and not self._config.ipv4) or (ipv6 and not self._config.ipv6):
            if self._config.host_native:
                raise Trouble(_not_looked_up(address, "Address family for hostname not supported"))
            raise Trouble(Dsn("5.4.4", f"Name service error for {address}: invalid host or domain name"))
        if ipv4:
            servers = [Server(address, address, self._port)]
        elif ipv6:
            servers = [Server(address, address, self._port, socket.AF_INET6)]
        else:
            self._domain = self._ascii(address)
            servers = self._ordered(await self._by_name())
        return await self._without_self(servers)

    async def _port_number(self) -> int:
        text = self._destination.port
        number = port_number(text, self._config.known_ports) or await self._host.threads.run(service_port, text)
        if not number:
            log.bad_destination(self._host.log, f"unknown service: {text}/tcp")
            raise Trouble(Dsn("4.3.5", f"unknown service: {text}/tcp"))
        return number

    def _ascii(self, name: str) -> str:
        found = to_ascii(name.encode("utf-8", "surrogateescape"), self._config.cfg.enable_idna2003_compatibility)
        if found is None:
            raise Trouble(Dsn("5.4.4", f"Host or domain name not found. Invalid domain name: {name}"))
        return found.decode("ascii").rstrip(".")

    async def _by_name(self) -> list[Server]:
        place, config = self._destination, self._config
        if place.port.lower() in config.srv_services and config.dns and not place.literal:
            found = await self._by_srv()
            if found is not None:
                return found
        return await (self._by_mx() if place.mx and config.dns else self._of_host(self._domain))

    # SRV records (use_srv_lookup; RFC 2782).

    async def _by_srv(self) -> list[Server] | None:
        """None: there are no such records, and MX records may be asked for instead."""
        cfg = self._config.cfg
        try:
            name = f"_{self._destination.port.lower()}._tcp.{self._domain}"
            answer = await self._answer(name, self._host.resolver.srv(name))
        except DnsError as problem:
            absent = isinstance(problem, (NoData, NoSuchName))
            if cfg.allow_srv_lookup_fallback if absent else cfg.ignore_srv_lookup_error:
                return None
            raise Trouble(not_found(problem)) from None
        records = [one for one in answer.records if isinstance(one, SRV)]
        if len(records) == 1 and records[0].host in ("", "."):
            raise Trouble(Dsn("5.1.0", f"Service {self._destination.port} is not available for {self._domain}"))
        servers: list[Server] = []
        problem_found: Trouble | None = None
        for rank, record in enumerate(self._by_weight(records)):
            try:
                found = await self._of_host(record.host.rstrip("."))
            except Trouble as trouble:
                problem_found = problem_found or trouble
                continue
            servers += [one._replace(port=record.port, preference=rank, mx_validated=answer.validated) for one in found]
        if not servers and problem_found is not None:
            raise problem_found
        return servers

    def _by_weight(self, records: list[SRV]) -> list[SRV]:
        """By priority; among equals a heavier one is likelier to be first."""
        random = self._host.random.random
        return sorted(records, key=lambda one: (one.priority, -(random() ** (1 / one.weight)) if one.weight else 0))

    # MX records.

    async def _by_mx(self) -> list[Server]:
        try:
            answer = await self._answer(self._domain, self._host.resolver.mx(self._domain))
        except (NoData, NoSuchName):
            return await self._of_host(self._domain)
        except DnsError as problem:
            if isinstance(problem, TryAgain) and self._config.cfg.ignore_mx_lookup_error:
                return await self._of_host(self._domain)
            raise Trouble(not_found(problem)) from None
        records = [one for one in answer.records if isinstance(one, MX)]
        if any(not one.host or one.host == "." for one in records):
            records = [one for one in records if one.host and one.host != "."]
            if not records:
                raise Trouble(Dsn("5.1.0", f"Domain {self._domain} does not accept mail (nullMX)"))
        return await self._of_all(records, answer)

    async def _of_all(self, records: list[MX], answer: Answer) -> list[Server]:
        servers: list[Server] = []
        problem: Trouble | None = None
        self._nearest = min((one.preference for one in records), default=0)
        for record in sorted(records, key=lambda one: one.preference):
            try:
                found = await self._of_host(record.host.rstrip("."))
            except Trouble as trouble:
                if problem is None or not trouble.dsn.permanent:
                    problem = trouble
                continue
            servers += [one._replace(preference=record.preference, mx_validated=answer.validated) for one in found]
        if servers or problem is None:
            return servers
        log.no_mx_address(self._host.log, self._domain)
        if self._config.cfg.smtp_defer_if_no_mx_address_found:
            raise Trouble(problem.dsn.softened())
        raise problem

    # Addresses.

    async def _of_host(self, name: str) -> list[Server]:
        """DNS first, the system's own name service after it, as smtp_host_lookup says."""
        config = self._config
        if not config.host_dns:
            return await self._native(name)
        try:
            return await self._by_dns(name)
        except Trouble:
            if not config.host_native:
                raise
        return await self._native(name)

    async def _by_dns(self, name: str) -> list[Server]:
        config = self._config
        families = [socket.AF_INET] if config.ipv4 else []
        if config.ipv6:
            families.append(socket.AF_INET6)
        servers: list[Server] = []
        problems: list[DnsError] = []
        resolver = config.search or self._host.resolver
        for waiting in [resolver.addresses(name, family) for family in families]:
            try:
                servers += self._servers(name, await self._answer(name, waiting))
            except DnsError as problem:
                problems.append(problem)
        if servers or not problems:
            return servers
        temporary = [one for one in problems if isinstance(one, TryAgain)]
        known = [one for one in problems if not isinstance(one, NoSuchName)]
        raise Trouble(not_found((temporary or known or problems)[-1]))

    def _servers(self, name: str, answer: Answer) -> list[Server]:
        shown = answer.name if self._config.cfg.smtp_cname_overrides_servername and answer.name else name
        return [
            Server(shown, one.address, self._port, one.family, 0, answer.validated)
            for one in answer.records
            if isinstance(one, Address)
        ]

    async def _native(self, name: str) -> list[Server]:
        try:
            answer = await self._host.names.addresses(name)
        except DnsError as problem:
            status = {TryAgain: "4.4.4", NoSuchName: "5.4.4"}.get(type(problem), "5.3.0")
            raise Trouble(_not_looked_up(name, problem.text, status)) from None
        wanted = {socket.AF_INET} if self._config.ipv4 else set()
        if self._config.ipv6:
            wanted.add(socket.AF_INET6)
        found = [one for one in self._servers(name, answer) if one.family in wanted]
        if not found:
            raise Trouble(_not_looked_up(name, "No address associated with hostname"))
        return found

    async def _answer(self, name: str, waiting: Deferred[Answer]) -> Answer:
        answer = await waiting
        if self._config.dnssec is not None and not answer.validated:
            self._config.dnssec.unvalidated()
        maps = self._config.dns_filter
        return await filtered(maps, self._host.log, name, answer) if maps else answer

    # Their order.

    def _ordered(self, servers: list[Server]) -> list[Server]:
        if len(servers) < 2:
            return servers
        cfg = self._config.cfg
        if cfg.smtp_randomize_addresses:
            self._host.random.shuffle(servers)
        first = {"ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}.get(cfg.smtp_address_preference.lower(), 0)
        servers.sort(key=lambda one: (one.preference, one.family != first if first else False))
        return servers

    async def _without_self(self, servers: list[Server]) -> list[Server]:
        """Only servers that are nearer to the destination than this machine."""
        if self._config.lmtp or self._port != _SMTP_PORT:
            return servers
        own = await self._config.own_addresses()
        ours = [one.preference for one in servers if one.address in own]
        if not ours:
            return servers
        self.ours = True
        better = [one for one in servers if one.preference < min(ours)]
        if better:
            return better
        if min(ours) > self._nearest:
            log.no_primary(self._host.log, self._domain)
            raise Trouble(Dsn("4.4.4", f"unable to find primary relay for {self._domain}"))
        raise loops_back(self._domain)


def balanced(servers: list[Server], limit: int) -> list[Server]:
    """The first `limit` addresses, with room for both IP versions (smtp_balance_inet_protocols)."""
    if not limit or len(servers) <= limit:
        return servers
    v6 = sum(one.family == socket.AF_INET6 for one in servers)
    v4 = len(servers) - v6
    if v4 and v6:
        most6 = min(v6, max(limit // 2, limit - v4))
        left = {int(socket.AF_INET6): most6, int(socket.AF_INET): limit - most6}
    else:
        return servers[:limit]
    chosen: list[Server] = []
    for one in servers:
        family = int(socket.AF_INET6) if one.family == socket.AF_INET6 else int(socket.AF_INET)
        if left[family]:
            left[family] -= 1
            chosen.append(one)
    return chosen


def _not_looked_up(name: str, why: str, status: str = "5.3.0") -> Dsn:
    """The system's own name service does not know."""
    return Dsn(status, f"unable to look up host {name}: {why}")
