"""What more than one room reads. Every room's group is one of these too."""

from __future__ import annotations

from pytwfix.settings.addresses import AddressSettings
from pytwfix.settings.content import ContentSettings
from pytwfix.settings.installation import InstallationSettings
from pytwfix.settings.kinds import boolean, integer, long_, string
from pytwfix.settings.services import ServiceSettings


class CommonSettings(InstallationSettings, ServiceSettings, AddressSettings, ContentSettings):
    """What more than one room reads. Every room's group is one of these too."""

    berkeley_db_create_buffer_size = integer("16777216", "", minimum=1)
    berkeley_db_read_buffer_size = integer("131072", "", minimum=1)
    compatibility_level = string("0", "")
    debug_peer_level = integer("2", "", minimum=1)
    debug_peer_list = string("", "")
    default_cache_db_type = string("lmdb", "", minimum=1)
    default_database_type = string("lmdb", "", minimum=1)
    disable_dns_lookups = boolean("no", "")
    dns_ncache_ttl_fix_enable = boolean("no", "")
    dnssec_probe = string("ns:.", "")
    fault_injection_code = integer("0", "")
    helpful_warnings = boolean("yes", "")
    lmdb_map_size = long_("16777216", "", minimum=1)
    mail_name = string("Postfix", "", minimum=1)
    mail_release_date = string("20260301", "", minimum=1)
    mail_version = string("3.11.0", "", minimum=1)
    non_bdb_custom_mapping = string("", "")
    non_bdb_migration_level = string("disable", "", minimum=1)
    non_bdb_migration_log_redirect = boolean("yes", "")
    non_bdb_migration_service_name = string("nbdb_reindex", "")
    respectful_logging = boolean("${{$compatibility_level} <level {3.6} ? {no} : {yes}}", "")
    send_cyrus_sasl_authzid = boolean("no", "")
    socketmap_max_query_size = integer("10000", "", minimum=1)
    socketmap_max_reply_size = integer("100000", "", minimum=1)
    syslog_facility = string("mail", "", minimum=1)
    syslog_name = string("${multi_instance_name?{$multi_instance_name}:{postfix}}", "", minimum=1)
