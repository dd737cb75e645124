"""Hiding subdomains: `user@host.example.com` becomes `user@example.com` (INVENTORY CA-6). Pure."""

from __future__ import annotations

from pytwfix.tables.names import split_list


class Masquerade:
    """masquerade_domains and masquerade_exceptions, parsed. False when there are none."""

    __slots__ = ("_domains", "_exceptions")

    def __init__(self, domains: str, exceptions: str) -> None:
        self._domains: list[tuple[bytes, bool]] = []
        for word in split_list(domains.lower()):
            hidden = True
            while word.startswith("!"):
                hidden, word = not hidden, word[1:]
            self._domains.append((word.encode(), hidden))
        self._exceptions = frozenset(word.encode() for word in split_list(exceptions.lower()))

    def __bool__(self) -> bool:
        return bool(self._domains)

    def __call__(self, address: bytes) -> bytes:
        """The first entry that the domain is in, or under, decides."""
        local, at, domain = address.rpartition(b"@")
        if not at or local.lower() in self._exceptions:
            return address
        lower = domain.lower()
        for parent, hidden in self._domains:
            if lower == parent:
                return address
            if lower.endswith(b"." + parent):
                return local + b"@" + parent if hidden else address
        return address
