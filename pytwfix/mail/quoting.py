"""Local parts with and without quotes (RFC 5321 section 4.1.2, RFC 5322 section 3.2.4).

*Internal* form is what tables, queue files and rooms have: no quotes, no escapes. *External* form is what headers and
SMTP have. Pure; nothing raises: what is not well quoted is taken as it is.
"""

from __future__ import annotations

import re

_ATEXT = rb"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\x80-\xff-]+"
_DOT_ATOM = re.compile(rb"%b(?:\.%b)*\Z" % (_ATEXT, _ATEXT))
_ESCAPED = re.compile(rb'(["\\\r])')
_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)
_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*+)"|\\(.)', re.DOTALL)


def quote_local(local: bytes) -> bytes:
    """A local part in external form: quoted if it is no dot-atom. 8-bit bytes need no quotes (RFC 6531)."""
    if not local or _DOT_ATOM.match(local):
        return local
    return b'"' + _ESCAPED.sub(rb"\\\1", local) + b'"'


def unquote_local(local: bytes) -> bytes:
    """A local part in internal form: quotes and escapes taken away, wherever they are."""
    if b'"' not in local and b"\\" not in local:
        return local
    return _QUOTED.sub(lambda found: _inner(found), local)


def _inner(found: re.Match[bytes]) -> bytes:
    inside = found.group(1)
    return found.group(2) if inside is None else _ESCAPE.sub(rb"\1", inside)


def quote_address(address: bytes) -> bytes:
    """An address of internal form in external form; the local part ends at the last `@`."""
    local, at, domain = address.rpartition(b"@")
    return quote_local(local) + at + domain if at else quote_local(address)


def unquote_address(address: bytes) -> bytes:
    """An address of external form in internal form; an `@` in quotes does not end the local part."""
    if b'"' not in address and b"\\" not in address:
        return address
    local, at, domain = split_external(address)
    return unquote_local(local) + at + domain


def split_external(address: bytes) -> tuple[bytes, bytes, bytes]:
    """(local part, b"@" or b"", domain) of an address in external form: at the last `@` that stands outside quotes."""
    blank = _QUOTED.sub(lambda found: b"x" * (found.end() - found.start()), address)
    place = blank.rfind(b"@")
    if place < 0:
        return address, b"", b""
    return address[:place], b"@", address[place + 1 :]
