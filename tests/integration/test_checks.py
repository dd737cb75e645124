"""What tables refuse, change and lead elsewhere: access maps, content checks, rewriting (SD-*, CL-*, CA-*)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.integration.world import World, WorldCase, in_each_mode
from tests.kit.mailsystem import listener
from tests.kit.sinks import Sink
from tests.kit.waiting import free_port, wait_for

HEADERS = """\
/^Subject: refuse me/ REJECT no such subjects
/^Subject: odd status/ REJECT 5.7.77 odd
/^Subject: warn me/ WARN noted
/^X-Ignore:/ IGNORE
/^X-Before: (.*)/ PREPEND X-Put-Before: $1
/^X-Change: (.*)/ REPLACE X-Changed: $1 twice
/^Subject: lead elsewhere/ REDIRECT elsewhere@far.example
/^Subject: hold me/ HOLD to look at
/^Subject: throw away/ DISCARD away
/^Subject: copy me/ BCC copy@far.example
"""
BODIES = """\
/^BAD/ REJECT bad line
/^GONE/ IGNORE
/^CHANGE (.*)/ REPLACE changed $1
"""
ACCESS = """\
refused@there.example   REJECT not you
later@there.example     451 4.7.1 come back
filtered@there.example  FILTER smtp:[127.0.0.1]:%d
led@there.example       REDIRECT elsewhere@far.example
gone@there.example      DISCARD
fielded@there.example   PREPEND X-Put-By-Access: one
blocked.example         REJECT nobody from there
"""


class CheckedWorld(World):
    """Tables of every kind at work."""

    def prepare(self) -> None:
        self.other = Sink()
        self.closers.append(self.other.close)
        self.outside = free_port()

    def main(self) -> Mapping[str, str]:
        return {
            "header_checks": "regexp:@CONFIG@/headers", "body_checks": "regexp:@CONFIG@/bodies",
            "canonical_maps": "lmdb:@CONFIG@/canonical", "smtp_generic_maps": "lmdb:@CONFIG@/generic",
            "virtual_alias_domains": "alias.example", "virtual_alias_maps": "lmdb:@CONFIG@/virtual",
            "relocated_maps": "lmdb:@CONFIG@/relocated",
            "sender_bcc_maps": "inline:{kept@there.example=kept@far.example}",
            "smtpd_sender_restrictions": "check_sender_access lmdb:@CONFIG@/access", "local_recipient_maps": "",
            "masquerade_domains": "masked.example", "relay_domains": "relay.example",
        }  # fmt: skip

    def services(self) -> Sequence[str]:
        return [*super().services(), listener(self.outside, "mynetworks=192.0.2.0/24")]

    def tables(self) -> Mapping[str, str]:
        return {
            "headers": HEADERS, "bodies": BODIES, "access": ACCESS % self.other.port,
            "canonical": "old@there.example new@there.example\n@olddomain.example @newdomain.example\n",
            "generic": "inner@there.example outer@provider.example\n",
            "virtual": "one@alias.example single@far.example\nmany@alias.example m1@far.example, m2@far.example\n",
            "relocated": "moved@test.example new@new.example\n",
        }  # fmt: skip

    def furnish(self) -> None:
        self.system.index("access", "canonical", "generic", "virtual", "relocated")


@in_each_mode
class Checks(WorldCase):
    """Each of them once, end to end."""

    world_class = CheckedWorld

    def other(self) -> Sink:
        assert isinstance(self.world, CheckedWorld)
        return self.world.other

    def from_(self, name: str, to: str = "user@far.example") -> str:
        return self.world.send(to, sender=f"{name}@there.example")

    def test_access(self) -> None:
        """SD-*: an access map's verdicts on senders."""
        to = "user@far.example"
        self.assertEqual(
            self.world.refused(to, sender="refused@there.example"),
            "554 5.7.1 <refused@there.example>: Sender address rejected: not you",
        )
        self.assertEqual(self.world.refused(to, sender="x@blocked.example"),
                         "554 5.7.1 <x@blocked.example>: Sender address rejected: nobody from there")  # fmt: skip
        self.assertEqual(self.world.refused(to, sender="later@there.example"),
                         "451 4.7.1 <later@there.example>: Sender address rejected: come back")  # fmt: skip
        self.world.got(self.from_("filtered"), self.other())
        self.assertEqual(self.world.got(self.from_("led")).recipients, ["elsewhere@far.example"])
        self.assertIn("X-Put-By-Access: one\n", self.world.got(self.from_("fielded")).text)
        token = self.from_("gone")
        self.pause(0.5)
        self.assertEqual(self.world.sink.all(token), [])

    def test_relay_access(self) -> None:
        """SD-*: a stranger may send to our domains alone."""
        assert isinstance(self.world, CheckedWorld)
        port = self.world.outside
        self.assertEqual(self.world.refused("user@far.example", port=port),
                         "454 4.7.1 <user@far.example>: Relay access denied")  # fmt: skip
        self.world.got(self.world.send("user@relay.example", port=port))

    def test_header_refusals(self) -> None:
        """CL-*: REJECT, with its own status or the usual one."""
        self.assertEqual(self.world.refused("u@far.example", subject="refuse me"), "550 5.7.1 no such subjects")
        self.assertEqual(self.world.refused("u@far.example", subject="odd status"), "550 5.7.77 odd")

    def test_header_changes(self) -> None:
        """CL-*: IGNORE, PREPEND, REPLACE; WARN is logged."""
        mark = self.system.mark()
        headers = "X-Ignore: a\r\n b\r\nX-Before: x\r\nX-Change: y\r\n"
        text = self.world.got(self.world.send("u@far.example", subject="warn me", headers=headers)).text
        self.assertNotIn("X-Ignore", text)
        self.assertIn("X-Put-Before: x\nX-Before: x\nX-Changed: y twice\n", text)
        self.assertLogged(
            r"cleanup\[\d+\]: \w+: warning: header Subject: warn me from unknown\[127\.0\.0\.1\]; "
            r"from=<from@there\.example> to=<u@far\.example> proto=ESMTP helo=<client\.example>: noted$",
            mark,
        )

    def test_header_ways(self) -> None:
        """CL-*: REDIRECT, HOLD, DISCARD, BCC."""
        token = self.world.send(["a@far.example", "b@far.example"], subject="lead elsewhere")
        self.assertEqual(self.world.got(token).recipients, ["elsewhere@far.example"])
        token = self.world.send("u@far.example", subject="copy me")
        wait_for(lambda: self.world.sink.recipients(token) == ["copy@far.example", "u@far.example"], self.system.told)
        for subject in ("hold me", "throw away"):
            token = self.world.send("u@far.example", subject=subject)
            self.pause(0.3)
            self.assertEqual(self.world.sink.all(token), [])
        self.assertEqual(len(self.system.files("hold")), 1)
        self.system.ask("postsuper", "-d", "ALL", "hold")

    def test_bodies(self) -> None:
        """CL-*: body checks."""
        self.assertEqual(self.world.refused("u@far.example", body="x\r\nBAD line\r\n"), "550 5.7.1 bad line")
        message = self.world.got(self.world.send("u@far.example", body="one\r\nGONE\r\nCHANGE it\r\nend\r\n"))
        self.assertTrue(message.text.endswith("\n\none\nchanged it\nend\n"))

    def test_canonical(self) -> None:
        """CA-2, CA-4: envelope and header."""
        message = self.world.got(self.from_("old"))
        self.assertEqual(message.sender, "new@there.example")
        self.assertIn("From: <new@there.example>\n", message.text)
        token = self.world.send("someone@olddomain.example")
        self.assertEqual(self.world.got(token).recipients, ["someone@newdomain.example"])

    def test_masquerade(self) -> None:
        """CA-6: hosts below a domain are not shown."""
        message = self.world.got(self.world.send("u@far.example", sender="a@host.masked.example"))
        self.assertEqual(message.sender, "a@masked.example")

    def test_generic(self) -> None:
        """SM-*: addresses that are not known outside are changed on the way out."""
        message = self.world.got(self.from_("inner"))
        self.assertEqual(message.sender, "outer@provider.example")
        self.assertIn("From: <outer@provider.example>\n", message.text)

    def test_virtual_aliases(self) -> None:
        """CA-3: one, many, and unknown; an extension is kept."""
        self.assertEqual(self.world.got(self.world.send("one@alias.example")).recipients, ["single@far.example"])
        self.assertEqual(self.world.got(self.world.send("one+x@alias.example")).recipients, ["single+x@far.example"])
        token = self.world.send("many@alias.example")
        wait_for(lambda: self.world.sink.recipients(token) == ["m1@far.example", "m2@far.example"], self.system.told)
        reply = self.world.refused("who@alias.example")
        self.assertRegex(reply, r"^550 5\.1\.1 .*User unknown in virtual alias table$")

    def test_relocated(self) -> None:
        """TR-5: who has moved."""
        reply = self.world.refused("moved@test.example")
        self.assertRegex(reply, r"^550 5\.1\.6 .*User has moved to new@new\.example$")

    def test_bcc(self) -> None:
        """CA-2: a copy of all that a sender sends."""
        token = self.from_("kept")
        wanted = ["kept@far.example", "user@far.example"]
        wait_for(lambda: self.world.sink.recipients(token) == wanted, self.system.told)
