"""Cipher lists for OpenSSL, from a grade and what is excluded (TL-2). Pure; ValueError for an unknown grade."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytwfix.settings.tls import TlsSettings


def cipher_list(tls: TlsSettings, grade: str, *excluded: str) -> str:
    """The list of a grade (high, medium, null; low and export are medium) without the ciphers of the `excluded`."""
    word = grade.strip().lower()
    if word == "high":
        chosen = tls.tls_high_cipherlist
    elif word in ("medium", "low", "export"):
        chosen = tls.tls_medium_cipherlist
    elif word == "null":
        chosen = tls.tls_null_cipherlist
    else:
        raise ValueError(f'invalid TLS cipher grade: "{grade}"')
    without = [name for names in excluded for name in names.replace(",", " ").replace(":", " ").split()]
    if word != "null":
        without.append("eNULL")
    return ":".join([chosen, *("!" + name for name in without)])
