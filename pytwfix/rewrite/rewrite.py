"""The form of an address: source routes, bang paths, the percent hack, incomplete domains (INVENTORY TR-2).

Pure: bytes in internal form in and out; nothing is looked up, nothing raises.
"""

from __future__ import annotations

from typing import NamedTuple


class Form(NamedTuple):
    """How addresses of one context are completed. `origin` and `domain` are b"" for "leave it as it is"."""

    origin: bytes  # what follows the @ that is missing
    domain: bytes  # what follows the dot that is missing
    bang: bool  # site!user is user@site
    percent: bool  # user%site is user@site


def complete(form: Form, address: bytes) -> bytes:
    """The address as `form` wants it."""
    local, at, domain = address.rpartition(b"@")
    if at and local and b"." in domain and domain[-1:] != b"." and address[:1] != b"@":
        return address  # nearly all are
    if not address or address == b"@":
        return address
    if address[:1] == b"@" and b":" in address:
        return complete(form, _without_route(address))
    if not at:
        local, at, domain = _domain(form, address)
        if not at:
            return local
    return local + b"@" + _full(form, domain)


def _without_route(address: bytes) -> bytes:
    """`@one,@two:user@host` is user@host (RFC 5321 appendix C)."""
    return address.partition(b":")[2]


def _domain(form: Form, address: bytes) -> tuple[bytes, bytes, bytes]:
    """The parts of an address that has no @."""
    if form.bang and b"!" in address:
        site, _, user = address.partition(b"!")
        return user, b"@", site
    if form.percent and b"%" in address:
        return address.rpartition(b"%")[0], b"@", address.rpartition(b"%")[2]
    return (address, b"@", form.origin) if form.origin else (address, b"", b"")


def _full(form: Form, domain: bytes) -> bytes:
    """A domain with what is missing, without the dot that is too much."""
    if form.domain and domain and b"." not in domain and domain[:1] != b"[":
        domain += b"." + form.domain
    if domain[-1:] == b"." and len(domain) > 1 and domain[-2:] != b"..":
        return domain[:-1]
    return domain
