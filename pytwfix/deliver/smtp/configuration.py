"""The settings of one service, worked out once: limits of time by stage, destinations, tables, our own addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytwfix.contracts.tables import DEFAULT_FLAGS, TableError
from pytwfix.deliver.smtp import log
from pytwfix.deliver.smtp.filters import ReplyFilter
from pytwfix.deliver.smtp.nexthop import Destination, known_ports, parse_destination, split_nexthop
from pytwfix.deliver.smtp.policy import Policies
from pytwfix.deliver.smtp.requiretls import RequireTls
from pytwfix.deliver.smtp.sasl import Passwords
from pytwfix.deliver.smtp.settings import LmtpSettings, SmtpSettings
from pytwfix.deliver.smtp.sts import MtaSts
from pytwfix.deliver.smtp.tlsaccount import TlsAccount
from pytwfix.deliver.statusfilter import status_filter
from pytwfix.dialogs.smtp_client import Stage
from pytwfix.mail.status import DELIVERED, RELAYED
from pytwfix.net.dnssearch import HostSearch
from pytwfix.net.dnssec import DnssecProbe
from pytwfix.settings.machine import own_addresses
from pytwfix.tables.maps import Maps
from pytwfix.tables.matchlists import StringList

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytwfix.contracts.host import IHost
    from pytwfix.deliver.smtp.session import Session
    from pytwfix.deliver.smtp.tls import ClientMaterial
    from pytwfix.deliver.smtp.tlscache import TlsCache

_MOST_PLACES = 1000


class Configuration:
    """Made anew when the settings are others than before."""

    def __init__(self, host: IHost, lmtp: bool, arguments: Sequence[str] = ()) -> None:
        self.host = host
        self.lmtp = lmtp
        self.cfg: SmtpSettings = host.settings(LmtpSettings if lmtp else SmtpSettings)
        self.flags = _flags(arguments)
        self._read_sessions(self.cfg)
        self._read_mail(self.cfg)
        self._read_lookups(self.cfg)
        self.policies = Policies(self)
        self.requiretls = RequireTls(self)
        self.tlsrpt = TlsAccount(self) if self.cfg.pytwfix_tlsrpt and not lmtp else None
        self.sts = MtaSts(self) if self.cfg.pytwfix_mta_sts and not lmtp else None
        self.tls_cache: TlsCache | None = None
        self.material: ClientMaterial | None = None  # keys and CAs, when TLS is wanted for the first time
        self.passwords = Passwords(self) if self.cfg.smtp_sasl_auth_enable else None
        self._places: dict[str, list[Destination]] = {}
        self._own: frozenset[str] | None = None
        self._sources: dict[bool, str] = {}
        self._destinations: StringList | None = None

    def _read_sessions(self, cfg: SmtpSettings) -> None:
        """How sessions begin, how long they last, how they end."""
        self.limits = _limits(cfg)
        self.relayhost = "" if self.lmtp else (self.host.parameter("relayhost") or "")
        self.hello = cfg.smtp_helo_name.encode("ascii", "replace")
        level = cfg.smtp_tls_loglevel.partition(",")[0].strip()
        self.tls_loglevel = int(level) if level.isdecimal() else 0
        self.shows_tls = cfg.smtp_log_tls_feature_status
        self.notifies = "protocol" in _words(cfg.notify_classes)
        self.skip_quit = cfg.smtp_skip_quit_response
        self._on_demand = cfg.smtp_connection_cache_on_demand
        kept = cfg.smtp_connection_cache_destinations
        self.always = StringList(self.host.tables, kept, "smtp_connection_cache_destinations")
        self.idle_limit = float(cfg.smtp_connection_cache_time_limit)
        self.reuse_time = cfg.smtp_connection_reuse_time_limit
        self.reuse_count = cfg.smtp_connection_reuse_count_limit
        self.discard_words = frozenset(_words(cfg.smtp_discard_ehlo_keywords))
        self.discard_maps = self.maps(
            cfg.smtp_discard_ehlo_keyword_address_maps, "smtp_discard_ehlo_keyword_address_maps"
        )
        self.replies = ReplyFilter(self.maps(cfg.smtp_reply_filter, "smtp_reply_filter", 0), self.host.log)

    def _read_mail(self, cfg: SmtpSettings) -> None:
        """What is sent of a mail, and what is made of the answers."""
        final = isinstance(cfg, LmtpSettings) and cfg.lmtp_assume_final
        self.action = DELIVERED if final or "F" in self.flags else RELAYED
        name = "lmtp_delivery_status_filter" if self.lmtp else "smtp_delivery_status_filter"
        self.statuses = status_filter(self.host, cfg.smtp_delivery_status_filter, name)
        self.line_limit = cfg.smtp_line_length_limit
        self.quote = cfg.smtp_quote_rfc821_envelope
        self.xforward = cfg.smtp_send_xforward_command
        self.dummy_auth = cfg.smtp_send_dummy_mail_auth
        self.generic = self.maps(cfg.smtp_generic_maps, "smtp_generic_maps", DEFAULT_FLAGS)
        self.header_checks = self.maps(cfg.smtp_header_checks, "smtp_header_checks", 0)
        self.mime_checks = self.maps(cfg.smtp_mime_header_checks, "smtp_mime_header_checks", 0)
        self.nested_checks = self.maps(cfg.smtp_nested_header_checks, "smtp_nested_header_checks", 0)
        self.body_checks = self.maps(cfg.smtp_body_checks, "smtp_body_checks", 0)
        checks = self.header_checks or self.mime_checks or self.nested_checks or self.body_checks
        self.looks_at_content = bool(self.generic or checks)

    def _read_lookups(self, cfg: SmtpSettings) -> None:
        """Where names and addresses come from."""
        self.known_ports = known_ports(cfg.known_tcp_ports)
        self.srv_services = frozenset(_words(cfg.use_srv_lookup))
        self.dns_filter = self.maps(cfg.smtp_dns_reply_filter, "smtp_dns_reply_filter", 0)
        families = _words(cfg.inet_protocols)
        self.ipv4 = "all" in families or "ipv4" in families
        self.ipv6 = "all" in families or "ipv6" in families
        self.dns = not (cfg.disable_dns_lookups or cfg.smtp_dns_support_level == "disabled")
        self.dnssec = DnssecProbe(self.host) if cfg.smtp_dns_support_level.lower() == "dnssec" else None
        self.search = self._host_search(cfg.smtp_dns_resolver_options)
        lookups = _words(cfg.smtp_host_lookup)
        self.host_dns = self.dns and "dns" in lookups
        self.host_native = not self.host_dns or "native" in lookups

    def _host_search(self, options: str) -> HostSearch | None:
        """None: names are asked for as they are."""
        try:
            return HostSearch(self.host, options) if options else None
        except ValueError as error:
            log.bad_resolver_option(self.host.log, str(error))
            return None

    def maps(self, names: str, title: str, flags: int = DEFAULT_FLAGS) -> Maps:
        if self.lmtp and title.startswith("smtp_"):
            title = "lmtp_" + title[5:]
        return Maps(self.host.tables, names, title, flags, log=self.host.log)

    def destinations(self, nexthop: str) -> list[Destination]:
        """Where a nexthop goes, fallback relays last. ValueError: there is no such form."""
        found = self._places.get(nexthop)
        if found is None:
            if len(self._places) > _MOST_PLACES:
                self._places.clear()
            found = self._places[nexthop] = self._parsed(nexthop)
        return found

    def _parsed(self, nexthop: str) -> list[Destination]:
        port = self.cfg.smtp_tcp_port
        places = [parse_destination(text, port, self.lmtp) for text in split_nexthop(nexthop)]
        if not places:
            raise ValueError("empty nexthop hostname")
        if not places[0].path:
            fallback = split_nexthop(self.cfg.smtp_fallback_relay)
            places += [parse_destination(text, port, self.lmtp)._replace(fallback=True) for text in fallback]
        return places

    async def is_local(self, domain: bytes) -> bool:
        """Whether bare local parts in smtp_generic_maps stand for addresses of this domain."""
        if self._destinations is None:
            self._destinations = StringList(self.host.tables, self.cfg.mydestination, "mydestination")
        return domain.lower() == self.cfg.myorigin.lower().encode() or await self._destinations.match(domain)

    def keeps(self, session: Session, busy: int) -> bool:
        """Whether a session is kept for more mail: to a busy destination, or to smtp_connection_cache_destinations."""
        if busy and self._on_demand:
            return True
        if not self.always:
            return False
        place, server = session.place.lower(), session.server
        names = (place, server.host, f"[{server.address}]", server.address)
        try:
            return any(self.always.match_now(name) for name in names)
        except TableError:
            return False  # it was logged; a connection that is not kept is no harm

    async def own_addresses(self) -> frozenset[str]:
        """This machine's addresses, and those of proxies before it (OB-4)."""
        if self._own is None:
            self._own = await self.host.threads.run(_own, self.cfg.inet_interfaces, self.cfg.proxy_interfaces)
        return self._own

    async def source(self, ipv6: bool) -> str:
        """The address that connections come from; "" for whichever the kernel takes (SM-19)."""
        found = self._sources.get(ipv6)
        if found is None:
            stated = self.cfg.smtp_bind_address6 if ipv6 else self.cfg.smtp_bind_address
            found = self._sources[ipv6] = stated or await self._only_interface(ipv6)
        return found

    async def _only_interface(self, ipv6: bool) -> str:
        """The one address of that kind in inet_interfaces, if it is one that others can see."""
        words = self.cfg.inet_interfaces.replace(",", " ").split()
        if "all" in words or "loopback-only" in words:
            return ""
        addresses = await self.host.threads.run(_own, self.cfg.inet_interfaces, "")
        found = [one for one in addresses if (":" in one) == ipv6]
        alone = len(found) == 1 and not found[0].startswith("127.") and found[0] != "::1"
        return found[0] if alone else ""


def _own(interfaces: str, proxies: str) -> frozenset[str]:
    found = own_addresses(interfaces)
    if proxies.strip():
        found |= own_addresses(proxies)
    return frozenset(one.decode("ascii", "replace") for one in found)


def _words(text: str) -> list[str]:
    return text.replace(",", " ").lower().split()


def _flags(arguments: Sequence[str]) -> str:
    """flags=DORX of the line in master.cf (SM-16)."""
    return "".join(word[6:] for word in arguments if word.startswith("flags="))


def _limits(cfg: SmtpSettings) -> dict[Stage | None, float]:
    """How long a server may take to answer."""
    hello = float(cfg.smtp_helo_timeout)
    return {
        None: hello,
        Stage.GREETING: hello,
        Stage.EHLO: hello,
        Stage.HELO: hello,
        Stage.LHLO: hello,
        Stage.AUTH: hello,
        Stage.STARTTLS: float(cfg.smtp_starttls_timeout),
        Stage.XFORWARD: float(cfg.smtp_xforward_timeout),
        Stage.MAIL: float(cfg.smtp_mail_timeout),
        Stage.RCPT: float(cfg.smtp_rcpt_timeout),
        Stage.DATA: float(cfg.smtp_data_init_timeout),
        Stage.BODY: float(cfg.smtp_data_xfer_timeout),
        Stage.END: float(cfg.smtp_data_done_timeout),
        Stage.RSET: float(cfg.smtp_rset_timeout),
        Stage.QUIT: float(cfg.smtp_quit_timeout),
    }
