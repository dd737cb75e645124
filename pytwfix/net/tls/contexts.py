"""TLS contexts, made of settings and kept by what they are made of: one costs milliseconds (HOUSE 5; TL-1 to TL-6).

`server_context` and `client_context` give a factory for Twisted's `startTLS`, or raise ContextError. `describe` says
what a handshake came to. A peer's chain is always checked and never refused here: the verdict is remembered for each
connection, and who asked for TLS decides what it is worth.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, NamedTuple

from OpenSSL import SSL
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator, IOpenSSLServerConnectionCreator
from zope.interface import implementer

from pytwfix.contracts.tables import DEFAULT_FLAGS, RHS_IS_FILE
from pytwfix.net.tls import material
from pytwfix.net.tls.ciphers import cipher_list
from pytwfix.net.tls.protocols import VERSIONS, parse_protocols
from pytwfix.net.tls.tuning import tell, tuning, use_groups
from pytwfix.net.tls.verdict import Verdict, listen, verdict_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytwfix.contracts.host import IHost
    from pytwfix.contracts.tables import ITable
    from pytwfix.net.tls.material import Chain
    from pytwfix.settings.servertls import ServerTlsSettings
    from pytwfix.settings.tls import TlsSettings

_MOST_KEPT = 64
_EXCLUDING = {
    0x300: SSL.OP_NO_SSLv3,
    0x301: SSL.OP_NO_TLSv1,
    0x302: SSL.OP_NO_TLSv1_1,
    0x303: SSL.OP_NO_TLSv1_2,
    0x304: SSL.OP_NO_TLSv1_3,
}
_NO_RENEGOTIATION = 1 << 30


class ContextError(Exception):
    """These settings make no context; the text is for the log."""


class Recipe(NamedTuple):
    """All that a context is made of."""

    server: bool
    protocols: str
    ciphers: str
    chains: tuple[Chain, ...] = ()
    authorities: bytes = b""
    directory: str = ""
    default_authorities: bool = False
    depth: int = 9
    ask: bool = False  # a server asks for a certificate
    tickets: bool = True
    preempt: bool = False
    session_id: bytes = b"pytwfix"
    options: int = 0
    groups: str = ""
    keep: int = 300  # seconds for which a server's sessions may be taken up; 0: it keeps none


class TlsInfo(NamedTuple):
    """What a handshake came to. `trust` is one of Anonymous, Untrusted, Trusted, Verified (TL-4)."""

    protocol: str
    cipher: str
    bits: int
    algorithm_bits: int
    trust: str
    detail: str = ""  # " key-exchange X25519"
    subject: str = ""
    issuer: str = ""
    fingerprint: str = ""
    resumed: bool = False

    def described(self) -> str:
        """`TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) ...` (LG-6)."""
        return f"{self.protocol} with cipher {self.cipher} ({self.bits}/{self.algorithm_bits} bits){self.detail}"


_contexts: dict[Recipe, SSL.Context] = {}


def context_of(recipe: Recipe) -> SSL.Context:
    """The context for a recipe, made now or before. ContextError."""
    context = _contexts.get(recipe)
    if context is None:
        context = _new(recipe)
        while len(_contexts) >= _MOST_KEPT:
            del _contexts[next(iter(_contexts))]
        _contexts[recipe] = context
    return context


def _new(recipe: Recipe) -> SSL.Context:
    try:
        return _made(recipe)
    except (ValueError, TypeError, OSError, SSL.Error) as error:
        raise ContextError(_text(error)) from error


def _made(recipe: Recipe) -> SSL.Context:
    context = SSL.Context(SSL.TLS_METHOD)
    _limit_protocols(context, recipe.protocols)
    options = recipe.options | SSL.OP_NO_COMPRESSION | _NO_RENEGOTIATION
    if recipe.preempt:
        options |= SSL.OP_CIPHER_SERVER_PREFERENCE
    if not recipe.tickets:
        options |= SSL.OP_NO_TICKET
    context.set_options(options)
    use_groups(context, recipe.groups)
    context.set_cipher_list(recipe.ciphers.encode())
    material.use_chains(context, recipe.chains)
    if recipe.authorities or recipe.directory or recipe.default_authorities:
        material.trust(context, recipe.authorities, recipe.directory, recipe.default_authorities)
    context.set_verify_depth(recipe.depth)
    mode = SSL.VERIFY_PEER if recipe.ask or not recipe.server else SSL.VERIFY_NONE
    listen(context, mode)
    if recipe.server:
        context.set_session_id(recipe.session_id)
        context.set_session_cache_mode(SSL.SESS_CACHE_SERVER if recipe.keep else SSL.SESS_CACHE_OFF)
        if recipe.keep:
            context.set_timeout(recipe.keep)
    else:
        context.set_session_cache_mode(SSL.SESS_CACHE_CLIENT)
    return context


def _limit_protocols(context: SSL.Context, text: str) -> None:
    protocols = parse_protocols(text)
    context.set_min_proto_version(protocols.lowest)
    context.set_max_proto_version(protocols.highest)
    for number in VERSIONS.values():
        if number in protocols.excluded:
            context.set_options(_EXCLUDING[number])


def _text(error: BaseException) -> str:
    """OpenSSL's reasons in one line; other errors as they are."""
    reasons = error.args[0] if error.args else ""
    if isinstance(reasons, list):
        return "error:" + "; ".join(":".join(str(part) for part in reason) for reason in reasons)
    return str(error)


@implementer(IOpenSSLServerConnectionCreator)
class ServerTls:
    """For `transport.startTLS` of an accepted connection."""

    def __init__(self, context: SSL.Context) -> None:
        self.context = context

    def serverConnectionForTLS(self, protocol: Any) -> SSL.Connection:
        connection = SSL.Connection(self.context, None)
        verdict_of(connection)
        return connection


@implementer(IOpenSSLClientConnectionCreator)
class ClientTls:
    """For `transport.startTLS` of a connection of ours. `prepare` sees it before the handshake: SNI, session."""

    def __init__(self, context: SSL.Context, prepare: Callable[[SSL.Connection], None] | None = None) -> None:
        self.context = context
        self._prepare = prepare

    def clientConnectionForTLS(self, protocol: Any) -> SSL.Connection:
        connection = SSL.Connection(self.context, None)
        verdict_of(connection)
        if self._prepare is not None:
            self._prepare(connection)
        return connection


async def server_context(host: IHost, cfg: ServerTlsSettings, mandatory: bool = False) -> ServerTls:
    """The context of smtpd's settings. ContextError when there is none: a file is missing, a key does not fit."""
    chains, authorities = await _server_material(host, cfg)
    ask = cfg.smtpd_tls_ask_ccert or (mandatory and cfg.smtpd_tls_req_ccert)
    tuned = tuning(cfg)
    tell(host.log, tuned)
    lifetime = int(cfg.smtpd_tls_session_cache_timeout)
    kept = cfg.smtpd_tls_always_issue_session_ids or cfg.smtpd_tls_session_cache_database
    recipe = Recipe(
        server=True,
        protocols=cfg.smtpd_tls_mandatory_protocols if mandatory else cfg.smtpd_tls_protocols,
        ciphers=_server_ciphers(cfg, mandatory, ask),
        chains=chains,
        authorities=authorities,
        directory=cfg.smtpd_tls_CApath if ask else "",
        default_authorities=ask and cfg.tls_append_default_CA,
        depth=cfg.smtpd_tls_ccert_verifydepth,
        ask=ask,
        tickets=bool(cfg.tls_session_ticket_cipher) and lifetime > 0,
        preempt=cfg.tls_preempt_cipherlist,
        session_id=f"smtpd {host.service}".encode()[:32],
        options=tuned.options,
        groups=tuned.groups,
        keep=lifetime if kept else 0,
    )
    if not cfg.tls_server_sni_maps:
        return ServerTls(context_of(recipe))
    context = _new(recipe)  # not kept: it belongs to this host's tables
    names = ServerNames(host, cfg.tls_server_sni_maps, recipe)
    context.set_tlsext_servername_callback(names.choose)
    return ServerTls(context)


def _server_ciphers(cfg: ServerTlsSettings, mandatory: bool, ask: bool) -> str:
    excluded = [cfg.smtpd_tls_exclude_ciphers]
    if mandatory:
        excluded.append(cfg.smtpd_tls_mandatory_exclude_ciphers)
    if ask:
        excluded.append("aNULL")
    grade = cfg.smtpd_tls_mandatory_ciphers if mandatory else cfg.smtpd_tls_ciphers
    try:
        return cipher_list(cfg, grade, *excluded)
    except ValueError as error:
        raise ContextError(str(error)) from error


async def _server_material(host: IHost, cfg: ServerTlsSettings) -> tuple[tuple[Chain, ...], bytes]:
    try:
        chains = await material.read_chains(
            host,
            cfg.smtpd_tls_chain_files,
            (cfg.smtpd_tls_cert_file, cfg.smtpd_tls_key_file),
            (cfg.smtpd_tls_eccert_file, cfg.smtpd_tls_eckey_file),
            (cfg.smtpd_tls_dcert_file, cfg.smtpd_tls_dkey_file),
        )
        authorities = await host.secret(cfg.smtpd_tls_CAfile) if cfg.smtpd_tls_CAfile else b""
    except (OSError, ValueError) as error:
        raise ContextError(f"cannot load certificate authority or key data: {error}") from error
    return chains, authorities


class ServerNames:
    """tls_server_sni_maps: the chain for the name that a client asks for (TL-6). Tables that answer at once only:
    OpenSSL does not wait for others."""

    def __init__(self, host: IHost, tables: str, recipe: Recipe) -> None:
        self._log = host.log
        self._tables: list[ITable] = [
            host.tables.open(name, DEFAULT_FLAGS | RHS_IS_FILE) for name in tables.replace(",", " ").split()
        ]
        self._recipe = recipe

    def choose(self, connection: SSL.Connection) -> None:
        """OpenSSL's callback: give the connection another context, or leave it the default one."""
        name = (connection.get_servername() or b"").lower()
        try:
            pem = self._chain(name) if name else None
            if pem is not None:
                recipe = self._recipe._replace(chains=material.split_chains(pem))
                connection.set_context(context_of(recipe))
        except (ContextError, ValueError) as error:
            self._log.warning(f"TLS SNI {name.decode('ascii', 'replace')}: {error}")

    def _chain(self, name: bytes) -> bytes | None:
        keys = [name]
        dot = name.find(b".", 1)
        while dot != -1:
            keys.append(name[dot:])
            dot = name.find(b".", dot + 1)
        for table in self._tables:
            for key in keys if table.fixed else keys[:1]:
                value = _at_once(table, key)
                if value is not None:
                    return base64.b64decode(value)
        return None


def _at_once(table: ITable, key: bytes) -> bytes | None:
    found: list[bytes | None] = []
    table.lookup(key).addCallbacks(found.append, lambda _failure: None)
    return found[0] if found else None


def client_context(
    tls: TlsSettings,
    *,
    protocols: str,
    ciphers: str,
    chains: tuple[Chain, ...] = (),
    authorities: bytes = b"",
    directory: str = "",
    depth: int = 9,
    public: bool = False,
) -> SSL.Context:
    """The context of one level of TLS at the client side. `public`: the system's authorities count. ContextError."""
    tuned = tuning(tls)
    recipe = Recipe(
        server=False,
        protocols=protocols,
        ciphers=ciphers,
        chains=chains,
        authorities=authorities,
        directory=directory,
        default_authorities=public or tls.tls_append_default_CA,
        depth=depth,
        options=tuned.options,
        groups=tuned.groups,
    )
    return context_of(recipe)


_GROUPS = {"x25519": "X25519", "x448": "X448"}  # as logs have them


def describe(connection: SSL.Connection, matched: bool = False) -> TlsInfo:
    """What was negotiated. `matched`: the peer's name or fingerprint is the one that was wanted."""
    verdict: Verdict = verdict_of(connection)
    certificate = connection.get_peer_certificate()
    bits = connection.get_cipher_bits() or 0
    subject = issuer = fingerprint = ""
    trust = "Anonymous"
    if certificate is not None:
        trust = "Untrusted" if verdict.error else "Verified" if matched else "Trusted"
        subject, issuer = certificate.get_subject().CN or "", certificate.get_issuer().CN or ""
        fingerprint = certificate.digest("sha256").decode("ascii")
    protocol = connection.get_protocol_version_name()
    group = getattr(connection, "get_group_name", lambda: None)()
    detail = f" key-exchange {_GROUPS.get(group, group)}" if group and protocol == "TLSv1.3" else ""
    return TlsInfo(
        protocol, connection.get_cipher_name() or "", bits, bits, trust, detail, subject, issuer, fingerprint
    )
