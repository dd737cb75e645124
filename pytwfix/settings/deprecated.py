"""Names of parameters that go away or have gone, and what stands in for them (NV-9, PC-8, PR-1)."""

from __future__ import annotations

_LEVEL = "specify {}_tls_security_level"
_UNSET = "do not specify (leave at default)"

# Still declared. name: what to do instead.
DEPRECATED = {
    "disable_dns_lookups": 'specify "smtp_dns_support_level"',
    "lmtp_cname_overrides_servername": _UNSET,
    "lmtp_enforce_tls": _LEVEL.format("lmtp"),
    "lmtp_tls_per_site": "specify lmtp_tls_policy_maps",
    "lmtp_use_tls": _LEVEL.format("lmtp"),
    "permit_mx_backup_networks": "use relay_domains",
    "postscreen_enforce_tls": _LEVEL.format("postscreen"),
    "postscreen_tls_dh1024_param_file": _UNSET,
    "postscreen_tls_eecdh_grade": _UNSET,
    "postscreen_use_tls": _LEVEL.format("postscreen"),
    "smtp_cname_overrides_servername": _UNSET,
    "smtp_enforce_tls": _LEVEL.format("smtp"),
    "smtp_tls_per_site": "specify smtp_tls_policy_maps",
    "smtp_use_tls": _LEVEL.format("smtp"),
    "smtpd_enforce_tls": _LEVEL.format("smtpd"),
    "smtpd_tls_dh1024_param_file": _UNSET,
    "smtpd_tls_eecdh_grade": _UNSET,
    "smtpd_use_tls": _LEVEL.format("smtpd"),
    "tlsproxy_client_enforce_tls": "specify tlsproxy_client_security_level",
    "tlsproxy_client_per_site": "specify tlsproxy_client_policy_maps",
    "tlsproxy_client_use_tls": "specify tlsproxy_client_security_level",
    "tlsproxy_enforce_tls": _LEVEL.format("tlsproxy"),
    "tlsproxy_tls_dh1024_param_file": _UNSET,
    "tlsproxy_tls_eecdh_grade": _UNSET,
    "tlsproxy_use_tls": _LEVEL.format("tlsproxy"),
}

# Older names that defaults still look at. name: its successor.
LEGACY = {
    "authorized_verp_clients": "smtpd_authorized_verp_clients",
    "fallback_relay": "smtp_fallback_relay",
    "lmtp_per_record_deadline": "lmtp_per_request_deadline",
    "postscreen_blacklist_action": "postscreen_denylist_action",
    "postscreen_dnsbl_ttl": "postscreen_dnsbl_max_ttl",
    "postscreen_dnsbl_whitelist_threshold": "postscreen_dnsbl_allowlist_threshold",
    "postscreen_whitelist_interfaces": "postscreen_allowlist_interfaces",
    "smtp_per_record_deadline": "smtp_per_request_deadline",
    "smtpd_client_connection_limit_exceptions": "smtpd_client_event_limit_exceptions",
    "smtpd_per_record_deadline": "smtpd_per_request_deadline",
    "tlsproxy_client_level": "tlsproxy_client_security_level",
    "tlsproxy_client_policy": "tlsproxy_client_policy_maps",
    "virtual_maps": "virtual_alias_maps",
}

# Without any effect. name: what to do instead.
REMOVED = {
    "enable_errors_to": _UNSET,
    "extract_recipient_limit": _UNSET,
    "lmtp_cache_connection": "specify lmtp_connection_cache_on_demand",
    "sender_based_routing": "specify sender_dependent_relayhost_maps",
    "smtp_skip_4xx_greeting": _UNSET,
    "smtp_tls_cipherlist": "specify smtp_tls_mandatory_ciphers",
    "smtpd_sasl_application_name": "specify smtpd_sasl_path",
    "smtpd_tls_cipherlist": "specify smtpd_tls_mandatory_ciphers",
    "tls_dane_digest_agility": _UNSET,
    "tls_dane_trust_anchor_digest_enable": _UNSET,
    "tls_legacy_public_key_fingerprints": _UNSET,
    "tlsproxy_client_loglevel_parameter": _UNSET,
    "tlsproxy_tls_session_cache_timeout": _UNSET,
}


def advice(name: str) -> str | None:
    """What postconf says about a name that main.cf or master.cf sets; None when there is nothing to say."""
    if name in DEPRECATED:
        return f'support for parameter "{name}" will be removed; instead, {DEPRECATED[name]}'
    if name in LEGACY:
        return f'support for parameter "{name}" will be removed; instead, specify "{LEGACY[name]}"'
    if name in REMOVED:
        return f"support for parameter {name} has been removed; instead, {REMOVED[name]}"
    return None
