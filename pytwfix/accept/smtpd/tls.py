"""Whether TLS is offered, and the context of its sessions (SD-42)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytwfix.accept.smtpd import log

if TYPE_CHECKING:
    from pytwfix.accept.smtpd.settings import SmtpdSettings
    from pytwfix.accept.smtpd.state import State
    from pytwfix.accept.smtpd.wire import Wire
    from pytwfix.contracts.host import IHost
    from pytwfix.settings.common import CommonSettings


class ServerTls:
    """Made once a snapshot; the context is made when the first client wants it."""

    def __init__(self, cfg: SmtpdSettings, common: CommonSettings) -> None:
        self._cfg = cfg
        level = cfg.smtpd_tls_security_level
        wanted = level in ("may", "encrypt") or (not level and (cfg.smtpd_use_tls or cfg.smtpd_enforce_tls))
        self.wrapper = cfg.smtpd_tls_wrappermode
        files = (cfg.smtpd_tls_chain_files, cfg.smtpd_tls_cert_file, cfg.smtpd_tls_eccert_file)
        self.wanted = (wanted or self.wrapper) and level != "none"
        self.enabled = self.wanted and any((*files, cfg.smtpd_tls_dcert_file))
        digits = cfg.smtpd_tls_loglevel.partition(",")[0].strip()
        self.loglevel = int(digits) if digits.isdecimal() else 0
        self._context: Any = None

    async def context(self, host: IHost) -> Any:
        """A factory for `startTLS`, or None when there is none to be had (which is logged)."""
        if self._context is None:
            try:
                from pytwfix.net.tls.contexts import server_context

                self._context = await server_context(host, self._cfg)
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
    if tls.loglevel >= 2:
        log.tls_setup(host.log, state.namaddr)
    failure = await wire.start_tls(context)
    if failure is not None:
        log.tls_failed(host.log, state.namaddr, failure.why)
        if failure.library:
            log.tls_library(host.log, failure.library)
        return False
    state.tls = wire.tls_details()
    if tls.loglevel >= 1:
        log.tls_established(host.log, state.namaddr, state.tls)
    return True
