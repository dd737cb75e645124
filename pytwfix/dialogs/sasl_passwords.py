"""Stored passwords, as Dovecot and libc write them: `{SCHEME}value`, or `$...` as crypt(3) has it (SD-41).

    {PLAIN} {CLEARTEXT}    the password itself
    {SCRAM-SHA-256}        rounds,salt,stored key,server key (`doveadm pw -s SCRAM-SHA-256`)
    {SHA} {SHA256} {SHA512} {SSHA} {SSHA256} {SSHA512}     base64 of the digest, and of the salt after it
    {CRYPT} {SHA256-CRYPT} {SHA512-CRYPT} {BLF-CRYPT} or no scheme     crypt(3): `openssl passwd -6`

All of it may take long enough to belong into a thread. UnknownScheme for anything else.
"""

from __future__ import annotations

import base64
import ctypes
import ctypes.util
import hashlib
import hmac
import re
from functools import cache
from typing import Any

from pytwfix.dialogs.sasl_server import ScramKeys, scram_keys

_SCHEME = re.compile(rb"\{([A-Za-z0-9.-]+)\}(.*)", re.DOTALL)
_DIGESTS = {"SHA": "sha1", "SHA1": "sha1", "SHA256": "sha256", "SHA512": "sha512"}
_CRYPT = ("CRYPT", "SHA256-CRYPT", "SHA512-CRYPT", "BLF-CRYPT", "MD5-CRYPT")
_ROUNDS = 4096
# libxcrypt's struct crypt_data has 32 KiB; older ones had 128.
_CRYPT_DATA = 131232


class UnknownScheme(Exception):
    """A stored password that cannot be used; the text names its scheme, never its value."""


def split(stored: bytes) -> tuple[str, bytes]:
    """Scheme in upper case, and value."""
    found = _SCHEME.match(stored)
    if found:
        return found.group(1).decode("ascii").upper(), found.group(2)
    if stored.startswith(b"$"):
        return "CRYPT", stored
    raise UnknownScheme("a stored password has no {scheme}")


def verifies(stored: bytes, password: bytes) -> bool:
    """Whether `password` is the one that was stored."""
    scheme, value = split(stored)
    if scheme in ("PLAIN", "CLEARTEXT"):
        return hmac.compare_digest(value, password)
    if scheme == "SCRAM-SHA-256":
        keys = _keys(value)
        return hmac.compare_digest(scram_keys(password, keys.salt, keys.rounds).stored, keys.stored)
    if scheme in _CRYPT:
        return _crypt_verifies(value, password)
    salted = scheme.startswith("SSHA")
    name = _DIGESTS.get(scheme[1:] if salted else scheme)
    if name is None:
        raise UnknownScheme(f"a stored password has the unknown scheme {{{scheme}}}")
    return _digest_verifies(name, value, password)


def scram(stored: bytes, salt: bytes) -> ScramKeys | None:
    """SCRAM-SHA-256 keys of a stored password; None when it holds neither them nor the password."""
    scheme, value = split(stored)
    if scheme == "SCRAM-SHA-256":
        return _keys(value)
    if scheme in ("PLAIN", "CLEARTEXT"):
        return scram_keys(value, salt, _ROUNDS)
    return None


def decoy(salt: bytes) -> ScramKeys:
    """Keys that no password has, for users who do not exist: nobody learns that from us."""
    return ScramKeys(_ROUNDS, salt, bytes(32), bytes(32))


def _keys(value: bytes) -> ScramKeys:
    try:
        rounds, salt, stored, server = value.split(b",")
        return ScramKeys(int(rounds), *(base64.b64decode(part, validate=True) for part in (salt, stored, server)))
    except ValueError:
        raise UnknownScheme("a stored password is malformed: {SCRAM-SHA-256} rounds,salt,key,key") from None


def _digest_verifies(name: str, value: bytes, password: bytes) -> bool:
    size = hashlib.new(name).digest_size
    try:
        raw = bytes.fromhex(value.decode("ascii")) if len(value) == 2 * size else base64.b64decode(value, validate=True)
    except ValueError:
        raise UnknownScheme("a stored password is malformed: neither base64 nor hex") from None
    digest, salt = raw[:size], raw[size:]
    return hmac.compare_digest(hashlib.new(name, password + salt).digest(), digest)


def _crypt_verifies(value: bytes, password: bytes) -> bool:
    library = _libcrypt()
    if library is None:
        raise UnknownScheme("there is no libcrypt for {CRYPT}")
    if b"\0" in password or b"\0" in value:
        return False
    made = library.crypt_r(password, value, ctypes.create_string_buffer(_CRYPT_DATA))
    return made is not None and not made.startswith(b"*") and hmac.compare_digest(made, value)


@cache
def _libcrypt() -> Any:
    """Python's own crypt module is gone from 3.13 on."""
    name = ctypes.util.find_library("crypt")
    if name is None:
        return None
    library = ctypes.CDLL(name)
    library.crypt_r.restype = ctypes.c_char_p
    library.crypt_r.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p)
    return library
