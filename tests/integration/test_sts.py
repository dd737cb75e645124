"""MTA-STS (RFC 8461): policies by DNS and HTTPS, mail to servers with TLS, as the whole system does it."""

from __future__ import annotations

import json
import os
import random
import shutil
import ssl
import tempfile
from collections.abc import Mapping

from twisted.trial.unittest import SkipTest

from tests.integration.world import World, WorldCase, in_each_mode
from tests.kit.certificates import authority, leaf
from tests.kit.nameserver import Zone
from tests.kit.privatedns import PrivateDns
from tests.kit.sinks import Sink
from tests.kit.webserver import WebServer, server_side

# domain: (mode, mx in the policy, its server)
DOMAINS = {
    "good.example": ("enforce", "*.good.example", "mx.good.example"),
    "name.example": ("enforce", "mx.elsewhere.example", "mx.name.example"),
    "certificate.example": ("enforce", "mx.certificate.example", "mx.certificate.example"),
    "testing.example": ("testing", "mx.elsewhere.example", "mx.testing.example"),
    "none.example": ("none", "mx.elsewhere.example", "mx.none.example"),
    "plain.example": ("enforce", "mx.plain.example", "mx.plain.example"),
}


class StsWorld(World):
    """A sink whose certificate has the names of all servers but one, a sink without TLS, and a web server a domain."""

    def prepare(self) -> None:
        self.folder = tempfile.mkdtemp(prefix="pytwfix-sts-")
        self.closers.append(lambda: shutil.rmtree(self.folder))
        os.chmod(self.folder, 0o755)
        self.authority = self.pem("ca.pem", authority())
        servers = [server for _mode, _mx, server in DOMAINS.values() if "certificate" not in server]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.pem("sink.pem", *reversed(leaf(*servers))))
        self.tls_sink = Sink(tls=context)
        self.closers.append(self.tls_sink.close)
        self.webs = {domain: self.web(domain) for domain in DOMAINS}
        self.dns = PrivateDns(self.zone())
        self.closers.append(self.dns.close)

    def pem(self, name: str, *parts: bytes) -> str:
        path = f"{self.folder}/{name}"
        with open(path, "wb") as file:
            file.write(b"".join(parts))
        return path

    def web(self, domain: str) -> WebServer:
        """The one with the domain's policy."""
        mode, mx, _server = DOMAINS[domain]
        web = self.listening(f"mta-sts.{domain}")
        web.page = f"version: STSv1\nmode: {mode}\nmx: {mx}\nmax_age: 86400\n".encode()
        return web

    def listening(self, name: str) -> WebServer:
        """On port 443 of a loopback address that nobody else has."""
        for _ in range(20):
            address = f"127.{random.randrange(2, 250)}.{random.randrange(250)}.{random.randrange(1, 250)}"
            try:
                web = WebServer(server_side(name), address, 443)
            except OSError as error:
                reason = error
                continue
            self.closers.append(web.close)
            return web
        raise SkipTest(f"no port 443 for a web server: {reason}")

    def zone(self) -> Zone:
        zone: Zone = {}
        for domain, (_mode, _mx, server) in DOMAINS.items():
            zone[domain, "MX"] = [f"10 {server}."]
            zone[server, "A"] = ["127.0.0.1"]
            zone[f"mta-sts.{domain}", "A"] = [self.webs[domain].address[0]]
            zone[f"_mta-sts.{domain}", "TXT"] = ['"v=STSv1; id=20261126;"']
        return zone

    def main(self) -> Mapping[str, str]:
        to_sink = " ".join(f"{{{domain}=smtp:{domain}:{self.port_of(domain)}}}" for domain in DOMAINS)
        return {
            "pytwfix_mta_sts": "yes", "pytwfix_mta_sts_CAfile": self.authority, "smtp_tls_CAfile": self.authority,
            "smtp_tls_security_level": "may", "smtp_tls_loglevel": "1", "relayhost": "",
            "smtp_dns_support_level": "enabled", "smtp_host_lookup": "dns", "inet_protocols": "ipv4",
            "transport_maps": f"inline:{{ {to_sink} }}",
        }  # fmt: skip

    def port_of(self, domain: str) -> int:
        return (self.sink if domain == "plain.example" else self.tls_sink).port

    def furnish(self) -> None:
        self.system.prefix = self.dns.prefix


@in_each_mode
class Sts(WorldCase):
    """Mail to domains with policies."""

    world_class = StsWorld
    needs_root = True
    not_real = "Postfix has no MTA-STS of its own"

    def sts_world(self) -> StsWorld:
        world = self.world
        assert isinstance(world, StsWorld)
        return world

    def goes(self, domain: str, words: str) -> None:
        world, mark = self.sts_world(), self.system.mark()
        token = world.send(f"user@{domain}")
        self.assertTrue(world.got(token, world.tls_sink).tls)
        self.assertLogged(rf"to=<user@{domain}>, .*status=sent", mark)
        self.assertLogged(words, mark)

    def waits(self, domain: str, words: str) -> None:
        """Deferred, and no server has seen anything of the mail, whether by TLS or in the clear."""
        world, mark = self.sts_world(), self.system.mark()
        token = world.send(f"user@{domain}")
        line = self.assertLogged(rf"to=<user@{domain}>, .*status=", mark)
        self.assertRegex(line, words)
        for sink in (world.tls_sink, world.sink):
            self.assertEqual([], sink.all(token))
            self.assertEqual([], [one for one in sink.commands if domain in one])
        self.system.command("postsuper", "-d", "ALL")

    def test_enforced(self) -> None:
        """The certificate is checked for the server's name; the policy is kept as a file of mail_owner's."""
        self.goes("good.example", r"Verified TLS connection established to mx\.good\.example\[127\.0\.0\.1\]")
        folder = f"{self.system.directory}"
        (path,) = (
            f"{place}/good.example" for place, _folders, names in os.walk(folder)
            if place.endswith("/mta-sts") and "good.example" in names
        )  # fmt: skip
        with open(path, encoding="utf-8") as file:
            self.assertEqual("20261126", json.load(file)["id"])
        self.goes("good.example", "status=sent")
        self.assertEqual(1, len(self.sts_world().webs["good.example"].asked))

    def test_other_name(self) -> None:
        reason = r"\(mx\.name\.example is not named by the MTA-STS policy of name\.example\)"
        self.waits("name.example", rf"dsn=4\.7\.5, status=deferred {reason}")

    def test_other_certificate(self) -> None:
        self.waits("certificate.example", r"dsn=4\.7\.5, status=deferred \(Server certificate not verified\)")

    def test_no_tls(self) -> None:
        self.waits("plain.example", r"dsn=4\.7\.4, status=deferred \(TLS is required, but was not offered by host")

    def test_testing(self) -> None:
        self.goes("testing.example", r"policy of testing\.example, testing: it does not name mx\.testing\.example")

    def test_none(self) -> None:
        self.goes("none.example", r"MTA-STS policy of none\.example: mode=none")
