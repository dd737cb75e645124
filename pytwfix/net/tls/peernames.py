"""Whose certificate it is: its DNS names and fingerprints, and whether they are what was wanted (TL-3, SM-18).

Pure. A name pattern is a host name, or `.domain` for every name below the domain. `*` as the leftmost label of a
certificate's name stands for one label, or for several where the settings say so. The common name counts only when
there is no DNS name (RFC 6125 section 6.4.4).
"""

from __future__ import annotations

from collections.abc import Iterable

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from OpenSSL.crypto import X509

from pytwfix.mail.idn import to_ascii

_CURVES = {
    "secp256r1": ("prime256v1", "SHA256"),
    "secp384r1": ("secp384r1", "SHA384"),
    "secp521r1": ("secp521r1", "SHA512"),
}
_DIGESTS: dict[str, type[hashes.HashAlgorithm]] = {
    "md5": hashes.MD5,
    "sha1": hashes.SHA1,
    "sha224": hashes.SHA224,
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}


def certificate_names(certificate: x509.Certificate) -> list[str]:
    """The DNS names, or the common name."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        names = extension.value.get_values_for_type(x509.DNSName)
    except (x509.ExtensionNotFound, ValueError):
        names = []
    if not names:
        common = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        names = [str(one.value) for one in common[-1:]]
    return [name.rstrip(".").lower() for name in names if name.isascii() and "\0" not in name]


def matches(names: Iterable[str], patterns: Iterable[str], several_labels: bool = False) -> bool:
    """Whether one of a certificate's names is one of those that are wanted."""
    wanted = [_folded(pattern) for pattern in patterns]
    return any(_match(name, pattern, several_labels) for name in names for pattern in wanted)


def _folded(name: str) -> str:
    dot = "." if name.startswith(".") else ""
    found = to_ascii(name.lstrip(".").encode("utf-8", "surrogateescape"))
    return dot + (found or b"").decode("ascii", "replace").rstrip(".").lower()


def _match(name: str, pattern: str, several_labels: bool) -> bool:
    if pattern.startswith("."):
        return len(name) > len(pattern) and name.endswith(pattern)
    if name == pattern:
        return bool(name)
    if not name.startswith("*."):
        return False
    tail = name[1:]
    if "." not in tail[1:] or not pattern.endswith(tail):
        return False
    first = pattern[: -len(tail)]
    return bool(first) and (several_labels or "." not in first)


def fingerprints(certificate: x509.Certificate, digest: str) -> tuple[str, str]:
    """Of the certificate and of its public key, as `AA:BB:...`. ValueError: there is no such digest."""
    kind = _DIGESTS.get(digest.lower().replace("-", ""))
    if kind is None:
        raise ValueError(f"unknown digest: {digest}")
    key = certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    hasher = hashes.Hash(kind())
    hasher.update(key)
    return _colons(certificate.fingerprint(kind())), _colons(hasher.finalize())


def signature(certificate: X509 | None, protocol: str) -> str:
    """` server-signature RSA-PSS (2048 bits) server-digest SHA256`: what a peer signs with in TLS 1.3, where its key
    decides that; nothing for other versions (LG-6)."""
    if certificate is None or protocol != "TLSv1.3":
        return ""
    key = certificate.to_cryptography().public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return f" server-signature RSA-PSS ({key.key_size} bits) server-digest SHA256"
    if isinstance(key, ec.EllipticCurvePublicKey):
        name, digest = _CURVES.get(key.curve.name, (key.curve.name, "SHA256"))
        return f" server-signature ECDSA ({name}) server-digest {digest}"
    if isinstance(key, ed25519.Ed25519PublicKey):
        return " server-signature ED25519"
    return ""


def _colons(data: bytes) -> str:
    return ":".join(f"{byte:02X}" for byte in data)
