"""deliver/smtp/tlsaccount.py: what sessions with a real TLS server count as (TL-10; RFC 8460 section 4.3)."""

from __future__ import annotations

import hashlib
import os
from typing import Any

from pytwfix.contracts.dns import MX, TLSA, Address, TryAgain
from pytwfix.mail.envelope import REQUIRETLS_ESMTP, REQUIRETLS_HEADER
from pytwfix.mail.tlsrpt import Applied, Tally, parse_line
from pytwfix.net import https
from tests.kit.accepting import ZoneResolver
from tests.kit.smtploopback import LoopbackCase, ServerContext
from tests.kit.smtpnet import SmtpServer
from tests.kit.webserver import WebServer, server_side
from tests.unit.deliver.smtp.test_dane import SignedZone, certificate, key_of

PLACE = "mailto:tls@dest.example"
LINES = ("version: STSv1", "mode: {mode}", "mx: {mx}", "max_age: 86400")


class AccountCase(LoopbackCase):
    """One domain, dest.example, whose server is mx.dest.example, and which wants reports."""

    def setUp(self) -> None:
        super().setUp()
        self.offer_tls()
        self.data = self.mktemp_folder()
        self.zone: dict[tuple[str, str], Any] = {
            ("dest.example", "MX"): [MX(10, "mx.dest.example")],
            ("mx.dest.example", "A"): [Address(2, "127.0.0.1")],
            ("_smtp._tls.dest.example", "TXT"): [f"v=TLSRPTv1; rua={PLACE}".encode()],
        }
        self.resolver = ZoneResolver
        self.main = {
            "pytwfix_tlsrpt": "yes", "data_directory": self.data, "smtp_tls_CAfile": self.trust(),
            "smtp_tls_security_level": "may",
        }  # fmt: skip

    async def counted(self, *, sent: bool = True, nexthop: str = "dest.example", **more: Any) -> Tally | None:
        """What one mail to the domain counts as, after a start and an end of the client."""
        self.begin(**self.main)
        self.host.resolver = self.resolver(self.zone)
        result = await self.deliver(f"{nexthop}:{self.port}", **more)
        self.assertEqual(sent, not result.deferred, self.host.log.lines)
        assert self.agent is not None
        self.agent.stopService()
        return self.written()

    def written(self) -> Tally | None:
        """All that was counted on disk, which is empty then."""
        found = None
        folder = f"{self.data}/tlsrpt/counts"
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
            with open(f"{folder}/{name}", encoding="ascii") as file:
                for text in file.read().split("\n"):
                    if text:
                        domain, places, tally = parse_line(text)
                        self.assertEqual(("dest.example", (PLACE,)), (domain, places))
                        found = found or Tally()
                        found.add(tally)
            os.unlink(f"{folder}/{name}")
        return found

    def is_success(self, tally: Tally | None, policy: Applied) -> None:
        assert tally is not None, self.host.log.lines
        self.assertEqual([policy], list(tally.counts))
        self.assertEqual((1, 0), (tally.counts[policy].successes, tally.counts[policy].failed))

    def is_failure(self, tally: Tally | None, policy: Applied, result: str, code: str = "", asked: bool = True) -> None:
        """One failure and nothing else, with all that is known of the two ends."""
        assert tally is not None, self.host.log.lines
        self.assertEqual([policy], list(tally.counts))
        count = tally.counts[policy]
        self.assertEqual((0, 1), (count.successes, count.failed))
        (detail,) = count.failures
        self.assertEqual((result, "mx.dest.example", "127.0.0.1"), (detail.result, detail.mx, detail.receiving_ip))
        self.assertEqual("127.0.0.1" if asked else "", detail.sending_ip)
        if code:
            self.assertIn(code, detail.code)

    def no_starttls(self) -> None:
        self.replies["EHLO"] = b"250-mx.dest.example\r\n250 PIPELINING\r\n"

    def no_handshake(self) -> None:
        def start(server: SmtpServer) -> None:
            server.transport.write(b"220 2.0.0 go\r\n")
            server.transport.loseConnection()

        self.replies["STARTTLS"] = start


class Opportunistic(AccountCase):
    """Level may, and no policy of the domain."""

    async def test_success(self) -> None:
        """Whoever the certificate is for."""
        self.context = ServerContext("mail.other.example", by="Other CA")
        self.is_success(await self.counted(), Applied())
        self.assertEqual(0o700, os.stat(f"{self.data}/tlsrpt").st_mode & 0o777)

    async def test_no_starttls(self) -> None:
        """The mail goes, and the domain hears of it."""
        self.no_starttls()
        self.is_failure(await self.counted(), Applied(), "starttls-not-supported")

    async def test_starttls_refused(self) -> None:
        self.replies["STARTTLS"] = b"454 4.7.0 not now\r\n"
        self.is_failure(await self.counted(), Applied(), "starttls-not-supported", "454 4.7.0 not now")

    async def test_handshake(self) -> None:
        """TL-7: that the mail goes in the clear then is no session of its own."""
        self.no_handshake()
        self.is_failure(await self.counted(sent=False), Applied(), "validation-failure")
        self.is_failure(await self.counted(age=1000), Applied(), "validation-failure")

    async def test_level_encrypt(self) -> None:
        self.main["smtp_tls_security_level"] = "encrypt"
        self.no_starttls()
        self.is_failure(await self.counted(sent=False), Applied(), "starttls-not-supported")

    async def test_not_about_tls(self) -> None:
        """A server that does not want us, and one that nobody wants TLS of, count as nothing."""
        self.replies["EHLO"] = b"421 4.3.2 closing\r\n"
        self.assertIsNone(await self.counted(sent=False))
        self.no_starttls()
        self.main["smtp_tls_security_level"] = "none"
        self.assertIsNone(await self.counted())

    async def test_not_by_mx(self) -> None:
        self.assertIsNone(await self.counted(nexthop="[mx.dest.example]"))

    async def test_off(self) -> None:
        self.main["pytwfix_tlsrpt"] = "no"
        self.assertIsNone(await self.counted())
        self.assertEqual([], [one for one in self.host.resolver.asked if one[1] == "TXT"])

    async def test_not_wanted(self) -> None:
        """Section 3: domains that publish nothing are not counted."""
        for answer in (None, [b"v=spf1 -all"], TryAgain("n", "TXT", "no")):
            self.zone["_smtp._tls.dest.example", "TXT"] = answer
            self.assertIsNone(await self.counted())

    async def test_lenient_mail(self) -> None:
        """Section 3: mail that would rather arrive, as reports themselves do, is not counted."""
        self.main["smtp_tls_security_level"] = "secure"
        self.no_starttls()
        self.assertIsNone(await self.counted(sendopts=REQUIRETLS_HEADER))

    async def test_used_again(self) -> None:
        """A connection that is used for a second mail is one session."""
        self.begin(**self.main, smtp_connection_cache_time_limit="30", smtp_tls_connection_reuse="yes")
        self.host.resolver = self.resolver(self.zone)
        for _ in range(2):
            await self.deliver(f"dest.example:{self.port}")
        self.assertEqual(1, len(self.made))
        assert self.agent is not None
        self.agent.stopService()
        self.is_success(self.written(), Applied())


class Certificates(AccountCase):
    """A level that looks at them."""

    def setUp(self) -> None:
        super().setUp()
        self.main.update(smtp_tls_security_level="secure", smtp_tls_secure_cert_match="hostname")

    async def test_good(self) -> None:
        self.is_success(await self.counted(), Applied())

    async def test_other_name(self) -> None:
        self.context = ServerContext("mail.other.example")
        self.is_failure(await self.counted(sent=False), Applied(), "certificate-host-mismatch")

    async def test_other_authority(self) -> None:
        self.context = ServerContext("mx.dest.example", by="Other CA")
        tally = await self.counted(sent=False)
        self.is_failure(tally, Applied(), "certificate-not-trusted", "untrusted issuer")

    async def test_expired(self) -> None:
        self.context = ServerContext("mx.dest.example", days=365)
        tally = await self.counted(sent=False)
        self.is_failure(tally, Applied(), "certificate-expired", "certificate has expired")


class Sts(AccountCase):
    """RFC 8461 policies: what they demand, and what becomes of their fetching."""

    def setUp(self) -> None:
        super().setUp()
        self.web = WebServer(server_side("mta-sts.dest.example"))
        self.addCleanup(self.web.close)
        self.patch(https, "PORT", self.web.address[1])
        self.zone["mta-sts.dest.example", "A"] = [Address(2, "127.0.0.1")]
        self.zone["_mta-sts.dest.example", "TXT"] = [b"v=STSv1; id=1;"]
        self.main.update(pytwfix_mta_sts="yes", pytwfix_mta_sts_CAfile=self.main["smtp_tls_CAfile"])

    def say(self, mode: str = "enforce", mx: str = "mx.dest.example") -> Applied:
        lines = tuple(one.format(mode=mode, mx=mx) for one in LINES)
        self.web.page = "".join(f"{one}\r\n" for one in lines).encode()
        return Applied("sts", lines, (mx,))

    async def test_good(self) -> None:
        policy = self.say()
        self.is_success(await self.counted(), policy)

    async def test_enforced(self) -> None:
        policy = self.say()
        self.context = ServerContext("mail.other.example")
        self.is_failure(await self.counted(sent=False), policy, "certificate-host-mismatch")
        self.no_starttls()
        self.is_failure(await self.counted(sent=False), policy, "starttls-not-supported")

    async def test_not_named(self) -> None:
        """No connection is made: our own address is not known."""
        policy = self.say(mx="*.other.example")
        tally = await self.counted(sent=False)
        self.is_failure(tally, policy, "validation-failure", "does not name the server", asked=False)

    async def test_lenient_mail(self) -> None:
        """RFC 8689 section 3.2.2: a mail that says `TLS-Required: no` goes where the policy forbids others to go, also
        in the clear once it has waited; it is not counted (RFC 8460 section 3)."""
        self.say(mx="*.other.example")
        self.assertIsNone(await self.counted(sendopts=REQUIRETLS_HEADER))
        self.no_handshake()
        self.assertIsNone(await self.counted(sendopts=REQUIRETLS_HEADER, age=1000))
        self.assertIsNotNone(await self.counted(sent=False, sendopts=REQUIRETLS_HEADER | REQUIRETLS_ESMTP, age=1000))

    async def test_testing(self) -> None:
        """RFC 8461 section 5: the mail goes, and the report says what would have been wrong."""
        policy = self.say("testing")
        self.is_success(await self.counted(), policy)
        self.assertEqual({b"mx.dest.example"}, set(self.context.asked))
        for context, result in (
            (ServerContext("mail.other.example"), "certificate-host-mismatch"),
            (ServerContext("mx.dest.example", by="Other CA"), "certificate-not-trusted"),
            (ServerContext("mx.dest.example", days=365), "certificate-expired"),
        ):
            self.context = context
            self.is_failure(await self.counted(), policy, result)
        self.no_starttls()
        self.is_failure(await self.counted(), policy, "starttls-not-supported")

    async def test_testing_not_named(self) -> None:
        policy = self.say("testing", "*.other.example")
        self.is_failure(await self.counted(), policy, "validation-failure", "does not name the server")

    async def test_mode_none(self) -> None:
        self.say("none")
        self.is_success(await self.counted(), Applied())

    async def test_not_fetched(self) -> None:
        """Nothing applied: the failure is that of the policy, however TLS went."""
        self.say()
        self.web.head = b"HTTP/1.1 404 Not Found\r\n"
        self.is_failure(await self.counted(), Applied(), "sts-policy-fetch-error", "HTTP status 404")

    async def test_invalid(self) -> None:
        self.say("whatever")
        self.is_failure(await self.counted(), Applied(), "sts-policy-invalid", "unknown mode: whatever")

    async def test_web_certificate(self) -> None:
        self.say()
        self.web.context = server_side("www.dest.example")
        self.is_failure(await self.counted(), Applied(), "sts-webpki-invalid", "for another name")
        self.web.context = server_side("mta-sts.dest.example", by="Other CA")
        self.is_failure(await self.counted(), Applied(), "sts-webpki-invalid", "certificate verify failed")


class Dane(AccountCase):
    """RFC 7672."""

    def setUp(self) -> None:
        super().setUp()
        self.resolver = SignedZone
        self.main.update(smtp_tls_security_level="dane", smtp_dns_support_level="dnssec")
        self.digest = hashlib.sha256(key_of(certificate())).digest()

    def publish(self, *records: TLSA) -> Applied:
        self.zone["host", "TLSA"] = list(records)
        return Applied("tlsa", tuple(one.text() for one in records))

    async def test_good(self) -> None:
        policy = self.publish(TLSA(3, 1, 1, self.digest))
        self.is_success(await self.counted(), policy)
        self.assertEqual((f"3 1 1 {self.digest.hex()}",), policy.strings)

    async def test_other_certificate(self) -> None:
        policy = self.publish(TLSA(3, 1, 1, b"x" * 32))
        self.is_failure(await self.counted(sent=False), policy, "validation-failure")

    async def test_unusable(self) -> None:
        """The mail goes over TLS that nobody has looked at, and the records are known to be wrong."""
        policy = self.publish(TLSA(1, 1, 1, self.digest))
        self.is_failure(await self.counted(), policy, "tlsa-invalid")
        self.main["smtp_tls_security_level"] = "dane-only"
        self.is_failure(await self.counted(sent=False), policy, "tlsa-invalid", asked=False)

    async def test_lookup(self) -> None:
        self.zone["host", "TLSA"] = TryAgain("n", "TLSA", "no")
        self.is_failure(await self.counted(sent=False), Applied("tlsa"), "dnssec-invalid", asked=False)

    async def test_required(self) -> None:
        self.is_success(await self.counted(), Applied())
        self.main["smtp_tls_security_level"] = "dane-only"
        self.is_failure(await self.counted(sent=False), Applied(), "dane-required", asked=False)
