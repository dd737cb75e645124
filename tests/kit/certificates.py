"""Keys and certificates for tests: an authority of our own, and leaves for names. Made once a process."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_START = datetime(2020, 1, 1, tzinfo=UTC)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


@cache
def _authority(common: str) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    return key, _signed(key, _name(common), key, _name(common), [], True)


def _signed(
    key: ec.EllipticCurvePrivateKey,
    subject: x509.Name,
    signer: ec.EllipticCurvePrivateKey,
    issuer: x509.Name,
    names: list[str],
    authority: bool,
    days: int = 36500,
) -> x509.Certificate:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(_START).not_valid_after(_START + timedelta(days=days))
    builder = builder.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    if names:
        alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        builder = builder.add_extension(alternatives, critical=False)
    return builder.sign(signer, hashes.SHA256())


def authority(common: str = "Test CA") -> bytes:
    """The PEM certificate of an authority."""
    return _authority(common)[1].public_bytes(serialization.Encoding.PEM)


def leaf(*names: str, common: str = "", by: str = "Test CA", days: int = 36500) -> tuple[bytes, bytes]:
    """(certificate, key) in PEM for these DNS names, signed by an authority, good for so many days from 2020 on."""
    return _leaf(names, common or names[0], by, days)


@cache
def _leaf(names: tuple[str, ...], common: str, by: str, days: int) -> tuple[bytes, bytes]:
    signer, issuer = _authority(by)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _signed(key, _name(common), signer, issuer.subject, list(names), False, days)
    return certificate.public_bytes(serialization.Encoding.PEM), _key_pem(key)
