"""Contexts made of settings, and handshakes between them (TL-1, TL-2, TL-4, TL-6, SD-42)."""

from __future__ import annotations

import base64
from typing import Any

from OpenSSL import SSL
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.accept.smtpd.settings import SmtpdSettings
from pytwfix.net.tls import contexts
from pytwfix.net.tls.ciphers import cipher_list
from pytwfix.net.tls.material import Chain
from pytwfix.net.tls.protocols import parse_protocols
from pytwfix.settings.tls import TlsSettings
from tests.kit import certificates
from tests.kit.host import MemoryHost


def shake(server: SSL.Connection, client: SSL.Connection) -> None:
    """Move bytes between two ends until both are done; SSL.Error from either."""
    server.set_accept_state()
    client.set_connect_state()
    for _ in range(20):
        done = 0
        for one, other in ((client, server), (server, client)):
            try:
                one.do_handshake()
                done += 1
            except SSL.WantReadError:
                pass
            try:
                other.bio_write(one.bio_read(65536))
            except SSL.WantReadError:
                pass
        if done == 2:
            return
    raise AssertionError("no end of the handshake")


def server_host(**main: str) -> MemoryHost:
    certificate, key = certificates.leaf("mx.example.com")
    values = {"smtpd_tls_cert_file": "/c.pem", "smtpd_tls_key_file": "/k.pem", "compatibility_level": "3.11", **main}
    host = MemoryHost(values)
    host.secrets = {"/c.pem": certificate, "/k.pem": key, "/ca.pem": certificates.authority()}
    return host


class ContextCase(SynchronousTestCase):
    """Ends of connections, made of settings."""

    def server(self, host: MemoryHost) -> Any:
        made = contexts.server_context(host, host.settings(SmtpdSettings))
        return self.successResultOf(_deferred(made)).serverConnectionForTLS(None)

    def client(self, host: MemoryHost, **options: Any) -> SSL.Connection:
        tls = host.settings(TlsSettings)
        given = {"protocols": ">=TLSv1", "ciphers": cipher_list(tls, "medium", "aNULL"), **options}
        return contexts.ClientTls(contexts.client_context(tls, **given)).clientConnectionForTLS(None)


class ContextTests(ContextCase):
    def test_trusted(self) -> None:
        """TL-4: a chain that ends at one of our CAs is Trusted; with the right name it is Verified."""
        host = server_host()
        server, client = self.server(host), self.client(host, authorities=certificates.authority())
        shake(server, client)
        info = contexts.describe(client)
        self.assertEqual((info.trust, info.protocol, info.subject), ("Trusted", "TLSv1.3", "mx.example.com"))
        self.assertEqual(contexts.describe(client, True).trust, "Verified")
        self.assertRegex(info.described(), r"^TLSv1\.3 with cipher TLS_AES_256_GCM_SHA384 \(256/256 bits\)")
        self.assertEqual(contexts.describe(server).trust, "Anonymous")

    def test_untrusted(self) -> None:
        """TL-4: a chain that ends nowhere is Untrusted, and the handshake goes on; no name can verify it."""
        host = server_host()
        server, client = self.server(host), self.client(host)
        shake(server, client)
        self.assertEqual(contexts.describe(client, True).trust, "Untrusted")

    def test_anonymous(self) -> None:
        """TL-2: two ends that allow aNULL agree on it; the server has no certificate at all."""
        weak = "ALL:aNULL:@SECLEVEL=0"
        host = server_host(smtpd_tls_cert_file="none", tls_medium_cipherlist=weak)
        server = self.server(host)
        client = self.client(host, ciphers=weak, protocols="<=TLSv1.2")
        shake(server, client)
        self.assertEqual(contexts.describe(client).trust, "Anonymous")

    def test_protocols(self) -> None:
        """TL-1: a version that is off is not spoken."""
        host = server_host(smtpd_tls_protocols="!TLSv1.3, >=TLSv1.2")
        server, client = self.server(host), self.client(host)
        shake(server, client)
        self.assertEqual(contexts.describe(client).protocol, "TLSv1.2")
        server = self.server(server_host(smtpd_tls_protocols="TLSv1.2"))
        with self.assertRaises(SSL.Error):
            shake(server, self.client(host, protocols=">=TLSv1.3"))

    def test_client_certificate(self) -> None:
        """TL-3: with smtpd_tls_ask_ccert a client's certificate is seen and checked."""
        host = server_host(smtpd_tls_ask_ccert="yes", smtpd_tls_CAfile="/ca.pem")
        chain = Chain(*certificates.leaf("client.example"))
        server, client = self.server(host), self.client(host, chains=(chain,))
        shake(server, client)
        info = contexts.describe(server)
        self.assertEqual((info.trust, info.subject, info.issuer), ("Trusted", "client.example", "Test CA"))

    def test_server_names(self) -> None:
        """TL-6: tls_server_sni_maps chooses the chain by the name, or its parent, that the client asks for."""
        certificate, key = certificates.leaf("other.example")
        value = base64.b64encode(key + certificate).decode()
        host = server_host()
        host.snapshot = MemoryHost({**server_main(), "tls_server_sni_maps": "x:y"}).snapshot
        host.tables = _OneTable({b".other.example": value.encode()})
        for name, subject in (("a.other.example", "other.example"), ("else.example", "mx.example.com")):
            server, client = self.server(host), self.client(host)
            client.set_tlsext_host_name(name.encode())
            shake(server, client)
            self.assertEqual(contexts.describe(client).subject, subject)

    def test_kept(self) -> None:
        """A context is made once for the same settings."""
        host = server_host()
        self.assertIs(self.server(host).get_context(), self.server(host).get_context())

    def test_missing_file(self) -> None:
        host = server_host(smtpd_tls_cert_file="/none.pem")
        made = _deferred(contexts.server_context(host, host.settings(SmtpdSettings)))
        self.failureResultOf(made, contexts.ContextError)

    def test_wrong_key(self) -> None:
        """A key that does not fit its certificate makes no context."""
        host = server_host(smtpd_tls_cert_file="/c2.pem")
        host.secrets["/c2.pem"] = certificates.leaf("third.example")[0]
        made = _deferred(contexts.server_context(host, host.settings(SmtpdSettings)))
        self.failureResultOf(made, contexts.ContextError)


class WordsTests(SynchronousTestCase):
    def test_protocols(self) -> None:
        """TL-1: the forms of a list of versions."""
        self.assertEqual(parse_protocols(">=TLSv1.2"), (0x303, 0, frozenset()))
        self.assertEqual(parse_protocols(">=tlsv1.2 <=0x304"), (0x303, 0x304, frozenset()))
        self.assertEqual(parse_protocols("!SSLv2, !SSLv3").excluded, {0x300})
        self.assertEqual(parse_protocols("TLSv1.3").excluded, {0x300, 0x301, 0x302, 0x303})
        for bad in (">=TLSv9", "x", "!TLSv1.3 !TLSv1.2 !TLSv1.1 !TLSv1 !SSLv3"):
            self.assertRaises(ValueError, parse_protocols, bad)

    def test_grades(self) -> None:
        """TL-2: low and export are medium; exclusions follow the grade; eNULL is in the grade null only."""
        tls = MemoryHost().settings(TlsSettings)
        self.assertEqual(cipher_list(tls, "export"), cipher_list(tls, "medium"))
        self.assertTrue(cipher_list(tls, "high", "aNULL, RC4").endswith(":!aNULL:!RC4:!eNULL"))
        self.assertNotIn("!eNULL", cipher_list(tls, "null"))
        self.assertRaises(ValueError, cipher_list, tls, "best")


class _OneTable:
    """ITables with one table."""

    fixed = True

    def __init__(self, entries: dict[bytes, bytes]) -> None:
        self._entries = entries

    def open(self, name: str, flags: int = 0) -> _OneTable:
        return self

    def lookup(self, key: bytes) -> Any:
        from twisted.internet.defer import succeed

        return succeed(self._entries.get(key))


def server_main() -> dict[str, str]:
    return {"smtpd_tls_cert_file": "/c.pem", "smtpd_tls_key_file": "/k.pem", "compatibility_level": "3.11"}


def _deferred(work: Any) -> Any:
    from twisted.internet.defer import Deferred

    return Deferred.fromCoroutine(work)
