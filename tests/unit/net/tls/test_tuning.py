"""Options of OpenSSL and groups of key exchange (TL-2, NV-4)."""

from __future__ import annotations

from OpenSSL import SSL

from pytwfix.accept.smtpd.settings import SmtpdSettings
from pytwfix.net.tls import sessions
from pytwfix.net.tls.tuning import tuning
from pytwfix.settings.tls import TlsSettings
from tests.kit.host import MemoryHost
from tests.unit.net.tls.test_contexts import ContextCase, server_host, shake


class TuningTests(ContextCase):
    def bits(self, **main: str) -> int:
        return tuning(MemoryHost(main).settings(TlsSettings)).options

    def test_options(self) -> None:
        """Names in any case, or a number; both keep the work-arounds."""
        self.assertEqual(self.bits(), SSL.OP_ALL)
        named = self.bits(tls_ssl_options="no_ticket, NO_RENEGOTIATION")
        self.assertEqual(named, SSL.OP_ALL | SSL.OP_NO_TICKET | SSL.OP_NO_RENEGOTIATION)
        self.assertEqual(self.bits(tls_ssl_options="0x4000"), SSL.OP_ALL | SSL.OP_NO_TICKET)

    def test_workarounds(self) -> None:
        padding = 1 << 4
        self.assertEqual(SSL.OP_ALL & padding, padding)
        self.assertEqual(self.bits(tls_disable_workarounds="TLSEXT_PADDING, TLS_D5_BUG"), SSL.OP_ALL & ~padding)
        self.assertEqual(self.bits(tls_disable_workarounds="0xFFFFFFFF"), SSL.OP_ALL & ~0xFFFFFFFF)

    def test_strange(self) -> None:
        """What OpenSSL does not have is told, in the words of a real Postfix 3.7."""
        host = server_host(tls_ssl_options="FOO, NO_TICKET", tls_disable_workarounds="0xzz")
        self.server(host)
        self.assertEqual(
            host.log.lines,
            [
                'warning: unknown tls_ssl_options value "FOO" in "FOO, NO_TICKET"',
                'warning: unknown tls_disable_workarounds value "0xzz" in "0xzz"',
            ],
        )

    def test_groups(self) -> None:
        """The first group of ours that the peer has; those that this OpenSSL does not know are passed over."""
        for ours, theirs, agreed in (
            ("nonsense X448 prime256v1", "X448 prime256v1", "x448"),
            ("secp384r1", "X25519 secp384r1", "secp384r1"),
        ):
            server = self.server(server_host(tls_eecdh_auto_curves=ours, tls_ffdhe_auto_groups=""))
            client = self.client(server_host(tls_eecdh_auto_curves=theirs, tls_ffdhe_auto_groups=""))
            shake(server, client)
            self.assertEqual((client.get_group_name() or "").lower(), agreed)

    def test_no_group_in_common(self) -> None:
        server = self.server(server_host(tls_eecdh_auto_curves="X448", tls_ffdhe_auto_groups=""))
        client = self.client(server_host(tls_eecdh_auto_curves="X25519", tls_ffdhe_auto_groups=""))
        with self.assertRaises(SSL.Error):
            shake(server, client)

    def resumed(self, **main: str) -> bool:
        """Whether a session is taken up again, with TLS 1.2 and no tickets: by what the server has kept."""
        host = server_host(smtpd_tls_protocols="TLSv1.2", tls_session_ticket_cipher="", **main)
        server, client = self.server(host), self.client(host, protocols="TLSv1.2")
        shake(server, client)
        kept = sessions.dump(client)
        server.shutdown()  # a session that broke off is forgotten
        server, client = self.server(host), self.client(host, protocols="TLSv1.2")
        sessions.load(client, kept)
        shake(server, client)
        return sessions.reused(client)

    def test_session_cache(self) -> None:
        """TL-5: smtpd_tls_always_issue_session_ids, and how long the server keeps sessions."""
        self.assertTrue(self.resumed())
        never = {"smtpd_tls_always_issue_session_ids": "no"}
        self.assertFalse(self.resumed(**never))
        self.assertTrue(self.resumed(**never, smtpd_tls_session_cache_database="lmdb:/x/smtpd_scache"))
        self.assertFalse(self.resumed(smtpd_tls_session_cache_timeout="0"))

    def test_default(self) -> None:
        """The groups of 3.11's defaults, whatever else OpenSSL has."""
        host = MemoryHost({})
        groups = "X25519:X448:prime256v1:secp384r1:secp521r1:ffdhe2048:ffdhe3072"
        self.assertEqual(tuning(host.settings(SmtpdSettings)).groups, groups)
