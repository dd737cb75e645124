"""HAProxy's PROXY header, versions 1 and 2: whose connection a load balancer passes on (SD-45, PS-*).

    PROXY TCP4 client server port port CRLF        12 signature bytes, command, family, length, addresses, more

Feed bytes until there is a `Header`. Pure; HaproxyError for what is none, with the words that are logged.
"""

from __future__ import annotations

import ipaddress
import struct
from typing import NamedTuple

_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
_FIXED = len(_SIGNATURE) + 4
_MAX_LINE = 536
_MAX_HEADER = 4096
_V1 = {"TCP4": 4, "TCP6": 6}
_V2 = {0x11: (4, 4), 0x21: (6, 16)}


class HaproxyError(Exception):
    """The text says what is wrong."""


class Endpoints(NamedTuple):
    """Who connected to the load balancer, and where."""

    client: str
    client_port: str
    server: str
    server_port: str


class Header(NamedTuple):
    """`endpoints` is None for a connection of the load balancer's own; `rest` what came after the header."""

    endpoints: Endpoints | None
    rest: bytes


class HeaderReader:
    """One connection's. `ipv4` and `ipv6`: the families that inet_protocols has."""

    __slots__ = ("_buffer", "_families")

    def __init__(self, ipv4: bool = True, ipv6: bool = True) -> None:
        self._buffer = b""
        self._families = {4: ipv4, 6: ipv6}

    def receive(self, data: bytes) -> Header | None:
        """None: more is needed."""
        buffer = self._buffer = self._buffer + data
        start = buffer[: len(_SIGNATURE)]
        if _SIGNATURE.startswith(start):
            return self._binary(buffer) if len(start) == len(_SIGNATURE) else None
        line, ended, rest = buffer.partition(b"\n")
        if not ended:
            if len(buffer) > _MAX_LINE:
                raise HaproxyError("line too long")
            return None
        return Header(self._text(line + ended), rest)

    def _text(self, line: bytes) -> Endpoints:
        words = line.decode("ascii", "replace").split()
        shown = line.decode("utf-8", "replace").replace("\r", "\\r").replace("\n", "\\n")
        if words[:1] != ["PROXY"]:
            what = "short" if len(line) < _FIXED else "unrecognized"
            raise HaproxyError(f"{what} protocol header: {shown}")
        family = _V1.get(words[1]) if len(words) > 1 else None
        if family is None or not self._families[family]:
            raise HaproxyError(f"bad or missing protocol type: {shown}")
        found = [_address(words, 2, family), _address(words, 3, family), _port(words, 4), _port(words, 5)]
        names = ("client address", "server address", "client port", "server port")
        for value, name in zip(found, names, strict=True):
            if not value:
                raise HaproxyError(f"bad or missing {name}: {shown}")
        return Endpoints(found[0], found[2], found[1], found[3])

    def _binary(self, buffer: bytes) -> Header | None:
        if len(buffer) < _FIXED:
            return None
        command, family, length = struct.unpack_from("!BBH", buffer, len(_SIGNATURE))
        if length > _MAX_HEADER:
            raise HaproxyError("bad or missing protocol header: too long")
        if len(buffer) < _FIXED + length:
            return None
        body, rest = buffer[_FIXED : _FIXED + length], buffer[_FIXED + length :]
        if command == 0x20:
            return Header(None, rest)
        if command != 0x21:
            raise HaproxyError(f"unsupported command 0x{command:x}")
        return Header(self._addresses(family, body), rest)

    def _addresses(self, kind: int, body: bytes) -> Endpoints:
        family, size = _V2.get(kind, (0, 0))
        if not family or not self._families[family]:
            raise HaproxyError(f"unsupported network protocol 0x{kind:x}")
        if len(body) < 2 * size + 4:
            raise HaproxyError("short address field")
        client, server = (str(ipaddress.ip_address(part)) for part in (body[:size], body[size : 2 * size]))
        client_port, server_port = struct.unpack_from("!HH", body, 2 * size)
        return Endpoints(client, str(client_port), server, str(server_port))


def _address(words: list[str], at: int, family: int) -> str:
    try:
        address = ipaddress.ip_address(words[at])
    except (IndexError, ValueError):
        return ""
    return str(address) if address.version == family else ""


def _port(words: list[str], at: int) -> str:
    text = words[at] if len(words) > at else ""
    return text if text.isdecimal() and text.isascii() and int(text[:6]) < 65536 else ""
