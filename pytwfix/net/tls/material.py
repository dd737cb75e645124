"""Keys, certificates and CAs from PEM, put into an OpenSSL context.

Files are read through the host, because only root may read some of them. Raises OSError for a file that cannot be read
and ValueError for one that holds no key or no certificate.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import Certificate, load_pem_x509_certificates
from OpenSSL import SSL, crypto

if TYPE_CHECKING:
    from pytwfix.contracts.host import IHost

_KEY = re.compile(rb"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----.*?-----END (?:[A-Z]+ )?PRIVATE KEY-----", re.DOTALL)
_CERTIFICATE = re.compile(
    rb"-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----.*?-----END (?:X509 |TRUSTED )?CERTIFICATE-----", re.DOTALL
)


class Chain(NamedTuple):
    """A certificate with the intermediate ones after it, and its key; all PEM."""

    certificates: bytes
    key: bytes


async def read_chains(host: IHost, chain_files: str, *pairs: tuple[str, str]) -> tuple[Chain, ...]:
    """The chains of `..._tls_chain_files`, or of the (certificate, key) pairs when that is empty."""
    if chain_files.strip():
        data = b"\n".join([await host.secret(path) for path in chain_files.replace(",", " ").split()])
        return split_chains(data)
    chains = []
    for certificate, key in pairs:
        if certificate and certificate != "none":
            chains.append(Chain(await host.secret(certificate), await host.secret(key or certificate)))
    return tuple(chains)


def split_chains(data: bytes) -> tuple[Chain, ...]:
    """Keys, each followed by its certificates."""
    keys = list(_KEY.finditer(data))
    if not keys:
        raise ValueError("no private key found")
    ends = [key.start() for key in keys[1:]] + [len(data)]
    return tuple(Chain(data[key.end() : end], key.group()) for key, end in zip(keys, ends, strict=True))


def certificates(pem: bytes) -> list[Certificate]:
    """All certificates of a file, in order."""
    found = b"\n".join(_CERTIFICATE.findall(pem)).replace(b"TRUSTED CERTIFICATE", b"CERTIFICATE")
    return load_pem_x509_certificates(found) if found else []


def use_chains(context: SSL.Context, chains: tuple[Chain, ...]) -> None:
    """Make the context present these; OpenSSL chooses by the kind of key."""
    for chain in chains:
        own_first = certificates(chain.certificates)
        if not own_first:
            raise ValueError("no certificate found")
        own, *others = own_first
        found = _KEY.search(chain.key)
        if found is None:
            raise ValueError("no private key found")
        context.use_certificate(crypto.X509.from_cryptography(own))
        key = load_pem_private_key(found.group(), None)
        context.use_privatekey(crypto.PKey.from_cryptography_key(key))  # type: ignore[arg-type]
        context.check_privatekey()
        for other in others:
            context.add_extra_chain_cert(crypto.X509.from_cryptography(other))


def trust(context: SSL.Context, authorities: bytes, directory: str, default: bool) -> None:
    """The CAs that peers' certificates are checked with."""
    store = context.get_cert_store()
    for authority in certificates(authorities):
        if store is not None:
            store.add_cert(crypto.X509.from_cryptography(authority))
    if directory:
        context.load_verify_locations(None, directory)
    if default:
        context.set_default_verify_paths()
