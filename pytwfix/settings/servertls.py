"""TLS on the server side: smtpd reads it, and postscreen and tlsproxy take their defaults from it."""

from __future__ import annotations

from pytwfix.settings.kinds import SettingsError, String, boolean, integer, string, time
from pytwfix.settings.tls import TlsSettings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# A server's levels, in small letters, and what each comes to: nobody's name is known that could be verified.
SERVER_LEVELS = {"": "", "none": "none", "may": "may", "encrypt": "encrypt"}
UNSUPPORTED_LEVELS = dict.fromkeys(("fingerprint", "verify", "secure"), "encrypt")


class ServerLevel(String):
    """How far TLS goes on the server side: "", none, may or encrypt. What is more than encrypt is encrypt."""

    __slots__ = ()

    def value(self, raw: str, expand: Any) -> str:
        text = super().value(raw, expand)
        level = {**SERVER_LEVELS, **UNSUPPORTED_LEVELS}.get(text.lower())
        if level is None:
            raise SettingsError(f'Invalid TLS level "{text}"')
        return level


def server_level(default: str, doc: str) -> ServerLevel:
    """smtpd_tls_security_level and its like."""
    return ServerLevel(default, doc)


class ServerTlsSettings(TlsSettings):
    """TLS on the server side: smtpd reads it, and postscreen and tlsproxy take their defaults from it."""

    smtpd_enforce_tls = boolean("no", "Insist on TLS.")
    smtpd_starttls_timeout = time("${stress?{10}:{300}}s", "How long STARTTLS and the handshake may take.", minimum=1)
    smtpd_tls_CAfile = string("", "A file of CAs that clients' certificates are checked with.")
    smtpd_tls_CApath = string("", "A directory of the same.")
    smtpd_tls_always_issue_session_ids = boolean("yes", "Give a session ID even when sessions are not kept.")
    smtpd_tls_ask_ccert = boolean("no", "Ask clients for a certificate.")
    smtpd_tls_auth_only = boolean("no", "Offer AUTH only under TLS.")
    smtpd_tls_ccert_verifydepth = integer("9", "How long a client's chain may be.")
    smtpd_tls_cert_file = string("", "Our certificate, RSA.")
    smtpd_tls_chain_files = string("", "Files with keys and certificate chains, in place of the single ones.")
    smtpd_tls_ciphers = string("medium", "The grade of ciphers when TLS is optional.", minimum=1)
    smtpd_tls_dcert_file = string("", "Our certificate, DSA.")
    smtpd_tls_dh1024_param_file = string("", "DH parameters; auto for built-in ones.")
    smtpd_tls_dh512_param_file = string("", "DH parameters for export ciphers, which are gone.")
    smtpd_tls_dkey_file = string("$smtpd_tls_dcert_file", "The key of the DSA certificate.")
    smtpd_tls_eccert_file = string("", "Our certificate, ECDSA.")
    smtpd_tls_eckey_file = string("$smtpd_tls_eccert_file", "The key of the ECDSA certificate.")
    smtpd_tls_eecdh_grade = string("auto", "The strength of elliptic curves.", minimum=1)
    smtpd_tls_enable_rpk = boolean("no", "Offer and accept raw public keys.")
    smtpd_tls_exclude_ciphers = string("", "Ciphers that are never used.")
    smtpd_tls_fingerprint_digest = string(
        "${{$compatibility_level} <level {3.6} ? {md5} : {sha256}}", "How clients' fingerprints are made.", minimum=1
    )
    smtpd_tls_key_file = string("$smtpd_tls_cert_file", "The key of the RSA certificate.")
    smtpd_tls_loglevel = string("0", "How much is logged about TLS, 0 to 4.")
    smtpd_tls_loglevel_maps = string("", "The same, by client.")
    smtpd_tls_mandatory_ciphers = string("medium", "The grade of ciphers when TLS is a must.", minimum=1)
    smtpd_tls_mandatory_exclude_ciphers = string("", "Ciphers that are not used when TLS is a must.")
    smtpd_tls_mandatory_protocols = string(">=TLSv1", "TLS versions when TLS is a must.")
    smtpd_tls_protocols = string(">=TLSv1", "TLS versions when TLS is optional.")
    smtpd_tls_received_header = boolean("no", "Describe TLS in Received:.")
    smtpd_tls_req_ccert = boolean("no", "Insist on a trusted client certificate when TLS is a must.")
    smtpd_tls_security_level = server_level("", "How far TLS goes: none, may or encrypt.")
    smtpd_tls_session_cache_database = string("", "Where TLS sessions are kept.")
    smtpd_tls_session_cache_timeout = time("3600s", "How long a TLS session may be resumed.", maximum=8640000)
    smtpd_tls_trace_size_limit = integer("102400", "How many bytes a TLS trace may have.")
    smtpd_tls_wrappermode = boolean("no", "Speak TLS from the first byte.")
    smtpd_use_tls = boolean("no", "Offer STARTTLS.")
