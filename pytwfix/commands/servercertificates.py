"""Keys, self-signed certificates, requests and TLSA records for `postfix tls` (INVENTORY PX-5; RFC 5280, 6698, 7672).

Bad says what is wrong with a key, a certificate or a name; OSError passes through. Slow to import.
"""

from __future__ import annotations

import hashlib
import os
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

CURVES: dict[str, type[ec.EllipticCurve]] = {
    "secp256r1": ec.SECP256R1, "prime256v1": ec.SECP256R1, "secp384r1": ec.SECP384R1, "secp521r1": ec.SECP521R1,
}  # fmt: skip
_YEARS = 100
_LONGEST_NAME = 64  # of a CommonName


class Bad(Exception):
    """The text says what is wrong."""


def new_key(algorithm: str, bits: str) -> Key:
    """`bits` is a curve's name for ecdsa; empty for 2048, or secp256r1."""
    if algorithm == "ecdsa":
        curve = CURVES.get(bits or "secp256r1")
        if curve is None:
            raise Bad(f"unknown curve: {bits}")
        return ec.generate_private_key(curve())
    if algorithm != "rsa":
        raise Bad(f"unsupported key algorithm: {algorithm}")
    if not (bits or "2048").isdigit() or not 1024 <= int(bits or 2048) <= 16384:
        raise Bad(f"bad RSA key size: {bits}")
    return rsa.generate_private_key(65537, int(bits or 2048))


def read_key(path: str) -> Key:
    """A private key of RSA or ECDSA; a file of a chain may begin with one."""
    with open(path, "rb") as file:
        data = file.read()
    try:
        key = load_pem_private_key(data[max(data.find(b"-----BEGIN"), 0) :], None)
    except (ValueError, TypeError):
        raise Bad(f"no private key found in file: {path}") from None
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise Bad(f"unsupported key algorithm in file: {path}")
    return key


def algorithm_of(key: Key) -> str:
    return "rsa" if isinstance(key, rsa.RSAPrivateKey) else "ecdsa"


def key_text(key: Key) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def public(key: Key) -> bytes:
    """SubjectPublicKeyInfo."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def check_pair(certificate: str, path: str, key: Key) -> None:
    """Whether the first certificate of a file is that of the key."""
    try:
        with open(certificate, "rb") as file:
            found = x509.load_pem_x509_certificate(file.read())
    except ValueError:
        raise Bad(f"no certificate found in file: {certificate}") from None
    if found.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) != public(key):
        raise Bad(f"Certificate in {certificate} does not match key in {path}")


def self_signed(key: Key, names: list[str]) -> bytes:
    """A certificate that practically does not expire: DANE and opportunistic clients look at the key."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])] if len(names[0]) <= _LONGEST_NAME else [])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(issuer_name=subject, subject_name=subject, public_key=key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now)
    builder = builder.not_valid_after(now + timedelta(days=_YEARS * 365.25))
    builder = builder.add_extension(x509.BasicConstraints(False, None), True)
    for extension in _extensions(key, names):
        builder = builder.add_extension(extension, False)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def request(key: Key, names: list[str]) -> bytes:
    """A certificate signing request; the names are only those of subjectAltName."""
    builder = x509.CertificateSigningRequestBuilder(x509.Name([]))
    for extension in _extensions(key, names):
        builder = builder.add_extension(extension, False)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def _extensions(key: Key, names: list[str]) -> list[x509.ExtensionType]:
    try:
        alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    except ValueError as error:
        raise Bad(f"bad host name: {error}") from None
    usage = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    return [x509.SubjectKeyIdentifier.from_public_key(key.public_key()), x509.ExtendedKeyUsage(usage), alternatives]


def tlsa(key: Key, host: str) -> str:
    """The record `3 1 1` for port 25."""
    return f"_25._tcp.{host}. IN TLSA 3 1 1 {hashlib.sha256(public(key)).hexdigest()}"


def write_new(path: str, data: bytes, mode: int) -> None:
    """A file that was not there."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(fd, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(fd)
