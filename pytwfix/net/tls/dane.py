"""Certificates and TLSA records (RFC 6698, 7671, 7672; INVENTORY SM-12, TL-8). Pure.

Usages 2 (a trust anchor) and 3 (the server's own certificate or key) count for SMTP; others, and what is malformed, are
unusable. Of the digests of one usage and selector only the strongest counts (digest agility).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pytwfix.contracts.dns import TLSA
from pytwfix.net.tls.peernames import certificate_names, matches

ANCHOR, END = 2, 3
_DIGESTS = {1: "sha256", 2: "sha512"}
_SIZES = {1: 32, 2: 64}


def usable(records: Sequence[TLSA], digests: str) -> tuple[TLSA, ...]:
    """Those that can be used. `digests` is tls_dane_digests: the strongest first; what is not named is not used."""
    good = [one for one in records if one.usage in (ANCHOR, END) and one.selector in (0, 1) and _well_formed(one)]
    order = digests.replace(",", " ").replace(":", " ").lower().split()
    found: list[TLSA] = []
    for key in dict.fromkeys((one.usage, one.selector) for one in good):
        group = [one for one in good if (one.usage, one.selector) == key]
        found += [one for one in group if one.mtype == 0]
        ranks = [order.index(_DIGESTS[one.mtype]) for one in group if one.mtype and _DIGESTS[one.mtype] in order]
        if ranks:
            best = order[min(ranks)]
            found += [one for one in group if _DIGESTS.get(one.mtype) == best]
    return tuple(found)


def _well_formed(record: TLSA) -> bool:
    if record.mtype == 0:
        return bool(record.data)
    return record.mtype in _SIZES and len(record.data) == _SIZES[record.mtype]


def _matched(record: TLSA, certificate: x509.Certificate) -> bool:
    if record.selector == 0:
        data = certificate.public_bytes(Encoding.DER)
    else:
        data = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return record.data == (hashlib.new(_DIGESTS[record.mtype], data).digest() if record.mtype else data)


def verified(
    records: Sequence[TLSA],
    chain: Sequence[x509.Certificate],
    names: Sequence[str],
    now: datetime,
    labels: bool = False,
) -> bool:
    """Whether the chain that a server presents, its own certificate first, is what the records promise.

    For usage 3 neither names nor dates count. For usage 2 the certificate must be for one of `names`.
    """
    if not chain:
        return False
    if any(_matched(one, chain[0]) for one in records if one.usage == END):
        return True
    anchors = [one for one in records if one.usage == ANCHOR]
    if not anchors or not matches(certificate_names(chain[0]), names, labels):
        return False
    return _anchored(anchors, [*chain, *_given(anchors)], now)


def _given(anchors: Sequence[TLSA]) -> list[x509.Certificate]:
    """Anchors that are in the records as a whole need not be in the chain."""
    found = []
    for one in anchors:
        if one.selector == 0 and one.mtype == 0:
            try:
                found.append(x509.load_der_x509_certificate(one.data))
            except ValueError:
                continue
    return found


def _anchored(anchors: Sequence[TLSA], certificates: Sequence[x509.Certificate], now: datetime) -> bool:
    """Follow the issuers from the server's certificate until one of them is an anchor."""
    current, left = certificates[0], list(certificates[1:])
    while _current(current, now):
        if any(_matched(one, current) for one in anchors):
            return True
        issuer = next((one for one in left if _issued(current, one)), None)
        if issuer is None:
            return False
        left.remove(issuer)
        current = issuer
    return False


def _current(certificate: x509.Certificate, now: datetime) -> bool:
    return certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        constraints = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
        if not constraints.ca:
            return False
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    return True
