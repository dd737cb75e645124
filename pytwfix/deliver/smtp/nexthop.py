"""What a nexthop names (SM-2): `domain`, `domain:port`, `[host]`, `[host]:port`, `unix:path`, `inet:host:port`; several
of them with commas or spaces between.

A name in brackets is asked for no MX record, nor is anything of LMTP. Pure; ValueError with Postfix's words.
"""

from __future__ import annotations

import socket
from typing import NamedTuple

from pytwfix.basics.hostport import parse_hostport, split_endpoint


class Destination(NamedTuple):
    """One place to go. `text` is how it was written, `path` a UNIX-domain socket, else `host` and `port` are set."""

    text: str
    host: str = ""
    port: str = ""
    mx: bool = False
    path: str = ""
    literal: bool = False  # in brackets
    fallback: bool = False  # of smtp_fallback_relay


def parse_destination(text: str, default_port: str, lmtp: bool) -> Destination:
    """:raises ValueError: there is no such form."""
    kind, rest = split_endpoint(text)
    if kind == "unix":
        return Destination(text, path=rest)
    place = parse_hostport(rest, default_port=default_port)
    return Destination(text, place.host, place.port, not (place.literal or lmtp), literal=place.literal)


def split_nexthop(nexthop: str) -> list[str]:
    """The places of a list; a path keeps its commas."""
    if nexthop.startswith("unix:"):
        return [nexthop]
    return nexthop.replace(",", " ").split()


def known_ports(text: str) -> dict[str, int]:
    """known_tcp_ports: `smtps=submissions=465`: names, then their number."""
    ports: dict[str, int] = {}
    for item in text.replace(",", " ").split():
        *names, number = item.split("=")
        if number.isascii() and number.isdigit() and int(number) < 65536:
            ports.update((name.strip().lower(), int(number)) for name in names)
    return ports


def port_number(port: str, known: dict[str, int]) -> int:
    """The number of a port or service name; 0 for one that main.cf does not know."""
    if port.isascii() and port.isdigit():
        return int(port)
    return known.get(port.lower(), 0)


def service_port(name: str) -> int:
    """What the system says of a service name; 0 for nothing. Reads a file: call it in a thread."""
    try:
        return socket.getservbyname(name, "tcp")
    except OSError:
        return 0
