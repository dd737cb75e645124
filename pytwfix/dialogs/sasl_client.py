"""The client's side of SASL mechanisms, challenge in, response out (RFC 4422; INVENTORY SM-14).

PLAIN (RFC 4616), LOGIN, CRAM-MD5 (RFC 2195), SCRAM-SHA-1 and SCRAM-SHA-256 (RFC 5802, 7677), XOAUTH2 and OAUTHBEARER
(RFC 7628), where the password is the token. `begin` makes one. Pure, but for the random bytes that it is given.
SaslError: the server breaks the rules, or is not who it should be.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable


class SaslError(Exception):
    """The exchange cannot go on; the text says why."""


class Mechanism:
    """One exchange. `first` is sent with AUTH when it is not None; `respond` answers each challenge."""

    name = ""
    plaintext = False  # whoever listens learns the password

    def __init__(self, user: bytes, password: bytes, authzid: bytes = b"", nonce: bytes = b"") -> None:
        self.user = user
        self.password = password
        self.authzid = authzid
        self.nonce = nonce
        self.first: bytes | None = self.initial()

    def initial(self) -> bytes | None:
        return None

    def respond(self, challenge: bytes) -> bytes:
        raise SaslError("unexpected challenge")


class Plain(Mechanism):
    name = "PLAIN"
    plaintext = True

    def initial(self) -> bytes:
        return b"\0".join((self.authzid, self.user, self.password))

    def respond(self, challenge: bytes) -> bytes:
        return self.initial()


class Login(Mechanism):
    """The server asks for the user, then for the password, in whatever words."""

    name = "LOGIN"
    plaintext = True
    _asked = 0

    def respond(self, challenge: bytes) -> bytes:
        self._asked += 1
        if self._asked > 2:
            raise SaslError("authentication protocol loop")
        return self.user if self._asked == 1 else self.password


class CramMd5(Mechanism):
    name = "CRAM-MD5"

    def respond(self, challenge: bytes) -> bytes:
        digest = hmac.new(self.password, challenge, hashlib.md5).hexdigest()
        return self.user + b" " + digest.encode("ascii")


class Scram(Mechanism):
    """SCRAM without channel binding."""

    digest = "sha1"
    _stage = 0
    _signature = b""

    def initial(self) -> bytes:
        self._bare = b"n=%b,r=%b" % (_saslname(self.user), base64.b64encode(self.nonce))
        self._gs2 = b"n,%b," % (b"a=" + _saslname(self.authzid) if self.authzid else b"")
        return self._gs2 + self._bare

    def respond(self, challenge: bytes) -> bytes:
        self._stage += 1
        if self._stage == 1:
            return self._proof(challenge)
        if self._stage == 2:
            if not hmac.compare_digest(_fields(challenge).get(b"v", b""), self._signature):
                raise SaslError("the server does not know the password")
            return b""
        raise SaslError("authentication protocol loop")

    def _proof(self, challenge: bytes) -> bytes:
        fields = _fields(challenge)
        nonce, salt, rounds = fields.get(b"r", b""), fields.get(b"s", b""), fields.get(b"i", b"")
        if not nonce.startswith(base64.b64encode(self.nonce)) or not rounds.isdigit() or len(rounds) > 7:
            raise SaslError("malformed SCRAM challenge")
        if int(rounds) < 1:
            raise SaslError("malformed SCRAM challenge")
        salted = hashlib.pbkdf2_hmac(self.digest, self.password, _decoded(salt), int(rounds))
        final = b"c=%b,r=%b" % (base64.b64encode(self._gs2), nonce)
        text = b",".join((self._bare, challenge, final))
        key = self._mac(salted, b"Client Key")
        stored = hashlib.new(self.digest, key).digest()
        proof = bytes(a ^ b for a, b in zip(key, self._mac(stored, text), strict=True))
        self._signature = base64.b64encode(self._mac(self._mac(salted, b"Server Key"), text))
        return final + b",p=" + base64.b64encode(proof)

    def _mac(self, key: bytes, text: bytes) -> bytes:
        return hmac.new(key, text, self.digest).digest()


class ScramSha1(Scram):
    name = "SCRAM-SHA-1"


class ScramSha256(Scram):
    name = "SCRAM-SHA-256"
    digest = "sha256"


class XOauth2(Mechanism):
    name = "XOAUTH2"
    plaintext = True

    def initial(self) -> bytes:
        return b"user=%b\1auth=Bearer %b\1\1" % (self.user, self.password)

    def respond(self, challenge: bytes) -> bytes:
        return b""  # the challenge says what is wrong; the reply to this refuses


class OauthBearer(Mechanism):
    name = "OAUTHBEARER"
    plaintext = True

    def initial(self) -> bytes:
        return b"n,a=%b,\1auth=Bearer %b\1\1" % (_saslname(self.user), self.password)

    def respond(self, challenge: bytes) -> bytes:
        return b"\1"


# The best first.
MECHANISMS: dict[str, type[Mechanism]] = {
    one.name: one for one in (ScramSha256, ScramSha1, CramMd5, Plain, Login, XOauth2, OauthBearer)
}


def begin(
    names: list[str], user: bytes, password: bytes, authzid: bytes, random: Callable[[int], bytes]
) -> Mechanism | None:
    """The best mechanism among `names`; None when there is none that we know."""
    for name, kind in MECHANISMS.items():
        if name in names:
            return kind(user, password, authzid, random(18))
    return None


def _saslname(name: bytes) -> bytes:
    return name.replace(b"=", b"=3D").replace(b",", b"=2C")


def _fields(text: bytes) -> dict[bytes, bytes]:
    fields: dict[bytes, bytes] = {}
    for part in text.split(b","):
        name, _, value = part.partition(b"=")
        fields[name] = value
    if b"e" in fields:
        raise SaslError(f"server error: {fields[b'e'].decode('ascii', 'replace')}")
    return fields


def _decoded(text: bytes) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise SaslError("malformed base64") from None
