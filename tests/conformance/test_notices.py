"""Notices beside those of a real Postfix, byte for byte but for IDs, times, ports and the order of recipients.

BO-1 to BO-3, DS-1 to DS-4, SE-1. Both systems get the same mails and commands; both sinks keep what they are sent.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests.integration.world import World
from tests.kit.mailsystem import INLINE, POSTFIX, missing
from tests.kit.sinks import Received
from tests.kit.waiting import NotInTime, wait_for

ALIASES = {
    "one@alias.example": "somebody@far.example", "two@alias.example": "{x1@far.example, perm-x2@far.example}",
    "both@alias.example": "{a1@far.example, b1@far.example}", "postmaster@test.example": "pm@far.example",
}  # fmt: skip
TEMPLATES = """\
failure_template = <<EOF
Charset: utf-8
From: MAILER-DAEMON (Eigener Postbote)
Subject: Nicht zugestellt: bytes
Postmaster-Subject: Postmaster Kopie

This is $myhostname, for $maximal_queue_lifetime_seconds s.
Grüße from ${mail_name}.
  indented $$dollar line
EOF

delay_template = <<EOF
Charset: us-ascii
From: MAILER-DAEMON (Delay)
Subject: Delayed here
Postmaster-Subject: PM delay

Delayed $delay_warning_time_seconds s at $myhostname
EOF

success_template = <<EOF
Charset: us-ascii
From: MAILER-DAEMON (Ok)
Subject: Done

Done at $myhostname
EOF

verify_template = <<EOF
Charset: us-ascii
From: MAILER-DAEMON (Ver)
Subject: Verified

Verified at $myhostname
EOF
"""
# What another run has otherwise.
_PIECES = (
    (r"token\w+", "TOKEN"), (r"\b[0-9A-F]{9,15}\.\d+/", "BOUNDARY/"), (r"\b[0-9A-F]{9,15}\b", "ID"),
    (r"<\d{14}\.ID@", "<NUMBER@"), (r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), [^)\n]*\)", "DATE"),
    (r"(127\.0\.0\.1\]?):\d+", r"\1:PORT"),
)  # fmt: skip
# A running 3.7 calls an address with UTF-8 rfc822 where the sender gave no type; CA-7 (RFC 6533) says utf-8.
_KNOWN = (r"Original-Recipient: rfc822;(?=[^\n]*[^\x00-\x7f])", "Original-Recipient: utf-8;")


class NoticeWorld(World):
    extra: Mapping[str, str] = {}

    def main(self) -> Mapping[str, str]:
        aliases = " ".join(f"{{{name}={value}}}" for name, value in ALIASES.items())
        return {
            "virtual_alias_domains": "alias.example", "virtual_alias_maps": f"inline:{{ {aliases} }}",
            "transport_maps": "inline:{ {err.example=error:5.1.2 no such place} {later.example=retry:4.4.1 not yet} }",
            "smtpd_recipient_restrictions": "check_recipient_access inline:{ {no@far.example=REJECT no} }, permit",
            "notify_classes": "resource, software, bounce, 2bounce, delay, data, policy",
            "queue_run_delay": "1s", "minimal_backoff_time": "1s", "maximal_backoff_time": "1s",
            "delay_warning_time": "1s", "bounce_size_limit": "1500", **self.extra,
        }  # fmt: skip

    def tables(self) -> Mapping[str, str]:
        return {"bounce.cf": TEMPLATES}


class OwnTemplates(NoticeWorld):
    extra = {
        "bounce_template_file": "@CONFIG@/bounce.cf",
        "maximal_queue_lifetime": "5s",
        "bounce_queue_lifetime": "5s", "enable_threaded_bounces": "yes",
    }


def scenario(world: World) -> None:
    """Mails that somebody is told of; the sender's name says which, and so does the subject."""

    def one(name: str, *to: str, sender: str | None = None, **more: object) -> None:
        who = f"{name}@far.example" if sender is None else sender
        world.send(to, sender=who, subject=name, **more)  # type: ignore[arg-type]

    one("refused", "perm-a@far.example")
    one("two", "perm-a@far.example", "ok@far.example", "perm-b@far.example")
    one("headers", "perm-b@far.example", mail=["RET=HDRS", "ENVID=my+2Bid"],
        rcpt=["NOTIFY=FAILURE", "ORCPT=rfc822;orig+2B@old.example"])  # fmt: skip
    one("full", "perm-b@far.example", body="secret\r\n" * 10, mail=["RET=FULL"])
    one("big", "perm-b@far.example", body="a line of text\r\n" * 400)
    one("data", "dataperm-d@far.example")
    one("eight", "perm-8@far.example", body="Gr\u00fc\u00dfe\r\n", mail=["BODY=8BITMIME"])
    one("utf8", "perm-\u00fc@far.example", mail=["SMTPUTF8"], headers="X-\u00dc: \u00f6\r\n")
    one("long", f"perm-{'l' * 55}@far.example", headers=f"X-L: {'w' * 300}\r\n")
    one("thread", "perm-t@far.example",
        headers="Message-ID: <orig@x>\r\nReferences: <a@b>\r\n <c@d>\r\nIn-Reply-To: <c@d>\r\n")  # fmt: skip
    for notify in ("NEVER", "DELAY", "SUCCESS", "FAILURE", "SUCCESS,FAILURE"):
        for name, to in (("r", "perm-n"), ("l", "temp-n"), ("f", "fine")):
            one(f"{name}-{notify.lower().replace(',', '-')}", f"{to}@far.example", rcpt=[f"NOTIFY={notify}"])
        one(f"a-{notify.lower().replace(',', '-')}", "one@alias.example", rcpt=[f"NOTIFY={notify}"])
    one("expanded", "both@alias.example", rcpt=["NOTIFY=SUCCESS", "ORCPT=rfc822;both@alias.example"])
    one("mixed", "two@alias.example", rcpt=["NOTIFY=SUCCESS,FAILURE"])
    one("double", "perm-e@far.example", sender="perm-sender@far.example")
    one("null", "perm-f@far.example", sender="")
    one("later", "temp-y@far.example", mail=["ENVID=d2"])
    world.refused("no@far.example", sender="policy@far.example")
    ask = ("perm-g@far.example", "one@alias.example", "ok@far.example", "temp-z@far.example", "x@err.example")
    world.system.ask("sendmail", "-bv", "-f", "bv@far.example", *ask)
    world.system.ask("sendmail", "-v", "-f", "v@far.example", *ask[:4], text="Subject: v\n\nhi\n")


def plain(message: Received) -> tuple[str, ...]:
    text = message.text
    for pattern, new in (*_PIECES, _KNOWN):
        text = re.sub(pattern, new, text)
    # Paragraphs, since recipients come in the order in which they were done with.
    paragraphs = "\n\n".join(sorted(text.split("\n\n")))
    parameters = re.sub(r"SIZE=\d+", "SIZE", message.mail_parameters)
    return ",".join(message.recipients), message.sender, parameters, " ".join(message.parameters), paragraphs


def notices(world: World) -> list[tuple[str, ...]]:
    own = ("", "double-bounce@mx.test.example")
    return sorted(plain(message) for message in list(world.sink.messages) if message.sender in own)


class Notices(SynchronousTestCase):
    def compare(self, kind: type[NoticeWorld]) -> None:
        if missing(POSTFIX):
            raise SkipTest(missing(POSTFIX))
        worlds = []
        for mode in (POSTFIX, INLINE):
            worlds.append(kind(mode))
            self.addCleanup(worlds[-1].close)
            scenario(worlds[-1])
        try:
            wait_for(lambda: notices(worlds[0]) == notices(worlds[1]) and self._quiet(worlds), seconds=25)
        except NotInTime:
            theirs, ours = map(notices, worlds)
            self.assertEqual([one for one in theirs if one not in ours], [one for one in ours if one not in theirs])
            self.assertEqual(len(theirs), len(ours))
        self.assertGreater(len(notices(worlds[0])), 40)

    def _quiet(self, worlds: Sequence[World]) -> bool:
        """Nothing more comes."""
        before = [len(world.sink.messages) for world in worlds]
        time.sleep(1.5)
        return before == [len(world.sink.messages) for world in worlds]

    def test_built_in(self) -> None:
        """BO-1 to BO-3, DS-1, DS-3: with the built-in texts."""
        self.compare(NoticeWorld)

    def test_templates(self) -> None:
        """DS-2, DS-4, SC-9: with texts of one's own and threads, and for mail that has become too old."""
        self.compare(OwnTemplates)
