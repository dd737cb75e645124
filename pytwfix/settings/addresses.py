"""Which addresses are ours, how they are written, and the tables that several rooms ask."""

from __future__ import annotations

from pytwfix.settings.group import Group
from pytwfix.settings.kinds import boolean, integer, string, time


class AddressSettings(Group):
    """Which addresses are ours, how they are written, and the tables that several rooms ask."""

    address_verify_map = string(
        "$default_cache_db_type:$data_directory/verify_cache",
        "Where verified addresses are remembered; empty keeps them in memory.",
    )
    address_verify_negative_cache = boolean("yes", "Remember addresses that failed.")
    address_verify_sender = string("$double_bounce_sender", "The sender of probes; empty or <> is the null sender.")
    address_verify_sender_ttl = time("0s", "How long one changing probe sender is used; 0 for a fixed one.")
    alias_database = string("$default_database_type:/etc/aliases", "The alias tables that newaliases builds.")
    alias_maps = string("$default_database_type:/etc/aliases", "The alias tables that local delivery asks.")
    allow_min_user = boolean("no", "Allow an address that begins with a minus sign.")
    allow_percent_hack = boolean("yes", "Rewrite user%domain to user@domain.")
    append_at_myorigin = boolean("yes", "Append @$myorigin to addresses without a domain.")
    append_dot_mydomain = boolean(
        "${{$compatibility_level} <level {1} ? {yes} : {no}}", "Append .$mydomain to domains without a dot."
    )
    canonical_maps = string("", "Tables that rewrite addresses in headers and envelope.")
    default_verp_delimiters = string("+=", "The two characters that VERP puts into a sender.", minimum=2, maximum=2)
    disable_verp_bounces = boolean("no", "Send one notice without VERP even if it was asked for.")
    double_bounce_sender = string("double-bounce", "The sender of mail whose bounce must not bounce again.", minimum=1)
    empty_address_recipient = string("MAILER-DAEMON", "Who gets mail for the null address.", minimum=1)
    enable_idna2003_compatibility = boolean("no", "Convert domain names by the older rules.")
    enable_original_recipient = boolean("yes", "Keep the recipient as it was before rewriting, for X-Original-To.")
    fast_flush_domains = string("$relay_domains", "Domains that ETRN and sendmail -qR can flush quickly.")
    inet_interfaces = string("all", "The addresses on which mail is received, and which are ours.")
    inet_protocols = string("all", "The IP versions that are used: all, ipv4, ipv6.")
    local_recipient_maps = string(
        "proxy:unix:passwd.byname $alias_maps", "Tables of all local recipients; empty accepts any."
    )
    mydestination = string("$myhostname, localhost.$mydomain, localhost", "Domains that are delivered locally.")
    mydomain = string("", "The domain of this machine.", minimum=1)
    myhostname = string("", "The full name of this machine.", minimum=1)
    mynetworks = string("", "Clients that are trusted.")
    mynetworks_style = string(
        "${{$compatibility_level} <level {2} ? {subnet} : {host}}",
        "Which networks mynetworks has unless set: host, subnet, class.",
        minimum=1,
    )
    myorigin = string("$myhostname", "The domain of addresses that have none.", minimum=1)
    owner_request_special = boolean(
        "yes", "Take owner-list and list-request whole when extensions are split off at the minus sign."
    )
    parent_domain_matches_subdomains = string(
        (
            ""
            "debug_peer_list,fast_flush_domains,mynetworks,permit_mx_backup_networks,qmqpd_authorized_clients,relay_domains,smtpd_access_maps"
        ),
        "Features where a domain in a list matches its subdomains too.",
    )
    propagate_unmatched_extensions = string(
        "canonical, virtual", "Which tables carry an address extension over to their result."
    )
    proxy_interfaces = string("", "Addresses of a proxy or NAT box at which mail for us arrives.")
    recipient_canonical_maps = string("", "As canonical_maps, for recipients alone.")
    recipient_delimiter = string("", "Characters that separate user and extension.")
    relay_domains = string(
        "${{$compatibility_level} <level {2} ? {$mydestination} : {}}", "Domains for which mail is relayed."
    )
    relay_recipient_maps = string("", "Tables of all recipients in relay_domains; empty accepts any.")
    relayhost = string("", "Where all mail for others goes.")
    relocated_maps = string("", "Tables of users who have moved.")
    remote_header_rewrite_domain = string("", "The domain for headers of strangers' mail; empty leaves them alone.")
    resolve_dequoted_address = boolean("yes", "Look inside quotes of a local part for @, % and !.")
    resolve_null_domain = boolean("no", 'Take "user@" as if it had no domain.')
    resolve_numeric_domain = boolean("no", "Take user@1.2.3.4 as user@[1.2.3.4].")
    sender_canonical_maps = string("", "As canonical_maps, for senders alone.")
    show_user_unknown_table_name = boolean("yes", 'Name the table in "User unknown" replies.')
    smtpd_sender_login_maps = string("", "Which logins may use a sender.")
    smtputf8_autodetect_classes = string(
        "sendmail, verify", "Mail that is looked at for whether it needs SMTPUTF8.", minimum=1
    )
    smtputf8_enable = boolean("${{$compatibility_level} <level {1} ? {no} : {yes}}", "Offer and honour SMTPUTF8.")
    strict_smtputf8 = boolean("no", "Insist on SMTPUTF8 for non-ASCII addresses.")
    swap_bangpath = boolean("yes", "Rewrite site!user to user@site.")
    transport_maps = string("", "Tables that choose transport and next hop by recipient.")
    verp_delimiter_filter = string("-=+", "Characters that may be VERP delimiters.", minimum=1)
    virtual_alias_domains = string("$virtual_alias_maps", "Domains whose addresses are all in virtual_alias_maps.")
    virtual_alias_expansion_limit = integer("1000", "How many addresses one recipient may become.", minimum=1)
    virtual_alias_maps = string("$virtual_maps", "Tables that turn recipients into others.")
    virtual_alias_recursion_limit = integer("1000", "How deep virtual_alias_maps may be nested.", minimum=1)
    virtual_mailbox_domains = string("$virtual_mailbox_maps", "Domains that virtual_transport delivers.")
    virtual_mailbox_maps = string("", "Tables of all recipients in virtual_mailbox_domains and their mailboxes.")
