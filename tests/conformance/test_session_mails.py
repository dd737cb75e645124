"""Sessions that somebody is told of, and sessions on standard input, beside those of a real Postfix.

SD-56: transcripts to the postmaster. SD-58, SE-4: `sendmail -bs`.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping, Sequence
from typing import IO

from twisted.trial.unittest import SynchronousTestCase

from tests.conformance.beside import beside
from tests.integration.world import World
from tests.kit.waiting import wait_until_still

# What another run has otherwise.
_PIECES = (
    (r"\b[0-9A-F]{9,15}\b", "ID"), (r"<\d{14}\.ID@", "<NUMBER@"),
    (r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), [^)\n]*\)", "DATE"),
    # 3.7 names the recipient of other errors in the header of what it sends to bounce_notice_recipient.
    (r"To: Postmaster <(errors|bounces)@far\.example>", "To: Postmaster"),
)  # fmt: skip
# Sessions, and whether the postmaster hears of them; `{n}` stands for their name.
_MAIL, _RCPT, _QUIT = "MAIL FROM:<{n}@there.example>", "RCPT TO:<user@far.example>", "QUIT"
_BODY = ("DATA", "Subject: x\r\n\r\nbody\r\n.")
_LONG = ["NOOP"] * 60
SESSIONS: Mapping[str, Sequence[str]] = {
    "fine": (_MAIL, _RCPT, *_BODY, _QUIT),
    "rcpt-refused": (_MAIL, "RCPT TO:<no@far.example>", _QUIT),
    "rcpt-unknown": (_MAIL, "RCPT TO:<nobody@test.example>", "RCPT TO:<no@far.example>", _QUIT),
    "rcpt-route": (_MAIL, "RCPT TO:<x@err.example>", _QUIT),
    "rcpt-words": (_MAIL, "RCPT TO:<x@misconf.example>", _QUIT),
    "rcpt-syntax": (_MAIL, "RCPT TO:<a@@b>", "RCPT foo", _QUIT),
    "mail-syntax": ("MAIL FROM {n}", _QUIT),
    "mail-size": (_MAIL + " SIZE=9999999", _QUIT),
    "order": ("RCPT TO:<a@b>", "DATA", _QUIT),
    "no-recipients": (_MAIL, "DATA", _QUIT),
    "unknown": ("FROBNICATE now", _QUIT),
    "empty": ("", _QUIT),
    "control": ("NOOP \x01\x7f\u00fc", "FOO \x02", _QUIT),
    "wide": ("FOO " + "x" * 60 + " yyy" * 9, *("FOO " + "x" * size + " yy" for size in range(64, 72)), _QUIT),
    "header": (_MAIL, _RCPT, "DATA", "Subject: forbidden\r\n\r\nbody\r\n.", _QUIT),
    "hops": (_MAIL, _RCPT, "DATA", "Received: x\r\n" * 55 + "\r\nbody\r\n.", _QUIT),
    "large": (_MAIL, _RCPT, "DATA", "Subject: x\r\n\r\n" + "body\r\n" * 3000 + ".", _QUIT),
    "lost": ("MAIL FROM",),
    "many": tuple(f"FOO {number}" for number in range(30)),
    "junk": ("NOOP",) * 130,
    "vrfy": ("VRFY user@far.example", "VRFY no one", "VRFY", _QUIT),
    "vrfy-unknown": ("VRFY nobody@test.example", _QUIT),
    "etrn": ("ETRN far.example", _QUIT),
    "etrn-syntax": ("ETRN", _QUIT),
    "rights": ("XCLIENT ADDR=192.0.2.1", "EHLO {n}", "XFORWARD NAME=x", _QUIT),
    "another": ("FOO", "XCLIENT ADDR=192.0.2.1", "EHLO {n}", _QUIT),
    "mail-then-error": (_MAIL, _RCPT, *_BODY, "FOO", _QUIT),
    "error-then-mail": ("FOO", _MAIL, _RCPT, *_BODY, "NOOP", _QUIT),
    "error-mail-error": ("FOO", _MAIL, _RCPT, *_BODY, "BAR", _QUIT),
    "error-rset": ("FOO", "RSET", "NOOP", _QUIT),
    "long-rset": (*_LONG, "RSET", "FOO {n}", _QUIT),
    "long-helo": (*_LONG, "HELO {n}", "FOO {n}", _QUIT),
    "long-mail": (*_LONG, _MAIL, "FOO", _QUIT),
    "long-data": (*_LONG, _MAIL, _RCPT, *_BODY, "FOO {n}", _QUIT),
    "error-long-rset": ("FOO", *_LONG, "RSET", "NOOP", _QUIT),
}
STDIN: Sequence[str] = (
    "EHLO me\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<u@far.example>\r\nDATA\r\nSubject: x\r\n\r\nx\r\n.\r\nQUIT\r\n",
    "helo me\nmail from:<a@b.example>\nrcpt to:<u@far.example>\ndata\nSubject: x\n\nx\n.\nquit\n",
    "MAIL FROM:<a@b.example>\r\nRCPT TO:<u@far.example>\r\nRCPT TO:<v@far.example> NOTIFY=NEVER\r\n"
    "DATA\r\n..x\r\n.\r\n",
    "EHLO\r\nHELO\r\nMAIL\r\nMAIL FROM:a@b\r\nMAIL FROM:<a@b.example> SIZE=1 BODY=8BITMIME\r\nRCPT\r\nQUIT\r\n",
    "RCPT TO:<a@b>\r\nDATA\r\nBDAT 3\r\nNOOP\r\nRSET\r\nVRFY a@far.example\r\nEXPN x\r\nQUIT\r\n",
    "EHLO me\r\nMAIL FROM:<a@b.example> FOO=bar\r\nMAIL FROM:<a@b.example> SIZE=99999999\r\nQUIT now\r\n",
    "EHLO me\r\nMAIL FROM:<a@b.example>\r\nMAIL FROM:<a@b.example>\r\nEHLO again\r\n"
    "RCPT TO:<u@far.example>\r\nQUIT\r\n",
    "EHLO me\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<no@far.example>\r\nRCPT TO:<u@[127.0.0.1]>\r\n"
    "RCPT TO:<u>\r\nQUIT\r\n",
    "STARTTLS\r\nAUTH PLAIN xx\r\nXCLIENT NAME=x\r\nXFORWARD NAME=x\r\nETRN far.example\r\nGET / HTTP/1.0\r\n",
    "EHLO me\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<u@far.example>\r\nBDAT 14 LAST\r\nSubject: x\r\n\r\nQUIT\r\n",
    "EHLO me\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<u@far.example>\r\nDATA\r\nSubject: x\r\n\r\nno end",
    "EHLO me\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<postmaster>\r\n"
    "RCPT TO:<\"q u\"@far.example>\r\nDATA\r\n\r\n.\r\nQUIT\r\n",
    "",
    "\r\n\r\nQUIT\r\n",
    "QUI",
    "NOOP\r\n" * 30,
    "FOO\r\n" * 30,
)


class SessionWorld(World):
    def main(self) -> Mapping[str, str]:
        return {
            "notify_classes": "resource, software, bounce, 2bounce, delay, data, policy, protocol",
            "error_notice_recipient": "errors@far.example", "bounce_notice_recipient": "bounces@far.example",
            "smtpd_recipient_restrictions": "check_recipient_access inline:{ {no@far.example=REJECT no} "
            "{x@misconf.example=frobnicate} }, permit",
            "smtpd_helo_restrictions": "check_helo_access regexp:{ {/^bad/ REJECT bad name} }",
            "transport_maps": "inline:{ {err.example=error:5.1.2 no such place} }",
            "header_checks": "regexp:{ {/forbidden/ REJECT not this} }", "mydestination": "test.example",
            "local_recipient_maps": "inline:{ {known=x} }", "smtpd_authorized_xclient_hosts": "127.0.0.1",
            "message_size_limit": "10000", "smtpd_error_sleep_time": "0", "smtpd_soft_error_limit": "1000",
            "smtpd_peername_lookup": "no", "fast_flush_domains": "relay.example",
        }  # fmt: skip

    def run(self) -> tuple[dict[str, str], list[str]]:
        """What the postmaster was told, by sessions, and what `sendmail -bs` says."""
        for name in SESSIONS:
            talk(self, name)
        wait_until_still(lambda: len(self.sink.all("")), 1.5)
        found: dict[str, str] = {}
        for message in self.sink.all("Transcript of session follows"):
            names = re.findall(r"(?:HELO|EHLO|FOO) ([a-z-]+)$", message.text, re.MULTILINE)
            text = normal(message.text)
            found[names[0] if names else text] = f"{message.sender} {message.recipients}\n{text}"
        answers = [self.system.command("sendmail", "-bs", text=text) for text in STDIN]
        return found, [normal(f"{one.code}\n{one.out}\n{one.err}") for one in answers]


def talk(world: World, name: str) -> None:
    """One session, command by command."""
    with socket.create_connection(("127.0.0.1", world.port), 20) as connection, connection.makefile("rb") as answers:
        _reply(answers)
        for command in ("EHLO {n}", *SESSIONS[name]):
            try:
                connection.sendall(command.replace("{n}", name).encode("utf-8") + b"\r\n")
            except OSError:
                return
            if not _reply(answers):
                return


def _reply(answers: IO[bytes]) -> bool:
    """Whether there is one."""
    while True:
        try:
            line = answers.readline()
        except OSError:
            return False
        if line[3:4] != b"-":
            return bool(line)


def normal(text: str) -> str:
    for pattern, instead in _PIECES:
        text = re.sub(pattern, instead, text)
    return text


class Sessions(SynchronousTestCase):
    """One test, so that there is one world of each kind at a time."""

    maxDiff = None

    def test_same(self) -> None:
        """SD-56, SD-58, SE-4."""
        (real, real_said), (ours, ours_said) = beside(SessionWorld)
        self.assertGreater(len(real), 25)
        for name in sorted(real.keys() | ours.keys()):
            self.assertEqual(real.get(name, ""), ours.get(name, ""), name)
        for text, one, other in zip(STDIN, real_said, ours_said, strict=True):
            self.assertEqual(one, other, text)
