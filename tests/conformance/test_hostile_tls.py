"""Next hops whose TLS is broken, ours beside a real Postfix: what becomes of the mail, and what the client logs.

TL-7, SM-13, SM-14, LG-9. STARTTLS is refused, or broken at each step, or followed by plaintext that claims to be the
answer to what comes after it; certificates are wrong in each way; for each level of security.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from functools import partial

from twisted.trial.unittest import SynchronousTestCase

from tests.conformance.beside import beside, differences, shown
from tests.integration.world import World
from tests.kit.certificates import authority, leaf
from tests.kit.hostile import DROP, RESET, STALL, Hostile, Script, Session
from tests.kit.waiting import wait_for

_OFFER = b"250-hostile.example\r\n250-PIPELINING\r\n250-STARTTLS\r\n250 8BITMIME\r\n"
_GO = b"220 2.0.0 go\r\n"
_ALERT = b"\x15\x03\x01\x00\x02\x02\x28"  # fatal, handshake_failure
_NAME = "hostile.example"
_LEVELS = {
    "may": "may", "encrypt": "encrypt", "verify": f"verify match={_NAME}", "secure": f"secure match={_NAME}",
    "fingerprint": "fingerprint match=00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF",
}  # fmt: skip


def _answer(data: bytes, session: Session) -> None:
    """220, and what follows it in plaintext."""
    session.say(_GO + data)


def _secured(certificate: str, then: Script, early: bytes, session: Session) -> None:
    """220 (with `early` behind it in the same packet), the handshake, and then another script."""
    session.say(_GO + early)
    session.start_tls(_context(certificate))
    session.hostile.script = {**session.hostile.script, "EHLO": b"250 hostile.example\r\n", **then}


def _context(kind: str) -> ssl.SSLContext:
    names, more = {
        "good": ([_NAME], {}), "other": (["other.example"], {}), "expired": ([_NAME], {"days": 30}),
        "stranger": ([_NAME], {"by": "Another CA"}),
    }[kind]  # fmt: skip
    certificate, key = leaf(*names, **more)  # type: ignore[arg-type]
    return _loaded(certificate, key)


def _loaded(certificate: bytes, key: bytes) -> ssl.SSLContext:
    import tempfile

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as file:
        file.write(certificate + key)
        file.flush()
        context.load_cert_chain(file.name)
    return context


def _fails(session: Session) -> None:
    """A handshake with nothing in common."""
    session.say(_GO)
    context = _context("good")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-RSA-AES128-GCM-SHA256")  # the key is no RSA key
    session.start_tls(context)


def _drops(session: Session) -> None:
    session.say(_GO)
    session.end()


_BROKEN: dict[str, Script] = {
    "none": {"EHLO": b"250-hostile.example\r\n250 PIPELINING\r\n"},
    "soft": {"STARTTLS": b"454 4.7.0 not now\r\n"},
    "hard": {"STARTTLS": b"554 5.7.0 never\r\n"},
    "odd": {"STARTTLS": b"250 what\r\n"},
    "drop": {"STARTTLS": DROP},
    "reset": {"STARTTLS": RESET},
    "stall": {"STARTTLS": STALL},
    "drop-after": {"STARTTLS": _drops},
    "garbage": {"STARTTLS": partial(_answer, b"hello there\r\n")},
    "alert": {"STARTTLS": partial(_answer, _ALERT)},
    "mute": {"STARTTLS": _GO},
    "nothing-common": {"STARTTLS": _fails},
}
_CERTIFICATES: dict[str, Script] = {
    kind: {"STARTTLS": partial(_secured, kind, {}, b"")} for kind in ("good", "other", "expired", "stranger")
}
_EARLY = {
    "early-ehlo": b"250-injected.example\r\n250 SIZE 1\r\n",
    "early-all": b"250 injected.example\r\n250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 go\r\n250 2.0.0 queued as evil\r\n",
    "early-half": b"250-inj",
}
_INSIDE: dict[str, Script] = {
    "drop-ehlo": {"STARTTLS": partial(_secured, "good", {"EHLO": DROP}, b"")},
    "refuse-ehlo": {"STARTTLS": partial(_secured, "good", {"EHLO": b"550 5.7.1 no\r\n"}, b"")},
    "drop-mail": {"STARTTLS": partial(_secured, "good", {"MAIL": DROP}, b"")},
    "soft-mail": {"STARTTLS": partial(_secured, "good", {"MAIL": b"451 4.3.0 no\r\n"}, b"")},
    "drop-end": {"STARTTLS": partial(_secured, "good", {"end": DROP}, b"")},
    "rude-quit": {"STARTTLS": partial(_secured, "good", {"QUIT": DROP}, b"")},
}


def _cases() -> dict[str, tuple[str, Script]]:
    """By the name that is the mail's domain: level and script."""
    made: dict[str, tuple[str, Script]] = {}
    for level in ("may", "encrypt", "secure"):
        for name, script in _BROKEN.items():
            made[f"{name}-{level}"] = (level, {"EHLO": _OFFER, **script})
    for level in _LEVELS:
        for name, script in _CERTIFICATES.items():
            made[f"{name}-cert-{level}"] = (level, {"EHLO": _OFFER, **script})
    for level in ("may", "encrypt", "secure"):  # plaintext that claims to be the answer to what comes inside
        for name, early in _EARLY.items():
            made[f"{name}-{level}"] = (level, {"EHLO": _OFFER, "STARTTLS": partial(_secured, "good", {}, early)})
    for name, script in _INSIDE.items():
        made[f"{name}-encrypt"] = ("encrypt", {"EHLO": _OFFER, **script})
    return made


CASES = _cases()
_PIECES = (
    (r"^.{15} \S+ (\S+)\[\d+\]", r"\1"), (r"\b[0-9A-F]{9,15}\b", "ID"), (r"(127\.0\.0\.1\]?):\d+", r"\1:PORT"),
    (r"delay=[\d.]+", "delay=N"), (r"delays=[\d./]+", "delays=N"), (r"conn_use=\d+, ", ""),
    (r"SSL_connect error to (\S+): .*", r"SSL_connect error to \1"),
)  # fmt: skip


class TlsWorld(World):
    """A server for each case; time limits of two seconds."""

    cases: Mapping[str, tuple[str, Script]] = CASES

    def prepare(self) -> None:
        self.servers = {name: Hostile(script) for name, (_level, script) in self.cases.items()}
        self.closers.extend(one.close for one in self.servers.values())

    def main(self) -> Mapping[str, str]:
        routes, levels = [], []
        for name, one in self.servers.items():
            routes.append(f"{{{name}.example=smtp:[127.0.0.1]:{one.port}}}")
            levels.append(f"{{[127.0.0.1]:{one.port} = {_LEVELS[self.cases[name][0]]}}}")
        stages = ("helo", "mail", "rcpt", "data_init", "data_xfer", "data_done", "quit", "rset", "connect", "starttls")
        return {
            "transport_maps": f"inline:{{ {' '.join(routes)} }}", "smtp_tls_CAfile": "@CONFIG@/ca.pem",
            "smtp_tls_policy_maps": f"inline:{{ {' '.join(levels)} }}", "notify_classes": "",
            "smtp_destination_concurrency_limit": "2", "minimal_backoff_time": "1000s", "queue_run_delay": "1000s",
            **{f"smtp_{stage}_timeout": "2s" for stage in stages}, "default_process_limit": "150",
            "smtp_connection_cache_on_demand": "no", "smtp_tls_loglevel": "1", "smtp_tls_session_cache_database": "",
            "smtp_tls_fingerprint_digest": "md5",
        }  # fmt: skip

    def tables(self) -> Mapping[str, str]:
        return {"ca.pem": authority().decode()}

    def furnish(self) -> None:
        self.system.write_main(**{name: self.system.filled(text) for name, text in self.main().items()})

    def run(self) -> dict[str, list[str]]:
        """What the log says of each case's mail, beside the queue's own lines."""
        for name in self.cases:
            self.send(f"u@{name}.example", sender="")
        wait_for(lambda: len(self._ends()) >= len(self.cases) or None, self.system.told, 60)
        lines = self.system.log().splitlines()
        return {name: self._lines_of(name, lines) for name in self.cases}

    def _ends(self) -> list[str]:
        return [line for line in self.system.log().splitlines() if "/smtp[" in line and ": to=<" in line]

    def _lines_of(self, name: str, lines: list[str]) -> list[str]:
        """Those that name its server or its mail, without OpenSSL's own words."""
        idents = re.findall(rf": (\w+): to=<.@{name}\.example>", "\n".join(lines))
        mine = re.compile("|".join([rf":{self.servers[name].port}\b", *set(idents)]))
        found = []
        for line in lines:
            if "/smtp[" in line and mine.search(line) and "TLS library problem" not in line:
                for pattern, text in _PIECES:
                    line = re.sub(pattern, text, line)
                found.append(line)
        return sorted(found)


class HostileTls(SynchronousTestCase):
    """One run of both."""

    def test_beside_a_real_one(self) -> None:
        """TL-7, SM-13, SM-14: the same lines, and no mail in plaintext where TLS is a must."""
        theirs, ours = beside(TlsWorld)
        self.assertNotIn("evil", str(ours))  # what was sent ahead in plaintext is no answer
        required = [name for name, (level, _script) in CASES.items() if level != "may"]
        sent = [name for name in required if "status=sent" in str(ours[name])]
        self.assertEqual([], [name for name in sent if "TLS connection established" not in str(ours[name])])
        different = differences(theirs, ours)
        self.assertEqual({}, different, shown(different))
