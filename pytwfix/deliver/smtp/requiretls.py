"""REQUIRETLS mail and `TLS-Required: no` (RFC 8689; INVENTORY SM-6, TL-7, NV-4).

smtp_requiretls_policy is a list: words (enforce, opportunistic+starttls, opportunistic, disable) and tables that are
asked for the next hop's domain and its parents; the first that has an answer decides. `enforce` wants a verified server
that promises REQUIRETLS itself, `opportunistic+starttls` wants TLS of any kind, `opportunistic` takes what there is.
A mail that says `TLS-Required: no` would rather arrive than be protected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytwfix.contracts.tables import TableError
from pytwfix.deliver.smtp import log
from pytwfix.deliver.smtp.failures import Trouble
from pytwfix.mail.envelope import REQUIRETLS_ESMTP, REQUIRETLS_HEADER
from pytwfix.mail.status import Dsn
from pytwfix.tables.names import is_table, split_list

if TYPE_CHECKING:
    from pytwfix.deliver.smtp.configuration import Configuration
    from pytwfix.deliver.smtp.nexthop import Destination
    from pytwfix.deliver.smtp.policy import Policy
    from pytwfix.deliver.smtp.session import Session
    from pytwfix.mail.envelope import Envelope
    from pytwfix.tables.maps import Maps

ENFORCE, STARTTLS, OPPORTUNISTIC, DISABLE = "enforce", "opportunistic+starttls", "opportunistic", "disable"
_WORDS = (ENFORCE, STARTTLS, OPPORTUNISTIC, DISABLE)
_WEAK = ("none", "may", "encrypt")


class RequireTls:
    """What one service does about it."""

    def __init__(self, config: Configuration) -> None:
        cfg = config.cfg
        self._config = config
        self._enabled = cfg.requiretls_enable
        self._header = cfg.tls_required_enable
        self._title = "lmtp_requiretls_policy" if config.lmtp else "smtp_requiretls_policy"
        self._list: list[str | Maps] | None = None

    def concerns(self, envelope: Envelope) -> bool:
        """Whether the mail has wishes at all; most have none."""
        return bool(envelope.sendopts & (REQUIRETLS_ESMTP | REQUIRETLS_HEADER))

    def lenient(self, envelope: Envelope) -> bool:
        """Whether the mail would rather arrive than be protected: `TLS-Required: no`."""
        strict = bool(envelope.sendopts & REQUIRETLS_ESMTP) and self._enabled
        return self._header and not strict and bool(envelope.sendopts & REQUIRETLS_HEADER)

    async def policy(self, envelope: Envelope, destination: Destination, policy: Policy) -> tuple[Policy, str]:
        """The TLS policy as this mail wants it, and the word of the list that holds."""
        if envelope.sendopts & REQUIRETLS_ESMTP and self._enabled:
            word = await self._word(destination.host.lower())
            if word == ENFORCE and policy.level in _WEAK:
                return self._config.policies.made("secure"), word
            if word == STARTTLS and policy.level in ("none", "may"):
                return self._config.policies.made("encrypt"), word
            return policy, word
        if envelope.sendopts & REQUIRETLS_HEADER and self._header and policy.level not in ("none", "may"):
            return self._config.policies.made("may"), DISABLE
        return policy, DISABLE

    def missing(self, session: Session) -> Dsn | None:
        """Why a server cannot have a mail that insists on REQUIRETLS."""
        if session.requiretls != ENFORCE or "REQUIRETLS" in session.features:
            return None
        text = f"REQUIRETLS support is required, but was not offered by host {session.namaddr}"
        return Dsn("5.7.30", text)

    async def _word(self, domain: str) -> str:
        if self._list is None:
            words = split_list(self._config.cfg.smtp_requiretls_policy)
            self._list = [self._config.maps(one, self._title) if is_table(one) else one.lower() for one in words]
        for element in self._list:
            word = element if isinstance(element, str) else await self._look_up(element, domain)
            if word in _WORDS:
                return word
            if word:
                log.tls_policy(self._config.host.log, f"{self._title}: unknown policy: {word}")
                raise Trouble(Dsn("4.7.5", "client TLS configuration problem"))
        return OPPORTUNISTIC

    async def _look_up(self, maps: Maps, domain: str) -> str:
        keys = [domain, *(domain[dot:] for dot in range(1, len(domain)) if domain[dot] == ".")]
        for number, key in enumerate(keys):
            try:
                value = await maps.lookup(key.encode("utf-8", "surrogateescape"), number > 0)
            except TableError:
                log.table_problem(self._config.host.log, self._title, domain)
                raise Trouble(Dsn("4.7.5", "client TLS configuration problem")) from None
            if value is not None:
                return value.decode("utf-8", "replace").strip().lower()
        return ""
