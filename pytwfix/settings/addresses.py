"""Which addresses are ours, how they are written, and the tables that several rooms ask."""

from __future__ import annotations

from pytwfix.settings.group import Group
from pytwfix.settings.kinds import boolean, integer, string, time


class AddressSettings(Group):
    """Which addresses are ours, how they are written, and the tables that several rooms ask."""

    address_verify_map = string("$default_cache_db_type:$data_directory/verify_cache", "")
    address_verify_negative_cache = boolean("yes", "")
    address_verify_sender = string("$double_bounce_sender", "")
    address_verify_sender_ttl = time("0s", "")
    alias_database = string("$default_database_type:/etc/aliases", "")
    alias_maps = string("$default_database_type:/etc/aliases", "")
    allow_min_user = boolean("no", "")
    allow_percent_hack = boolean("yes", "")
    append_at_myorigin = boolean("yes", "")
    append_dot_mydomain = boolean("${{$compatibility_level} <level {1} ? {yes} : {no}}", "")
    canonical_maps = string("", "")
    default_verp_delimiters = string("+=", "", minimum=2, maximum=2)
    disable_verp_bounces = boolean("no", "")
    double_bounce_sender = string("double-bounce", "", minimum=1)
    empty_address_recipient = string("MAILER-DAEMON", "", minimum=1)
    enable_idna2003_compatibility = boolean("no", "")
    enable_original_recipient = boolean("yes", "")
    fast_flush_domains = string("$relay_domains", "")
    inet_interfaces = string("all", "")
    inet_protocols = string("all", "")
    local_recipient_maps = string("proxy:unix:passwd.byname $alias_maps", "")
    mydestination = string("$myhostname, localhost.$mydomain, localhost", "")
    mydomain = string("", "", minimum=1)
    myhostname = string("", "", minimum=1)
    mynetworks = string("", "")
    mynetworks_style = string("${{$compatibility_level} <level {2} ? {subnet} : {host}}", "", minimum=1)
    myorigin = string("$myhostname", "", minimum=1)
    owner_request_special = boolean("yes", "")
    parent_domain_matches_subdomains = string(
        (
            ""
            "debug_peer_list,fast_flush_domains,mynetworks,permit_mx_backup_networks,qmqpd_authorized_clients,relay_domains,smtpd_access_maps"
        ),
        "",
    )
    propagate_unmatched_extensions = string("canonical, virtual", "")
    proxy_interfaces = string("", "")
    recipient_canonical_maps = string("", "")
    recipient_delimiter = string("", "")
    relay_domains = string("${{$compatibility_level} <level {2} ? {$mydestination} : {}}", "")
    relay_recipient_maps = string("", "")
    relayhost = string("", "")
    relocated_maps = string("", "")
    remote_header_rewrite_domain = string("", "")
    resolve_dequoted_address = boolean("yes", "")
    resolve_null_domain = boolean("no", "")
    resolve_numeric_domain = boolean("no", "")
    sender_canonical_maps = string("", "")
    show_user_unknown_table_name = boolean("yes", "")
    smtpd_sender_login_maps = string("", "")
    smtputf8_autodetect_classes = string("sendmail, verify", "", minimum=1)
    smtputf8_enable = boolean("${{$compatibility_level} <level {1} ? {no} : {yes}}", "")
    strict_smtputf8 = boolean("no", "")
    swap_bangpath = boolean("yes", "")
    transport_maps = string("", "")
    verp_delimiter_filter = string("-=+", "", minimum=1)
    virtual_alias_domains = string("$virtual_alias_maps", "")
    virtual_alias_expansion_limit = integer("1000", "", minimum=1)
    virtual_alias_maps = string("$virtual_maps", "")
    virtual_alias_recursion_limit = integer("1000", "", minimum=1)
    virtual_mailbox_domains = string("$virtual_mailbox_maps", "")
    virtual_mailbox_maps = string("", "")
