"""A service's settings in the form that sessions want: bound and parsed once a snapshot, not once a session.

Raises `Fatal` for what Postfix dies of at start (SD-22, DN-2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

from pytwfix.accept.smtpd import catalogue, ehlo
from pytwfix.accept.smtpd.codes import codes, deferring, unverified
from pytwfix.accept.smtpd.history import CLASSES, History
from pytwfix.accept.smtpd.milters import filter_lists
from pytwfix.accept.smtpd.olddefaults import OldDefaults
from pytwfix.accept.smtpd.proxy import ProxyFilter
from pytwfix.accept.smtpd.restrictions import Parser, RestrictionList, split
from pytwfix.accept.smtpd.safety import check_relay_safety
from pytwfix.accept.smtpd.sasloffer import EXCEPTIONS, SaslOffer
from pytwfix.accept.smtpd.settings import SmtpdSettings
from pytwfix.accept.smtpd.state import OK, State
from pytwfix.accept.smtpd.tls import ServerTls, demanded
from pytwfix.accept.smtpd.transaction import cleanup_flags
from pytwfix.accept.smtpd.upstream import upstream
from pytwfix.basics.cescapes import unescape
from pytwfix.basics.tasks import fired, start
from pytwfix.contracts.tables import DEFAULT_FLAGS, PARENT, TableError
from pytwfix.dialogs.smtp_server import Rules, SmtpServer
from pytwfix.mail.reply import Reply
from pytwfix.settings.common import CommonSettings
from pytwfix.tables.addresses import Found, find_address
from pytwfix.tables.maps import Maps
from pytwfix.tables.matchlists import AddressList, DomainList, StringList

if TYPE_CHECKING:
    from pytwfix.accept.smtpd.client import Connected
    from pytwfix.contracts.host import IHost


# Of a list of name servers or mail exchangers no more than this are looked at (SD-36).
_MAX_SERVERS = 100


class AddressMaps:
    """Maps that are searched for an address, of a kind of domains that are ours."""

    __slots__ = ("_delimiter", "_local", "_maps")

    def __init__(self, maps: list[Maps], delimiter: bytes, local: bool) -> None:
        self._maps = [one for one in maps if one]
        self._delimiter = delimiter
        self._local = local

    def __bool__(self) -> bool:
        return bool(self._maps)

    def find(self, address: bytes, local: bool = False) -> Deferred[Found | None]:
        """`local`: the domain is ours, so the bare local part counts too. Errback: TableError."""
        if not self._maps:
            return fired(None)
        if len(self._maps) == 1:
            return self._find(self._maps[0], address, local)
        return start(self._find_first(address, local))

    def _find(self, maps: Maps, address: bytes, local: bool) -> Deferred[Found | None]:
        return find_address(maps, address, delimiter=self._delimiter, local=_yes if local or self._local else None)

    async def _find_first(self, address: bytes, local: bool) -> Found | None:
        for maps in self._maps:
            found = await self._find(maps, address, local)
            if found is not None:
                return found
        return None


def _yes(domain: bytes) -> bool:
    return True


class Configuration:
    """Everything that a session asks of main.cf. `settings` is the snapshot that it was made from."""

    def __init__(self, host: IHost) -> None:
        cfg, common = host.settings(SmtpdSettings), host.settings(CommonSettings)
        self.settings = cfg
        self._instances = 0
        self._parents = frozenset(split(common.parent_domain_matches_subdomains))
        self._bind_names(cfg, common)
        self._bind_limits(cfg, common)
        self._bind_lists(host, cfg, common)
        self._bind_maps(host, cfg, common)
        self._bind_restrictions(host, cfg)
        self.codes = codes(cfg)
        self.at_once = deferring(cfg)
        self.unverified_sender, self.unverified_recipient = unverified(cfg, self.at_once)
        self.milters = filter_lists(host, cfg, self.cleanup_flags)
        self.rules = self._rules(cfg, common)
        self.upstream = upstream(cfg)
        self.proxy = ProxyFilter(host, cfg) if cfg.smtpd_proxy_filter else None
        self.tls = ServerTls(host, cfg)
        self.sasl = SaslOffer(host, cfg, self._flags(EXCEPTIONS)) if self.sasl_enabled else None

    def _bind_names(self, cfg: SmtpdSettings, common: CommonSettings) -> None:
        self.hostname = common.myhostname
        self.mail_name = common.mail_name
        self.soft_bounce = common.soft_bounce
        self.smtputf8 = common.smtputf8_enable
        self.recipient_delimiter = common.recipient_delimiter.encode()
        self.null_key = cfg.smtpd_null_access_lookup_key.encode()
        self.access_parents = "smtpd_access_maps" in self._parents
        self.allow_untrusted_routing = cfg.allow_untrusted_routing
        self.show_table_name = cfg.show_user_unknown_table_name
        self.greeting = Reply(220, "", cfg.smtpd_banner)
        self.peername_lookup = cfg.smtpd_peername_lookup
        self.client_port_logging = cfg.smtpd_client_port_logging
        self.hide_client = cfg.smtpd_hide_client_session
        self.sasl_enabled = cfg.smtpd_sasl_auth_enable
        self.sasl_header = cfg.smtpd_sasl_authenticated_header
        self.tls_received_header = cfg.smtpd_tls_received_header
        self.reject_footer = cfg.smtpd_reject_footer
        self.verp_delimiters = common.default_verp_delimiters
        self.delay_reject = cfg.smtpd_delay_reject
        self.delay_open = cfg.smtpd_delay_open_until_valid_rcpt
        self.cleanup_flags = cleanup_flags(split(cfg.receive_override_options))
        self.content_filter = cfg.content_filter
        unknown_checks = "no_unknown_recipient_checks" not in split(cfg.receive_override_options)
        self.reject_unlisted_recipient = cfg.smtpd_reject_unlisted_recipient and unknown_checks
        self.reject_unlisted_sender = cfg.smtpd_reject_unlisted_sender and unknown_checks

    def _bind_limits(self, cfg: SmtpdSettings, common: CommonSettings) -> None:
        self.size_limit = common.message_size_limit
        self.queue_minfree = cfg.queue_minfree
        self.timeout = cfg.smtpd_timeout
        self.starttls_timeout = cfg.smtpd_starttls_timeout
        self.per_request_deadline = cfg.smtpd_per_request_deadline
        self.min_data_rate = cfg.smtpd_min_data_rate
        self.soft_error_limit = cfg.smtpd_soft_error_limit
        self.hard_error_limit = cfg.smtpd_hard_error_limit
        self.junk_command_limit = cfg.smtpd_junk_command_limit
        self.error_sleep_time = cfg.smtpd_error_sleep_time
        self.recipient_limit = cfg.smtpd_recipient_limit
        self.recipient_overshoot_limit = cfg.smtpd_recipient_overshoot_limit
        self.connection_count_limit = cfg.smtpd_client_connection_count_limit
        self.connection_rate_limit = cfg.smtpd_client_connection_rate_limit
        self.message_rate_limit = cfg.smtpd_client_message_rate_limit
        self.recipient_rate_limit = cfg.smtpd_client_recipient_rate_limit
        self.auth_rate_limit = cfg.smtpd_client_auth_rate_limit
        self.new_tls_rate_limit = cfg.smtpd_client_new_tls_session_rate_limit
        self.dns_rr_list_limit = _MAX_SERVERS
        self.has_limits = any((
            self.connection_count_limit, self.connection_rate_limit, self.message_rate_limit,
            self.recipient_rate_limit, self.auth_rate_limit, self.new_tls_rate_limit,
        ))  # fmt: skip
        self.verify_poll_count = cfg.address_verify_poll_count
        self.verify_poll_delay = cfg.address_verify_poll_delay
        self.ipv4_prefix = cfg.smtpd_client_ipv4_prefix_length
        self.ipv6_prefix = cfg.smtpd_client_ipv6_prefix_length

    def _bind_lists(self, host: IHost, cfg: SmtpdSettings, common: CommonSettings) -> None:
        tables = host.tables

        def clients(text: str, name: str) -> AddressList:
            return AddressList(tables, text, name, self._flags(name))

        self.mynetworks = clients(common.mynetworks, "mynetworks")
        self.limit_exceptions = clients(cfg.smtpd_client_event_limit_exceptions, "smtpd_client_event_limit_exceptions")
        self._xclient_hosts = clients(cfg.smtpd_authorized_xclient_hosts, "smtpd_authorized_xclient_hosts")
        self._xforward_hosts = clients(cfg.smtpd_authorized_xforward_hosts, "smtpd_authorized_xforward_hosts")
        self._verp_clients = clients(cfg.smtpd_authorized_verp_clients, "smtpd_authorized_verp_clients")
        self._lf_exceptions = clients(cfg.smtpd_forbid_bare_newline_exclusions, "smtpd_forbid_bare_newline_exclusions")
        self.forbidden_commands = StringList(tables, cfg.smtpd_forbidden_commands, "smtpd_forbidden_commands")
        actions = cfg.smtpd_log_access_permit_actions
        self.permit_actions = StringList(tables, actions, "smtpd_log_access_permit_actions")
        self.fast_flush_domains = DomainList(
            tables, common.fast_flush_domains, "fast_flush_domains", self._flags("fast_flush_domains")
        )
        self.mx_backup_networks = clients(cfg.permit_mx_backup_networks, "permit_mx_backup_networks")
        self._debug_peers = clients(common.debug_peer_list, "debug_peer_list")
        self._notify = CLASSES.intersection(split(cfg.notify_classes.lower()))
        self.own_addresses = own_addresses(common)

    def _flags(self, name: str) -> int:
        return DEFAULT_FLAGS | (PARENT if name in self._parents else 0)

    def _bind_maps(self, host: IHost, cfg: SmtpdSettings, common: CommonSettings) -> None:
        def maps(text: str, name: str) -> Maps:
            return Maps(host.tables, text, name)

        delimiter = self.recipient_delimiter
        rewriting = [
            maps(cfg.recipient_canonical_maps, "recipient_canonical_maps"),
            maps(cfg.canonical_maps, "canonical_maps"),
            maps(cfg.virtual_alias_maps, "virtual_alias_maps"),
        ]
        self.rewritten_maps = AddressMaps(rewriting, delimiter, False)
        self.local_recipients = AddressMaps([maps(cfg.local_recipient_maps, "local_recipient_maps")], delimiter, True)
        # The bounce service sends as two of them, and the queue manager takes mail for all three.
        self.own_recipients = {b"postmaster", b"mailer-daemon", cfg.double_bounce_sender.lower().encode()}
        # Whatever the lists say: somebody must be reached, and what bounces twice must end.
        double = cfg.double_bounce_sender.lower()
        if "@" not in double and host.parameter("append_at_myorigin") != "no":
            double = f"{double}@{common.myorigin.lower()}"
        self.exempt_recipients = frozenset((b"postmaster", double.encode()))
        self.probe_sender = (cfg.address_verify_sender.partition("@")[0], cfg.address_verify_sender_ttl)
        mailboxes = maps(cfg.virtual_mailbox_maps, "virtual_mailbox_maps")
        self.virtual_mailboxes = AddressMaps([mailboxes], delimiter, False)
        relay = maps(cfg.relay_recipient_maps, "relay_recipient_maps")
        self.relay_recipients = AddressMaps([relay], delimiter, False)
        logins = maps(cfg.smtpd_sender_login_maps, "smtpd_sender_login_maps")
        self.sender_logins = AddressMaps([logins], delimiter, True)
        self.relay_certificates = maps(cfg.relay_clientcerts, "relay_clientcerts")
        self.command_filter = maps(cfg.smtpd_command_filter, "smtpd_command_filter")
        self.reject_filter = maps(cfg.smtpd_reject_filter_maps, "smtpd_reject_filter_maps")
        self.footer_maps = maps(cfg.smtpd_reject_footer_maps, "smtpd_reject_footer_maps")
        self.rbl_reply_maps = maps(cfg.rbl_reply_maps, "rbl_reply_maps")
        self.default_rbl_reply = cfg.default_rbl_reply
        self.expansion_filter = frozenset(unescape(cfg.smtpd_expansion_filter))
        keyword_maps = cfg.smtpd_discard_ehlo_keyword_address_maps
        self._discard_maps = maps(keyword_maps, "smtpd_discard_ehlo_keyword_address_maps")
        self._discarded = ehlo.discarded(split(cfg.smtpd_discard_ehlo_keywords))

    def _bind_restrictions(self, host: IHost, cfg: SmtpdSettings) -> None:
        classes = frozenset(split(cfg.smtpd_restriction_classes))
        catalogue.require_classes(host, classes)
        parser = Parser(host, catalogue.RESTRICTIONS, classes, tells=bool(self.permit_actions))
        parse = parser.parse
        self.parser = parser
        self.client_list = parse(cfg.smtpd_client_restrictions, "check_client_access")
        self.helo_list = parse(cfg.smtpd_helo_restrictions, "check_helo_access")
        self.sender_list = parse(cfg.smtpd_sender_restrictions, "check_sender_access")
        relay = parse(cfg.smtpd_relay_restrictions, "check_recipient_access")
        recipient = parse(cfg.smtpd_recipient_restrictions, "check_recipient_access")
        first = cfg.smtpd_relay_before_recipient_restrictions
        self.recipient_lists: tuple[RestrictionList, ...] = (relay, recipient) if first else (recipient, relay)
        self.data_list = parse(cfg.smtpd_data_restrictions)
        self.end_of_data_list = parse(cfg.smtpd_end_of_data_restrictions)
        self.etrn_list = parse(cfg.smtpd_etrn_restrictions, "check_etrn_access")
        quiet = Parser(host, catalogue.RESTRICTIONS, classes)  # it is no access list: nothing is told of it
        self._local_clients = quiet.parse(cfg.local_header_rewrite_clients, "check_address_map")
        lists = (cfg.smtpd_relay_restrictions, cfg.smtpd_recipient_restrictions)
        check_relay_safety(host, lists, classes)
        # What a new compatibility_level has instead; defer_unauth_destination is asked apart.
        self.old = OldDefaults(cfg.snapshot, quiet.parse("permit_mynetworks, permit_sasl_authenticated"))

    def _rules(self, cfg: SmtpdSettings, common: CommonSettings) -> Rules:
        return Rules(
            hostname=self.hostname,
            line_limit=common.line_length_limit,
            helo_required=cfg.smtpd_helo_required,
            strict_envelopes=cfg.strict_rfc821_envelopes,
            min_user=common.allow_min_user,
            numeric_domain=common.resolve_numeric_domain,
            null_domain=common.resolve_null_domain,
            smtputf8=self.smtputf8,
            strict_smtputf8=common.strict_smtputf8,
            vrfy_disabled=cfg.disable_vrfy_command,
            requiretls=common.requiretls_enable,
            ipv6="ipv4" not in split(common.inet_protocols) or "ipv6" in split(common.inet_protocols),
            tls_required=demanded(cfg),
            forbid_pipelining=cfg.smtpd_forbid_unauth_pipelining,
            verp_delimiters=common.verp_delimiter_filter,
            noop_commands=frozenset(word.upper().encode() for word in split(cfg.smtpd_noop_commands)),
        )

    # For sessions.

    async def bind(self, core: SmtpServer, client: Connected) -> None:
        """What this client is offered, and how strict the dialog is with it."""
        name, address = client.name, client.address
        client.unsure = ""
        core.tls_offered = self.tls.enabled and not core.tls_active
        try:
            core.discarded = await self._discarded_for(address)
        except TableError:
            client.unsure = "what EHLO features to announce"
        if "starttls" in core.discarded:
            core.tls_offered = False
        core.xclient = await _listed(self._xclient_hosts, name, address)
        core.xforward = await _listed(self._xforward_hosts, name, address)
        try:
            core.xverp = bool(self._verp_clients) and await self._verp_clients.match(name, address)
        except TableError:
            client.unsure = client.unsure or "if EHLO feature XVERP should be announced"
        core.auth_offered = self.sasl is not None and await self._may_log_in(self.sasl, client, core.tls_active)
        core.response_limit = self.settings.smtpd_sasl_response_limit
        core.filter_commands = bool(self.command_filter)
        mode = self.settings.smtpd_forbid_bare_newline.lower()
        core.lenient_lf = mode == "no" or await _listed(self._lf_exceptions, name, address)
        core.reject_lf = mode == "reject" and not core.lenient_lf
        code = self.settings.smtpd_forbid_bare_newline_reject_code
        core.lf_reply = core.lf_reply._replace(code=code)

    @staticmethod
    async def _may_log_in(sasl: SaslOffer, client: Connected, tls: bool) -> bool:
        try:
            return await sasl.open_to(client.name, client.address, tls)
        except TableError:
            return False

    @property
    def note_bare_lf(self) -> bool:
        return self.settings.smtpd_forbid_bare_newline.lower() == "note"

    async def _discarded_for(self, address: str) -> frozenset[str]:
        if self._discard_maps:
            found = await self._discard_maps.lookup(address.encode())
            if found is not None:
                return ehlo.discarded(split(found.decode("utf-8", "replace")))
        return self._discarded

    def tells_of(self, action: str) -> bool:
        """smtpd_log_access_permit_actions: whether a permit of this name is logged. No table is waited for."""
        try:
            return bool(self.permit_actions) and bool(self.permit_actions.match_now(action))
        except TableError:
            return False

    async def is_local_client(self, state: State) -> bool:
        """local_header_rewrite_clients: whose header addresses are completed as ours (SD-55)."""
        answer = self._local_clients.check(state)
        return (answer if isinstance(answer, (int, Reply)) else await answer) == OK

    async def history(self, state: State) -> History | None:
        """A record of the session, where the postmaster or debug_peer_list wants one."""
        client = state.client
        debug = bool(self._debug_peers) and await self._debug_peers.match(client.name, client.address)
        if not debug and not self._notify:
            return None
        limit = self.settings.smtpd_history_flush_threshold
        return History(state, self._notify, limit, state.host.log if debug else None)

    def new_instance(self, host: IHost) -> str:
        """A name for one mail transaction, for policy services (SD-40)."""
        self._instances += 1
        return f"{self._instances:x}.{int(host.now() * 1e6):x}.0"


async def _listed(clients: AddressList, name: str, address: str) -> bool:
    """A list that cannot be asked (which is logged) lists nobody."""
    try:
        return bool(clients) and await clients.match(name, address)
    except TableError:
        return False


def own_addresses(common: CommonSettings) -> frozenset[str]:
    """inet_interfaces and proxy_interfaces, as far as they are addresses."""
    return frozenset(word.strip("[]") for word in split(f"{common.inet_interfaces} {common.proxy_interfaces}"))
