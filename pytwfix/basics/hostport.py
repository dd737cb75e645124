"""Endpoints as configuration writes them: `host:port`, `[host]:port`, `host`, `unix:path`, `inet:host:port`.

Raises ValueError with Postfix's words.
"""

from __future__ import annotations


class HostPort:
    """A host and a port. `literal` is True when the host stood in brackets: no MX lookup for it."""

    __slots__ = ("host", "literal", "port")

    def __init__(self, host: str, port: str, literal: bool = False) -> None:
        self.host = host
        self.port = port
        self.literal = literal

    def __eq__(self, other: object) -> bool:
        return isinstance(other, HostPort) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        host = f"[{self.host}]" if self.literal else self.host
        return f"{host}:{self.port}" if self.port else host

    def _key(self) -> tuple[str, str, bool]:
        return self.host, self.port, self.literal


def parse_hostport(text: str, default_host: str = "", default_port: str = "") -> HostPort:
    """Host and port of `text`; a missing one gets its default. A lone port is a host unless `default_host` is given.

    :raises ValueError: `text` has neither form.
    """
    text = text.strip()
    if text.startswith("["):
        return _bracketed(text, default_port)
    host, colon, port = text.rpartition(":")
    if not colon:
        host, port = ("", text) if default_host else (text, "")
    elif ":" in host:
        raise ValueError(f"valid hostname or network address required in server description: {text}")
    host = host or default_host
    port = port or default_port
    if not host:
        raise ValueError(f"missing host name in server description: {text}")
    return HostPort(host, _port(port, text))


def _bracketed(text: str, default_port: str) -> HostPort:
    inside, bracket, rest = text[1:].partition("]")
    if not bracket:
        raise ValueError(f'missing "]" in server description: {text}')
    if rest and not rest.startswith(":"):
        raise ValueError(f'garbage after "]" in server description: {text}')
    if not inside:
        raise ValueError(f"missing host name in server description: {text}")
    host = inside[5:] if inside[:5].lower() == "ipv6:" else inside
    return HostPort(host, _port(rest[1:] or default_port, text), True)


def _port(port: str, text: str) -> str:
    if port.isascii() and port.isdigit() and int(port) > 65535:
        raise ValueError(f"bad port number in server description: {text}")
    return port


def split_endpoint(text: str) -> tuple[str, str]:
    """("unix", path) or ("inet", host:port) of `unix:path`, `local:path`, `inet:host:port` or a plain `host:port`."""
    kind, colon, rest = text.partition(":")
    if colon and kind in ("unix", "local") and rest:
        return "unix", rest
    if colon and kind in ("inet", "inet6") and rest:
        return "inet", rest
    return "inet", text
