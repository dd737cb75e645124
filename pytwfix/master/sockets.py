"""Listening sockets, bound once by whoever has the right to, before any process is made (MA-1, MA-11, MX-2).

Raises SettingsError for what master.cf says wrong or what cannot be bound.
"""

from __future__ import annotations

import os
import socket
import stat
from typing import NamedTuple

from pytwfix.basics.hostport import parse_hostport
from pytwfix.basics.socketpath import reachable
from pytwfix.basics.windowsize import set_window
from pytwfix.master.plan import Plan, program
from pytwfix.settings.kinds import SettingsError
from pytwfix.settings.machine import own_addresses
from pytwfix.settings.mastercf import Service

BACKLOG = 1024
# Programs whose unix services others may talk to from outside.
ON_DISK = frozenset(("smtpd", "qmqpd", "spawn", "pickup", "qmgr", "oqmgr", "showq"))
_PORTS = {"smtp": 25, "smtps": 465, "submissions": 465, "submission": 587, "lmtp": 24, "qmqp": 628}


class Place(NamedTuple):
    """Where a service listens: `family` AF_INET, AF_INET6 or AF_UNIX, `address` a host or a path."""

    key: str  # service/type of master.cf
    family: int
    address: str
    port: int = 0


def places(plan: Plan) -> list[Place]:
    """All places of all services that listen; SettingsError."""
    found: list[Place] = []
    for service in plan.services:
        if service.type == "inet":
            found += _inet(plan, service)
        elif service.type == "unix" and program(service) in ON_DISK:
            folder = "private" if service.private else "public"
            path = f"{plan.settings.queue_directory}/{folder}/{service.name}"
            found.append(Place(key(service), socket.AF_UNIX, path))
    return found


def key(service: Service) -> str:
    """service/type, as postconf -M has it."""
    return f"{service.name}/{service.type}"


def _inet(plan: Plan, service: Service) -> list[Place]:
    host, port = _split(plan, service)
    families = _families(plan)
    if host:
        hosts = _resolve(plan, service, host, families)
    elif plan.settings.inet_interfaces.strip() == "all":
        hosts = [(family, "" if family == socket.AF_INET else "::") for family in families]
    else:
        own = sorted(address.decode() for address in own_addresses(plan.settings.inet_interfaces))
        hosts = [(family, one) for one in own if (family := _family(one)) in families]
    return [Place(key(service), family, address, port) for family, address in hosts]


def _split(plan: Plan, service: Service) -> tuple[str, int]:
    name = service.name
    try:
        parsed = parse_hostport(name) if ":" in name else None
    except ValueError:
        parsed = None
    if parsed is None and name.startswith(":"):
        name = name[1:]
    host, port = (parsed.host, parsed.port) if parsed else ("", name)
    number = int(port) if port.isdigit() else _named_port(plan, port)
    if not 0 < number < 65536:
        raise SettingsError(f"{plan.directory}/master.cf: line {service.line}: unknown service: {service.name}")
    return host, number


def _named_port(plan: Plan, name: str) -> int:
    for item in plan.settings.known_tcp_ports.replace(" ", "").split(","):
        *names, number = item.split("=")
        if name in names and number.isdigit():
            return int(number)
    try:
        return socket.getservbyname(name, "tcp")
    except OSError:
        return _PORTS.get(name, 0)


def _families(plan: Plan) -> list[int]:
    words = plan.settings.inet_protocols.replace(",", " ").lower().split()
    found: list[int] = []
    if "all" in words or "ipv4" in words:
        found.append(socket.AF_INET)
    if ("all" in words or "ipv6" in words) and _has_ipv6():
        found.append(socket.AF_INET6)
    return found


def _has_ipv6() -> bool:
    try:
        socket.socket(socket.AF_INET6, socket.SOCK_STREAM).close()
    except OSError:
        return False
    return True


def _family(address: str) -> int:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def _resolve(plan: Plan, service: Service, host: str, families: list[int]) -> list[tuple[int, str]]:
    """A host in master.cf is looked up once, at start."""
    where = f"{plan.directory}/master.cf: line {service.line}: {service.name}"
    try:
        answers = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        raise SettingsError(f"{where}: {error.strerror or error}") from None
    found = [(int(family), str(name[0])) for family, _kind, _proto, _name, name in answers if family in families]
    if not found:
        raise SettingsError(f"{where}: no address that inet_protocols allows")
    return list(dict.fromkeys(found))


def bind(place: Place, window: int = 0) -> socket.socket:
    """A listening socket; `window` is tcp_windowsize. SettingsError says why not."""
    made = socket.socket(place.family, socket.SOCK_STREAM)
    made.setblocking(False)
    try:
        if place.family == socket.AF_UNIX:
            _bind_unix(made, place.address)
        else:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if place.family == socket.AF_INET6:
                made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            set_window(made, window)
            made.bind((place.address, place.port))
        made.listen(BACKLOG)
    except OSError as error:
        made.close()
        where = place.address if place.family == socket.AF_UNIX else f"{place.address or '0.0.0.0'} port {place.port}"
        raise SettingsError(f"bind {where}: {error.strerror}") from None
    return made


def _bind_unix(made: socket.socket, path: str) -> None:
    """Takes the place of a socket that was left there; of nothing else."""
    try:
        if stat.S_ISSOCK(os.lstat(path).st_mode):
            os.unlink(path)
    except FileNotFoundError:
        pass
    with reachable(path) as name:
        made.bind(name)
    os.chmod(path, 0o666)


def unlink(place: Place) -> None:
    """Nobody is to find it any more."""
    if place.family == socket.AF_UNIX:
        try:
            os.unlink(place.address)
        except OSError:
            pass  # it is gone, or its folder is


def bind_all(plan: Plan) -> dict[Place, socket.socket]:
    """All of them, or none: SettingsError."""
    made: dict[Place, socket.socket] = {}
    try:
        for place in places(plan):
            made[place] = bind(place, plan.settings.tcp_windowsize)
    except SettingsError:
        for one in made.values():
            one.close()
        raise
    return made
