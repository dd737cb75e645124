"""deliver/smtp/sts.py and stscache.py: RFC 8461 with a web server, names in memory and a mail server with TLS."""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any

from pytwfix.contracts.dns import MX, TLSA, Address, TryAgain
from pytwfix.net import https
from tests.kit.accepting import ZoneResolver
from tests.kit.smtploopback import LoopbackCase, ServerContext
from tests.kit.webserver import WebServer, server_side
from tests.unit.deliver.smtp.test_dane import SignedZone, certificate, key_of

POLICY = "version: STSv1\r\nmode: {mode}\r\nmx: {mx}\r\nmax_age: {age}\r\n"


class Sts(LoopbackCase):
    """One domain, dest.example, whose server is mx.dest.example."""

    def setUp(self) -> None:
        super().setUp()
        self.offer_tls()
        self.web = WebServer(server_side("mta-sts.dest.example"))
        self.addCleanup(self.web.close)
        self.patch(https, "PORT", self.web.address[1])
        self.data = self.mktemp_folder()
        self.time = 0.0
        self.zone: dict[tuple[str, str], Any] = {
            ("dest.example", "MX"): [MX(10, "mx.dest.example")],
            ("mx.dest.example", "A"): [Address(2, "127.0.0.1")],
            ("mta-sts.dest.example", "A"): [Address(2, "127.0.0.1")],
            ("_mta-sts.dest.example", "TXT"): [b"v=STSv1; id=1;"],
        }
        self.say()
        self.restart()

    def say(self, mode: str = "enforce", mx: str = "mx.dest.example", age: int = 86400) -> None:
        self.web.page = POLICY.format(mode=mode, mx=mx, age=age).encode()

    def restart(self, **main: str) -> None:
        """The client anew, as after a restart; the clock goes on."""
        base = {
            "pytwfix_mta_sts": "yes", "pytwfix_mta_sts_CAfile": self.trust(), "smtp_tls_CAfile": self.trust(),
            "data_directory": self.data, "smtp_tls_security_level": "may", "smtp_log_tls_feature_status": "yes",
        }  # fmt: skip
        self.begin(**{**base, **main})
        self.host.resolver = ZoneResolver(self.zone)
        now = self.host.now
        self.host.now = lambda: now() + self.time  # type: ignore[method-assign]

    async def send(self) -> str:
        """The end of the delivery line."""
        before = len(self.host.log.lines)
        await self.deliver(f"dest.example:{self.port}")
        (line,) = (line for line in self.host.log.lines[before:] if ": to=<" in line)
        return line.partition("/0, ")[2] or line

    async def sent(self, tls: str) -> None:
        self.assertIn(f"tls={tls}, dsn=2.0.0, status=sent", await self.send())

    async def put_off(self, reason: str) -> None:
        line = await self.send()
        self.assertIn("dsn=4.7.5, status=deferred", line)
        self.assertIn(reason, line)
        self.assertFalse(any(b"MAIL FROM" in b" ".join(server.commands) for server in self.made), line)

    async def test_enforced(self) -> None:
        """The server's certificate is looked at, with its own name by SNI; the log says which policy it was."""
        await self.sent("secure")
        self.logged("MTA-STS policy of dest.example: mode=enforce, max_age=86400, mx=mx.dest.example")
        self.logged("Verified TLS connection established to mx.dest.example[127.0.0.1]")
        self.assertEqual({b"mx.dest.example"}, set(self.context.asked))
        self.assertEqual(["GET /.well-known/mta-sts.txt HTTP/1.1 mta-sts.dest.example"], self.web.asked)

    async def test_other_server(self) -> None:
        """A server that the policy does not name gets nothing, however good its certificate is."""
        self.say(mx="*.other.example")
        await self.put_off("mx.dest.example is not named by the MTA-STS policy of dest.example")
        self.assertEqual([], self.made)

    async def test_other_certificate(self) -> None:
        self.context = ServerContext("mail.other.example")
        await self.put_off("Server certificate not verified")

    async def test_other_authority(self) -> None:
        self.context = ServerContext("mx.dest.example", by="Other CA")
        await self.put_off("Server certificate not verified")

    async def test_no_tls(self) -> None:
        """Never in the clear."""
        self.replies["EHLO"] = b"250-mx.dest.example\r\n250 PIPELINING\r\n"
        line = await self.send()
        self.assertIn("dsn=4.7.4, status=deferred (TLS is required, but was not offered by host", line)

    async def test_system_authorities(self) -> None:
        """Without authorities of our own the system's are asked; that of the test is none of them."""
        self.restart(smtp_tls_CAfile="")
        await self.put_off("Server certificate not verified")

    async def test_testing(self) -> None:
        """The mail goes all the same, and the log says what was not right."""
        self.say("testing", "*.other.example")
        self.context = ServerContext("mail.other.example", by="Other CA")
        await self.sent("may")
        self.logged("MTA-STS policy of dest.example, testing: it does not name mx.dest.example")

    async def test_mode_none(self) -> None:
        self.say("none", "*.other.example")
        await self.sent("may")

    async def test_level_none(self) -> None:
        """A policy is done whatever the level for all others is."""
        self.restart(smtp_tls_security_level="")
        await self.sent("secure")

    async def test_stated(self) -> None:
        """smtp_tls_policy_maps knows better."""
        self.say(mx="*.other.example")
        self.restart(smtp_tls_policy_maps="inline:{dest.example=encrypt}")
        await self.sent("encrypt")
        self.assertEqual([], self.web.asked)

    async def test_not_by_mx(self) -> None:
        """A policy is about the domain's mail servers, not about a relay that we have chosen."""
        self.say(mx="*.other.example")
        await self.deliver(f"[mx.dest.example]:{self.port}")
        self.logged("tls=may, dsn=2.0.0, status=sent")
        self.assertEqual([], self.web.asked)

    async def test_off(self) -> None:
        """It is off unless it is asked for."""
        self.restart(pytwfix_mta_sts="no")
        await self.sent("may")
        self.assertEqual([], [one for one in self.host.resolver.asked if one[1] == "TXT"])

    async def test_no_policy(self) -> None:
        del self.zone["_mta-sts.dest.example", "TXT"]
        await self.sent("may")
        self.assertEqual([], self.web.asked)

    # Policies that cannot be had.

    async def test_not_fetched(self) -> None:
        """RFC 8461 section 3.3: without a good page there is no policy; the reason is logged, and five minutes pass."""
        good = self.web.head
        for head, page, reason in (
            (b"HTTP/1.1 404 Not Found\r\n", None, "HTTP status 404"),
            (b"HTTP/1.1 301 Moved\r\nLocation: https://mta-sts.dest.example/\r\n", None, "HTTP status 301"),
            (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n", None, "media type text/html"),
            (b"HTTP/1.1 200 OK\r\n", None, "media type missing"),
            (good, b"<html>", "not a field: <html>"),
            (good, b"x" * 70000, "more than 65536 bytes"),
        ):
            self.web.head = head
            if page is not None:
                self.web.page = page
            asked = len(self.web.asked)
            await self.sent("may")
            self.logged(f"warning: MTA-STS policy of dest.example cannot be fetched: {reason}")
            await self.sent("may")
            self.assertEqual(asked + 1, len(self.web.asked), reason)
            self.time += 301

    async def test_web_certificate(self) -> None:
        self.web.context = server_side("www.dest.example")
        await self.sent("may")
        self.logged("cannot be fetched: the certificate is for another name")

    # Policies that are known.

    async def test_kept(self) -> None:
        """One look at the web server does for all mail, and for the next start."""
        await self.sent("secure")
        await self.sent("secure")
        self.restart()
        await self.sent("secure")
        self.assertEqual(1, len(self.web.asked))
        self.assertEqual(["dest.example"], os.listdir(f"{self.data}/mta-sts"))
        self.assertEqual(0o700, os.stat(f"{self.data}/mta-sts").st_mode & 0o777)

    async def test_dns_fails(self) -> None:
        """RFC 8461 section 3.1: a policy that holds is done, even if nobody tells of it any more."""
        await self.sent("secure")
        for answer in (None, TryAgain("n", "TXT", "no"), [b"v=STSv1; id=1", b"v=STSv1; id=2"]):
            self.zone["_mta-sts.dest.example", "TXT"] = answer
            self.restart()
            await self.sent("secure")

    async def test_web_fails(self) -> None:
        """The same with another id, and a web server that is gone; once the time is up there is no policy."""
        await self.sent("secure")
        self.zone["_mta-sts.dest.example", "TXT"] = [b"v=STSv1; id=2"]
        self.web.head = b"HTTP/1.1 500 No\r\n"
        self.restart()
        await self.sent("secure")
        self.time = 86500
        await self.sent("may")

    async def test_new_id(self) -> None:
        """Another id in DNS brings another policy."""
        await self.sent("secure")
        self.say("none")
        self.restart()
        await self.sent("secure")
        self.zone["_mta-sts.dest.example", "TXT"] = [b"v=STSv1; id=2"]
        self.restart()
        await self.sent("may")
        with open(f"{self.data}/mta-sts/dest.example", encoding="utf-8") as file:
            self.assertEqual("2", json.load(file)["id"])

    async def test_half_its_time(self) -> None:
        """It is fetched again long before it ends."""
        await self.sent("secure")
        self.time = 43300
        self.restart()
        await self.sent("secure")
        self.assertEqual(2, len(self.web.asked))

    async def test_bad_file(self) -> None:
        """A file that makes no sense, or is a link of somebody's, is no policy: it is fetched and put in its place."""
        os.mkdir(f"{self.data}/mta-sts")
        path = f"{self.data}/mta-sts/dest.example"
        with open(path, "w", encoding="ascii") as file:
            file.write("{}")
        await self.sent("secure")
        self.assertEqual(1, len(self.web.asked))
        os.unlink(path)
        os.symlink("/etc/passwd", path)
        self.restart()
        await self.sent("secure")
        self.assertEqual((2, False), (len(self.web.asked), os.path.islink(path)))

    async def test_dane_first(self) -> None:
        """RFC 8461 section 2: where DANE decides, the policy does not matter."""
        self.say(mx="*.other.example")
        self.restart(smtp_tls_security_level="dane", smtp_dns_support_level="dnssec")
        tlsa = TLSA(3, 1, 1, hashlib.sha256(key_of(certificate())).digest())
        self.host.resolver = SignedZone({**self.zone, ("host", "TLSA"): [tlsa]})
        await self.sent("dane")
        self.assertEqual([], self.web.asked)
        self.host.resolver = SignedZone(self.zone)
        await self.deliver(f"dest.example:{self.port}")
        self.logged("is not named by the MTA-STS policy of dest.example")
