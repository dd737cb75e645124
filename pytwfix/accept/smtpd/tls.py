"""Whether TLS is offered, and the context of its sessions (SD-42)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from pytwfix.accept.smtpd import log
from pytwfix.accept.smtpd.safety import Fatal
from pytwfix.mail.reply import Reply
from pytwfix.settings.servertls import UNSUPPORTED_LEVELS
from pytwfix.tables.maps import Maps

if TYPE_CHECKING:
    from pytwfix.accept.smtpd.settings import SmtpdSettings
    from pytwfix.accept.smtpd.state import State
    from pytwfix.accept.smtpd.wire import Wire
    from pytwfix.contracts.host import IHost


def demanded(cfg: SmtpdSettings) -> bool:
    """Whether the security level lets nobody send mail without TLS (SD-42)."""
    level = cfg.smtpd_tls_security_level
    return level == "encrypt" or (not level and cfg.smtpd_enforce_tls)


class ServerTls:
    """Made once a snapshot; the context is made when the first client wants it."""

    def __init__(self, host: IHost, cfg: SmtpdSettings) -> None:
        self._cfg = cfg
        level = cfg.smtpd_tls_security_level
        stated = cfg.snapshot.expand("$smtpd_tls_security_level")
        if stated.lower() in UNSUPPORTED_LEVELS:
            host.log.warning(f'smtpd_tls_security_level: unsupported TLS level "{stated}", using "{level}"')
        wanted = demanded(cfg) or level == "may" or (not level and cfg.smtpd_use_tls)
        self.wrapper = cfg.smtpd_tls_wrappermode
        files = (cfg.smtpd_tls_chain_files, cfg.smtpd_tls_cert_file, cfg.smtpd_tls_eccert_file)
        self.wanted = (wanted or self.wrapper) and level != "none"
        self.enabled = self.wanted and any((*files, cfg.smtpd_tls_dcert_file))
        digits = cfg.smtpd_tls_loglevel.partition(",")[0].strip()
        self.loglevel = int(digits) if digits.isdecimal() else 0
        self.digest = cfg.smtpd_tls_fingerprint_digest
        try:
            hashlib.new(self.digest.lower(), usedforsecurity=False)
        except ValueError as error:
            raise Fatal(f"smtpd_tls_fingerprint_digest: {error}") from error
        self.mandatory = self.wrapper or demanded(cfg)
        self.by_name = bool(cfg.tls_server_sni_maps)
        self.requires = self.mandatory and cfg.smtpd_tls_req_ccert
        self.asks = cfg.smtpd_tls_ask_ccert or self.requires
        self.vain = cfg.smtpd_tls_req_ccert and not self.mandatory
        self._levels = Maps(host.tables, cfg.smtpd_tls_loglevel_maps, "smtpd_tls_loglevel_maps")
        self._context: Any = None

    async def level_for(self, name: str, address: str) -> int:
        """smtpd_tls_loglevel, or what smtpd_tls_loglevel_maps says of this client."""
        for key in (name, address) if self._levels else ():
            found = await self._levels.lookup(key.encode())
            if found is not None:
                digits = found.decode("ascii", "replace").partition(",")[0].strip()
                return int(digits) if digits.isdecimal() else self.loglevel
        return self.loglevel

    async def context(self, host: IHost) -> Any:
        """A factory for `startTLS`, or None when there is none to be had (which is logged)."""
        if self._context is None:
            try:
                from pytwfix.net.tls.contexts import server_context

                self._context = await server_context(host, self._cfg, self.mandatory)
            except Exception as error:
                host.log.warning(f"TLS is not available: {error}")
        return self._context


async def handshake(tls: ServerTls, state: State, wire: Wire) -> bool:
    """Start TLS on a connection; False when it is of no use any more."""
    host = state.host
    context = await tls.context(host)
    if context is None:
        wire.gone = "lost connection"
        return False
    level = await tls.level_for(state.client.name, state.client.address)
    if level >= 2:
        log.tls_setup(host.log, state.namaddr)
    failure = await wire.start_tls(context)
    if failure is not None:
        log.tls_failed(host.log, state.namaddr, failure.why)
        if failure.library:
            log.tls_library(host.log, failure.library)
        return False
    made = state.tls = wire.tls_details(tls.digest, tls.asks, tls.by_name)
    if made.peer == "Untrusted" and (level >= 2 or tls.requires):
        log.tls_unverified(host.log, state.namaddr, made.issuer)
    if level >= 1:
        log.tls_established(host.log, state.namaddr, made)
    if tls.requires and made.peer != "Trusted":
        why = "No client certificate presented" if made.peer == "Anonymous" else "Client certificate not trusted"
        log.tls_aborted(host.log, state.namaddr, why)
        wire.abandon()
        wire.core.close(Reply(421, "4.7.0", why, hangup=True))
        return False
    return True
