"""The handshake, and what its outcome is worth to the policy (SM-11, SM-18, TL-3, TL-4, LG-6, OB-5).

Trouble 4.7.5: there is no handshake, or the server is not the one that was wanted.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cryptography.x509 import Certificate
from OpenSSL import SSL, crypto

from pytwfix.basics.printable import printable_text
from pytwfix.deliver.smtp import log
from pytwfix.deliver.smtp.failures import TlsFailed, Trouble
from pytwfix.deliver.smtp.tlscache import TlsCache
from pytwfix.deliver.smtp.wire import HandshakeFailed
from pytwfix.dialogs.smtp_client import Stage
from pytwfix.mail.status import Dsn
from pytwfix.mail.tlsrpt import Fault, shortened
from pytwfix.net.tls import material
from pytwfix.net.tls.ciphers import cipher_list
from pytwfix.net.tls.contexts import ClientTls, ContextError, client_context, describe
from pytwfix.net.tls.dane import verified
from pytwfix.net.tls.peernames import certificate_names, fingerprints, matches, signature
from pytwfix.net.tls.tuning import tell, tuning
from pytwfix.net.tls.verdict import Verdict, verdict_of

if TYPE_CHECKING:
    from pytwfix.deliver.smtp.configuration import Configuration
    from pytwfix.deliver.smtp.nexthop import Destination
    from pytwfix.deliver.smtp.policy import Policy
    from pytwfix.deliver.smtp.session import Session
    from pytwfix.net.tls.material import Chain

HANDSHAKE = Dsn("4.7.5", "Cannot start TLS: handshake failure")
NOT_VERIFIED = Dsn("4.7.5", "Server certificate not verified")
_EXPIRED = 10
_NO_ISSUER = (2, 20, 21)
_WORDS = {  # OpenSSL's numbers
    9: "certificate not yet valid",
    _EXPIRED: "certificate has expired",
    18: "self-signed certificate",
    19: "self-signed certificate",
}
NO_ENGINE = Dsn("4.7.5", "TLS is required, but our TLS engine is unavailable")


class ClientMaterial:
    """Our own keys and the CAs of one service, read once."""

    def __init__(self, config: Configuration) -> None:
        self._config = config
        self._chains: tuple[Chain, ...] | None = None
        self._authorities = b""

    async def read(self) -> tuple[tuple[Chain, ...], bytes]:
        """ContextError: a file cannot be read."""
        if self._chains is None:
            cfg, host = self._config.cfg, self._config.host
            try:
                self._authorities = await host.secret(cfg.smtp_tls_CAfile) if cfg.smtp_tls_CAfile else b""
                self._chains = await material.read_chains(
                    host,
                    cfg.smtp_tls_chain_files,
                    (cfg.smtp_tls_cert_file, cfg.smtp_tls_key_file),
                    (cfg.smtp_tls_eccert_file, cfg.smtp_tls_eckey_file),
                    (cfg.smtp_tls_dcert_file, cfg.smtp_tls_dkey_file),
                )
            except (OSError, ValueError) as error:
                raise ContextError(f"cannot load certificate authority or key data: {error}") from error
        return self._chains, self._authorities


async def start(session: Session, policy: Policy, destination: Destination) -> None:
    """Begin TLS on a session: `session.tls` says what came of it."""
    config = session.config
    try:
        context = await _context(config, policy)
    except (ContextError, OSError, ValueError) as error:
        log.tls_policy(config.host.log, f"TLS is not available: {error}")
        raise TlsFailed(NO_ENGINE, session.relay) from None
    if config.tls_loglevel >= 2:
        log.tls_setup(config.host.log, session.relay)
    name = _servername(policy, destination, session.host)
    cache = _cache(config)
    key = cache.key(session, policy, name) if cache else ""
    known = await cache.find(key) if cache else b""

    def prepare(connection: SSL.Connection) -> None:
        if name and name.isascii():
            connection.set_tlsext_host_name(name.encode("ascii"))
        if known:
            cache.take_up(connection, known)

    try:
        connection = await session.wire.start_tls(ClientTls(context, prepare), config.limits[Stage.STARTTLS])
    except HandshakeFailed as failed:
        _log_failure(session, failed)
        raise TlsFailed(HANDSHAKE, session.relay, fault=Fault("validation-failure", _handshake(failed))) from None
    if known:
        cache.judge(connection, known)
    _judge(session, policy, destination, connection, name)
    if cache:
        session.before_end = lambda: cache.keep(key, connection)


def _cache(config: Configuration) -> TlsCache:
    if config.tls_cache is None:
        config.tls_cache = TlsCache(config)
    return config.tls_cache


def _chain(connection: Any) -> list[Certificate]:
    return [one.to_cryptography() for one in connection.get_peer_cert_chain() or ()]


async def _context(config: Configuration, policy: Policy) -> SSL.Context:
    cfg = config.cfg
    if config.material is None:
        config.material = ClientMaterial(config)
        tell(config.host.log, tuning(cfg))
    chains, authorities = await config.material.read()
    directory = cfg.smtp_tls_CApath
    if policy.tafile:
        authorities, directory = await config.host.secret(policy.tafile), ""
    excluded = [*policy.exclude, "aNULL"] if policy.verifies or policy.level == "fingerprint" else policy.exclude
    return client_context(
        cfg,
        protocols=policy.protocols,
        ciphers=cipher_list(cfg, policy.ciphers, *excluded),
        chains=chains,
        authorities=authorities,
        directory=directory,
        depth=cfg.smtp_tls_scert_verifydepth,
        public=policy.public,
    )


def _servername(policy: Policy, destination: Destination, host: str) -> str:
    """What is sent by SNI; "" for nothing."""
    word = policy.servername
    if word == "hostname":
        return host
    return destination.host if word == "nexthop" else word


def _log_failure(session: Session, failed: HandshakeFailed) -> None:
    out = session.config.host.log
    if failed.timeout:
        log.tls_failed(out, session.relay, "Connection timed out")
    elif failed.library:
        log.tls_failed(out, session.relay, "-1")
        log.tls_library(out, failed.library)
    else:
        log.tls_failed(out, session.relay, "lost connection")


def _judge(session: Session, policy: Policy, destination: Destination, connection: Any, servername: str) -> None:
    """Log what came about; Trouble when it is not good enough."""
    config = session.config
    wanted = policy.verifies or policy.level == "fingerprint"
    certificate = connection.get_peer_certificate()
    problem = verdict_of(connection)
    if policy.tlsa:
        names = (session.host, destination.host)
        matched = verified(policy.tlsa, _chain(connection), names, datetime.fromtimestamp(config.host.now(), UTC))
    else:
        matched = wanted and certificate is not None and _matched(session, policy, destination, certificate)
    info = describe(connection, matched)
    info = info._replace(detail=info.detail + signature(certificate, info.protocol))
    if matched and (policy.tlsa or policy.level == "fingerprint"):
        info = info._replace(trust="Verified")
    if wanted and info.trust == "Trusted":
        info = info._replace(trust="Untrusted")  # by somebody, but not as what was wanted
    session.tls, session.reusable_tls = info, policy.reuse
    if config.tls_loglevel >= 1:
        if wanted and info.trust == "Untrusted":
            log.tls_not_verified(config.host.log, session.relay, *_why(policy, problem, _chain(connection)))
        log.tls_established(config.host.log, session.relay, info, servername)
    if config.tlsrpt is not None:
        session.fault = _fault(session, policy, problem, certificate, matched)
    if wanted and info.trust != "Verified":
        raise Trouble(NOT_VERIFIED, session.relay, fault=session.fault)


def _fault(
    session: Session, policy: Policy, problem: Verdict, certificate: crypto.X509 | None, matched: bool
) -> Fault | None:
    """What a report says: of the certificate that was demanded, or that a policy in testing would have demanded."""
    testing = policy.sts is not None and not policy.verifies
    if not (testing or policy.verifies or policy.level == "fingerprint"):
        return None
    if certificate is None:
        return Fault("certificate-not-trusted", "no certificate")
    if policy.tlsa or policy.level == "fingerprint":
        return None if matched else Fault("validation-failure", "the certificate is not the one that was promised")
    if problem.error:
        expired = problem.error == _EXPIRED
        return Fault("certificate-expired" if expired else "certificate-not-trusted", _in_brief(problem))
    if testing:
        matched = matches(certificate_names(certificate.to_cryptography()), [session.host])
    return None if matched else Fault("certificate-host-mismatch")


def _matched(session: Session, policy: Policy, destination: Destination, certificate: crypto.X509) -> bool:
    cfg = session.config.cfg
    real = certificate.to_cryptography()
    if policy.level == "fingerprint":
        prints = fingerprints(real, cfg.smtp_tls_fingerprint_digest)
        return any(one.upper() in prints for one in policy.match)
    patterns = [_pattern(word, destination.host, session.host) for word in policy.match]
    names = certificate_names(real)
    found = matches(names, patterns, cfg.tls_wildcard_matches_multiple_labels)
    if found and policy.mx_patterns:
        found = matches([session.host.lower()], policy.mx_patterns)
    return found


def _pattern(word: str, nexthop: str, host: str) -> str:
    return {"nexthop": nexthop, "dot-nexthop": "." + nexthop, "hostname": host}.get(word, word)


def _why(policy: Policy, verdict: Verdict, chain: list[Certificate]) -> tuple[str, bool]:
    """(why the certificate is not good enough in OpenSSL's words, whether that is about the server's own one)."""
    number = verdict.error
    if policy.tlsa or policy.level == "fingerprint":
        return "num=65:no matching DANE TLSA records", True
    if number in _NO_ISSUER:
        issuer = chain[min(verdict.depth, len(chain) - 1)].issuer if chain else ()
        names = "".join(f"/{part.rfc4514_attribute_name}={part.value!s}" for part in issuer)
        return f"untrusted issuer {printable_text(names, utf8=True)}", False
    if not number:
        return "num=62:hostname mismatch", True
    return _in_brief(verdict), not verdict.depth


def _in_brief(verdict: Verdict) -> str:
    number = verdict.error
    return "untrusted issuer" if number in _NO_ISSUER else _WORDS.get(number, f"num={number}")


def _handshake(failed: HandshakeFailed) -> str:
    """Why there was none, for a report."""
    return "timeout" if failed.timeout else shortened(failed.library) or "connection lost"
