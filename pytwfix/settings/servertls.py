"""TLS on the server side: smtpd reads it, and postscreen and tlsproxy take their defaults from it."""

from __future__ import annotations

from pytwfix.settings.kinds import boolean, integer, string, time
from pytwfix.settings.tls import TlsSettings


class ServerTlsSettings(TlsSettings):
    """TLS on the server side: smtpd reads it, and postscreen and tlsproxy take their defaults from it."""

    smtpd_enforce_tls = boolean("no", "")
    smtpd_starttls_timeout = time("${stress?{10}:{300}}s", "", minimum=1)
    smtpd_tls_CAfile = string("", "")
    smtpd_tls_CApath = string("", "")
    smtpd_tls_always_issue_session_ids = boolean("yes", "")
    smtpd_tls_ask_ccert = boolean("no", "")
    smtpd_tls_auth_only = boolean("no", "")
    smtpd_tls_ccert_verifydepth = integer("9", "")
    smtpd_tls_cert_file = string("", "")
    smtpd_tls_chain_files = string("", "")
    smtpd_tls_ciphers = string("medium", "", minimum=1)
    smtpd_tls_dcert_file = string("", "")
    smtpd_tls_dh1024_param_file = string("", "")
    smtpd_tls_dh512_param_file = string("", "")
    smtpd_tls_dkey_file = string("$smtpd_tls_dcert_file", "")
    smtpd_tls_eccert_file = string("", "")
    smtpd_tls_eckey_file = string("$smtpd_tls_eccert_file", "")
    smtpd_tls_eecdh_grade = string("auto", "", minimum=1)
    smtpd_tls_enable_rpk = boolean("no", "")
    smtpd_tls_exclude_ciphers = string("", "")
    smtpd_tls_fingerprint_digest = string("${{$compatibility_level} <level {3.6} ? {md5} : {sha256}}", "", minimum=1)
    smtpd_tls_key_file = string("$smtpd_tls_cert_file", "")
    smtpd_tls_loglevel = string("0", "")
    smtpd_tls_loglevel_maps = string("", "")
    smtpd_tls_mandatory_ciphers = string("medium", "", minimum=1)
    smtpd_tls_mandatory_exclude_ciphers = string("", "")
    smtpd_tls_mandatory_protocols = string(">=TLSv1", "")
    smtpd_tls_protocols = string(">=TLSv1", "")
    smtpd_tls_received_header = boolean("no", "")
    smtpd_tls_req_ccert = boolean("no", "")
    smtpd_tls_security_level = string("", "")
    smtpd_tls_session_cache_database = string("", "")
    smtpd_tls_session_cache_timeout = time("3600s", "", maximum=8640000)
    smtpd_tls_trace_size_limit = integer("102400", "")
    smtpd_tls_wrappermode = boolean("no", "")
    smtpd_use_tls = boolean("no", "")
