"""What the SMTP and LMTP client reads (SM-*)."""

from __future__ import annotations

from pytwfix.settings.common import CommonSettings
from pytwfix.settings.group import mirror
from pytwfix.settings.kinds import boolean, integer, string, time
from pytwfix.settings.tls import TlsSettings
from pytwfix.settings.tlsrpt import TlsrptSettings


class SmtpSettings(CommonSettings, TlsSettings, TlsrptSettings):
    """What the SMTP and LMTP client reads."""

    allow_srv_lookup_fallback = boolean("no", "Ask for MX records when there are no SRV records.")
    best_mx_transport = string("", "What takes a mail whose best MX host is this one; empty bounces it as a loop.")
    connection_cache_protocol_timeout = time("5s", "How long to wait for the connection cache.", minimum=1)
    ignore_mx_lookup_error = boolean("no", "Deliver to the domain's own address when its MX lookup fails.")
    ignore_srv_lookup_error = boolean("no", "Go on without SRV records when their lookup fails.")
    pytwfix_mta_sts = boolean("no", "Do as domains' MTA-STS policies (RFC 8461) say.")
    pytwfix_mta_sts_CAfile = string("", "The CAs that policies' web servers are checked with; empty: the system's.")
    pytwfix_mta_sts_timeout = time("60s", "How long to wait for a policy.", minimum=1)
    smtp_address_preference = string("any", "Which IP version is tried first: any, ipv4, ipv6.", minimum=1)
    smtp_address_verify_target = string("rcpt", "How far a probe goes: rcpt or data.", minimum=1)
    smtp_always_send_ehlo = boolean("yes", "Send EHLO whatever the greeting says.")
    smtp_balance_inet_protocols = boolean("yes", "Keep room for both IP versions under smtp_mx_address_limit.")
    smtp_bind_address = string("", "The IPv4 address that connections come from.")
    smtp_bind_address6 = string("", "The IPv6 address that connections come from.")
    smtp_bind_address_enforce = boolean("no", "Defer mail when that address cannot be used.")
    smtp_body_checks = string("", "As body_checks, on the way out.")
    smtp_cname_overrides_servername = boolean("no", "Use the name that a CNAME points to for TLS and logs.")
    smtp_connect_timeout = time("30s", "How long to try to connect; 0 leaves it to the kernel.")
    smtp_connection_cache_destinations = string("", "Destinations whose connections are always kept.")
    smtp_connection_cache_on_demand = boolean("yes", "Keep connections to destinations with much mail.")
    smtp_connection_cache_time_limit = time("2s", "How long an idle connection is kept.", minimum=1)
    smtp_connection_reuse_count_limit = integer("0", "How many mails go over one connection; 0 for no limit.")
    smtp_connection_reuse_time_limit = time("300s", "How long one connection is used.", minimum=1)
    smtp_data_done_timeout = time("600s", "How long to wait after the end of a mail.", minimum=1)
    smtp_data_init_timeout = time("120s", "How long to wait after DATA.", minimum=1)
    smtp_data_xfer_timeout = time("180s", "How long one piece of a mail may take.", minimum=1)
    smtp_defer_if_no_mx_address_found = boolean("no", "Defer mail when no MX host has an address.")
    smtp_delivery_status_filter = string(
        "$default_delivery_status_filter", "As default_delivery_status_filter, for this client."
    )
    smtp_discard_ehlo_keyword_address_maps = string("", "EHLO keywords to overlook, by server address.")
    smtp_discard_ehlo_keywords = string("", "EHLO keywords to overlook.")
    smtp_dns_reply_filter = string("", "Tables that change or drop DNS answers.")
    smtp_dns_resolver_options = string("", "Use of the domain search list: res_defnames, res_dnsrch.")
    smtp_dns_support_level = string("", "Use of DNS: disabled, enabled, dnssec.")
    smtp_enforce_tls = boolean("no", "Insist on TLS.")
    smtp_fallback_relay = string("$fallback_relay", "Where mail goes that no other host took.")
    smtp_generic_maps = string("", "Tables that rewrite our addresses on the way out.")
    smtp_header_checks = string("", "As header_checks, on the way out.")
    smtp_helo_name = string("$myhostname", "The name in EHLO and HELO.", minimum=1)
    smtp_helo_timeout = time("300s", "How long to wait for the greeting and for EHLO.", minimum=1)
    smtp_host_lookup = string("dns", "Where host addresses come from: dns, native.", minimum=1)
    smtp_line_length_limit = integer("998", "Where longer lines are folded; 0 for never.")
    smtp_log_tls_feature_status = boolean("no", "Add tls= to delivery lines.")
    smtp_mail_timeout = time("300s", "How long to wait after MAIL FROM.", minimum=1)
    smtp_mime_header_checks = string("", "As mime_header_checks, on the way out.")
    smtp_min_data_rate = integer("500", "The fewest bytes a second with smtp_per_request_deadline.", minimum=1)
    smtp_mx_address_limit = integer("5", "How many addresses of MX hosts are tried; 0 for all.")
    smtp_mx_session_limit = integer("2", "How many sessions are tried; 0 for all.")
    smtp_nested_header_checks = string("", "As nested_header_checks, on the way out.")
    smtp_never_send_ehlo = boolean("no", "Never send EHLO.")
    smtp_per_request_deadline = boolean(
        "${smtp_per_record_deadline?{$smtp_per_record_deadline}:{no}}",
        "Let timeouts hold for a whole request, not for one read or write.",
    )
    smtp_pix_workaround_delay_time = time("10s", "How long delay_dotcrlf waits.", minimum=1)
    smtp_pix_workaround_maps = string("", "Workarounds by server address.")
    smtp_pix_workaround_threshold_time = time("500s", "How long a mail must wait before workarounds are used.")
    smtp_pix_workarounds = string(
        "disable_esmtp,delay_dotcrlf", "Workarounds for a PIX firewall: disable_esmtp, delay_dotcrlf."
    )
    smtp_quit_timeout = time("300s", "How long to wait after QUIT.", minimum=1)
    smtp_quote_rfc821_envelope = boolean("yes", "Quote addresses in commands as RFC 5321 says.")
    smtp_randomize_addresses = boolean("yes", "Shuffle servers of the same preference.")
    smtp_rcpt_timeout = time("300s", "How long to wait after RCPT TO.", minimum=1)
    smtp_reply_filter = string("", "Tables that change a server's replies.")
    smtp_requiretls_policy = string(
        (
            "inline:{{${domain_to_ascii{$mydomain}}=opportunistic}, "
            "{.${domain_to_ascii{$mydomain}}=opportunistic}, {localhost=opportunistic}}, cidr:{{0.0.0.0/0 "
            "opportunistic}, {::/0 opportunistic}}, enforce"
        ),
        "What is done for REQUIRETLS mail, by next hop.",
    )
    smtp_rset_timeout = time("20s", "How long to wait after RSET.", minimum=1)
    smtp_sasl_auth_cache_name = string("", "Where failed logins are remembered.")
    smtp_sasl_auth_cache_time = time("90d", "How long a failed login is remembered.")
    smtp_sasl_auth_enable = boolean("no", "Log in at servers.")
    smtp_sasl_auth_soft_bounce = boolean("yes", "Defer rather than bounce when a login fails.")
    smtp_sasl_mechanism_filter = string("", "Mechanisms that may be used.")
    smtp_sasl_type = string("cyrus", "Whose mechanisms: there is one kind, as `postconf -A` says.")
    smtp_sasl_password_maps = string("", "Names and passwords by sender, host or next hop.")
    smtp_sasl_password_result_delimiter = string(":", "What separates name and password there.", minimum=1, maximum=1)
    smtp_sasl_path = string("", "The implementation's own path.")
    smtp_sasl_security_options = string(
        "noplaintext, noanonymous",
        "Mechanisms that may not be used: noplaintext, noactive, nodictionary, noanonymous, mutual_auth.",
    )
    smtp_sasl_tls_security_options = string("$smtp_sasl_security_options", "The same, when TLS is on.")
    smtp_sasl_tls_verified_security_options = string(
        "$smtp_sasl_tls_security_options", "The same, when the server's certificate was verified."
    )
    smtp_sasl_type = string("cyrus", "The kind of SASL implementation.", minimum=1)
    smtp_send_dummy_mail_auth = boolean("no", "Send AUTH=<> with MAIL FROM after a login.")
    smtp_send_xforward_command = boolean("no", "Pass on who the client was by XFORWARD.")
    smtp_sender_dependent_authentication = boolean("no", "Look for passwords by sender first.")
    smtp_skip_5xx_greeting = boolean("yes", "Try the next server when the greeting is 5xx.")
    smtp_skip_quit_response = boolean("yes", "Do not wait for the reply to QUIT.")
    smtp_starttls_timeout = time("300s", "How long STARTTLS and the handshake may take.", minimum=1)
    smtp_tcp_port = string("smtp", "The port that is connected to.")
    smtp_tls_CAfile = string("", "A file of CAs that servers' certificates are checked with.")
    smtp_tls_CApath = string("", "A directory of the same.")
    smtp_tls_block_early_mail_reply = boolean("no", "Notice replies that were sent before the handshake.")
    smtp_tls_cert_file = string("", "Our certificate, RSA.")
    smtp_tls_chain_files = string("", "Files with keys and certificate chains, in place of the single ones.")
    smtp_tls_ciphers = string("medium", "The grade of ciphers when TLS is optional.", minimum=1)
    smtp_tls_connection_reuse = boolean("no", "Keep TLS connections for more than one mail.")
    smtp_tls_dane_insecure_mx_policy = string(
        "dane", "The level for servers whose MX record was not validated but whose TLSA record was."
    )
    smtp_tls_dcert_file = string("", "Our certificate, DSA.")
    smtp_tls_dkey_file = string("$smtp_tls_dcert_file", "The key of the DSA certificate.")
    smtp_tls_eccert_file = string("", "Our certificate, ECDSA.")
    smtp_tls_eckey_file = string("$smtp_tls_eccert_file", "The key of the ECDSA certificate.")
    smtp_tls_enable_rpk = boolean("no", "Ask for and accept raw public keys.")
    smtp_tls_enforce_peername = boolean("yes", "Insist on the server's name in its certificate.")
    smtp_tls_enforce_sts_mx_patterns = boolean("yes", "Match a server's name with the patterns of its MTA-STS policy.")
    smtp_tls_exclude_ciphers = string("", "Ciphers that are never used.")
    smtp_tls_fingerprint_cert_match = string("", "Fingerprints that the level fingerprint accepts.")
    smtp_tls_fingerprint_digest = string(
        "${{$compatibility_level} <level {3.6} ? {md5} : {sha256}}", "How fingerprints are made.", minimum=1
    )
    smtp_tls_fingerprint_digest = string(
        "${{$compatibility_level} <level {3.6} ? {md5} : {sha256}}", "How fingerprints are made.", minimum=1
    )
    smtp_tls_force_insecure_host_tlsa_lookup = boolean(
        "no", "Ask for TLSA records of hosts whose address was not validated."
    )
    smtp_tls_key_file = string("$smtp_tls_cert_file", "The key of the RSA certificate.")
    smtp_tls_loglevel = string("0", "How much is logged about TLS, 0 to 4.")
    smtp_tls_loglevel = string("0", "How much is logged about TLS, 0 to 4.")
    smtp_tls_loglevel_maps = string("", "The same, by server.")
    smtp_tls_mandatory_ciphers = string("medium", "The grade of ciphers when TLS is a must.", minimum=1)
    smtp_tls_mandatory_exclude_ciphers = string("", "Ciphers that are not used when TLS is a must.")
    smtp_tls_mandatory_protocols = string(">=TLSv1", "TLS versions when TLS is a must.")
    smtp_tls_note_starttls_offer = boolean("no", "Log servers that offer STARTTLS when we do not use it.")
    smtp_tls_per_site = string("", "Levels by server, the old form.")
    smtp_tls_policy_maps = string("", "Levels and options by next hop.")
    smtp_tls_protocols = string(">=TLSv1", "TLS versions when TLS is optional.")
    smtp_tls_scert_verifydepth = integer("9", "How long a server's chain may be.")
    smtp_tls_secure_cert_match = string(
        "nexthop, dot-nexthop", "What the level secure matches the certificate with.", minimum=1
    )
    smtp_tls_security_level = string(
        "${{$compatibility_level} <level {3.11} ? {} : {may}}",
        "How far TLS goes: none, may, encrypt, fingerprint, verify, secure, dane or dane-only.",
    )
    smtp_tls_servername = string("", "The name that is sent by SNI.")
    smtp_tls_session_cache_database = string("", "Where TLS sessions are kept.")
    smtp_tls_session_cache_timeout = time("3600s", "How long a TLS session may be resumed.", maximum=8640000)
    smtp_tls_trace_size_limit = integer("102400", "How many bytes a TLS trace may have.")
    smtp_tls_trust_anchor_file = string("", "Certificates or keys that stand in for the CAs.")
    smtp_tls_verify_cert_match = string("hostname", "What the level verify matches the certificate with.", minimum=1)
    smtp_tls_wrappermode = boolean("no", "Speak TLS from the first byte.")
    smtp_tlsrpt_enable = boolean("no", "Report TLS successes and failures to a collector.")
    smtp_tlsrpt_skip_reused_handshakes = boolean("no", "Do not report handshakes that resume a session.")
    smtp_tlsrpt_socket_name = string("", "The collector's socket.")
    smtp_use_tls = boolean("no", "Use TLS when a server offers it.")
    smtp_xforward_timeout = time("300s", "How long to wait after XFORWARD.", minimum=1)
    use_srv_lookup = string("", "Services for which SRV records are asked.")


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
