"""What postscreen reads (PS-1..PS-17)."""

from __future__ import annotations

from pytwfix.settings.common import CommonSettings
from pytwfix.settings.kinds import boolean, integer, raw, string, time
from pytwfix.settings.servertls import server_level


class PostscreenSettings(CommonSettings):
    """What postscreen reads."""

    postscreen_access_list = string("permit_mynetworks", "Clients that are let in or turned away at once.")
    postscreen_allowlist_interfaces = string(
        "${postscreen_whitelist_interfaces?{$postscreen_whitelist_interfaces}:{static:all}}",
        "Own addresses on which a client can get onto the allowlist.",
    )
    postscreen_bare_newline_action = string(
        "ignore", "What happens to a client that ends lines in LF alone.", minimum=1
    )
    postscreen_bare_newline_enable = boolean("no", "Test for lines that end in LF alone.")
    postscreen_bare_newline_ttl = time("30d", "How long a client that passed that test need not repeat it.", minimum=1)
    postscreen_cache_cleanup_interval = time("12h", "How long between two sweeps over the cache.")
    postscreen_cache_map = string(
        "$default_cache_db_type:$data_directory/postscreen_cache", "Where results of tests are kept."
    )
    postscreen_cache_retention_time = time("7d", "How long expired results are kept.", minimum=1)
    postscreen_client_connection_count_limit = integer(
        "$smtpd_client_connection_count_limit", "How many connections a client may have at once."
    )
    postscreen_command_count_limit = integer("20", "How many commands a session may have.", minimum=1)
    postscreen_command_filter = string("", "Tables that change a client's commands.")
    postscreen_command_time_limit = time("${stress?{10}:{300}}s", "How long one command may take.", minimum=1)
    postscreen_denylist_action = string(
        "${postscreen_blacklist_action?{$postscreen_blacklist_action}:{ignore}}",
        "What happens to clients that postscreen_access_list rejects: ignore, enforce, drop.",
        minimum=1,
    )
    postscreen_disable_vrfy_command = boolean("$disable_vrfy_command", "Refuse VRFY.")
    postscreen_discard_ehlo_keyword_address_maps = string(
        "$smtpd_discard_ehlo_keyword_address_maps", "EHLO keywords that are not offered, by client address."
    )
    postscreen_discard_ehlo_keywords = string("$smtpd_discard_ehlo_keywords", "EHLO keywords that are not offered.")
    postscreen_dnsbl_action = string(
        "ignore", "What happens to clients with too high a score: ignore, enforce, drop.", minimum=1
    )
    postscreen_dnsbl_allowlist_threshold = integer(
        "${postscreen_dnsbl_whitelist_threshold?{$postscreen_dnsbl_whitelist_threshold}:{0}}",
        "The score at or below which later tests are left out; 0 for never.",
    )
    postscreen_dnsbl_max_ttl = time(
        "${postscreen_dnsbl_ttl?{$postscreen_dnsbl_ttl}:{1}}h", "The longest that a DNS list's answer holds.", minimum=1
    )
    postscreen_dnsbl_min_ttl = time("60s", "The shortest that a DNS list's answer holds.", minimum=1)
    postscreen_dnsbl_reply_map = string("", "Names of DNS lists to show in place of the real ones.")
    postscreen_dnsbl_sites = string("", "DNS lists with their filters and weights.")
    postscreen_dnsbl_threshold = integer("1", "The score from which a client is turned away.", minimum=1)
    postscreen_dnsbl_timeout = time("10s", "How long to wait for DNS lists.", minimum=1)
    postscreen_enforce_tls = boolean("$smtpd_enforce_tls", "Insist on TLS.")
    postscreen_expansion_filter = raw(
        "$smtpd_expansion_filter", "Characters that may appear in a client's values in replies.", minimum=1
    )
    postscreen_forbidden_commands = string("$smtpd_forbidden_commands", "Commands that end a session.")
    postscreen_greet_action = string(
        "ignore", "What happens to clients that speak first: ignore, enforce, drop.", minimum=1
    )
    postscreen_greet_banner = string("$smtpd_banner", "The text of the first half of the greeting.")
    postscreen_greet_ttl = time("1d", "How long a client that waited need not do so again.", minimum=1)
    postscreen_greet_wait = time("${stress?{2}:{6}}s", "How long to wait for clients that speak first.", minimum=1)
    postscreen_helo_required = boolean("$smtpd_helo_required", "Insist on HELO or EHLO.")
    postscreen_non_smtp_command_action = string(
        "drop", "What happens to clients that send a forbidden command.", minimum=1
    )
    postscreen_non_smtp_command_enable = boolean("no", "Test for forbidden commands.")
    postscreen_non_smtp_command_ttl = time(
        "30d", "How long a client that passed that test need not repeat it.", minimum=1
    )
    postscreen_pipelining_action = string(
        "enforce", "What happens to clients that send several commands at once.", minimum=1
    )
    postscreen_pipelining_enable = boolean("no", "Test for several commands at once.")
    postscreen_pipelining_ttl = time("30d", "How long a client that passed that test need not repeat it.", minimum=1)
    postscreen_post_queue_limit = integer("$default_process_limit", "How many clients may wait for smtpd.", minimum=5)
    postscreen_pre_queue_limit = integer("$default_process_limit", "How many clients may be under test.", minimum=10)
    postscreen_reject_footer = raw("$smtpd_reject_footer", "Text that is added to refusals.")
    postscreen_reject_footer_maps = string("$smtpd_reject_footer_maps", "The same, by refusal.")
    postscreen_starttls_timeout = time(
        "$smtpd_starttls_timeout", "How long STARTTLS and the handshake may take.", minimum=1, unit="s"
    )
    postscreen_tls_CAfile = string("$smtpd_tls_CAfile", "As smtpd_tls_CAfile, for postscreen.")
    postscreen_tls_CApath = string("$smtpd_tls_CApath", "As smtpd_tls_CApath, for postscreen.")
    postscreen_tls_always_issue_session_ids = boolean(
        "$smtpd_tls_always_issue_session_ids", "As smtpd_tls_always_issue_session_ids, for postscreen."
    )
    postscreen_tls_ask_ccert = boolean("$smtpd_tls_ask_ccert", "As smtpd_tls_ask_ccert, for postscreen.")
    postscreen_tls_ccert_verifydepth = integer(
        "$smtpd_tls_ccert_verifydepth", "As smtpd_tls_ccert_verifydepth, for postscreen."
    )
    postscreen_tls_cert_file = string("$smtpd_tls_cert_file", "As smtpd_tls_cert_file, for postscreen.")
    postscreen_tls_chain_files = string("$smtpd_tls_chain_files", "As smtpd_tls_chain_files, for postscreen.")
    postscreen_tls_ciphers = string("$smtpd_tls_ciphers", "As smtpd_tls_ciphers, for postscreen.", minimum=1)
    postscreen_tls_dcert_file = string("$smtpd_tls_dcert_file", "As smtpd_tls_dcert_file, for postscreen.")
    postscreen_tls_dh1024_param_file = string(
        "$smtpd_tls_dh1024_param_file", "As smtpd_tls_dh1024_param_file, for postscreen."
    )
    postscreen_tls_dh512_param_file = string(
        "$smtpd_tls_dh512_param_file", "As smtpd_tls_dh512_param_file, for postscreen."
    )
    postscreen_tls_dkey_file = string("$smtpd_tls_dkey_file", "As smtpd_tls_dkey_file, for postscreen.")
    postscreen_tls_eccert_file = string("$smtpd_tls_eccert_file", "As smtpd_tls_eccert_file, for postscreen.")
    postscreen_tls_eckey_file = string("$smtpd_tls_eckey_file", "As smtpd_tls_eckey_file, for postscreen.")
    postscreen_tls_eecdh_grade = string(
        "$smtpd_tls_eecdh_grade", "As smtpd_tls_eecdh_grade, for postscreen.", minimum=1
    )
    postscreen_tls_enable_rpk = boolean("$smtpd_tls_enable_rpk", "As smtpd_tls_enable_rpk, for postscreen.")
    postscreen_tls_exclude_ciphers = string(
        "$smtpd_tls_exclude_ciphers", "As smtpd_tls_exclude_ciphers, for postscreen."
    )
    postscreen_tls_fingerprint_digest = string(
        "$smtpd_tls_fingerprint_digest", "As smtpd_tls_fingerprint_digest, for postscreen.", minimum=1
    )
    postscreen_tls_key_file = string("$smtpd_tls_key_file", "As smtpd_tls_key_file, for postscreen.")
    postscreen_tls_loglevel = string("$smtpd_tls_loglevel", "As smtpd_tls_loglevel, for postscreen.")
    postscreen_tls_loglevel_maps = string("$smtpd_tls_loglevel_maps", "As smtpd_tls_loglevel_maps, for postscreen.")
    postscreen_tls_mandatory_ciphers = string(
        "$smtpd_tls_mandatory_ciphers", "As smtpd_tls_mandatory_ciphers, for postscreen.", minimum=1
    )
    postscreen_tls_mandatory_exclude_ciphers = string(
        "$smtpd_tls_mandatory_exclude_ciphers", "As smtpd_tls_mandatory_exclude_ciphers, for postscreen."
    )
    postscreen_tls_mandatory_protocols = string(
        "$smtpd_tls_mandatory_protocols", "As smtpd_tls_mandatory_protocols, for postscreen."
    )
    postscreen_tls_protocols = string("$smtpd_tls_protocols", "As smtpd_tls_protocols, for postscreen.")
    postscreen_tls_req_ccert = boolean("$smtpd_tls_req_ccert", "As smtpd_tls_req_ccert, for postscreen.")
    postscreen_tls_security_level = server_level(
        "$smtpd_tls_security_level", "As smtpd_tls_security_level, for postscreen."
    )
    postscreen_tls_trace_size_limit = integer(
        "$smtpd_tls_trace_size_limit", "As smtpd_tls_trace_size_limit, for postscreen."
    )
    postscreen_upstream_proxy_protocol = string("", "The protocol of a load balancer in front: haproxy.")
    postscreen_upstream_proxy_timeout = time("5s", "How long to wait for its header.", minimum=1)
    postscreen_use_tls = boolean("$smtpd_use_tls", "Offer STARTTLS.")
    postscreen_watchdog_timeout = time("10s", "How long postscreen may be stuck.", minimum=10)
