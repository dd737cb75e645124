"""Whose certificate it is (TL-3, SM-18)."""

from __future__ import annotations

from cryptography.x509 import load_pem_x509_certificate
from OpenSSL import SSL, crypto
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.net.tls import sessions
from pytwfix.net.tls.peernames import certificate_names, fingerprints, matches, signature
from tests.kit.certificates import authority, leaf


class Names(SynchronousTestCase):
    def test_names(self) -> None:
        """RFC 6125 section 6.4.4: the common name is for certificates without DNS names."""
        certificate = load_pem_x509_certificate(leaf("A.example", "*.b.example", common="c.example")[0])
        self.assertEqual(certificate_names(certificate), ["a.example", "*.b.example"])
        self.assertEqual(certificate_names(load_pem_x509_certificate(authority("c.example"))), ["c.example"])

    def test_matches(self) -> None:
        """SM-18: exact names, `.domain` for what is below, wildcards in the certificate's leftmost label."""
        for name, pattern, one, several in (
            ("mx.a.example", "mx.a.example", True, True),
            ("mx.a.example", "MX.A.example", True, True),
            ("mx.a.example", "a.example", False, False),
            ("mx.a.example", ".a.example", True, True),
            ("a.example", ".a.example", False, False),
            ("*.a.example", "mx.a.example", True, True),
            ("*.a.example", "x.mx.a.example", False, True),
            ("*.a.example", "a.example", False, False),
            ("*.example", "a.example", False, False),
            ("m*.a.example", "mx.a.example", False, False),
            ("", "", False, False),
            ("xn--bcher-kva.example", "b\u00fccher.example", True, True),
        ):
            self.assertEqual(matches([name], [pattern]), one, (name, pattern))
            self.assertEqual(matches([name], [pattern], True), several, (name, pattern))

    def test_fingerprints(self) -> None:
        """TL-3: of certificate and key, with colons."""
        certificate = load_pem_x509_certificate(leaf("a.example")[0])
        whole, key = fingerprints(certificate, "sha256")
        self.assertEqual((len(whole), len(key)), (95, 95))
        self.assertNotEqual(whole, key)
        self.assertEqual(len(fingerprints(certificate, "SHA-1")[0]), 59)
        self.assertRaises(ValueError, fingerprints, certificate, "crc32")

    def test_signature(self) -> None:
        """LG-6."""
        certificate = crypto.load_certificate(crypto.FILETYPE_PEM, leaf("a.example")[0])
        text = " server-signature ECDSA (prime256v1) server-digest SHA256"
        self.assertEqual(signature(certificate, "TLSv1.3"), text)
        self.assertEqual(signature(certificate, "TLSv1.2"), "")
        self.assertEqual(signature(None, "TLSv1.3"), "")


class Sessions(SynchronousTestCase):
    def test_nonsense(self) -> None:
        """TL-5: what is no session is overlooked."""
        connection = SSL.Connection(SSL.Context(SSL.TLS_METHOD), None)
        for data in (b"", b"nonsense", b"0" * 70000):
            sessions.load(connection, data)
        self.assertEqual(sessions.dump(connection), b"")
        self.assertFalse(sessions.reused(connection))
