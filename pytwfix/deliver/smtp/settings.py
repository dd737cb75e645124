"""What the SMTP and LMTP client reads (SM-*)."""

from __future__ import annotations

from pytwfix.settings.common import CommonSettings
from pytwfix.settings.group import mirror
from pytwfix.settings.kinds import boolean, integer, string, time
from pytwfix.settings.tls import TlsSettings


class SmtpSettings(CommonSettings, TlsSettings):
    """What the SMTP and LMTP client reads."""

    allow_srv_lookup_fallback = boolean("no", "")
    best_mx_transport = string("", "")
    connection_cache_protocol_timeout = time("5s", "", minimum=1)
    ignore_mx_lookup_error = boolean("no", "")
    ignore_srv_lookup_error = boolean("no", "")
    smtp_address_preference = string("any", "", minimum=1)
    smtp_address_verify_target = string("rcpt", "", minimum=1)
    smtp_always_send_ehlo = boolean("yes", "")
    smtp_balance_inet_protocols = boolean("yes", "")
    smtp_bind_address = string("", "")
    smtp_bind_address6 = string("", "")
    smtp_bind_address_enforce = boolean("no", "")
    smtp_body_checks = string("", "")
    smtp_cname_overrides_servername = boolean("no", "")
    smtp_connect_timeout = time("30s", "")
    smtp_connection_cache_destinations = string("", "")
    smtp_connection_cache_on_demand = boolean("yes", "")
    smtp_connection_cache_time_limit = time("2s", "", minimum=1)
    smtp_connection_reuse_count_limit = integer("0", "")
    smtp_connection_reuse_time_limit = time("300s", "", minimum=1)
    smtp_data_done_timeout = time("600s", "", minimum=1)
    smtp_data_init_timeout = time("120s", "", minimum=1)
    smtp_data_xfer_timeout = time("180s", "", minimum=1)
    smtp_defer_if_no_mx_address_found = boolean("no", "")
    smtp_delivery_status_filter = string("$default_delivery_status_filter", "")
    smtp_discard_ehlo_keyword_address_maps = string("", "")
    smtp_discard_ehlo_keywords = string("", "")
    smtp_dns_reply_filter = string("", "")
    smtp_dns_resolver_options = string("", "")
    smtp_dns_support_level = string("", "")
    smtp_enforce_tls = boolean("no", "")
    smtp_fallback_relay = string("$fallback_relay", "")
    smtp_generic_maps = string("", "")
    smtp_header_checks = string("", "")
    smtp_helo_name = string("$myhostname", "", minimum=1)
    smtp_helo_timeout = time("300s", "", minimum=1)
    smtp_host_lookup = string("dns", "", minimum=1)
    smtp_line_length_limit = integer("998", "")
    smtp_log_tls_feature_status = boolean("no", "")
    smtp_mail_timeout = time("300s", "", minimum=1)
    smtp_mime_header_checks = string("", "")
    smtp_min_data_rate = integer("500", "", minimum=1)
    smtp_mx_address_limit = integer("5", "")
    smtp_mx_session_limit = integer("2", "")
    smtp_nested_header_checks = string("", "")
    smtp_never_send_ehlo = boolean("no", "")
    smtp_per_request_deadline = boolean("${smtp_per_record_deadline?{$smtp_per_record_deadline}:{no}}", "")
    smtp_pix_workaround_delay_time = time("10s", "", minimum=1)
    smtp_pix_workaround_maps = string("", "")
    smtp_pix_workaround_threshold_time = time("500s", "")
    smtp_pix_workarounds = string("disable_esmtp,delay_dotcrlf", "")
    smtp_quit_timeout = time("300s", "", minimum=1)
    smtp_quote_rfc821_envelope = boolean("yes", "")
    smtp_randomize_addresses = boolean("yes", "")
    smtp_rcpt_timeout = time("300s", "", minimum=1)
    smtp_reply_filter = string("", "")
    smtp_requiretls_policy = string(
        (
            "inline:{{${domain_to_ascii{$mydomain}}=opportunistic}, "
            "{.${domain_to_ascii{$mydomain}}=opportunistic}, {localhost=opportunistic}}, cidr:{{0.0.0.0/0 "
            "opportunistic}, {::/0 opportunistic}}, enforce"
        ),
        "",
    )
    smtp_rset_timeout = time("20s", "", minimum=1)
    smtp_sasl_auth_cache_name = string("", "")
    smtp_sasl_auth_cache_time = time("90d", "")
    smtp_sasl_auth_enable = boolean("no", "")
    smtp_sasl_auth_soft_bounce = boolean("yes", "")
    smtp_sasl_mechanism_filter = string("", "")
    smtp_sasl_password_maps = string("", "")
    smtp_sasl_password_result_delimiter = string(":", "", minimum=1, maximum=1)
    smtp_sasl_path = string("", "")
    smtp_sasl_security_options = string("noplaintext, noanonymous", "")
    smtp_sasl_tls_security_options = string("$smtp_sasl_security_options", "")
    smtp_sasl_tls_verified_security_options = string("$smtp_sasl_tls_security_options", "")
    smtp_sasl_type = string("cyrus", "", minimum=1)
    smtp_send_dummy_mail_auth = boolean("no", "")
    smtp_send_xforward_command = boolean("no", "")
    smtp_sender_dependent_authentication = boolean("no", "")
    smtp_skip_5xx_greeting = boolean("yes", "")
    smtp_skip_quit_response = boolean("yes", "")
    smtp_starttls_timeout = time("300s", "", minimum=1)
    smtp_tcp_port = string("smtp", "")
    smtp_tls_CAfile = string("", "")
    smtp_tls_CApath = string("", "")
    smtp_tls_block_early_mail_reply = boolean("no", "")
    smtp_tls_cert_file = string("", "")
    smtp_tls_chain_files = string("", "")
    smtp_tls_ciphers = string("medium", "", minimum=1)
    smtp_tls_connection_reuse = boolean("no", "")
    smtp_tls_dane_insecure_mx_policy = string("dane", "")
    smtp_tls_dcert_file = string("", "")
    smtp_tls_dkey_file = string("$smtp_tls_dcert_file", "")
    smtp_tls_eccert_file = string("", "")
    smtp_tls_eckey_file = string("$smtp_tls_eccert_file", "")
    smtp_tls_enable_rpk = boolean("no", "")
    smtp_tls_enforce_peername = boolean("yes", "")
    smtp_tls_enforce_sts_mx_patterns = boolean("yes", "")
    smtp_tls_exclude_ciphers = string("", "")
    smtp_tls_fingerprint_cert_match = string("", "")
    smtp_tls_fingerprint_digest = string("${{$compatibility_level} <level {3.6} ? {md5} : {sha256}}", "", minimum=1)
    smtp_tls_fingerprint_digest = string("${{$compatibility_level} <level {3.6} ? {md5} : {sha256}}", "", minimum=1)
    smtp_tls_force_insecure_host_tlsa_lookup = boolean("no", "")
    smtp_tls_key_file = string("$smtp_tls_cert_file", "")
    smtp_tls_loglevel = string("0", "")
    smtp_tls_loglevel = string("0", "")
    smtp_tls_loglevel_maps = string("", "")
    smtp_tls_mandatory_ciphers = string("medium", "", minimum=1)
    smtp_tls_mandatory_exclude_ciphers = string("", "")
    smtp_tls_mandatory_protocols = string(">=TLSv1", "")
    smtp_tls_note_starttls_offer = boolean("no", "")
    smtp_tls_per_site = string("", "")
    smtp_tls_policy_maps = string("", "")
    smtp_tls_protocols = string(">=TLSv1", "")
    smtp_tls_scert_verifydepth = integer("9", "")
    smtp_tls_secure_cert_match = string("nexthop, dot-nexthop", "", minimum=1)
    smtp_tls_security_level = string("${{$compatibility_level} <level {3.11} ? {} : {may}}", "")
    smtp_tls_servername = string("", "")
    smtp_tls_session_cache_database = string("", "")
    smtp_tls_session_cache_timeout = time("3600s", "", maximum=8640000)
    smtp_tls_trace_size_limit = integer("102400", "")
    smtp_tls_trust_anchor_file = string("", "")
    smtp_tls_verify_cert_match = string("hostname", "", minimum=1)
    smtp_tls_wrappermode = boolean("no", "")
    smtp_tlsrpt_enable = boolean("no", "")
    smtp_tlsrpt_skip_reused_handshakes = boolean("no", "")
    smtp_tlsrpt_socket_name = string("", "")
    smtp_use_tls = boolean("no", "")
    smtp_xforward_timeout = time("300s", "", minimum=1)
    use_srv_lookup = string("", "")


class LmtpSettings(SmtpSettings):
    """The same attributes, read from `lmtp_...` and its defaults."""

    lmtp_assume_final = boolean(
        "no", "Tell the sender who asked for a success notice that delivery by LMTP was the end."
    )


mirror(
    SmtpSettings,
    LmtpSettings,
    "smtp_",
    "lmtp_",
    names={
        "smtp_helo_name": "lmtp_lhlo_name",
        "smtp_helo_timeout": "lmtp_lhlo_timeout",
        "smtp_discard_ehlo_keywords": "lmtp_discard_lhlo_keywords",
        "smtp_discard_ehlo_keyword_address_maps": "lmtp_discard_lhlo_keyword_address_maps",
        "smtp_always_send_ehlo": "",
        "smtp_never_send_ehlo": "",
        "smtp_tls_dane_insecure_mx_policy": "",
    },
    defaults={
        "lmtp_connect_timeout": "0s",
        "lmtp_fallback_relay": "",
        "lmtp_requiretls_policy": "opportunistic",
        "lmtp_skip_quit_response": "no",
        "lmtp_tcp_port": "24",
        "lmtp_tls_secure_cert_match": "nexthop",
        "lmtp_tls_security_level": "",
    },
)
