"""The server's side of SASL mechanisms: PLAIN (RFC 4616), LOGIN, SCRAM-SHA-256 (RFC 5802, 7677). SD-41.

A mechanism is a generator: it yields what it wants and is sent the answer, returns the user, or raises Refused.

    Challenge(data)          -> the client's response (bytes)
    Verify(user, password)   -> whether that is the user's password (bool)
    Keys(user)               -> the user's ScramKeys

Whoever drives it knows tables and waits; nothing here does.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Generator
from typing import Any, NamedTuple, TypeAlias

PLAINTEXT = frozenset(("plaintext",))


class Refused(Exception):
    """The client is not who it says that it is, or breaks the mechanism's rules; the text says which."""


class Challenge(NamedTuple):
    data: bytes


class Verify(NamedTuple):
    user: bytes
    password: bytes


class Keys(NamedTuple):
    user: bytes


class ScramKeys(NamedTuple):
    """What a server stores for SCRAM."""

    rounds: int
    salt: bytes
    stored: bytes
    server: bytes


Dialog: TypeAlias = "Generator[Challenge | Verify | Keys, Any, bytes]"
Starter: TypeAlias = "Callable[[bytes | None, bytes], Dialog]"

_FAILURE = "authentication failure"
_MALFORMED = "malformed response"


def plain(initial: bytes | None, nonce: bytes) -> Dialog:
    response: bytes = (yield Challenge(b"")) if initial is None else initial
    parts = response.split(b"\0")
    if len(parts) != 3 or not parts[1]:
        raise Refused(_MALFORMED)
    authzid, user, password = parts
    if authzid not in (b"", user):
        raise Refused("to act for others is not supported")
    return (yield from _verified(user, password))


def login(initial: bytes | None, nonce: bytes) -> Dialog:
    user: bytes = (yield Challenge(b"Username:")) if initial is None else initial
    password: bytes = yield Challenge(b"Password:")
    if not user or b"\0" in user:
        raise Refused(_MALFORMED)
    return (yield from _verified(user, password))


def _verified(user: bytes, password: bytes) -> Dialog:
    if not (yield Verify(user, password)):
        raise Refused(_FAILURE)
    return user


def scram_sha256(initial: bytes | None, nonce: bytes) -> Dialog:
    first: bytes = (yield Challenge(b"")) if initial is None else initial
    header, bare, fields = _first(first)
    user = fields[b"n"].replace(b"=2C", b",").replace(b"=3D", b"=")
    keys: ScramKeys = yield Keys(user)
    whole_nonce = fields[b"r"] + base64.b64encode(nonce)
    offer = b"r=%b,s=%b,i=%d" % (whole_nonce, base64.b64encode(keys.salt), keys.rounds)
    final: bytes = yield Challenge(offer)
    without, _, proof = final.rpartition(b",p=")
    answered = _fields(without)
    if answered.get(b"c") != base64.b64encode(header) or answered.get(b"r") != whole_nonce:
        raise Refused(_MALFORMED)
    text = b",".join((bare, offer, without))
    if not _proves(keys, text, proof):
        raise Refused(_FAILURE)
    yield Challenge(b"v=" + base64.b64encode(_mac(keys.server, text)))
    return user


def _first(first: bytes) -> tuple[bytes, bytes, dict[bytes, bytes]]:
    """The gs2 header, the rest, and the rest's fields. Channel binding is not offered, so nobody may use it."""
    flag, comma, rest = first.partition(b",")
    authzid, second, bare = rest.partition(b",")
    if flag not in (b"n", b"y") or not comma or not second:
        raise Refused(_MALFORMED)
    fields = _fields(bare)
    user = fields.get(b"n", b"")
    if not user or not fields.get(b"r") or b"m" in fields or authzid not in (b"", b"a=" + user):
        raise Refused(_MALFORMED)
    return first[: len(first) - len(bare)], bare, fields


def _fields(text: bytes) -> dict[bytes, bytes]:
    fields = {}
    for part in text.split(b","):
        name, equals, value = part.partition(b"=")
        if equals:
            fields[name] = value
    return fields


def _proves(keys: ScramKeys, text: bytes, proof: bytes) -> bool:
    try:
        raw = base64.b64decode(proof, validate=True)
    except ValueError:
        raise Refused(_MALFORMED) from None
    signature = _mac(keys.stored, text)
    if len(raw) != len(signature):
        return False
    client = bytes(one ^ other for one, other in zip(raw, signature, strict=True))
    return hmac.compare_digest(hashlib.sha256(client).digest(), keys.stored)


def _mac(key: bytes, text: bytes) -> bytes:
    return hmac.new(key, text, "sha256").digest()


def scram_keys(password: bytes, salt: bytes, rounds: int) -> ScramKeys:
    """The keys of a password; costs milliseconds."""
    salted = hashlib.pbkdf2_hmac("sha256", password, salt, rounds)
    client = _mac(salted, b"Client Key")
    return ScramKeys(rounds, salt, hashlib.sha256(client).digest(), _mac(salted, b"Server Key"))


# Names and properties (Dovecot's words), the best last as in Dovecot's list.
MECHANISMS: dict[str, tuple[Starter, frozenset[str]]] = {
    "PLAIN": (plain, PLAINTEXT),
    "LOGIN": (login, PLAINTEXT),
    "SCRAM-SHA-256": (scram_sha256, frozenset(("mutual-auth",))),
}
