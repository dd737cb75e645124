"""What more than one room reads. Every room's group is one of these too."""

from __future__ import annotations

from pytwfix import __version__
from pytwfix.settings.addresses import AddressSettings
from pytwfix.settings.content import ContentSettings
from pytwfix.settings.installation import InstallationSettings
from pytwfix.settings.kinds import boolean, integer, long_, string
from pytwfix.settings.services import ServiceSettings


class CommonSettings(InstallationSettings, ServiceSettings, AddressSettings, ContentSettings):
    """What more than one room reads. Every room's group is one of these too."""

    berkeley_db_create_buffer_size = integer(
        "16777216", "Cache in bytes while a hash or btree table is built.", minimum=1
    )
    berkeley_db_read_buffer_size = integer("131072", "Cache in bytes while a hash or btree table is read.", minimum=1)
    compatibility_level = string("0", "The release whose defaults this configuration expects.")
    debug_peer_level = integer("2", "How much more is logged for a peer in debug_peer_list.", minimum=1)
    debug_peer_list = string("", "Peers whose dialogs are logged in detail.")
    default_cache_db_type = string("lmdb", "The table type of caches.", minimum=1)
    default_database_type = string("lmdb", "The table type that postmap and newaliases build.", minimum=1)
    disable_dns_lookups = boolean("no", "Ask the system's name service instead of DNS.")
    dns_ncache_ttl_fix_enable = boolean("no", "Work around resolvers that give a negative answer no lifetime.")
    dnssec_probe = string("ns:.", "A question that shows whether the resolver validates; empty trusts it.")
    fault_injection_code = integer("0", "Ask for failures in tests.")
    helpful_warnings = boolean("yes", "Log warnings about suspicious configuration.")
    lmdb_map_size = long_("16777216", "The first size in bytes of an LMDB file.", minimum=1)
    mail_name = string("Postfix", "What this mail system calls itself.", minimum=1)
    mail_release_date = string("20260301", "The day of the release, as yyyymmdd.", minimum=1)
    mail_version = string("3.11.0", "The release of Postfix whose behaviour this is.", minimum=1)
    non_bdb_custom_mapping = string("", "Table types that stand in for Berkeley DB types, as type=type.")
    non_bdb_migration_level = string(
        "disable", "How far hash and btree tables are replaced: disable, enable-redirect, enable-reindex.", minimum=1
    )
    non_bdb_migration_log_redirect = boolean("yes", "Log each table that is opened as another type.")
    non_bdb_migration_service_name = string("nbdb_reindex", "The service that rebuilds tables as another type.")
    pytwfix_version = string(__version__, "The release of this program.", minimum=1)
    respectful_logging = boolean(
        "${{$compatibility_level} <level {3.6} ? {no} : {yes}}", "Say allowlist and denylist in the log."
    )
    send_cyrus_sasl_authzid = boolean("no", "Send the user name as authorization identity too.")
    socketmap_max_query_size = integer("10000", "How long a question to a socketmap server may be.", minimum=1)
    socketmap_max_reply_size = integer("100000", "How long its answer may be.", minimum=1)
    syslog_facility = string("mail", "The facility of log lines.", minimum=1)
    syslog_name = string(
        "${multi_instance_name?{$multi_instance_name}:{postfix}}", "The first part of the tag of log lines.", minimum=1
    )
