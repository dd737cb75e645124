"""What the postmaster is told of servers that break the rules, beside a real Postfix (SM-17)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from twisted.trial.unittest import SynchronousTestCase

from tests.conformance.beside import beside, routes
from tests.conformance.test_session_mails import normal
from tests.integration.world import World
from tests.kit.hostile import DROP, Hostile, Script
from tests.kit.waiting import wait_until_still

_CODES = (220, 354, 421, 450, 500, 501, 503, 509, 510, 550, 555, 650)


def _cases() -> dict[str, Script]:
    steps = {"banner": "b", "EHLO": "e", "MAIL": "m", "RCPT": "r", "DATA": "d", "end": "x"}
    found: dict[str, Script] = {
        f"{letter}{code}": {step: b"%d what\r\n" % code}
        for step, letter in steps.items() for code in _CODES
        if (step, code) not in (("banner", 220), ("DATA", 354), ("EHLO", 220))
    }  # fmt: skip
    return {
        **found,
        "fine": {},
        "long": {"MAIL": b"500 5.5.1 " + b"word567890 " * 20 + b"\r\n"},
        "lines": {"MAIL": b"500-5.5.1 one\r\n500 5.5.1 two\r\n"},
        "control": {"MAIL": b"500 5.5.1 \x01\x02\xff\r\n"},
        "lost": {"MAIL": DROP},
        "slow": {"EHLO": b"250 x\r\n", "RCPT": b"500 what\r\n"},
        "helo": {"EHLO": b"500 what\r\n", "HELO": b"501 what\r\n"},
    }


CASES = _cases()


class PeerWorld(World):
    def prepare(self) -> None:
        self.peers = {name: Hostile(script) for name, script in CASES.items()}
        self.closers += [peer.close for peer in self.peers.values()]

    def main(self) -> Mapping[str, str]:
        return {
            "notify_classes": "protocol", "error_notice_recipient": "errors@far.example",
            "transport_maps": routes(self.peers), "smtp_connection_cache_on_demand": "no",
        }  # fmt: skip

    def run(self) -> dict[str, str]:
        for name in CASES:
            self.send(f"user@{name}.example", subject=name)
        wait_until_still(lambda: len(self.sink.all("")), 2)
        found: dict[str, str] = {}
        for message in self.sink.all("Transcript of session follows"):
            port = re.findall(r"errors from \S+\]:(\d+)$", message.text, re.MULTILINE)[0]
            (name,) = (name for name, peer in self.peers.items() if str(peer.port) == port)
            found[name] = _plain(normal(message.text).replace(f":{port}", ":PORT"))
        return found


def _plain(text: str) -> str:
    """A real one says QUIT before it has heard of the mail, and RSET before a QUIT that ends a mail's commands; queue
    IDs of different lengths make mails of different sizes."""
    text = re.sub(r" SIZE=\d+", " SIZE", text).replace("\n Out: RSET\n", "\n").replace("\n In:  250 2.0.0 Ok\n", "\n")
    head, dot, rest = text.partition("\n Out: .\n")
    return "\n".join([head + dot, *sorted(rest.split("\n"))])


class Servers(SynchronousTestCase):
    maxDiff = None

    def test_same(self) -> None:
        """SM-17."""
        real, ours = beside(PeerWorld)
        self.assertGreater(len(real), 20)
        for name in CASES:
            self.assertEqual(real.get(name, ""), ours.get(name, ""), name)
