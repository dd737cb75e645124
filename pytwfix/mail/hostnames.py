"""What may stand for a host: names and address literals (RFC 1123, RFC 5321 section 4.1.3; INVENTORY SD-27).

Pure checks on bytes; nothing is looked up, nothing raises.
"""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address

_LABEL = rb"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_LABELS = re.compile(rb"%b(?:\.%b)*\Z" % (_LABEL, _LABEL))
_NUMERIC = re.compile(rb"[0-9.]*\Z")
_MAX_NAME = 255


def valid_name(name: bytes, utf8: bool = False) -> bool:
    """Whether `name` is a host name: labels of letters, digits, `-` and `_`, not numeric. One trailing dot is fine."""
    if name.endswith(b"."):
        name = name[:-1]
    if utf8 and not name.isascii():
        try:
            name = name.decode("utf-8").encode("idna")
        except UnicodeError:
            return False
    return len(name) <= _MAX_NAME and _LABELS.match(name) is not None and not _NUMERIC.match(name)


def valid_ipv4(text: bytes) -> bool:
    try:
        IPv4Address(text.decode("ascii"))
    except (AddressValueError, UnicodeError):
        return False
    return True


def valid_ipv6(text: bytes) -> bool:
    try:
        address = IPv6Address(text.decode("ascii"))
    except (AddressValueError, UnicodeError):
        return False
    return address.scope_id is None


def valid_address(text: bytes) -> bool:
    """An IPv4 or IPv6 address without brackets or prefix."""
    return valid_ipv6(text) if b":" in text else valid_ipv4(text)


def literal_address(text: bytes) -> bytes:
    """The address inside `[192.0.2.1]` or `[IPv6:2001:db8::1]`, b"" when it is none."""
    if not (text.startswith(b"[") and text.endswith(b"]")):
        return b""
    inside = text[1:-1]
    if inside[:5].lower() == b"ipv6:":
        return inside[5:] if valid_ipv6(inside[5:]) else b""
    return inside if valid_ipv4(inside) else b""


def valid_mail_domain(domain: bytes, utf8: bool = False, numeric: bool = False) -> bool:
    """What may follow the `@`: a host name or an address literal; a bare IPv4 address only if `numeric`."""
    if domain.startswith(b"["):
        return bool(literal_address(domain))
    return valid_name(domain, utf8) or (numeric and valid_ipv4(domain))
