"""What client and server side TLS have in common (TL-1)."""

from __future__ import annotations

from pytwfix.settings.group import Group
from pytwfix.settings.kinds import boolean, integer, string


class TlsSettings(Group):
    """What client and server side TLS have in common."""

    tls_append_default_CA = boolean("no", "")
    tls_config_file = string("default", "")
    tls_config_name = string("", "")
    tls_daemon_random_bytes = integer("32", "", minimum=1)
    tls_dane_digests = string("sha512 sha256", "", minimum=1)
    tls_disable_workarounds = string("", "")
    tls_eecdh_auto_curves = string("X25519 X448 prime256v1 secp384r1 secp521r1 ", "")
    tls_eecdh_strong_curve = string("prime256v1", "")
    tls_eecdh_ultra_curve = string("secp384r1", "")
    tls_export_cipherlist = string("", "")
    tls_fast_shutdown_enable = boolean("yes", "")
    tls_ffdhe_auto_groups = string("ffdhe2048 ffdhe3072 ", "")
    tls_high_cipherlist = string(
        "aNULL:-aNULL:HIGH:!SEED:!IDEA:!3DES:!RC2:!RC4:!RC5:!kDH:!kECDH:!aDSS:!MD5:@STRENGTH", "", minimum=1
    )
    tls_low_cipherlist = string("", "")
    tls_medium_cipherlist = string(
        "aNULL:-aNULL:HIGH:MEDIUM:!SEED:!IDEA:!3DES:!RC2:!RC4:!RC5:!kDH:!kECDH:!aDSS:!MD5:+RC4:@STRENGTH", "", minimum=1
    )
    tls_null_cipherlist = string("eNULL:!kDH:!kECDH:!aDSS:!MD5:!aNULL", "", minimum=1)
    tls_preempt_cipherlist = boolean("no", "")
    tls_server_sni_maps = string("", "")
    tls_session_ticket_cipher = string("aes-256-cbc", "")
    tls_ssl_options = string("", "")
    tls_trace_rate_limit = integer("1", "")
    tls_trust_server_ccerts = boolean("no", "")
    tls_wildcard_matches_multiple_labels = boolean("yes", "")
