"""The SMTP client over real sockets: a mail, a large mail, and TLS at every level (SM-11, SM-18, OB-5, OB-6, TL-4)."""

from __future__ import annotations

import os
from typing import Any

from twisted.internet.protocol import Factory

from pytwfix.contracts.dns import MX, Address
from pytwfix.deliver.smtp.service import SmtpAgent
from pytwfix.net.tls.peernames import fingerprints
from tests.kit.certificates import leaf
from tests.kit.smtploopback import LoopbackCase, ServerContext, Servers
from tests.kit.smtpnet import SmtpServer


class Plain(LoopbackCase):
    async def test_mails(self) -> None:
        """SM-6, SM-10: two mails over one connection."""
        self.begin()
        for _ in range(2):
            self.assertEqual((await self.deliver()).deferred, [])
        self.assertEqual([len(server.mails) for server in self.made], [2])
        self.logged(f"relay=127.0.0.1[127.0.0.1]:{self.port}, conn_use=2")

    async def test_large(self) -> None:
        """SM-6: more than a socket takes at once, whole or in pieces."""
        self.replies["EHLO"] = b"250 mx\r\n"
        self.begin()
        content = b"A: b\r\n\r\n" + b".0123456789 abcdef\r\n" * 300000
        await self.deliver(content=content)
        self.assertTrue(self.made[0].mails == [content.replace(b"\r\n.", b"\r\n..")])

    async def test_pieces(self) -> None:
        self.begin()
        pieces = [b"A: b\r\n\r\n"] + [b".0123456789 abcdef\r\n" * 5000] * 60

        async def body() -> Any:
            for piece in pieces:
                yield piece

        from tests.kit.delivering import MemoryMessage

        self.patch(MemoryMessage, "cached", lambda _self: None)
        self.patch(MemoryMessage, "body", lambda _self: body())
        await self.deliver()
        self.assertTrue(self.made[0].mails == [b"".join(pieces).replace(b"\r\n.", b"\r\n..")])

    async def test_far_socket(self) -> None:
        """SM-2: a local socket in a folder whose name is longer than the kernel takes."""
        self.begin()
        near = self.mktemp()
        folder = os.path.join(os.path.abspath(self.mktemp()), "f" * 120)
        os.makedirs(folder)
        servers: Any = Servers(self)
        port: Any = self.reactor.listenUNIX(near, servers)
        self.addCleanup(port.stopListening)
        path = os.path.join(folder, "lmtp")
        os.link(near, path)
        self.agent = SmtpAgent(self.host, True)
        self.addCleanup(self._end, self.agent)
        self.assertEqual((await self.deliver(f"unix:{path}")).deferred, [])
        self.logged("status=sent")

    async def test_refused(self) -> None:
        """SM-4: nobody listens."""
        self.begin()
        port = self.reactor.listenTCP(0, Factory(), interface="127.0.0.1")
        number = port.getHost().port
        await port.stopListening()
        result = await self.deliver(f"[127.0.0.1]:{number}")
        self.assertIsNotNone(result.dead)
        self.logged(f"connect to 127.0.0.1[127.0.0.1]:{number}: Connection refused")


class Tls(LoopbackCase):
    def setUp(self) -> None:
        super().setUp()
        self.offer_tls()

    async def by_name(self) -> None:
        """mx.dest.example, found by an MX record of dest.example, is our server."""
        self.host.resolver.zone = {
            ("dest.example", "MX"): [MX(10, "mx.dest.example")],
            ("mx.dest.example", "A"): [Address(2, "127.0.0.1")],
        }
        await self.deliver(f"dest.example:{self.port}")

    def status(self) -> str:
        (line,) = (line for line in self.host.log.lines if ": to=<" in line)
        return line[line.index(", dsn=") + 2 :]

    async def test_may(self) -> None:
        """SM-11, LG-6: whoever it is."""
        self.begin(smtp_tls_security_level="may")
        await self.deliver()
        self.logged(f"Untrusted TLS connection established to 127.0.0.1[127.0.0.1]:{self.port}: TLSv1.3 with cipher ")
        self.assertIn("status=sent", self.status())
        self.assertEqual([line[:4] for line in self.made[0].commands[:4]], [b"EHLO", b"STAR", b"EHLO", b"MAIL"])

    async def test_none(self) -> None:
        """SM-11: no TLS; smtp_tls_note_starttls_offer says that there might be."""
        self.begin(smtp_tls_security_level="none", smtp_tls_note_starttls_offer="yes")
        await self.deliver()
        self.assertNotIn(b"STARTTLS", self.made[0].commands)
        self.logged("Host offered STARTTLS: [127.0.0.1]")

    async def test_not_reused(self) -> None:
        """SM-10: TLS connections are kept for more mail with smtp_tls_connection_reuse alone."""
        self.begin(smtp_tls_security_level="may")
        for _ in range(2):
            await self.deliver()
        self.assertEqual(len(self.made), 2)
        self.begin(smtp_tls_security_level="may", smtp_tls_connection_reuse="yes")
        for _ in range(2):
            await self.deliver()
        self.assertEqual(len(self.made), 3)
        self.logged("Untrusted TLS connection reused to 127.0.0.1[127.0.0.1]")

    async def test_encrypt(self) -> None:
        """SM-8: a must that is not offered."""
        self.begin(smtp_tls_security_level="encrypt")
        await self.deliver()
        self.assertIn("status=sent", self.status())
        self.replies["EHLO"] = b"250 mx\r\n"
        self.begin(smtp_tls_security_level="encrypt")
        await self.deliver()
        self.assertEqual(
            self.status(),
            "dsn=4.7.4, status=deferred (TLS is required, but was not offered by host 127.0.0.1[127.0.0.1])",
        )

    async def test_refused(self) -> None:
        """OB-5: STARTTLS answered 5xx bounces, 454 defers; at may the mail goes in the clear."""
        for level, reply, expected in (
            ("encrypt", b"500 5.5.1 no\r\n", "dsn=5.5.1, status=bounced (TLS is required, but host 127.0.0.1[127.0"),
            ("encrypt", b"454 4.7.0 no\r\n", "dsn=4.7.0, status=deferred (TLS is required, but host 127.0.0.1[127.0"),
            ("may", b"454 4.7.0 no\r\n", "dsn=2.0.0, status=sent"),
        ):
            self.replies["STARTTLS"] = reply
            self.begin(smtp_tls_security_level=level)
            await self.deliver()
            self.assertIn(expected, self.status())

    async def test_handshake_fails(self) -> None:
        """OB-5, TL-7: a failed handshake defers; in the clear a mail goes once it has waited."""

        def nonsense(server: SmtpServer) -> None:
            server.transport.write(b"220 go\r\n")
            self.reactor.callLater(0.05, server.transport.write, b"this is not TLS at all\r\n")

        self.replies["STARTTLS"] = nonsense
        self.begin(smtp_tls_security_level="may")
        await self.deliver()
        self.assertEqual(self.status(), "dsn=4.7.5, status=deferred (Cannot start TLS: handshake failure)")
        self.logged(f"SSL_connect error to 127.0.0.1[127.0.0.1]:{self.port}: -1")
        self.logged("warning: TLS library problem: error:SSL routines:")
        self.begin(smtp_tls_security_level="may", minimal_backoff_time="1s")
        await self.deliver(age=10)
        self.assertIn("status=sent", self.status())
        self.begin(smtp_tls_security_level="encrypt", minimal_backoff_time="1s")
        await self.deliver(age=10)
        self.assertIn("dsn=4.7.5, status=deferred", self.status())

    async def test_injection(self) -> None:
        """OB-6: plaintext that came with the 220 is thrown away."""

        def start(server: SmtpServer) -> None:
            server.transport.write(b"220 go\r\n250-evil\r\n250 AUTH PLAIN\r\n")
            server.transport.startTLS(self.context)
            server.replies["EHLO"] = b"250 mx.dest.example\r\n"

        self.replies["STARTTLS"] = start
        self.begin(smtp_tls_security_level="may")
        await self.deliver()
        self.assertIn("status=sent", self.status())

    async def test_secure(self) -> None:
        """SM-18: trusted, and the name is the nexthop's or below it."""
        self.begin(smtp_tls_security_level="secure", smtp_tls_CAfile=self.trust())
        await self.by_name()
        self.logged(f"Verified TLS connection established to mx.dest.example[127.0.0.1]:{self.port}: TLSv1.3")
        self.assertIn("status=sent", self.status())

    async def test_secure_fails(self) -> None:
        """SM-8: another name, or another authority."""
        for context, line in (
            (ServerContext("mx.other.example"), "num=62:hostname mismatch"),
            (ServerContext("mx.dest.example", by="Other CA"), "certificate verification failed for mx.dest.example"),
            (ServerContext("mx.other.example"), "Untrusted TLS connection established"),
        ):
            self.context = context
            self.begin(smtp_tls_security_level="secure", smtp_tls_CAfile=self.trust())
            await self.by_name()
            self.assertEqual(self.status(), "dsn=4.7.5, status=deferred (Server certificate not verified)")
            self.logged(line)

    async def test_verify(self) -> None:
        """SM-18: the level verify goes by the host's name, which DNS said."""
        self.context = ServerContext("mx.dest.example")
        self.begin(smtp_tls_security_level="verify", smtp_tls_CAfile=self.trust())
        await self.by_name()
        self.assertIn("status=sent", self.status())

    async def test_fingerprint(self) -> None:
        """SM-18: the certificate or its key is known."""
        from cryptography.x509 import load_pem_x509_certificate

        prints = fingerprints(load_pem_x509_certificate(leaf("mx.dest.example", by="Test CA")[0]), "sha256")
        for value in prints:
            self.begin(smtp_tls_security_level="fingerprint", smtp_tls_fingerprint_cert_match=value.lower())
            await self.deliver()
            self.assertIn("status=sent", self.status())
            self.logged("Verified TLS connection established")
        self.begin(smtp_tls_security_level="fingerprint", smtp_tls_fingerprint_cert_match="AA:BB")
        await self.deliver()
        self.assertIn("Server certificate not verified", self.status())

    async def test_old_digest(self) -> None:
        """V-3, V-4: fingerprints that are made as an old default has it are told of."""
        text = "using backwards-compatible default setting smtp_tls_fingerprint_digest=md5 to compute certificate fingerprints"  # noqa: E501
        policy = {"smtp_tls_security_level": "fingerprint", "smtp_tls_fingerprint_cert_match": "AA:BB"}
        self.begin(compatibility_level="3", **policy)
        await self.deliver()
        self.logged(text)
        self.begin(compatibility_level="3", smtp_tls_fingerprint_digest="md5", **policy)
        await self.deliver()
        self.assertRaises(AssertionError, self.logged, text)

    async def test_policy_table(self) -> None:
        """SM-11: by nexthop as written; level and attributes."""
        policy = f"inline:{{{{{self.place}=secure match=mx.dest.example servername=sni.example}}}}"
        self.begin(smtp_tls_policy_maps=policy, smtp_tls_CAfile=self.trust(), smtp_tls_security_level="none")
        await self.deliver()
        self.assertIn("status=sent", self.status())
        self.assertEqual(self.context.asked, [b"sni.example"])
        self.logged("to sni.example: TLSv1.3")

    async def test_mta_sts(self) -> None:
        """SM-13: a policy from a plugin: the server must be one of its patterns."""
        for pattern, word in (("mx.dest.example", "status=sent"), (".other.example", "dsn=4.7.5, status=deferred")):
            policy = (
                f"secure match=mx.dest.example policy_type=sts policy_domain=dest.example mx_host_pattern={pattern}"
            )
            self.begin(smtp_tls_policy_maps=f"inline:{{{{dest.example={policy}}}}}", smtp_tls_CAfile=self.trust())
            await self.by_name()
            self.assertIn(word, self.status())

    async def test_bad_policy(self) -> None:
        """OB-5: what makes no sense is a configuration error, and nothing is sent."""
        for policy in ("encrypt match=x", "fingerprint", "sure", "secure x=y", "secure match"):
            self.begin(smtp_tls_policy_maps=f"inline:{{{{{self.place}={policy}}}}}")
            await self.deliver()
            self.assertEqual(self.status(), "dsn=4.7.5, status=deferred (client TLS configuration problem)")
        self.assertEqual(self.made, [])

    async def test_wrapper(self) -> None:
        """SM-18: TLS from the first byte."""
        from twisted.protocols.tls import TLSMemoryBIOFactory

        case = self

        class Servers(Factory):
            noisy = False

            def buildProtocol(self, addr: Any) -> SmtpServer:
                server = SmtpServer()
                case.made.append(server)
                return server

        port = self.reactor.listenTCP(0, TLSMemoryBIOFactory(self.context, False, Servers()), interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        self.begin(smtp_tls_security_level="encrypt", smtp_tls_wrappermode="yes")
        await self.deliver(f"[127.0.0.1]:{port.getHost().port}")
        self.assertIn("status=sent", self.status())

    async def test_status_field(self) -> None:
        """SM-18, LG-10: smtp_log_tls_feature_status."""
        self.begin(smtp_tls_security_level="may", smtp_log_tls_feature_status="yes")
        await self.deliver()
        self.logged(", tls=may, dsn=2.0.0")
        self.replies["EHLO"] = b"250 mx\r\n"
        self.begin(smtp_tls_security_level="may", smtp_log_tls_feature_status="yes")
        await self.deliver()
        self.logged(", tls=may:none, dsn=2.0.0")

    async def test_session_cache(self) -> None:
        """TL-5: a session is taken up again, with what was thought of the server; not by another level."""
        from pytwfix.net.tls import sessions

        found: list[bool] = []
        real = sessions.reused

        def note(connection: Any) -> bool:
            found.append(real(connection))
            return found[-1]

        self.patch(sessions, "reused", note)
        options = {"smtp_tls_session_cache_database": "lmdb:x", "smtp_tls_CAfile": self.trust()}
        self.begin(smtp_tls_security_level="may", **options)
        self.context = ServerContext("mx.dest.example", by="Other CA")
        for _ in range(3):
            await self.deliver()
        self.assertEqual(found, [True, True])
        trust = [line.split()[0] for line in self.host.log.lines if "TLS connection established" in line]
        self.assertEqual(trust, ["Untrusted"] * 3)
        self.begin(smtp_tls_security_level="secure", **options)
        self.context = ServerContext("mx.dest.example")
        found.clear()
        for _ in range(2):
            await self.by_name()
        self.assertEqual(found, [True])
        self.logged("Verified TLS connection established")
