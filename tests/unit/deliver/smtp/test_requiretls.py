"""Mail that insists on TLS, and mail that does not mind (RFC 8689; SM-6, TL-7, NV-4)."""

from __future__ import annotations

from pytwfix.contracts.dns import MX, Address
from pytwfix.mail.envelope import REQUIRETLS_ESMTP, REQUIRETLS_HEADER
from tests.kit.smtploopback import LoopbackCase
from tests.kit.smtpnet import SmtpServer


class RequireTls(LoopbackCase):
    def setUp(self) -> None:
        super().setUp()
        self.offer_tls()

    def promise(self) -> None:
        """The server offers REQUIRETLS inside TLS."""

        def start(server: SmtpServer) -> None:
            server.transport.write(b"220 2.0.0 go\r\n")
            server.transport.startTLS(self.context)
            server.replies["EHLO"] = b"250-mx.dest.example\r\n250 REQUIRETLS\r\n"

        self.replies["STARTTLS"] = start

    async def send(self, sendopts: int, **main: str) -> str:
        """The end of the delivery line."""
        base = {"smtp_tls_security_level": "may", "smtp_log_tls_feature_status": "yes"}
        self.begin(smtp_tls_CAfile=self.trust(), **{**base, **main})
        self.host.resolver.zone = {
            ("dest.example", "MX"): [MX(10, "mx.dest.example")],
            ("mx.dest.example", "A"): [Address(2, "127.0.0.1")],
        }
        await self.deliver(f"dest.example:{self.port}", sendopts=sendopts)
        (line,) = (line for line in self.host.log.lines if ": to=<" in line)
        return line[line.index("/0, ") + 4 :] if "/0, " in line else line[line.index(", tls=") + 2 :]

    async def test_enforce(self) -> None:
        """NV-4: a verified server that promises the same has it, with the option."""
        self.promise()
        end = await self.send(REQUIRETLS_ESMTP, smtp_requiretls_policy="enforce")
        self.assertIn("tls=secure/requiretls, dsn=2.0.0", end)
        self.assertEqual(self.made[0].commands[3], b"MAIL FROM:<a@b.example> REQUIRETLS")

    async def test_no_promise(self) -> None:
        """RFC 8689 section 4.2.1: 5.7.30."""
        end = await self.send(REQUIRETLS_ESMTP, smtp_requiretls_policy="enforce")
        self.assertIn("dsn=5.7.30, status=bounced (REQUIRETLS support is required, but was not offered by host", end)

    async def test_default(self) -> None:
        """NV-4: the default enforces for others, and not for our own domain."""
        self.assertIn("dsn=5.7.30", await self.send(REQUIRETLS_ESMTP))
        self.assertIn("status=sent", await self.send(REQUIRETLS_ESMTP, mydomain="dest.example"))

    async def test_starttls(self) -> None:
        """NV-4: any TLS will do."""
        policy = "inline:{dest.example=opportunistic+starttls}"
        self.assertIn("tls=encrypt, dsn=2.0.0", await self.send(REQUIRETLS_ESMTP, smtp_requiretls_policy=policy))
        self.replies["EHLO"] = b"250 mx\r\n"
        end = await self.send(REQUIRETLS_ESMTP, smtp_requiretls_policy=policy)
        self.assertIn("dsn=4.7.4, status=deferred (TLS is required, but was not offered", end)

    async def test_disable(self) -> None:
        self.promise()
        end = await self.send(REQUIRETLS_ESMTP, smtp_requiretls_policy="disable")
        self.assertIn("tls=may, dsn=2.0.0", end)

    async def test_tls_required_no(self) -> None:
        """CL-13: the mail would rather arrive."""
        self.replies["EHLO"] = b"250 mx\r\n"
        self.assertIn("status=sent", await self.send(REQUIRETLS_HEADER, smtp_tls_security_level="secure"))
        self.assertIn("dsn=4.7.4, status=deferred", await self.send(0, smtp_tls_security_level="secure"))
