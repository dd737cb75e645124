"""What client and server side TLS have in common (TL-1)."""

from __future__ import annotations

from pytwfix.settings.group import Group
from pytwfix.settings.kinds import boolean, integer, string


class TlsSettings(Group):
    """What client and server side TLS have in common."""

    tls_append_default_CA = boolean("no", "Trust the system's CAs besides our own.")
    tls_config_file = string("default", "OpenSSL's configuration file: default, none or a path.")
    tls_config_name = string("", "The section in it.")
    tls_daemon_random_bytes = integer("32", "How many random bytes a process takes from tlsmgr.", minimum=1)
    tls_dane_digests = string("sha512 sha256", "TLSA digests, the strongest first.", minimum=1)
    tls_disable_workarounds = string("", "OpenSSL workarounds that are turned off.")
    tls_eecdh_auto_curves = string("X25519 X448 prime256v1 secp384r1 secp521r1 ", "Elliptic curves, the best first.")
    tls_eecdh_strong_curve = string("prime256v1", "The curve of grade strong.")
    tls_eecdh_ultra_curve = string("secp384r1", "The curve of grade ultra.")
    tls_export_cipherlist = string("", "Ciphers of grade export.")
    tls_fast_shutdown_enable = boolean("yes", "Do not wait for the peer's end of TLS.")
    tls_ffdhe_auto_groups = string("ffdhe2048 ffdhe3072 ", "Finite-field groups, the best first.")
    tls_high_cipherlist = string(
        "aNULL:-aNULL:HIGH:!SEED:!IDEA:!3DES:!RC2:!RC4:!RC5:!kDH:!kECDH:!aDSS:!MD5:@STRENGTH",
        "Ciphers of grade high.",
        minimum=1,
    )
    tls_low_cipherlist = string("", "Ciphers of grade low.")
    tls_medium_cipherlist = string(
        "aNULL:-aNULL:HIGH:MEDIUM:!SEED:!IDEA:!3DES:!RC2:!RC4:!RC5:!kDH:!kECDH:!aDSS:!MD5:+RC4:@STRENGTH",
        "Ciphers of grade medium.",
        minimum=1,
    )
    tls_null_cipherlist = string("eNULL:!kDH:!kECDH:!aDSS:!MD5:!aNULL", "Ciphers of grade null.", minimum=1)
    tls_preempt_cipherlist = boolean("no", "Let the server's order of ciphers hold.")
    tls_server_sni_maps = string("", "Keys and certificates by the name that a client asks for.")
    tls_session_ticket_cipher = string("aes-256-cbc", "The cipher of session tickets; empty for no tickets.")
    tls_ssl_options = string("", "OpenSSL options that are turned on.")
    tls_trace_rate_limit = integer("1", "How many TLS traces a peer may cause in the unit of time.")
    tls_trust_server_ccerts = boolean("no", "Accept server certificates from clients.")
    tls_wildcard_matches_multiple_labels = boolean("yes", "Let * in a certificate stand for more than one label.")
