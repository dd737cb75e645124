"""What main.cf says of OpenSSL itself: its options and work-arounds, and the groups of key exchange (TL-2, NV-4).

Names that OpenSSL does not know are told, and passed over; groups that it does not have are passed over in silence, so
that one list serves several versions of it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from OpenSSL import SSL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytwfix.contracts.host import ILog
    from pytwfix.settings.tls import TlsSettings

_lib: Any = getattr(SSL, "_lib", None)  # pyOpenSSL has no call of its own for groups
# Bits of ssl.h; what no OpenSSL of today knows any more is 0.
_WORKAROUNDS = {
    "CRYPTOPRO_TLSEXT_BUG": 1 << 31,
    "DONT_INSERT_EMPTY_FRAGMENTS": 1 << 11,
    "LEGACY_SERVER_CONNECT": 1 << 2,
    "MICROSOFT_BIG_SSLV3_BUFFER": 0,
    "MICROSOFT_SESS_ID_BUG": 0,
    "MSIE_SSLV2_RSA_PADDING": 0,
    "CVE-2005-2969": 0,
    "NETSCAPE_CHALLENGE_BUG": 0,
    "NETSCAPE_REUSE_CIPHER_CHANGE_BUG": 0,
    "CVE-2010-4180": 0,
    "SSLEAY_080_CLIENT_DH_BUG": 0,
    "SSLREF2_REUSE_CERT_TYPE_BUG": 0,
    "TLS_BLOCK_PADDING_BUG": 0,
    "TLS_D5_BUG": 0,
    "TLS_ROLLBACK_BUG": 1 << 23,
    "TLSEXT_PADDING": 1 << 4,
}
_OPTIONS = {
    "ENABLE_MIDDLEBOX_COMPAT": 1 << 20,
    "LEGACY_SERVER_CONNECT": 1 << 2,
    "NO_TICKET": 1 << 14,
    "NO_COMPRESSION": 1 << 17,
    "NO_RENEGOTIATION": 1 << 30,
    "NO_SESSION_RESUMPTION_ON_RENEGOTIATION": 1 << 16,
    "PRIORITIZE_CHACHA": 1 << 21,
}


class Tuning(NamedTuple):
    """`options`: bits for `set_options`; `groups`: a list for OpenSSL, "" for its own; `strange`: warnings."""

    options: int
    groups: str
    strange: tuple[str, ...]


def tuning(tls: TlsSettings) -> Tuning:
    """Of the settings that client and server side share."""
    groups = f"{tls.tls_eecdh_auto_curves} {tls.tls_ffdhe_auto_groups}"
    return _tuning(tls.tls_ssl_options, tls.tls_disable_workarounds, groups)


@lru_cache(8)
def _tuning(options: str, disabled: str, groups: str) -> Tuning:
    wanted, strange = _bits("tls_ssl_options", options, _OPTIONS)
    unwanted, more = _bits("tls_disable_workarounds", disabled, _WORKAROUNDS)
    known = ":".join(one for one in _words(groups) if _known(one))
    return Tuning(wanted | (SSL.OP_ALL & ~unwanted), known, (*strange, *more))


def _bits(parameter: str, text: str, names: dict[str, int]) -> tuple[int, list[str]]:
    """The bits of a list of names, or of a number in base 16; and what is to be told of others."""
    strange = f'unknown {parameter} value "{{}}" in "{text}"'
    if text.lower().startswith("0x"):
        try:
            return int(text, 16), []
        except ValueError:
            return 0, [strange.format(text)]
    words = list(_words(text))
    bits = 0
    for word in words:
        bits |= names.get(word.upper(), 0)
    return bits, [strange.format(word) for word in words if word.upper() not in names]


def _words(text: str) -> Iterator[str]:
    return iter(text.replace(",", " ").replace(":", " ").split())


def _known(group: str) -> bool:
    return _set_groups(SSL.Context(SSL.TLS_METHOD), group)


def _set_groups(context: SSL.Context, groups: str) -> bool:
    if not hasattr(_lib, "SSL_CTX_set1_curves_list"):
        return False
    done = bool(_lib.SSL_CTX_set1_curves_list(context._context, groups.encode("ascii", "replace")))
    if not done:
        _lib.ERR_clear_error()  # it is nobody else's error
    return done


def use_groups(context: SSL.Context, groups: str) -> None:
    """Those of a `Tuning`."""
    if groups:
        _set_groups(context, groups)


def tell(log: ILog, tuned: Tuning) -> None:
    """What is strange about it."""
    for text in tuned.strange:
        log.warning(text)
