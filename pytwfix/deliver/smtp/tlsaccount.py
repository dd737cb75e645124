"""What a session says about TLS to a domain's servers, for reports (RFC 8460 section 4; INVENTORY TL-10).

Counted are new connections to servers that MX records name, where TLS was wished for: the policy that applied, and what
was wrong. A connection that is used again is none that is new; what had nothing to do with TLS is no failure; and mail
that would rather arrive than be protected, as reports themselves, is not counted (section 3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytwfix.deliver.smtp.sts import ascii_domain
from pytwfix.deliver.smtp.tlscounts import TlsCounts
from pytwfix.mail.tlsrpt import Applied, Detail, Fault, applied_of

if TYPE_CHECKING:
    from pytwfix.deliver.smtp.configuration import Configuration
    from pytwfix.deliver.smtp.failures import Trouble
    from pytwfix.deliver.smtp.hosts import Server
    from pytwfix.deliver.smtp.nexthop import Destination
    from pytwfix.deliver.smtp.policy import Policy
    from pytwfix.deliver.smtp.session import Session


class TlsAccount:
    """The accounts of one service."""

    def __init__(self, config: Configuration) -> None:
        cfg = config.cfg
        self._config = config
        self._counts = TlsCounts(config.host, f"{cfg.data_directory}/tlsrpt", cfg.pytwfix_tlsrpt_period)

    def close(self) -> None:
        self._counts.close()

    def unasked(self, place: Destination, server: Server, trouble: Trouble) -> None:
        """No connection was tried: the policy forbids it."""
        if trouble.fault is not None:
            self._count(place, server, trouble.fault.applied or Applied(), trouble.fault, "")

    def session(self, place: Destination, policy: Policy, session: Session, trouble: Trouble | None = None) -> None:
        """A session has begun, or with `trouble` it has not."""
        if policy.level == "none" and session.tls is None:
            return  # nobody wanted it
        fault = policy.fault or (trouble.fault if trouble is not None else None) or session.fault
        if fault is None and session.tls is None:
            return  # it never came to that
        applied = (fault.applied if fault is not None else None) or _applied(policy)
        self._count(place, session.server, applied, fault, session.own)

    def _count(self, place: Destination, server: Server, applied: Applied, fault: Fault | None, own: str) -> None:
        domain = ascii_domain(self._config, place.host)
        if not domain or not place.mx or not self._config.dns:
            return
        detail = None
        if fault is not None:
            detail = Detail(fault.result, fault.code, own, server.host, server.address)
        self._counts.count(domain, applied, detail)


def _applied(policy: Policy) -> Applied:
    if policy.tlsa:
        return applied_of("tlsa", (one.text() for one in policy.tlsa))
    if policy.sts is not None:
        return applied_of("sts", policy.sts.lines, policy.sts.mx)
    return Applied()
