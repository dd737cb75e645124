"""The levels dane and dane-only: what DNS says of a server's certificate (SM-12, TL-8; RFC 7672).

`resolve` turns such a policy into one with TLSA records, or into `may` or `encrypt` where there are none that count.
Trouble 4.7.5: the look-up fails, or dane-only has nothing to go by.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytwfix.contracts.dns import TLSA, DnsError, NoData, NoSuchName
from pytwfix.deliver.smtp import log
from pytwfix.deliver.smtp.failures import Trouble
from pytwfix.mail.status import Dsn
from pytwfix.mail.tlsrpt import Applied, Fault, applied_of
from pytwfix.net.tls.dane import usable

if TYPE_CHECKING:
    from pytwfix.deliver.smtp.configuration import Configuration
    from pytwfix.deliver.smtp.hosts import Server
    from pytwfix.deliver.smtp.policy import Policy


async def resolve(config: Configuration, policy: Policy, server: Server) -> Policy:
    """The policy for one server."""
    cfg = config.cfg
    if cfg.smtp_dns_support_level.lower() != "dnssec":
        log.tls_policy(config.host.log, f"{server.host}: {policy.level} configured with dnssec lookups disabled")
        raise Trouble(Dsn("4.7.5", "client TLS configuration problem"))
    insecure_mx = cfg.smtp_tls_dane_insecure_mx_policy.lower()
    if not server.mx_validated and (policy.level == "dane-only" or insecure_mx == "may"):
        return _without(config, policy, "non DNSSEC destination")
    if not server.validated and not cfg.smtp_tls_force_insecure_host_tlsa_lookup:
        return _without(config, policy, "no TLSA records found")
    records = await _look_up(config, server)
    if not records:
        return _without(config, policy, "no TLSA records found")
    good = usable(records, cfg.tls_dane_digests)
    if not good:
        fault = Fault("tlsa-invalid", "TLSA records unusable", applied_of("tlsa", (one.text() for one in records)))
        if policy.level == "dane-only":
            raise Trouble(Dsn("4.7.5", "TLSA records unusable"), fault=fault)
        return config.policies.made("encrypt")._replace(fault=fault)
    if not server.mx_validated and insecure_mx == "encrypt":
        return config.policies.made("encrypt")
    return config.policies.made("encrypt")._replace(
        level=policy.level, tlsa=good, servername=server.host, reuse=policy.reuse
    )


def _without(config: Configuration, policy: Policy, reason: str) -> Policy:
    if policy.level == "dane-only":
        raise Trouble(Dsn("4.7.5", reason), fault=Fault("dane-required", reason))
    return config.policies.made("may")


async def _look_up(config: Configuration, server: Server) -> list[TLSA]:
    """Records that DNSSEC vouches for; others are none."""
    try:
        answer = await config.host.resolver.tlsa(f"_{server.port}._tcp.{server.host}")
    except (NoData, NoSuchName):
        return []
    except DnsError:
        reason = f"TLSA lookup error for {server.host}:{server.port}"
        fault = Fault("dnssec-invalid", reason, Applied("tlsa"))
        raise Trouble(Dsn("4.7.5", reason), fault=fault) from None
    return [one for one in answer.records if isinstance(one, TLSA)] if answer.validated else []
