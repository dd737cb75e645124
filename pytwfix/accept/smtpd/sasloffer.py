"""To whom AUTH is offered, and which mechanisms (SD-3, SD-41). Raises Fatal for settings that cannot work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytwfix.accept.smtpd import log
from pytwfix.accept.smtpd.restrictions import split
from pytwfix.accept.smtpd.sasl import Exchange, acceptable, check_options, implementation
from pytwfix.accept.smtpd.tls import demanded
from pytwfix.tables.matchlists import AddressList, StringList

if TYPE_CHECKING:
    from pytwfix.accept.smtpd.settings import SmtpdSettings
    from pytwfix.accept.smtpd.state import State
    from pytwfix.contracts.host import IHost

EXCEPTIONS = "smtpd_sasl_exceptions_networks"


class SaslOffer:
    """One for a settings snapshot; `flags` are those of the list of exceptions."""

    def __init__(self, host: IHost, cfg: SmtpdSettings, flags: int) -> None:
        self._host = host
        self._sasl = implementation(host, cfg)
        self._only_tls = cfg.smtpd_tls_auth_only or demanded(cfg)
        options = split(cfg.smtpd_sasl_security_options), split(cfg.smtpd_sasl_tls_security_options)
        self._plain = check_options(options[0], "smtpd_sasl_security_options")
        self._under_tls = check_options(options[1], "smtpd_sasl_tls_security_options")
        self._filter = StringList(host.tables, cfg.smtpd_sasl_mechanism_filter, "smtpd_sasl_mechanism_filter")
        self._exceptions = AddressList(host.tables, cfg.smtpd_sasl_exceptions_networks, EXCEPTIONS, flags)

    async def open_to(self, name: str, address: str, tls_active: bool) -> bool:
        """Whether this client may use AUTH now."""
        if self._only_tls and not tls_active:
            return False
        return not (self._exceptions and await self._exceptions.match(name, address))

    async def mechanisms(self, tls_active: bool) -> list[str]:
        """What AUTH offers; nothing while the authentication server is away."""
        known = await self._sasl.mechanisms()
        if not known:
            log.no_mechanisms(self._host.log)
        names = acceptable(known, self._under_tls if tls_active else self._plain)
        return [name for name in names if await self._filter.match(name)]

    def begin(self, state: State, mechanism: str) -> Exchange:
        return self._sasl.begin(state, mechanism)
