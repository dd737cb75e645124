"""The parameters of one settings snapshot, parsed once: forms, lists, tables, transports (INVENTORY TR-1 to TR-6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytwfix.contracts.tables import PARENT
from pytwfix.rewrite.rewrite import Form
from pytwfix.rewrite.settings import RewriteSettings
from pytwfix.rewrite.transport import split_transport
from pytwfix.settings.compatibility import old_default
from pytwfix.settings.machine import own_addresses
from pytwfix.tables.maps import Maps
from pytwfix.tables.matchlists import DomainList, StringList
from pytwfix.tables.names import split_list

if TYPE_CHECKING:
    from pytwfix.contracts.host import IHost


class Routes:
    """Where the classes of addresses go; one for mail, one for address verification (TR-1)."""

    def __init__(self, host: IHost, cfg: RewriteSettings, verify: bool) -> None:
        tables, log = host.tables, host.log
        if verify:
            local, virtual = cfg.address_verify_local_transport, cfg.address_verify_virtual_transport
            relay, default = cfg.address_verify_relay_transport, cfg.address_verify_default_transport
            relayhost, transports = cfg.address_verify_relayhost, cfg.address_verify_transport_maps
            senders = cfg.address_verify_sender_dependent_relayhost_maps
            defaults = cfg.address_verify_sender_dependent_default_transport_maps
        else:
            local, virtual = cfg.local_transport, cfg.virtual_transport
            relay, default = cfg.relay_transport, cfg.default_transport
            relayhost, transports = cfg.relayhost, cfg.transport_maps
            senders, defaults = cfg.sender_dependent_relayhost_maps, cfg.sender_dependent_default_transport_maps
        self.local = split_transport(local)
        self.virtual = split_transport(virtual)
        self.relay = split_transport(relay)
        self.default = split_transport(default)
        self.relayhost = relayhost
        self.transport_maps = Maps(tables, transports, "transport_maps", log=log)
        self.sender_relayhosts = Maps(tables, senders, "sender_dependent_relayhost_maps", log=log)
        self.sender_transports = Maps(tables, defaults, "sender_dependent_default_transport_maps", log=log)
        self.by_sender = bool(self.sender_relayhosts or self.sender_transports)


class Configuration:
    """See the module. Reading it may block for a moment: names in inet_interfaces are looked up."""

    def __init__(self, host: IHost, cfg: RewriteSettings) -> None:
        self.settings = cfg
        self._forms(cfg)
        self._lists(host, cfg)
        self.mail = Routes(host, cfg, False)
        self.probe = Routes(host, cfg, True)
        self.relocated = Maps(host.tables, cfg.relocated_maps, "relocated_maps", log=host.log)
        self.relocated_prefix = cfg.relocated_prefix_enable
        self.delimiter = cfg.recipient_delimiter.encode()
        self.hostname = cfg.myhostname.encode()
        self.empty_recipient = cfg.empty_address_recipient.encode()
        self.dequoted = cfg.resolve_dequoted_address
        self.null_domain = cfg.resolve_null_domain
        self.numeric = cfg.resolve_numeric_domain
        self.min_user = cfg.allow_min_user
        self.null_relayhost_key = cfg.empty_address_relayhost_maps_lookup_key.encode()
        self.null_transport_key = cfg.empty_address_default_transport_maps_lookup_key.encode()
        self.unknown_alias = "5.1.1 User unknown"
        if cfg.show_user_unknown_table_name:
            self.unknown_alias += " in virtual alias table"
        self.steady = self._steady(cfg)

    def _forms(self, cfg: RewriteSettings) -> None:
        remote = cfg.remote_header_rewrite_domain.encode()
        swap, percent = cfg.swap_bangpath, cfg.allow_percent_hack
        self.myorigin = cfg.myorigin.lower().encode()
        origin = cfg.myorigin.encode() if cfg.append_at_myorigin else b""
        domain = cfg.mydomain.encode() if cfg.append_dot_mydomain else b""
        self.local = Form(origin, domain, swap, percent)
        self.old_dot = old_default(cfg.snapshot, "append_dot_mydomain") is not None
        self.remote = Form(origin and remote, domain and remote, swap, percent)
        self.incomplete = Form(b"", domain, swap, percent)  # of what a local part hides

    def _lists(self, host: IHost, cfg: RewriteSettings) -> None:
        tables = host.tables
        features = split_list(cfg.parent_domain_matches_subdomains)
        self.subdomains = "transport_maps" in features
        relay_flags = PARENT if "relay_domains" in features else 0
        self.destinations = StringList(tables, cfg.mydestination, "mydestination")
        self.alias_domains = StringList(tables, cfg.virtual_alias_domains, "virtual_alias_domains")
        self.mailbox_domains = StringList(tables, cfg.virtual_mailbox_domains, "virtual_mailbox_domains")
        self.relay_domains = DomainList(tables, cfg.relay_domains, "relay_domains", relay_flags)
        self.literals = own_addresses(cfg.inet_interfaces) | own_addresses(cfg.proxy_interfaces)

    def _steady(self, cfg: RewriteSettings) -> bool:
        """Whether no table and no file takes part in resolving: answers then hold until the next reload."""
        lists = (cfg.mydestination, cfg.virtual_alias_domains, cfg.virtual_mailbox_domains, cfg.relay_domains)
        maps = (self.relocated, self.mail.transport_maps, self.probe.transport_maps)
        senders = self.mail.by_sender or self.probe.by_sender
        return not (senders or any(maps) or any(":" in text or "/" in text for text in lists))
