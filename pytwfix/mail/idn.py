"""Domain names in other scripts: A-labels (xn--) and U-labels (RFC 5890, RFC 5891, UTS 46; INVENTORY AD-2).

Domains are bytes: ASCII, or UTF-8. Pure; nothing raises. The tables of `idna` are loaded when such a name comes.
"""

from __future__ import annotations


def to_ascii(domain: bytes, idna2003: bool = False) -> bytes | None:
    """The domain with A-labels, as DNS wants it; None when there is no such form. ASCII stays as it is.

    `idna2003` is enable_idna2003_compatibility: old rules for the few characters that were mapped differently.
    """
    if domain.isascii():
        return domain
    import idna

    try:
        text = domain.decode("utf-8")
        return text.encode("idna") if idna2003 else idna.encode(text, uts46=True)
    except UnicodeError:  # idna.IDNAError is one
        return None


def to_unicode(domain: bytes) -> bytes:
    """The domain with U-labels in UTF-8; as it is when it has none, or bad ones."""
    if b"xn--" not in domain.lower():
        return domain
    import idna

    try:
        return idna.decode(domain).encode()
    except UnicodeError:
        return domain


def same_domain(one: bytes, other: bytes) -> bool:
    """Whether two names are one domain, in whichever form."""
    if one.lower() == other.lower():
        return True
    if one.isascii() and other.isascii():
        return False
    first, second = to_ascii(one), to_ascii(other)
    return first is not None and second is not None and first.lower() == second.lower()
