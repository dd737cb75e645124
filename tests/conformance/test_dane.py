"""DANE by a signed zone of our own, ours beside a real Postfix: lines of the log for each kind of TLSA record (SM-18).

knot signs, unbound validates, and both systems ask it (RFC 7671, RFC 7672; TL-7).
"""

from __future__ import annotations

import hashlib
import re
import ssl
import tempfile
from collections.abc import Mapping
from copy import copy
from functools import partial

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests.conformance.beside import beside, differences, shown
from tests.integration.world import World
from tests.kit.certificates import authority, leaf
from tests.kit.hostile import Hostile, Script, Session
from tests.kit.signedzone import SignedZones
from tests.kit.waiting import wait_for

_SIGNED, _UNSIGNED, _BOGUS = "signed.example", "unsigned.example", "bogus.example"
_OFFER = b"250-hostile.example\r\n250-PIPELINING\r\n250-STARTTLS\r\n250 8BITMIME\r\n"
_NET = "127.77.5"


def _secured(context: ssl.SSLContext, session: Session) -> None:
    session.say(b"220 2.0.0 go\r\n")
    session.start_tls(context)
    inside = copy(session.hostile)  # for this session alone
    inside.script = {**inside.script, "EHLO": b"250 hostile.example\r\n"}
    session.hostile = inside


def _context(host: str) -> ssl.SSLContext:
    """A certificate for the host, with its authority's behind it."""
    certificate, key = leaf(host)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as file:
        file.write(certificate + authority() + key)
        file.flush()
        context.load_cert_chain(file.name)
    return context


def _digest(pem: bytes, whole: bool) -> str:
    certificate = x509.load_pem_x509_certificate(pem)
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(certificate.public_bytes(Encoding.DER) if whole else key).hexdigest()


def _tlsa(kind: str, host: str) -> list[str]:
    own, ca = leaf(host)[0], authority()
    return {
        "ee": [f"3 1 1 {_digest(own, False)}"], "ee-whole": [f"3 0 1 {_digest(own, True)}"],
        "ta": [f"2 0 1 {_digest(ca, True)}"], "ta-key": [f"2 1 1 {_digest(ca, False)}"],
        "wrong": [f"3 1 1 {'00' * 32}"], "wrong-ta": [f"2 0 1 {'00' * 32}"],
        "both": [f"3 1 1 {'00' * 32}", f"2 1 1 {_digest(ca, False)}"],
        "pkix": [f"1 1 1 {_digest(own, False)}"], "unknown": [f"3 1 9 {'00' * 32}"], "none": [],
        "no-tls": [f"3 1 1 {_digest(own, False)}"],
    }[kind]  # fmt: skip


KINDS = ("ee", "ee-whole", "ta", "ta-key", "wrong", "wrong-ta", "both", "pkix", "unknown", "none", "no-tls")
# Mail's domain: level. `open` is in a zone without signatures, `bogus` in one whose signatures are wrong.
CASES = {
    **{f"{kind}.{_SIGNED}": "dane" for kind in KINDS},
    **{f"only-{kind}.{_SIGNED}": "dane-only" for kind in ("ee", "ta", "wrong", "pkix", "none")},
    f"open.{_UNSIGNED}": "dane", f"only-open.{_UNSIGNED}": "dane-only", f"d.{_BOGUS}": "dane",
}  # fmt: skip
_PIECES = (
    (r"^.{15} \S+ (\S+)\[\d+\]", r"\1"), (r"\b[0-9A-F]{9,15}\b", "ID"), (r"delay=[\d.]+", "delay=N"),
    (r"delays=[\d./]+", "delays=N"), (r"conn_use=\d+, ", ""),
)  # fmt: skip


class DaneWorld(World):
    """A server on port 25 for each kind."""

    def prepare(self) -> None:
        signed, servers = "", {}
        for number, kind in enumerate((*KINDS, "open"), 1):
            host, address = f"mx-{kind}.{_UNSIGNED if kind == 'open' else _SIGNED}", f"{_NET}.{number}"
            script: Script = {"EHLO": _OFFER, "STARTTLS": partial(_secured, _context(host))}
            try:
                servers[kind] = Hostile({} if kind == "no-tls" else script, address, 25)
            except OSError as error:
                raise SkipTest(f"no port 25: {error}") from error
            self.closers.append(servers[kind].close)
            if kind == "open":
                continue
            signed += f"{kind} MX 10 mx-{kind}\nonly-{kind} MX 10 mx-{kind}\nmx-{kind} A {address}\n"
            signed += "".join(f"_25._tcp.mx-{kind} TLSA {text}\n" for text in _tlsa(kind, host))
        opened = f"open MX 10 mx-open\nonly-open MX 10 mx-open\nmx-open A {_NET}.{len(KINDS) + 1}\n"
        zones = {_SIGNED: signed, _UNSIGNED: opened, _BOGUS: f"d MX 10 mx\nmx A {_NET}.1\n"}
        self.dns = SignedZones(zones, _UNSIGNED, _BOGUS)
        self.closers.append(self.dns.close)

    def main(self) -> Mapping[str, str]:
        levels = " ".join(f"{{{name}={level}}}" for name, level in CASES.items())
        return {
            "relayhost": "", "smtp_dns_support_level": "dnssec", "smtp_host_lookup": "dns", "notify_classes": "",
            "smtp_tls_policy_maps": f"inline:{{ {levels} }}", "smtp_tls_security_level": "may",
            "smtp_tls_loglevel": "1", "minimal_backoff_time": "1000s",
            "smtp_connection_cache_on_demand": "no", "default_process_limit": "100",
            "smtp_tls_session_cache_database": "", "mydestination": "",
        }  # fmt: skip

    def furnish(self) -> None:
        self.system.prefix = self.dns.prefix

    def run(self) -> dict[str, list[str]]:
        """What the log says of each case's mail."""
        for name in CASES:
            self.send(f"u@{name}", sender="")
        wait_for(lambda: len(self._ends()) >= len(CASES) or None, self.system.told, 60)
        lines = self.system.log().splitlines()
        return {name: self._lines_of(name, lines) for name in CASES}

    def _ends(self) -> list[str]:
        return [line for line in self.system.log().splitlines() if re.search(r"/(smtp|error)\[.*: to=<", line)]

    def _lines_of(self, name: str, lines: list[str]) -> list[str]:
        idents = re.findall(rf": (\w+): to=<u@{re.escape(name)}>", "\n".join(lines))
        mine = re.compile("|".join(set(idents)))
        found = []
        for line in lines:
            if "/smtp[" in line and mine.search(line):
                for pattern, text in _PIECES:
                    line = re.sub(pattern, text, line)
                found.append(line)
        kind = re.escape(name.partition(".")[0].removeprefix("only-"))
        trust = [line for line in lines if re.search(rf"TLS connection established to mx-{kind}\.", line)]
        return [*sorted(found), *sorted({re.sub(r".*\]: (\w+) TLS.*", r"\1", line) for line in trust})]


class Dane(SynchronousTestCase):
    """One run of both."""

    def test_beside_a_real_one(self) -> None:
        """SM-18, TL-7: usable and useless records, right and wrong ones, none, and answers that nobody signed."""
        theirs, ours = beside(DaneWorld)
        for kind in ("ee", "ee-whole", "ta", "ta-key", "both", "only-ee", "only-ta"):
            self.assertIn("status=sent", str(ours[f"{kind}.{_SIGNED}"]))
        for kind in ("wrong", "wrong-ta", "no-tls", "only-none"):
            self.assertIn("status=deferred", str(ours[f"{kind}.{_SIGNED}"]))
        different = differences(theirs, ours)
        self.assertEqual({}, different, shown(different))
