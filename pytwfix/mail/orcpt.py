"""The value of ORCPT, `type;address`: xtext, or for the type utf-8 an encoding of its own (RFC 3461, RFC 6533)."""

from __future__ import annotations

from pytwfix.mail import uxtext, xtext


def decode(value: bytes) -> bytes | None:
    """`type;address` with the address as it is; None when a part is missing or malformed."""
    kind, semicolon, text = value.partition(b";")
    address = uxtext.decode(text) if _is_utf8(kind) else xtext.decode(text)
    return None if not kind or not semicolon or address is None else kind + b";" + address


def encode(value: bytes) -> bytes:
    """What `decode` took, for an SMTP command."""
    kind, _, address = value.partition(b";")
    return kind + b";" + (uxtext.encode(address) if _is_utf8(kind) else xtext.encode(address))


def _is_utf8(kind: bytes) -> bool:
    return kind.lower() == b"utf-8"
