"""What servers are told that know some extensions and not others, beside a real Postfix (SM-6, DS-3, AD-2, SD-44).

Every mail goes to every server, in two worlds; commands and content must be the same.
"""

from __future__ import annotations

import contextlib
import re
import smtplib
from collections.abc import Mapping, Sequence
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.conformance.beside import beside, routes
from tests.integration.world import World
from tests.kit.waiting import wait_until_still
from tests.kit.witness import Witness

SERVERS: Mapping[str, Sequence[str] | None] = {
    "none": (), "size": ("SIZE 10000000",), "nosize": ("SIZE",), "zero": ("SIZE 0",), "small": ("SIZE 600",),
    "junk": ("SIZE abc",), "twice": ("SIZE 100", "SIZE 10000000"), "pipe": ("PIPELINING",), "eight": ("8BITMIME",),
    "dsn": ("DSN",), "utf": ("SMTPUTF8",), "both": ("SMTPUTF8", "8BITMIME"), "helo": None,
    "all": ("PIPELINING", "SIZE 10000000", "DSN", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "CHUNKING"),
    "lower": ("pipelining", "size 10000000", "dsn", "8bitmime"), "auth": ("AUTH PLAIN LOGIN", "SIZE 99999"),
    "xforward": ("XFORWARD NAME ADDR PROTO HELO SOURCE PORT IDENT", "SIZE 10000000", "8BITMIME"),
    "words": ("DSN foo bar", "8BITMIME baz", "PIPELINING x"),
}  # fmt: skip
_MIME = "MIME-Version: 1.0\r\nContent-Type: {}\r\nContent-Transfer-Encoding: 8bit\r\n"
_PARTS = "pre\r\n--b\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\u00fc=x\r\n--b\r\n\r\nplain\r\n--b--\r\n"
MAILS: Mapping[str, Mapping[str, Any]] = {
    "plain": {},
    "seven": {"mail": ["BODY=7BIT"]},
    "eight": {"body": "\u00fcber\r\n", "mail": ["BODY=8BITMIME"]},
    "text": {"body": "\u00fcber\r\n", "mail": ["BODY=8BITMIME"], "headers": _MIME.format("text/plain; charset=utf-8")},
    "parts": {"body": _PARTS, "mail": ["BODY=8BITMIME"], "headers": _MIME.format("multipart/mixed; boundary=b")},
    "undeclared": {"body": "\u00fcber\r\n"},
    "dsn": {
        "mail": ["RET=HDRS", "ENVID=a+2Bb"], "rcpt": ["NOTIFY=SUCCESS,FAILURE", "ORCPT=rfc822;orig+2B@x.example"],
    },
    "never": {"rcpt": ["NOTIFY=NEVER"]},
    "utf": {"mail": ["SMTPUTF8", "BODY=8BITMIME"], "headers": "X-\u00fc: \u00fc\r\n"},
    "dots": {"body": ".\r\n..\r\n.x\r\nend"},
    "long": {"body": "x" * 2500 + "\r\n" + "y" * 998 + "\r\n" + "z" * 999 + "\r\n"},
    "null": {"sender": ""},
    "quoted": {"sender": '"a b"@there.example'},
}  # fmt: skip
_PIECES = (
    (rb"token\w+", b"TOKEN"), (rb" SIZE=\d+", b" SIZE"), (rb"(IDENT|PORT)=\w+", rb"\1"),
    (rb"id \w{12,};\r\n\t.*\r\n", b"id ID\r\n"), (rb"Date: .*", b"Date"),
    (rb"Message-Id: <\w{12,}@", b"Message-Id: <ID@"),
)  # fmt: skip


class FeatureWorld(World):
    settings: Mapping[str, str] = {"smtp_send_xforward_command": "yes"}

    def prepare(self) -> None:
        self.servers = {name: Witness(keywords) for name, keywords in SERVERS.items()}
        self.closers += [server.close for server in self.servers.values()]

    def main(self) -> Mapping[str, str]:
        # A real one takes what a server can do for what another one can when it uses connections again.
        return {
            "transport_maps": routes(self.servers), "notify_classes": "", "smtp_connection_cache_on_demand": "no",
            "enable_long_queue_ids": "yes", "smtpd_peername_lookup": "no", **self.settings,
        }  # fmt: skip

    def run(self) -> dict[str, bytes]:
        for name in SERVERS:
            for subject, more in MAILS.items():
                with contextlib.suppress(smtplib.SMTPException):
                    self.send([f"u@{name}.example", f"v+x@{name}.example"], subject=subject, **more)
        wait_until_still(lambda: sum(len(one.mails) for one in self.servers.values()), 2)
        return {
            f"{subject} to {name}": _plain(b"".join([*heard.commands, heard.content]))
            for name, one in self.servers.items() for subject, heard in one.mails.items()
        }  # fmt: skip


class Unconverted(FeatureWorld):
    settings = {"disable_mime_output_conversion": "yes", "smtp_discard_ehlo_keywords": "dsn"}


def _plain(text: bytes) -> bytes:
    for pattern, instead in _PIECES:
        text = re.sub(pattern, instead, text)
    return text


class Features(SynchronousTestCase):
    maxDiff = None

    def compare(self, kind: type[FeatureWorld]) -> None:
        real, ours = beside(kind)
        self.assertGreater(len(real), 200)
        for name in sorted(real.keys() | ours.keys()):
            self.assertEqual(real.get(name), ours.get(name), name)

    def test_usual(self) -> None:
        self.compare(FeatureWorld)

    def test_unconverted(self) -> None:
        self.compare(Unconverted)
