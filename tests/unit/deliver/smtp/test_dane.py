"""The levels dane and dane-only (SM-12, TL-8; RFC 7672)."""

from __future__ import annotations

import hashlib
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import Certificate, load_pem_x509_certificate
from twisted.internet.defer import Deferred, fail, succeed

from pytwfix.contracts.dns import MX, TLSA, Address, Answer, NoData, TryAgain
from tests.kit.accepting import ZoneResolver
from tests.kit.certificates import authority, leaf
from tests.kit.smtploopback import LoopbackCase, ServerContext


def certificate() -> Certificate:
    return load_pem_x509_certificate(leaf("mx.dest.example", by="Test CA")[0])


def key_of(one: Certificate) -> bytes:
    return one.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


class SignedZone(ZoneResolver):
    """A zone that DNSSEC vouches for, but for the types in `insecure`."""

    insecure: tuple[str, ...] = ()

    def _ask(self, name: str, rtype: str) -> Deferred[Answer]:
        def vouch(answer: Answer) -> Answer:
            return answer._replace(validated=rtype not in self.insecure)

        return super()._ask(name, rtype).addCallback(vouch)

    def tlsa(self, name: str) -> Deferred[Answer]:
        self.asked.append((name, "TLSA"))
        found = self.zone.get(("host", "TLSA"))
        if isinstance(found, Exception):
            return fail(found)
        return succeed(Answer(tuple(found or ()), "TLSA" not in self.insecure, 60, name))


class Dane(LoopbackCase):
    def setUp(self) -> None:
        super().setUp()
        self.offer_tls()

    async def send(self, *records: TLSA | Exception, insecure: tuple[str, ...] = (), **main: Any) -> str:
        """The end of the delivery line."""
        base = {"smtp_tls_security_level": "dane", "smtp_dns_support_level": "dnssec"}
        self.begin(smtp_log_tls_feature_status="yes", **{**base, **main})
        tlsa: Any = records[0] if records and isinstance(records[0], Exception) else list(records)
        self.host.resolver = SignedZone(
            {
                ("dest.example", "MX"): [MX(10, "mx.dest.example")],
                ("mx.dest.example", "A"): [Address(2, "127.0.0.1")],
                ("host", "TLSA"): tlsa,
            }
        )
        self.host.resolver.insecure = insecure
        await self.deliver(f"dest.example:{self.port}")
        (line,) = (line for line in self.host.log.lines if ": to=<" in line)
        return line.partition("/0, ")[2] or line

    async def test_end(self) -> None:
        """TL-8: usage 3, by certificate or key, whole or by digest; SNI is the server's name."""
        der = certificate().public_bytes(Encoding.DER)
        key = key_of(certificate())
        for record in (
            TLSA(3, 0, 0, der),
            TLSA(3, 1, 1, hashlib.sha256(key).digest()),
            TLSA(3, 1, 2, hashlib.sha512(key).digest()),
        ):
            self.assertIn("tls=dane, dsn=2.0.0, status=sent", await self.send(record))
        self.logged("Verified TLS connection established to mx.dest.example[127.0.0.1]")
        self.assertEqual(set(self.context.asked), {b"mx.dest.example"})
        self.assertIn((f"_{self.port}._tcp.mx.dest.example", "TLSA"), self.host.resolver.asked)

    async def test_other_certificate(self) -> None:
        """SM-12: what does not match is not delivered to, nor in the clear."""
        end = await self.send(TLSA(3, 1, 1, b"x" * 32))
        self.assertIn("dsn=4.7.5, status=deferred (Server certificate not verified)", end)

    async def test_anchor(self) -> None:
        """TL-8: usage 2: the authority is in the record; the name must be right."""
        root = load_pem_x509_certificate(authority())
        record = TLSA(2, 0, 0, root.public_bytes(Encoding.DER))
        self.assertIn("tls=dane, dsn=2.0.0", await self.send(record))
        self.context = ServerContext("mx.other.example")
        self.assertIn("dsn=4.7.5", await self.send(record))
        self.context = ServerContext("mx.dest.example", by="Other CA")
        self.assertIn("dsn=4.7.5", await self.send(record))

    async def test_agility(self) -> None:
        """SM-12: the strongest digest alone counts."""
        key = key_of(certificate())
        good, bad = TLSA(3, 1, 1, hashlib.sha256(key).digest()), TLSA(3, 1, 2, b"x" * 64)
        self.assertIn("dsn=4.7.5", await self.send(good, bad))
        self.assertIn("dsn=2.0.0", await self.send(good, bad, tls_dane_digests="sha256"))

    async def test_nothing(self) -> None:
        """SM-12: no records, or none that DNSSEC vouches for: as at the level may."""
        record = TLSA(3, 1, 1, b"x" * 32)
        self.assertIn("tls=may, dsn=2.0.0", await self.send())
        self.assertIn("tls=may, dsn=2.0.0", await self.send(NoData("x", "TLSA", "x")))
        self.assertIn("tls=may, dsn=2.0.0", await self.send(record, insecure=("TLSA",)))
        self.assertIn("tls=may, dsn=2.0.0", await self.send(record, insecure=("A",)))

    async def test_unusable(self) -> None:
        """SM-12: records that cannot be used call for TLS all the same."""
        for record in (TLSA(1, 0, 1, b"x" * 32), TLSA(3, 1, 1, b"x"), TLSA(3, 7, 1, b"x" * 32)):
            self.assertIn("tls=encrypt, dsn=2.0.0", await self.send(record))

    async def test_insecure_mx(self) -> None:
        """SM-12: smtp_tls_dane_insecure_mx_policy."""
        record = TLSA(3, 1, 1, b"x" * 32)
        for policy, end in (
            ("dane", "dsn=4.7.5"),
            ("encrypt", "tls=encrypt, dsn=2.0.0"),
            ("may", "tls=may, dsn=2.0.0"),
        ):
            self.assertIn(
                end, await self.send(record, insecure=("MX",), smtp_tls_dane_insecure_mx_policy=policy), policy
            )

    async def test_only(self) -> None:
        """SM-12: dane-only delivers to nobody else."""
        only: dict[str, Any] = {"smtp_tls_security_level": "dane-only"}
        self.assertIn("dsn=4.7.5, status=deferred (no TLSA records found)", await self.send(**only))
        self.assertIn("(TLSA records unusable)", await self.send(TLSA(1, 0, 1, b"x" * 32), **only))
        good = TLSA(3, 1, 1, hashlib.sha256(key_of(certificate())).digest())
        self.assertIn("non DNSSEC destination", await self.send(good, insecure=("MX",), **only))
        self.assertIn("tls=dane-only, dsn=2.0.0", await self.send(good, **only))

    async def test_failures(self) -> None:
        """SM-12: a look-up that fails is no excuse."""
        end = await self.send(TryAgain("x", "TLSA", "x"))
        self.assertIn(f"dsn=4.7.5, status=deferred (TLSA lookup error for mx.dest.example:{self.port})", end)

    async def test_dnssec_is_off(self) -> None:
        """SM-12: dane without smtp_dns_support_level = dnssec is a mistake."""
        self.assertIn("(client TLS configuration problem)", await self.send(smtp_dns_support_level="enabled"))
