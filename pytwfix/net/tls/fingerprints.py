"""Fingerprints of certificates and of their public keys, as Postfix writes them: `AB:CD:...` (TL-4, SD-42)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

if TYPE_CHECKING:
    from cryptography.x509 import Certificate


def fingerprints(certificate: Certificate, digest: str) -> tuple[str, str]:
    """Of the certificate, and of its key. ValueError for an unknown digest."""
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return _shown(certificate.public_bytes(Encoding.DER), digest), _shown(key, digest)


def _shown(data: bytes, digest: str) -> str:
    return hashlib.new(digest.lower(), data, usedforsecurity=False).digest().hex(":").upper()
