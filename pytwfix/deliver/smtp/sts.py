"""MTA-STS (RFC 8461; `pytwfix_mta_sts`): what a domain's own policy demands of its mail servers.

It holds for servers that were found by MX records, where smtp_tls_policy_maps says nothing of the destination and where
DANE does not decide. Mode enforce: the server is one that the policy names, and has a certificate for its own name by a
known authority; else the mail waits. Mode testing: the mail goes as it would without, and the log says what would have
been wrong. A policy that was fetched once holds for its time, whatever DNS says meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from twisted.internet.defer import Deferred

from pytwfix.basics.tasks import start
from pytwfix.contracts.dns import DnsError
from pytwfix.deliver.smtp import log
from pytwfix.deliver.smtp.failures import Trouble
from pytwfix.deliver.smtp.stscache import Known, StsCache
from pytwfix.mail.hostnames import valid_name
from pytwfix.mail.idn import to_ascii
from pytwfix.mail.mtasts import StsPolicy, parse_policy, record_id
from pytwfix.mail.status import Dsn
from pytwfix.mail.tlsrpt import Fault, applied_of, shortened

if TYPE_CHECKING:
    from pytwfix.deliver.smtp.configuration import Configuration
    from pytwfix.deliver.smtp.hosts import Server
    from pytwfix.deliver.smtp.nexthop import Destination
    from pytwfix.deliver.smtp.policy import Policy

_AGAIN = 300.0  # seconds after which a policy that could not be fetched is asked for again
_LIMIT = 65536
_MOST = 2000
_LOOSE = frozenset(("none", "may", "encrypt"))


_NOT_NAMED = "validation-failure", "the MTA-STS policy does not name the server"


class _Failed(NamedTuple):
    """A policy that could not be had: the id that was asked for, when, and why."""

    ident: str
    when: float
    fault: Fault


def ascii_domain(config: Configuration, name: str) -> str:
    """A destination's domain in A-labels and lower case; "" for a host without a domain, and for what is no name."""
    found = to_ascii(name.encode("utf-8", "surrogateescape"), config.cfg.enable_idna2003_compatibility)
    domain = (found or b"").lower().rstrip(b".")
    return domain.decode("ascii") if b"." in domain and valid_name(domain) else ""


class MtaSts:
    """The policies of one service's destinations."""

    def __init__(self, config: Configuration) -> None:
        self._config = config
        self._host = config.host
        self._cache = StsCache(config.host.disk, f"{config.cfg.data_directory}/mta-sts")
        self._known: dict[str, Known | None] = {}
        self._failed: dict[str, _Failed] = {}
        self._asking: dict[str, list[Deferred[StsPolicy | None]]] = {}

    async def applied(self, place: Destination, server: Server, policy: Policy) -> Policy:
        """What the policy becomes for one server. Trouble: it is none of the domain's."""
        if policy.level not in _LOOSE or policy.tlsa or not place.mx:
            return policy
        domain = ascii_domain(self._config, place.host)
        demanded = await self._demanded(domain) if domain else None
        if demanded is None:
            failed = self._failed.get(domain) if self._config.tlsrpt is not None else None
            return policy._replace(fault=failed.fault) if failed is not None else policy
        if demanded.mode == "none":
            return policy
        named = demanded.names(server.host)
        if demanded.mode == "testing":
            if not named:
                log.sts_testing(self._host.log, domain, server.host)
            return self._tested(policy, demanded, named)
        if not named:
            fault = Fault(*_NOT_NAMED, applied_of("sts", demanded.lines, demanded.mx))
            reason = f"{server.host} is not named by the MTA-STS policy of {domain}"
            raise Trouble(Dsn("4.7.5", reason), fault=fault)
        return self._config.policies.made("secure")._replace(
            match=("hostname",), servername="hostname", reuse=policy.reuse, public=self._public(), sts=demanded
        )

    def _tested(self, policy: Policy, demanded: StsPolicy, named: bool) -> Policy:
        """Where reports are made, the domain wants to know what would have been wrong: its own name is asked for."""
        if self._config.tlsrpt is None or policy.level == "none":
            return policy
        return policy._replace(
            servername="hostname", public=self._public(), sts=demanded, fault=None if named else Fault(*_NOT_NAMED)
        )

    def _public(self) -> bool:
        cfg = self._config.cfg
        return not (cfg.smtp_tls_CAfile or cfg.smtp_tls_CApath)

    async def _demanded(self, domain: str) -> StsPolicy | None:
        """One look for all mails that want to know at the same time."""
        told: Deferred[StsPolicy | None] = Deferred()
        asking = self._asking.get(domain)
        if asking is None:
            self._asking[domain] = [told]
            start(self._look(domain)).addBoth(self._told, domain)
        else:
            asking.append(told)
        return await told

    def _told(self, result: object, domain: str) -> None:
        policy = result if isinstance(result, StsPolicy) else None
        if policy is None and result is not None:
            self._host.log.failure(f"MTA-STS policy of {domain}", getattr(result, "value", RuntimeError(str(result))))
        for told in self._asking.pop(domain):
            told.callback(policy)

    async def _look(self, domain: str) -> StsPolicy | None:
        known = await self._kept(domain)
        now = self._host.now()
        held = known.policy if known is not None and known.holds(now) else None
        ident = await self._ident(domain)
        if ident is None:
            self._failed.pop(domain, None)
            return held  # RFC 8461 section 3.1: it holds until its time is up
        if known is not None and held is not None and ident == known.ident and now < known.fetched + held.max_age / 2:
            return held
        failed = self._failed.get(domain)
        if failed is not None and failed.ident == ident and now < failed.when + _AGAIN:
            return held
        return await self._fetched(domain, ident) or held

    async def _kept(self, domain: str) -> Known | None:
        if domain not in self._known:
            try:
                self._remember(domain, await self._host.threads.run(self._cache.read, domain))
            except OSError as error:
                log.sts_cache(self._host.log, domain, str(error))
                return None
        return self._known[domain]

    def _remember(self, domain: str, known: Known | None) -> None:
        if len(self._known) >= _MOST:
            self._known.clear()
            self._failed.clear()
        self._known[domain] = known

    async def _ident(self, domain: str) -> str | None:
        """DNS tells whether there is a policy, and whether it is the one that we know."""
        try:
            answer = await self._host.resolver.txt(f"_mta-sts.{domain}")
        except DnsError:
            return None
        texts = (one.decode("utf-8", "replace") if isinstance(one, bytes) else str(one) for one in answer.records)
        return record_id(texts)

    async def _fetched(self, domain: str, ident: str) -> StsPolicy | None:
        """The policy as the domain's web server has it now; None, and a warning, when it has none that is good."""
        from pytwfix.net.https import NoPage, fetch  # brings the web client of Twisted

        cfg, name = self._config.cfg, f"mta-sts.{domain}"
        try:
            authorities = await self._host.secret(cfg.pytwfix_mta_sts_CAfile) if cfg.pytwfix_mta_sts_CAfile else b""
            timeout = cfg.pytwfix_mta_sts_timeout
            page = await fetch(self._host, name, "/.well-known/mta-sts.txt", timeout, _LIMIT, authorities)
            if page.status != 200:
                raise NoPage(f"HTTP status {page.status}")
            if page.kind != "text/plain":
                raise NoPage(f"media type {page.kind[:80] or 'missing'}")
            policy = parse_policy(page.body.decode("utf-8", "replace"))
        except (NoPage, ValueError, OSError) as error:
            log.sts_failed(self._host.log, domain, str(error))
            fault = Fault(_result(error), shortened(str(error)))
            self._failed[domain] = _Failed(ident, self._host.now(), fault)
            return None
        await self._keep(domain, Known(ident, self._host.now(), policy))
        return policy

    async def _keep(self, domain: str, known: Known) -> None:
        self._failed.pop(domain, None)
        self._remember(domain, known)
        log.sts_fetched(self._host.log, domain, known.policy)
        try:
            await self._host.threads.run(self._cache.keep, domain, known)
        except OSError as error:
            log.sts_cache(self._host.log, domain, str(error))


def _result(error: Exception) -> str:
    """What a report calls it (RFC 8460 section 4.3.2.2)."""
    if isinstance(error, ValueError):
        return "sts-policy-invalid"
    return "sts-webpki-invalid" if getattr(error, "untrusted", False) else "sts-policy-fetch-error"
