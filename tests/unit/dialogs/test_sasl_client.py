"""SASL mechanisms, with the examples of their RFCs (SM-14)."""

from __future__ import annotations

import base64

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.dialogs import sasl_client
from pytwfix.dialogs.sasl_client import CramMd5, Login, Plain, SaslError, ScramSha1, ScramSha256, begin


class Mechanisms(SynchronousTestCase):
    def test_plain(self) -> None:
        self.assertEqual(Plain(b"u", b"p").first, b"\0u\0p")
        self.assertEqual(Plain(b"u", b"p", b"z").first, b"z\0u\0p")

    def test_login(self) -> None:
        login = Login(b"u", b"p")
        self.assertEqual([login.first, login.respond(b"?"), login.respond(b"?")], [None, b"u", b"p"])
        self.assertRaises(SaslError, login.respond, b"?")

    def test_cram_md5(self) -> None:
        """RFC 2195 section 2."""
        response = CramMd5(b"tim", b"tanstaaftanstaaf").respond(b"<1896.697170952@postoffice.reston.mci.net>")
        self.assertEqual(response, b"tim b913a602c7eda7a495b4e6e7334d3890")

    def scram(self, kind: type[sasl_client.Scram], nonce: bytes, server: bytes, proof: bytes, final: bytes) -> None:
        self.patch(base64, "b64encode", _patched(nonce))
        mechanism = kind(b"user", b"pencil", b"", b"NONCE")
        self.assertEqual(mechanism.first, b"n,,n=user,r=" + nonce)
        self.assertEqual(mechanism.respond(server), proof)
        self.assertEqual(mechanism.respond(final), b"")
        self.assertRaises(SaslError, mechanism.respond, final)

    def test_scram_sha1(self) -> None:
        """RFC 5802 section 5."""
        self.scram(
            ScramSha1,
            b"fyko+d2lbbFgONRv9qkxdawL",
            b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
            b"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
            b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
        )

    def test_scram_sha256(self) -> None:
        """RFC 7677 section 3."""
        self.scram(
            ScramSha256,
            b"rOprNGfwEbeRWgbNEkqO",
            b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
            b"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
            b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
        )

    def test_scram_liars(self) -> None:
        """A server that does not know the password, or makes rules of its own."""
        nonce = base64.b64encode(b"x")
        for challenge in (
            b"",
            b"r=other,s=eA==,i=1",
            b"r=" + nonce + b",s=eA==,i=0",
            b"r=" + nonce + b",s=!,i=1",
            b"e=no",
        ):
            self.assertRaises(SaslError, ScramSha1(b"u", b"p", b"", b"x").respond, challenge)
        mechanism = ScramSha1(b"u", b"p", b"", b"x")
        mechanism.respond(b"r=" + nonce + b"y,s=eA==,i=1")
        self.assertRaises(SaslError, mechanism.respond, b"v=AAAA")

    def test_begin(self) -> None:
        """The best one that both know."""
        chosen = begin(["LOGIN", "CRAM-MD5", "GSSAPI"], b"u", b"p", b"", bytes)
        self.assertEqual(chosen and chosen.name, "CRAM-MD5")
        self.assertIsNone(begin(["GSSAPI"], b"u", b"p", b"", bytes))


def _patched(nonce: bytes):  # type: ignore[no-untyped-def]
    real = base64.b64encode
    return lambda data: nonce if data == b"NONCE" else real(data)
