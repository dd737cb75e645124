"""What tlsproxy reads (TP-1)."""

from __future__ import annotations

from pytwfix.settings.common import CommonSettings
from pytwfix.settings.kinds import boolean, integer, string, time
from pytwfix.settings.servertls import server_level


class TlsproxySettings(CommonSettings):
    """What tlsproxy reads."""

    tlsproxy_client_CAfile = string("$smtp_tls_CAfile", "As smtp_tls_CAfile, for tlsproxy's client side.")
    tlsproxy_client_CApath = string("$smtp_tls_CApath", "As smtp_tls_CApath, for tlsproxy's client side.")
    tlsproxy_client_cert_file = string("$smtp_tls_cert_file", "As smtp_tls_cert_file, for tlsproxy's client side.")
    tlsproxy_client_chain_files = string(
        "$smtp_tls_chain_files", "As smtp_tls_chain_files, for tlsproxy's client side."
    )
    tlsproxy_client_dcert_file = string("$smtp_tls_dcert_file", "As smtp_tls_dcert_file, for tlsproxy's client side.")
    tlsproxy_client_dkey_file = string("$smtp_tls_dkey_file", "As smtp_tls_dkey_file, for tlsproxy's client side.")
    tlsproxy_client_eccert_file = string(
        "$smtp_tls_eccert_file", "As smtp_tls_eccert_file, for tlsproxy's client side."
    )
    tlsproxy_client_eckey_file = string("$smtp_tls_eckey_file", "As smtp_tls_eckey_file, for tlsproxy's client side.")
    tlsproxy_client_enforce_tls = boolean("$smtp_enforce_tls", "As smtp_enforce_tls, for tlsproxy's client side.")
    tlsproxy_client_fingerprint_digest = string(
        "$smtp_tls_fingerprint_digest", "As smtp_tls_fingerprint_digest, for tlsproxy's client side.", minimum=1
    )
    tlsproxy_client_key_file = string("$smtp_tls_key_file", "As smtp_tls_key_file, for tlsproxy's client side.")
    tlsproxy_client_loglevel = string("$smtp_tls_loglevel", "As smtp_tls_loglevel, for tlsproxy's client side.")
    tlsproxy_client_per_site = string("$smtp_tls_per_site", "As smtp_tls_per_site, for tlsproxy's client side.")
    tlsproxy_client_policy_maps = string(
        "${tlsproxy_client_policy?{$tlsproxy_client_policy}:{$smtp_tls_policy_maps}}",
        "As smtp_tls_policy_maps, for tlsproxy's client side.",
    )
    tlsproxy_client_scert_verifydepth = integer(
        "$smtp_tls_scert_verifydepth", "As smtp_tls_scert_verifydepth, for tlsproxy's client side."
    )
    tlsproxy_client_security_level = string(
        "${tlsproxy_client_level?{$tlsproxy_client_level}:{$smtp_tls_security_level}}",
        "As smtp_tls_security_level, for tlsproxy's client side.",
    )
    tlsproxy_client_use_tls = boolean("$smtp_use_tls", "As smtp_use_tls, for tlsproxy's client side.")
    tlsproxy_enforce_tls = boolean("$smtpd_enforce_tls", "As smtpd_enforce_tls, for tlsproxy's server side.")
    tlsproxy_tls_CAfile = string("$smtpd_tls_CAfile", "As smtpd_tls_CAfile, for tlsproxy's server side.")
    tlsproxy_tls_CApath = string("$smtpd_tls_CApath", "As smtpd_tls_CApath, for tlsproxy's server side.")
    tlsproxy_tls_always_issue_session_ids = boolean(
        "$smtpd_tls_always_issue_session_ids", "As smtpd_tls_always_issue_session_ids, for tlsproxy's server side."
    )
    tlsproxy_tls_ask_ccert = boolean("$smtpd_tls_ask_ccert", "As smtpd_tls_ask_ccert, for tlsproxy's server side.")
    tlsproxy_tls_ccert_verifydepth = integer(
        "$smtpd_tls_ccert_verifydepth", "As smtpd_tls_ccert_verifydepth, for tlsproxy's server side."
    )
    tlsproxy_tls_cert_file = string("$smtpd_tls_cert_file", "As smtpd_tls_cert_file, for tlsproxy's server side.")
    tlsproxy_tls_chain_files = string("$smtpd_tls_chain_files", "As smtpd_tls_chain_files, for tlsproxy's server side.")
    tlsproxy_tls_ciphers = string("$smtpd_tls_ciphers", "As smtpd_tls_ciphers, for tlsproxy's server side.", minimum=1)
    tlsproxy_tls_dcert_file = string("$smtpd_tls_dcert_file", "As smtpd_tls_dcert_file, for tlsproxy's server side.")
    tlsproxy_tls_dh1024_param_file = string(
        "$smtpd_tls_dh1024_param_file", "As smtpd_tls_dh1024_param_file, for tlsproxy's server side."
    )
    tlsproxy_tls_dh512_param_file = string(
        "$smtpd_tls_dh512_param_file", "As smtpd_tls_dh512_param_file, for tlsproxy's server side."
    )
    tlsproxy_tls_dkey_file = string("$smtpd_tls_dkey_file", "As smtpd_tls_dkey_file, for tlsproxy's server side.")
    tlsproxy_tls_eccert_file = string("$smtpd_tls_eccert_file", "As smtpd_tls_eccert_file, for tlsproxy's server side.")
    tlsproxy_tls_eckey_file = string("$smtpd_tls_eckey_file", "As smtpd_tls_eckey_file, for tlsproxy's server side.")
    tlsproxy_tls_eecdh_grade = string(
        "$smtpd_tls_eecdh_grade", "As smtpd_tls_eecdh_grade, for tlsproxy's server side.", minimum=1
    )
    tlsproxy_tls_enable_rpk = boolean("$smtpd_tls_enable_rpk", "As smtpd_tls_enable_rpk, for tlsproxy's server side.")
    tlsproxy_tls_exclude_ciphers = string(
        "$smtpd_tls_exclude_ciphers", "As smtpd_tls_exclude_ciphers, for tlsproxy's server side."
    )
    tlsproxy_tls_fingerprint_digest = string(
        "$smtpd_tls_fingerprint_digest", "As smtpd_tls_fingerprint_digest, for tlsproxy's server side.", minimum=1
    )
    tlsproxy_tls_key_file = string("$smtpd_tls_key_file", "As smtpd_tls_key_file, for tlsproxy's server side.")
    tlsproxy_tls_loglevel = string("$smtpd_tls_loglevel", "As smtpd_tls_loglevel, for tlsproxy's server side.")
    tlsproxy_tls_mandatory_ciphers = string(
        "$smtpd_tls_mandatory_ciphers", "As smtpd_tls_mandatory_ciphers, for tlsproxy's server side.", minimum=1
    )
    tlsproxy_tls_mandatory_exclude_ciphers = string(
        "$smtpd_tls_mandatory_exclude_ciphers", "As smtpd_tls_mandatory_exclude_ciphers, for tlsproxy's server side."
    )
    tlsproxy_tls_mandatory_protocols = string(
        "$smtpd_tls_mandatory_protocols", "As smtpd_tls_mandatory_protocols, for tlsproxy's server side."
    )
    tlsproxy_tls_protocols = string("$smtpd_tls_protocols", "As smtpd_tls_protocols, for tlsproxy's server side.")
    tlsproxy_tls_req_ccert = boolean("$smtpd_tls_req_ccert", "As smtpd_tls_req_ccert, for tlsproxy's server side.")
    tlsproxy_tls_security_level = server_level(
        "$smtpd_tls_security_level", "As smtpd_tls_security_level, for tlsproxy's server side."
    )
    tlsproxy_use_tls = boolean("$smtpd_use_tls", "As smtpd_use_tls, for tlsproxy's server side.")
    tlsproxy_watchdog_timeout = time("10s", "How long tlsproxy may be stuck.", minimum=10)
