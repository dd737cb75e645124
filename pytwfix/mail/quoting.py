"""Local parts in external form, quoted where RFC 5321 wants it (section 4.1.2), and back. Pure; nothing raises."""

from __future__ import annotations

import re

_DOT_ATOM = re.compile(rb"[!#$%&'*+\-/=?^_`{|}~0-9A-Za-z\x80-\xff]+(?:\.[!#$%&'*+\-/=?^_`{|}~0-9A-Za-z\x80-\xff]+)*\Z")
_MUST_ESCAPE = re.compile(rb'(["\\])')
_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)
_QUOTED = re.compile(rb'"([^"\\]*+(?:\\.[^"\\]*+)*)"|\\(.)', re.DOTALL)


def quoted_local(local: bytes) -> bytes:
    """A local part in external form."""
    return local if _DOT_ATOM.match(local) or not local else b'"' + _MUST_ESCAPE.sub(rb"\\\1", local) + b'"'


def external_form(address: bytes) -> bytes:
    """An address with its local part quoted where it needs it; `""` is one that is empty."""
    local, at, domain = address.rpartition(b"@")
    if not at:
        return quoted_local(address)
    return (quoted_local(local) or (b'""' if domain else b"")) + at + domain


def internal_form(address: bytes) -> bytes:
    """One address of external form without quotes and escapes, wherever they are."""
    if b'"' not in address and b"\\" not in address:
        return address
    return _QUOTED.sub(_inner, address)


def _inner(found: re.Match[bytes]) -> bytes:
    inside: bytes | None = found.group(1)
    return found.group(2) if inside is None else _ESCAPE.sub(rb"\1", inside)
