"""The server's mechanisms against the client's, and stored passwords."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.dialogs import sasl_client, sasl_passwords, sasl_server
from pytwfix.dialogs.sasl_server import Challenge, Keys, Refused, Verify

CLIENTS = {"PLAIN": sasl_client.Plain, "LOGIN": sasl_client.Login, "SCRAM-SHA-256": sasl_client.ScramSha256}


def login(name: str, password: bytes, stored: bytes, authzid: bytes = b"") -> bytes:
    """Both sides, to the end; the user that the server believes in."""
    client = CLIENTS[name](b"joe", password, authzid, b"client nonce")
    dialog: Any = sasl_server.MECHANISMS[name][0](client.first, b"server nonce")
    answer: Any = None
    try:
        while True:
            want = dialog.send(answer)
            if isinstance(want, Challenge):
                answer = client.respond(want.data)
            elif isinstance(want, Verify):
                answer = want.user == b"joe" and sasl_passwords.verifies(stored, want.password)
            else:
                assert isinstance(want, Keys)
                answer = sasl_passwords.scram(stored, b"salt") or sasl_passwords.decoy(b"salt")
    except StopIteration as end:
        user: bytes = end.value
        return user


class Mechanisms(SynchronousTestCase):
    def test_all(self) -> None:
        """SD-41: each mechanism, right and wrong."""
        for name in CLIENTS:
            self.assertEqual(b"joe", login(name, b"secret", b"{PLAIN}secret"), name)
            self.assertRaises(Refused, login, name, b"Secret", b"{PLAIN}secret")

    def test_for_others(self) -> None:
        for name in ("PLAIN", "SCRAM-SHA-256"):
            self.assertEqual(b"joe", login(name, b"secret", b"{PLAIN}secret", b"joe"))
            self.assertRaises(Refused, login, name, b"secret", b"{PLAIN}secret", b"root")

    def test_scram_without_keys(self) -> None:
        """A hash that is no key: nobody gets in, and nobody learns why."""
        stored = b"{SHA256}" + base64.b64encode(hashlib.sha256(b"secret").digest())
        self.assertRaises(Refused, login, "SCRAM-SHA-256", b"secret", stored)

    def test_malformed(self) -> None:
        for name, first in (
            ("PLAIN", b"joe"),
            ("PLAIN", b"\0\0secret"),
            ("PLAIN", b"a\0b\0c\0d"),
            ("SCRAM-SHA-256", b""),
            ("SCRAM-SHA-256", b"p=tls-unique,,n=joe,r=x"),
            ("SCRAM-SHA-256", b"n,,n=joe"),
            ("SCRAM-SHA-256", b"n,,m=x,n=joe,r=x"),
        ):
            self.assertRaises(Refused, sasl_server.MECHANISMS[name][0](first, b"nonce").send, None)

    def test_scram_final(self) -> None:
        """Another nonce, another header, no base64: refused."""
        for final in (b"c=biws,r=other,p=AAAA", b"c=eSws,r=x%b,p=AAAA", b"c=biws,r=x%b,p=!", b""):
            dialog: Any = sasl_server.scram_sha256(b"n,,n=joe,r=x", b"n")
            dialog.send(None)
            dialog.send(sasl_passwords.decoy(b"s"))
            self.assertRaises(Refused, dialog.send, final.replace(b"%b", base64.b64encode(b"n")))


class Passwords(SynchronousTestCase):
    def test_schemes(self) -> None:
        """SD-41: what other programs store."""
        salted = base64.b64encode(hashlib.sha512(b"secretNaCl").digest() + b"NaCl")
        keys = sasl_server.scram_keys(b"secret", b"salt", 4096)
        parts = (base64.b64encode(part) for part in (keys.salt, keys.stored, keys.server))
        for stored in (
            b"{PLAIN}secret",
            b"{SSHA512}" + salted,
            b"{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=",
            b"{SHA256}" + hashlib.sha256(b"secret").hexdigest().encode(),
            b"{SCRAM-SHA-256}4096," + b",".join(parts),
        ):
            self.assertTrue(sasl_passwords.verifies(stored, b"secret"), stored)
            self.assertFalse(sasl_passwords.verifies(stored, b"Secret"), stored)

    def test_crypt(self) -> None:
        """A vector of libcrypt's: sha512-crypt of "Hello world!"."""
        hashed = (
            b"$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnI"
            b"FNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1"
        )
        for stored in (hashed, b"{CRYPT}" + hashed, b"{SHA512-CRYPT}" + hashed):
            self.assertTrue(sasl_passwords.verifies(stored, b"Hello world!"))
            self.assertFalse(sasl_passwords.verifies(stored, b"Hello world"))

    def test_unusable(self) -> None:
        for stored in (b"secret", b"{ROT13}frperg", b"{SHA256}!", b"{SCRAM-SHA-256}1,2,3"):
            self.assertRaises(sasl_passwords.UnknownScheme, sasl_passwords.verifies, stored, b"x")
