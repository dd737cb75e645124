"""What posttls-finger thinks of a server's certificate, and its lines about it (INVENTORY TF-1, TL-3, TL-4, TL-8).

A handshake never fails for what is in a certificate: that is what one wants to see.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate
from OpenSSL import SSL

from pytwfix.contracts.dns import TLSA
from pytwfix.net.tls.contexts import describe
from pytwfix.net.tls.dane import verified
from pytwfix.net.tls.peernames import certificate_names, fingerprints, matches, signature
from pytwfix.net.tls.verdict import verdict_of

VERIFYING = ("verify", "secure", "dane", "dane-only")
_WORDS = {
    9: "certificate not yet valid", 10: "certificate has expired", 18: "self-signed certificate",
    19: "self-signed certificate", 20: "untrusted issuer", 21: "untrusted issuer", 2: "untrusted issuer",
}  # fmt: skip


class Wanted(NamedTuple):
    """What the certificate is looked at for."""

    level: str
    match: tuple[str, ...]  # names, or fingerprints
    digest: str
    tlsa: tuple[TLSA, ...] = ()
    names: tuple[str, ...] = ()  # of the host and the next hop, for usage 2 of a TLSA record
    several_labels: bool = False


class Opinion(NamedTuple):
    """`lines` belong to the option of their first part: certmatch, untrusted, peercert, summary."""

    verified: bool
    lines: list[tuple[str, str]]


def chain_of(connection: SSL.Connection) -> list[Certificate]:
    """As the server sent it."""
    return [one.to_cryptography() for one in connection.get_peer_cert_chain() or ()]


def judge(connection: SSL.Connection, wanted: Wanted, relay: str) -> Opinion:
    """What is to be said after a handshake."""
    chain = chain_of(connection)
    lines: list[tuple[str, str]] = []
    matched = ""
    if chain:
        matched = _matched(chain, wanted)
        lines += _about_match(connection, wanted, matched, relay)
        lines.append(("peercert", f"{relay}: {_peer(connection, chain[0], wanted.digest)}"))
    trusted = bool(matched) and (wanted.level == "fingerprint" or bool(wanted.tlsa))
    info = describe(connection, bool(matched))
    info = info._replace(detail=info.detail + signature(connection.get_peer_certificate(), info.protocol))
    if trusted:
        info = info._replace(trust="Verified")
    elif info.trust == "Trusted" and wanted.level in (*VERIFYING, "fingerprint"):
        info = info._replace(trust="Untrusted")  # the chain is fine, and another server's
    lines.append(("summary", f"{info.trust} TLS connection established to {relay}: {info.described()}"))
    return Opinion(info.trust == "Verified", lines)


def _matched(chain: list[Certificate], wanted: Wanted) -> str:
    """What matched, in words for the log, or nothing."""
    if wanted.tlsa:
        fine = verified(wanted.tlsa, chain, wanted.names, datetime.now(UTC), wanted.several_labels)
        return "Matched DANE TLSA record" if fine else ""
    if wanted.level == "fingerprint":
        prints = [one.replace(":", "") for one in fingerprints(chain[0], wanted.digest)]
        found = [one for one in wanted.match if one.replace(":", "").upper() in prints]
        return f"Matched fingerprint: {found[0].replace(':', '').upper()}" if found else ""
    for name in certificate_names(chain[0]):
        if matches([name], wanted.match, wanted.several_labels):
            return f"matched peername: {name}"
    return ""


def _about_match(connection: SSL.Connection, wanted: Wanted, matched: str, relay: str) -> list[tuple[str, str]]:
    number = verdict_of(connection).error
    by_name = not wanted.tlsa and wanted.level in VERIFYING
    if by_name and number:
        reason = _WORDS.get(number, f"num={number}")
        return [("untrusted", f"certificate verification failed for {relay}: {reason}")]
    if matched:
        return [("certmatch", f"{relay}: {matched}")]
    if by_name:
        return [("certmatch", f"server certificate verification failed for {relay}: num=62:hostname mismatch")]
    if wanted.tlsa or wanted.level == "fingerprint":
        text = f"server certificate verification failed for {relay}: num=1:unspecified certificate verification error"
        return [("certmatch", text)]
    return []


def _peer(connection: SSL.Connection, leaf: Certificate, digest: str) -> str:
    info = describe(connection)
    own, key = fingerprints(leaf, digest)
    return f"subject_CN={info.subject}, issuer_CN={info.issuer}, fingerprint={own}, pkey_fingerprint={key}"


def chain_text(chain: list[Certificate], digest: str) -> str:
    """For -C."""
    out = ["", "---", "Certificate chain"]
    for number, one in enumerate(chain):
        own, key = fingerprints(one, digest)
        out += [f"{number:2d} subject: {_slashed(one, True)}", f"    issuer: {_slashed(one, False)}"]
        out += [f"   cert digest={own}", f"   pkey digest={key}", one.public_bytes(Encoding.PEM).decode().rstrip()]
    return "\n".join(out) + "\n"


def _slashed(one: Certificate, subject: bool) -> str:
    name = one.subject if subject else one.issuer
    return "".join(f"/{part.rfc4514_attribute_name}={part.value!s}" for part in name)
