"""Parts of an address in internal form: local part, domain, extension (INVENTORY AD-1, AD-3).

The local part of an internal form may hold anything, so its end is the last `@`. Pure; nothing raises.
"""

from __future__ import annotations

import re

_LITERAL = re.compile(rb"\[(?:[Ii][Pp][Vv]6:)?[0-9A-Fa-f:.]+\]\Z")
# Names of the system itself, whose delimiter is part of them.
_SYSTEM_NAMES = (b"mailer-daemon", b"double-bounce")


def split_address(address: bytes) -> tuple[bytes, bytes]:
    """(local part, domain); the domain is b"" when there is no `@`."""
    local, at, domain = address.rpartition(b"@")
    return (local, domain) if at else (address, b"")


def local_part(address: bytes) -> bytes:
    return split_address(address)[0]


def domain_part(address: bytes) -> bytes:
    """What follows the last `@`, in lower case; b"" when there is none."""
    return address.rpartition(b"@")[2].lower() if b"@" in address else b""


def lower_domain(address: bytes) -> bytes:
    """The address with its domain in lower case: how addresses of one mailbox are compared."""
    local, at, domain = address.rpartition(b"@")
    return local + at + domain.lower() if at else address


def is_literal(domain: bytes) -> bool:
    """Whether a domain looks like an address literal: `[192.0.2.1]`, `[IPv6:2001:db8::1]`."""
    return _LITERAL.match(domain) is not None


def split_extension(
    local: bytes, delimiters: bytes, owner_request_special: bool = True, double_bounce: bytes = b"double-bounce"
) -> tuple[bytes, bytes]:
    """(`user`, `+ext`) of `user+ext`: at the first character that is one of `delimiters` (AD-3).

    The extension has its delimiter; it is b"" when there is none. A delimiter at the start does not count. The
    system's own names are not split, and with `-` among the delimiters neither are owner-list and list-request,
    unless `owner_request_special` is off.
    """
    place = min((found for found in (local.find(bytes((char,))) for char in delimiters) if found >= 0), default=-1)
    if place <= 0:
        return local, b""
    lower = local.lower()
    if lower in _SYSTEM_NAMES or lower == double_bounce.lower():
        return local, b""
    if owner_request_special and b"-" in delimiters and (lower.startswith(b"owner-") or lower.endswith(b"-request")):
        return local, b""
    return local[:place], local[place:]


def without_extension(address: bytes, delimiters: bytes) -> bytes:
    """`user@domain` of `user+ext@domain`."""
    local, at, domain = address.rpartition(b"@")
    if not at:
        return split_extension(address, delimiters)[0]
    return split_extension(local, delimiters)[0] + at + domain
