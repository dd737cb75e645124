"""Which TLS a server is to get: smtp_tls_security_level, smtp_tls_policy_maps, smtp_tls_per_site (SM-11, SM-18).

The policy table is asked for the nexthop as it is written, with [] and :port, then for its parent domains. Its value is
a level and attributes: `secure match=nexthop:.example.com protocols=>=TLSv1.2`. Trouble 4.7.5: it makes no sense, and
nothing is sent (OB-5).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from pytwfix.contracts.dns import TLSA
from pytwfix.contracts.tables import TableError
from pytwfix.deliver.smtp import log
from pytwfix.deliver.smtp.failures import Trouble
from pytwfix.mail.mtasts import StsPolicy
from pytwfix.mail.status import Dsn
from pytwfix.mail.tlsrpt import Fault
from pytwfix.settings.compatibility import old_default

if TYPE_CHECKING:
    from pytwfix.deliver.smtp.configuration import Configuration
    from pytwfix.deliver.smtp.nexthop import Destination

LEVELS = ("none", "may", "encrypt", "dane", "dane-only", "fingerprint", "verify", "secure")
MANDATORY = frozenset(LEVELS[2:])
_VERIFYING = frozenset(("verify", "secure"))
_SEPARATOR = re.compile(r"[\s,]+")
# Attributes and the levels at which they make sense.
_ATTRIBUTES = {
    "ciphers": frozenset(LEVELS[1:]),
    "protocols": frozenset(LEVELS[1:]),
    "exclude": frozenset(LEVELS[1:]),
    "servername": frozenset(LEVELS[1:]),
    "connection_reuse": frozenset(LEVELS[1:]),
    "enable_rpk": frozenset(LEVELS[1:]),
    "match": frozenset(("fingerprint", "verify", "secure")),
    "tafile": frozenset(("verify", "secure")),
    "policy_ttl": frozenset(LEVELS),
    "policy_type": frozenset(LEVELS),
    "policy_domain": frozenset(LEVELS),
    "policy_string": frozenset(LEVELS),
    "mx_host_pattern": frozenset(LEVELS),
    "policy_failure": frozenset(LEVELS),
}
_REPEATABLE = frozenset(("match", "exclude", "policy_string", "mx_host_pattern"))
_TEMPORARY = Dsn("4.7.5", "client TLS configuration problem")
_CIPHERS = frozenset(("export", "low", "medium", "high", "null"))


class Policy(NamedTuple):
    """How TLS is to be done with one destination."""

    level: str = "none"
    protocols: str = ""
    ciphers: str = "medium"
    exclude: tuple[str, ...] = ()
    match: tuple[str, ...] = ()
    servername: str = ""
    tafile: str = ""
    reuse: bool = False
    mx_patterns: tuple[str, ...] = ()
    tlsa: tuple[TLSA, ...] = ()
    stated: bool = False  # by smtp_tls_policy_maps
    public: bool = False  # the system's authorities are good enough
    sts: StsPolicy | None = None  # the domain's own, that this one was made of
    fault: Fault | None = None  # what is already known to be wrong, for reports on TLS

    @property
    def mandatory(self) -> bool:
        return self.level in MANDATORY or bool(self.tlsa)

    @property
    def verifies(self) -> bool:
        return self.level in _VERIFYING or bool(self.tlsa)


PLAIN = Policy()


class Policies:
    """The policies of one service."""

    def __init__(self, config: Configuration) -> None:
        self._config = config
        self._host = config.host
        self._cfg = cfg = config.cfg
        self._maps = config.maps(cfg.smtp_tls_policy_maps, "smtp_tls_policy_maps")
        self._sites = config.maps(cfg.smtp_tls_per_site, "smtp_tls_per_site")
        self._default = self._global_level()
        digest = f"{'lmtp' if config.lmtp else 'smtp'}_tls_fingerprint_digest"
        self._old_digest = old_default(cfg.snapshot, digest)
        self._plain = Policy(reuse=cfg.smtp_tls_connection_reuse)
        self.never = self._default == "none" and not self._maps and not self._sites and not cfg.smtp_tls_wrappermode

    def _global_level(self) -> str:
        cfg = self._cfg
        level = cfg.smtp_tls_security_level.lower()
        if level:
            return level
        if cfg.smtp_enforce_tls:
            return "verify" if cfg.smtp_tls_enforce_peername else "encrypt"
        return "may" if cfg.smtp_use_tls else "none"

    async def find(self, destination: Destination, host: str) -> Policy:
        """The policy for a server of a destination. Trouble: there is none that makes sense."""
        if self.never:
            return self._plain
        try:
            return await self._find(destination, host)
        except Trouble as trouble:
            log.tls_policy(self._host.log, f"TLS policy lookup for {destination.text}/{host}: {trouble.dsn.reason}")
            raise

    async def _find(self, destination: Destination, host: str) -> Policy:
        name = "lmtp" if self._config.lmtp else "smtp"
        if self._maps and not destination.path:
            found = await self._look_up(destination)
            if found is not None:
                key, value = found
                where = f'{name}_tls_policy_maps, next-hop destination "{key}"'
                return self._parsed(where, destination.text, value)._replace(stated=True)
        level = self._default
        if self._sites and not self._maps:
            level = await self._by_site(destination, host)
        if level not in LEVELS:
            raise self._bad(f'invalid tls security level: "{level}"')
        if level.startswith("dane") and destination.path:
            level = "may" if level == "dane" else level
        return self._made(destination.text, level, {}, [], [], [])

    def made(self, level: str) -> Policy:
        """The policy of a level as the parameters describe it."""
        return self._made("", level, {}, [], [], [])

    # The policy table.

    async def _look_up(self, destination: Destination) -> tuple[str, str] | None:
        key = destination.text.lower()
        keys = [key]
        if not key.startswith("["):
            bare = key.rpartition(":")[0] if ":" in key else key
            if bare != key:
                keys.append(bare)
            keys += [bare[dot:] for dot in range(1, len(bare)) if bare[dot] == "."]
        for number, one in enumerate(keys):
            try:
                value = await self._maps.lookup(one.encode("utf-8", "surrogateescape"), number > 0)
            except TableError:
                log.tls_policy(self._host.log, f"{self._maps.title}: policy table lookup error")
                raise Trouble(_TEMPORARY) from None
            if value is not None:
                return one, value.decode("utf-8", "replace")
        return None

    def _parsed(self, where: str, nexthop: str, value: str) -> Policy:
        words = [word for word in _SEPARATOR.split(value.strip()) if word]
        if not words:
            raise self._bad(f"{where}: invalid empty policy")
        level = words[0].lower()
        if level not in LEVELS:
            raise self._bad(f'{where}: invalid security level "{words[0]}"')
        given: dict[str, str] = {}
        match: list[str] = []
        exclude: list[str] = []
        patterns: list[str] = []
        for word in words[1:]:
            name, equals, text = word.partition("=")
            name = name.lower()
            self._check(where, level, word, name, text if equals else None, name in given)
            if name == "match":
                match += text.split("|" if level == "fingerprint" else ":")
            elif name == "exclude":
                exclude += text.split(":")
            elif name == "mx_host_pattern":
                patterns.append(text.lower())
            if name not in _REPEATABLE:
                given[name] = text
        return self._made(nexthop, level, given, match, exclude, patterns)

    def _check(self, where: str, level: str, word: str, name: str, text: str | None, again: bool) -> None:
        if text is None:
            raise self._bad(f"{where}: malformed attribute/value pair \"{word}\": missing '=' after attribute name")
        if name not in _ATTRIBUTES:
            raise self._bad(f'{where}: invalid attribute name: "{name}"')
        if not text:
            raise self._bad(f'{where}: attribute "{name}" has empty value')
        if level not in _ATTRIBUTES[name]:
            if level == "none":
                log.tls_policy(self._host.log, f'{where}: ignoring attribute "{word}" with TLS disabled')
                return
            raise self._bad(f'{where}: attribute "{name}" invalid at security level "{level}"')
        if again and name not in _REPEATABLE:
            raise self._bad(f'{where}: attribute "{name}" is specified multiple times')
        if name == "ciphers" and text.lower() not in _CIPHERS:
            raise self._bad(f'{where}: attribute "{name}" has bad value: "{text}"')
        if name == "connection_reuse" and text.lower() not in ("yes", "no"):
            raise self._bad(f'{where}: attribute "{name}" has bad value: "{text}"')

    def _bad(self, text: str) -> Trouble:
        log.tls_policy(self._host.log, text)
        return Trouble(_TEMPORARY)

    def _made(
        self,
        nexthop: str,
        level: str,
        given: dict[str, str],
        match: list[str],
        exclude: list[str],
        patterns: list[str],
    ) -> Policy:
        cfg = self._cfg
        if level == "none":
            return self._plain
        mandatory = level in MANDATORY
        without = exclude or [cfg.smtp_tls_exclude_ciphers]
        if mandatory and not exclude:
            without = [*without, cfg.smtp_tls_mandatory_exclude_ciphers]
        policy = Policy(
            level,
            given.get("protocols", "").replace(":", " ")
            or (cfg.smtp_tls_mandatory_protocols if mandatory else cfg.smtp_tls_protocols),
            given.get("ciphers", "") or (cfg.smtp_tls_mandatory_ciphers if mandatory else cfg.smtp_tls_ciphers),
            tuple(one for one in without if one),
            tuple(match) or self._default_match(level),
            given.get("servername", "") or cfg.smtp_tls_servername,
            given.get("tafile", "") or cfg.smtp_tls_trust_anchor_file,
            given["connection_reuse"].lower() == "yes"
            if "connection_reuse" in given
            else cfg.smtp_tls_connection_reuse,
            tuple(patterns) if cfg.smtp_tls_enforce_sts_mx_patterns and given.get("policy_type", "") == "sts" else (),
        )
        if level == "fingerprint" and not policy.match:
            text = "configured at fingerprint security level, but with no fingerprints to match."
            raise self._bad(f"nexthop domain {nexthop}: {text}")
        if level == "fingerprint" and self._old_digest is not None:
            log.old_default(self._host.log, f"{self._old_digest} to compute certificate fingerprints")
        return policy

    def _default_match(self, level: str) -> tuple[str, ...]:
        cfg = self._cfg
        text = {
            "fingerprint": cfg.smtp_tls_fingerprint_cert_match,
            "verify": cfg.smtp_tls_verify_cert_match,
            "secure": cfg.smtp_tls_secure_cert_match,
        }.get(level, "")
        return tuple(word for word in re.split(r"[\s,:]+" if level != "fingerprint" else r"[\s,|]+", text) if word)

    # smtp_tls_per_site.

    async def _by_site(self, destination: Destination, host: str) -> str:
        """The strictest of what the table says of the host and of the nexthop; NONE and MAY of one may be raised."""
        found = [await self._site(one) for one in dict.fromkeys((host.lower(), destination.host.lower()))]
        levels = [one for one in found if one]
        if not levels:
            return self._default
        words = {"none": "none", "may": "may", "must": "verify", "must_nopeermatch": "encrypt"}
        for word in levels:
            if word not in words:
                raise self._bad(f"{self._sites.title}: unknown TLS policy '{word}' for {host}")
        return max((words[word] for word in levels), key=LEVELS.index)

    async def _site(self, key: str) -> str:
        try:
            value = await self._sites.lookup(key.encode("utf-8", "surrogateescape"))
        except TableError:
            log.tls_policy(self._host.log, f'{self._sites.title} "{key}": per-site table lookup error')
            raise Trouble(_TEMPORARY) from None
        return "" if value is None else value.decode("utf-8", "replace").strip().lower()
