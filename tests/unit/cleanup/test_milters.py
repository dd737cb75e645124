"""What filters make of a complete mail."""

from __future__ import annotations

import os
import tempfile
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.cleanup.held import MEMORY, Held, Spool
from pytwfix.contracts.cleanup import BOUNCE, FILTER, INTERNAL, MAP, MILTER, Committed, Origin
from pytwfix.mail.envelope import Client, Recipient
from pytwfix.mail.errors import MailError
from pytwfix.net.milter.chain import Milters
from pytwfix.net.milter.filters import parse_filters
from pytwfix.net.milter.macros import MacroLists
from pytwfix.settings.milter import MilterSettings
from tests.kit.host import MemoryHost
from tests.kit.scriptedmilter import CLOSE, MemoryMilter, Script
from tests.kit.smtpnet import MemoryNet
from tests.kit.submitting import Mailer

NAME = "inet:192.0.2.9:1000"
MAIL = b"Received: from us\r\nFrom: <a@b>\r\nSubject: x\r\nX-Dup: 1\r\nX-Dup: 2\r\n\r\nbody\r\n"
CONTEXT = "from=<s@x.example> to=<u@x.example> proto=ESMTP helo=<cli.example>"


class NoMacros:
    def macro(self, name: str) -> str | None:
        return None


class Filtered(Mailer):
    """A cleanup, and a filter that all mail passes."""

    def __init__(self, script: Script, main: dict[str, str] | None = None, smtp: bool = True) -> None:
        filters = {} if smtp else {"non_smtpd_milters": NAME}
        super().__init__({"milter_default_action": "tempfail", **filters, **(main or {})})
        self.net = MemoryNet()
        self.host.clock = self.host.reactor = self.net
        self.net.servers["192.0.2.9", 1000] = lambda: MemoryMilter(script)
        self.smtp = smtp

    def submit(
        self, content: bytes = MAIL, *recipients: bytes, flags: int = FILTER | MAP | MILTER, service: str = ""
    ) -> Committed:
        milters: Any = None
        client = Client("client.example", "192.0.2.1", "25", "cli.example", "ESMTP") if self.smtp else Client()
        source = "client.example[192.0.2.1]" if self.smtp else "local"
        if self.smtp:
            cfg = self.host.settings(MilterSettings)
            milters = Milters(self.host, parse_filters(NAME, cfg), MacroLists(cfg), NoMacros())
            self.wait(milters.connect("client.example", "192.0.2.1", "25"))
            self.wait(milters.mail([b"<s@x.example>"]))
        service = service or ("smtpd" if self.smtp else "pickup")
        origin = Origin(flags, client, rewrite_context="remote", source=source, service=service, milters=milters)
        transaction = self.wait(self.cleanup.begin(origin))
        self.wait(transaction.sender(b"s@x.example"))
        for recipient in recipients or (b"u@x.example",):
            self.wait(transaction.recipient(Recipient(recipient)))
        for at in range(0, len(content), 1 << 16):
            waiting = transaction.body(content[at : at + (1 << 16)])
            if waiting is not None:
                self.wait(waiting)
        committed: Committed = self.wait(transaction.commit())
        return committed

    def wait(self, waiting: Deferred[Any]) -> Any:
        out: list[Any] = []
        waiting.addBoth(out.append)
        self.net.settle()
        assert out, "not done"
        if isinstance(out[0], Failure):
            raise out[0].value  # type: ignore[misc]
        return out[0]

    def refusal(self, *recipients: bytes, **options: Any) -> str:
        try:
            self.submit(MAIL, *recipients, **options)
        except MailError as error:
            return str(error.reply.line())
        raise AssertionError("not refused")

    @property
    def content(self) -> bytes:
        return self.mail().content

    @property
    def recipients(self) -> list[bytes]:
        return [one.address for one in self.mail().envelope.recipients]

    def decided(self) -> list[str]:
        return [line for line in self.host.log.lines if "milter" in line]


def edited(*edits: bytes, main: dict[str, str] | None = None) -> Filtered:
    """A cleanup that has taken a mail which the filter changed."""
    cleanup = Filtered(Script({"E": [*edits, b"c"]}), main)
    cleanup.submit()
    return cleanup


class Headers(SynchronousTestCase):
    """MI-3, MI-8, CL-10."""

    def test_unchanged(self) -> None:
        script = Script()
        cleanup = Filtered(script)
        cleanup.submit()
        self.assertEqual(MAIL, cleanup.content)
        self.assertEqual(["OCMLLLLNBE"], [script.commands()])
        self.assertEqual(b"From\0<a@b>\0", script.data("L")[0])  # not our own Received:

    def test_add(self) -> None:
        self.assertIn(b"X-Dup: 2\r\nX-New: v\r\n\r\nbody", edited(b"hX-New\0v\0").content)

    def test_fold(self) -> None:
        """Lines that are no continuation become one."""
        self.assertIn(b"\r\nX: a\r\n\tb\r\n c\r\n\r\n", edited(b"hX\0a\nb\r\n c\n\0").content)

    def test_insert(self) -> None:
        """A place among all fields, ours too."""
        begin = b"Received: from us\r\n"
        self.assertTrue(edited(b"i\0\0\0\0X\0v\0").content.startswith(b"X: v\r\n" + begin))
        self.assertTrue(edited(b"i\0\0\0\1X\0v\0").content.startswith(begin + b"X: v\r\nFrom"))
        self.assertIn(b"X-Dup: 2\r\nX: v\r\n\r\n", edited(b"i\0\0\0\x63X\0v\0").content)

    def test_change(self) -> None:
        """The N-th of its name; one that is not there is added; 0 is the first."""
        self.assertIn(b"X-Dup: 1\r\nX-DUP: new\r\n\r\n", edited(b"m\0\0\0\2X-DUP\0new\0").content)
        self.assertIn(b"x-dup: new\r\nX-Dup: 2\r\n", edited(b"m\0\0\0\0x-dup\0new\0").content)
        self.assertIn(b"X-Dup: 2\r\nX-Dup: new\r\n\r\n", edited(b"m\0\0\0\3X-Dup\0new\0").content)
        content = edited(b"m\0\0\0\1Received\0theirs\0").content
        self.assertTrue(content.startswith(b"Received: from us\r\n"))
        self.assertIn(b"\r\nReceived: theirs\r\n\r\n", content)

    def test_delete(self) -> None:
        self.assertNotIn(b"X-Dup: 1", edited(b"m\0\0\0\1X-Dup\0\0").content)
        self.assertEqual(MAIL, edited(b"m\0\0\0\x07X-Dup\0\0").content)

    def test_leading_space(self) -> None:
        cleanup = Filtered(Script({"E": [b"hX\0 v\0", b"hY\0v\0", b"c"]}, events=0x100000))
        cleanup.submit()
        self.assertIn(b"X: v\r\nY:v\r\n\r\n", cleanup.content)

    def test_header_only(self) -> None:
        """A mail without a body."""
        cleanup = Filtered(Script({"E": [b"hX\0v\0", b"c"]}))
        cleanup.submit(b"From: a@b\r\n")
        self.assertEqual(b"From: a@b\r\nX: v\r\n", cleanup.content)


class Bodies(SynchronousTestCase):
    """MI-3, MI-8."""

    def test_replaced(self) -> None:
        self.assertTrue(edited(b"bnew\r\n", b"blast").content.endswith(b"X-Dup: 2\r\n\r\nnew\r\nlast"))

    def test_large(self) -> None:
        """A body that does not fit in memory, there and back."""
        folder = tempfile.mkdtemp(dir=self.mktemp_folder())
        os.mkdir(f"{folder}/incoming")
        body = b"".join(b"%070d\r\n" % number for number in range(6000))
        script = Script({"E": [b"hX\0v\0", b"c"]})
        cleanup = Filtered(script, {"queue_directory": folder})
        cleanup.submit(b"A: b\r\n\r\n" + body)
        self.assertEqual(body, b"".join(script.data("B")))
        self.assertEqual({65535}, {len(data) for data in script.data("B")[:-1]})
        self.assertEqual(b"A: b\r\nX: v\r\n\r\n" + body, cleanup.content)
        self.assertEqual([], os.listdir(f"{folder}/incoming"))

    def mktemp_folder(self) -> str:
        path = self.mktemp()
        os.makedirs(path)
        return str(os.path.abspath(path))

    def test_limit(self) -> None:
        """CL-14: message_size_limit is for new bodies too."""
        cleanup = Filtered(Script({"E": [b"b" + b"x" * 2000, b"c"]}), {"message_size_limit": "1000"})
        self.assertEqual("552 5.3.4 Error: message file too big", cleanup.refusal())

    def test_last_line(self) -> None:
        """Filters see a last line that ends."""
        script = Script()
        Filtered(script).submit(b"A: b\r\n\r\nx")
        self.assertEqual([b"x\r\n"], script.data("B"))

    def test_no_room(self) -> None:
        """QueueError where there is no folder: the client may try again."""
        cleanup = Filtered(Script(), {"queue_directory": "/nonexistent"})
        with self.assertRaises(MailError) as caught:
            cleanup.submit(b"A: b\r\n\r\n" + b"x" * (MEMORY + 1))
        self.assertEqual(451, caught.exception.reply.code)


class Envelopes(SynchronousTestCase):
    """MI-3, CL-10."""

    def test_added(self) -> None:
        """By the usual mappings, without copies."""
        main = {"virtual_alias_maps": "inline:{al@x.example=z@x.example}", "always_bcc": "all@x.example"}
        cleanup = edited(b"+<al@x.example>\0", b"+local\0", main=main)
        self.assertEqual(
            [b"u@x.example", b"all@x.example", b"z@x.example", b"local@lab.example"], cleanup.recipients
        )

    def test_parameters(self) -> None:
        """NOTIFY and ORCPT; what makes no sense is logged."""
        cleanup = edited(b"2<p@x.example>\0NOTIFY=NEVER ORCPT=rfc822;q@y\0", b"2<r@x.example>\0NOTIFY=X A=B\0")
        added = cleanup.mail().envelope.recipients[1]
        self.assertEqual((b"p@x.example", 1, b"rfc822;q@y"), (added.address, added.notify, added.orcpt))
        self.assertEqual(
            [
                'warning: Q1: Bad NOTIFY parameter from Milter or header/body_checks: "NOTIFY=X"',
                'warning: Q1: ignoring ESMTP argument from Milter or header/body_checks: "A=B"',
            ],
            [line for line in cleanup.host.log.lines if "warning" in line],
        )

    def test_utf8_orcpt(self) -> None:
        """RFC 6533: the type utf-8 has an encoding of its own, as in RCPT."""
        cleanup = edited(b"2<p@x.example>\0ORCPT=utf-8;\\x{FC}@y\0")
        self.assertEqual("utf-8;\u00fc@y".encode(), cleanup.mail().envelope.recipients[1].orcpt)

    def test_in_vain(self) -> None:
        cleanup = edited(b"+\0", b"+a@x.example, b@x.example\0", b"-nobody@x.example\0")
        self.assertEqual([b"u@x.example", b"a@x.example"], cleanup.recipients)
        self.assertIn("warning: Q1: ignoring attempt from Milter to add null recipient", cleanup.host.log.lines)

    def test_deleted(self) -> None:
        """By the name that was given, with all that an alias made of it."""
        main = {"virtual_alias_maps": "inline:{ {al@x.example = y@x.example, z@x.example} }"}
        everyone = [b"u@x.example", b"y@x.example", b"z@x.example"]
        for name, left in ((b"al@X.example", [b"u@x.example"]), (b"y@x.example", everyone)):
            cleanup = Filtered(Script({"E": [b"-<" + name + b">\0", b"c"]}), main)
            cleanup.submit(MAIL, b"u@x.example", b"al@x.example")
            self.assertEqual(left, cleanup.recipients)

    def test_deleted_and_added(self) -> None:
        """The filter for duplicates does not remember who is gone."""
        self.assertEqual([b"u@x.example"], edited(b"-u@x.example\0", b"+u@x.example\0").recipients)

    def test_nobody_left(self) -> None:
        cleanup = Filtered(Script({"E": [b"-u@x.example\0", b"c"]}))
        self.assertTrue(cleanup.submit().discarded)

    def test_sender(self) -> None:
        cleanup = edited(b"e<n@x.example>\0RET=HDRS ENVID=e+20d\0")
        envelope = cleanup.mail().envelope
        self.assertEqual((b"n@x.example", 2, b"e d"), (envelope.sender, envelope.dsn_ret, envelope.dsn_envid))
        self.assertEqual(b"", edited(b"e<>\0").mail().envelope.sender)


class Verdicts(SynchronousTestCase):
    """LG-4, MI-4, MI-6."""

    def test_refused(self) -> None:
        for answer, reply, shown in (
            (b"r", "550 5.7.1 Command rejected", "5.7.1 Command rejected"),
            (b"y550 5.7.7 no\0", "550 5.7.7 no", "5.7.7 no"),
            (CLOSE, "451 4.7.1 Service unavailable - try again later", "4.7.1 Service unavailable - try again later"),
        ):
            cleanup = Filtered(Script({"E": [b"hX\0v\0", answer]}))
            self.assertEqual(reply, cleanup.refusal())
            self.assertIn(
                f"Q1: milter-reject: END-OF-MESSAGE from client.example[192.0.2.1]: {shown}; {CONTEXT}",
                cleanup.decided(),
            )
            self.assertEqual(["Q1"], cleanup.store.aborted)

    def test_shutdown(self) -> None:
        """MI-4: 421 for a client; for other mail a failure of ours."""
        self.assertEqual("421 4.7.0 Server closing connection", Filtered(Script({"E": [b"4"]})).refusal())
        other = Filtered(Script({"E": [b"4"]}), smtp=False)
        self.assertEqual("451 4.3.0 Error: queue file write error", other.refusal())

    def test_discarded(self) -> None:
        cleanup = Filtered(Script({"E": [b"d"]}))
        self.assertTrue(cleanup.submit().discarded)
        self.assertIn("milter-discard: END-OF-MESSAGE", cleanup.decided()[0])
        self.assertIn("milter triggers DISCARD action", cleanup.decided()[0])

    def test_quarantine(self) -> None:
        cleanup = Filtered(Script({"E": [b"qwhy\0", b"c"]}))
        cleanup.submit()
        self.assertEqual(["hold"], list(cleanup.store.queues))
        self.assertIn("milter-hold: END-OF-MESSAGE", cleanup.decided()[0])

    def test_header_checks(self) -> None:
        """MI-6: fields that filters give, and only these."""
        for action, said, content in (
            ("REJECT no", "550 5.7.1 no", b""),
            ("REJECT 4.7.2 later", "451 4.7.2 later", b""),
            ("IGNORE", "", MAIL),
            ("STRIP", "", MAIL),
            ("REPLACE Y: w", "", MAIL.replace(b"\r\n\r\n", b"\r\nY: w\r\n\r\n")),
            ("WARN", "", MAIL.replace(b"\r\n\r\n", b"\r\nX: v\r\n\r\n")),
            ("PREPEND Z: z", "", MAIL.replace(b"\r\n\r\n", b"\r\nX: v\r\n\r\n")),
            ("PASS", "", MAIL.replace(b"\r\n\r\n", b"\r\nX: v\r\n\r\n")),
        ):
            main = {"milter_header_checks": f"pcre:{{ {{/^(X|Subject):/ {action}}} }}"}
            cleanup = Filtered(Script({"E": [b"hX\0v\0", b"c"]}), main)
            if said:
                self.assertEqual(said, cleanup.refusal())
                self.assertTrue(cleanup.decided()[0].startswith("Q1: milter-header-reject: header X: v from client"))
            else:
                cleanup.submit()
                self.assertEqual(content, cleanup.content, action)

    def test_header_check_actions(self) -> None:
        main = {"milter_header_checks": "pcre:{ {/^X:/ BCC copy@x.example} {/^Y:/ HOLD} }"}
        cleanup = Filtered(Script({"E": [b"hX\0v\0", b"hY\0v\0", b"c"]}), main)
        cleanup.submit()
        mail = cleanup.store.only("hold")
        self.assertEqual([b"u@x.example", b"copy@x.example"], [one.address for one in mail.envelope.recipients])


class OtherMail(SynchronousTestCase):
    """MI-6: non_smtpd_milters."""

    def test_session(self) -> None:
        """They hear of a client that is localhost, and of addresses as they are after canonical_maps."""
        main = {"canonical_maps": "inline:{can@x.example=canned@x.example}", "virtual_alias_maps": "static:v@x.example"}
        script = Script()
        cleanup = Filtered(script, main, smtp=False)
        cleanup.submit(MAIL, b"can@x.example", b"u")
        self.assertEqual("OCHMRRTLLLLNBEQ", script.commands())
        self.assertEqual([b"localhost\x004\0\x00127.0.0.1\0"], script.data("C"))
        self.assertEqual([b"localhost\0"], script.data("H"))
        self.assertEqual([b"s@x.example\0"], script.data("M"))
        self.assertEqual([b"canned@x.example\0", b"u@lab.example\0"], script.data("R"))
        self.assertEqual(
            {"j": "mx.lab.example", "{daemon_name}": "mx.lab.example", "{daemon_addr}": "127.0.0.1"},
            {name: value for name, value in script.macros("C").items() if name not in ("v", "_")},
        )
        self.assertEqual({"i": "Q1", "{mail_addr}": "s@x.example"}, script.macros("M"))

    def test_refused(self) -> None:
        """Each stage can refuse, but for single recipients."""
        source = "from localhost[127.0.0.1]:"
        for command, stage in (("C", "CONNECT"), ("H", "EHLO"), ("M", "MAIL"), ("T", "DATA"), ("E", "END-OF-MESSAGE")):
            cleanup = Filtered(Script({command: [b"r"]}), smtp=False)
            self.assertEqual("550 5.7.1 Command rejected", cleanup.refusal())
            self.assertIn(f"Q1: milter-reject: {stage} {source} 5.7.1 Command rejected;", cleanup.decided()[0])
        cleanup = Filtered(Script({"R": [b"r"]}), smtp=False)
        self.assertEqual("451 4.3.0 Error: queue file write error", cleanup.refusal())
        self.assertIn("can't reject recipient in non-smtpd(8) submission", cleanup.decided()[1])

    def test_bounced(self) -> None:
        """CL-11: nobody waits for an answer: the sender gets the mail back, with its content."""
        cleanup = Filtered(Script({"E": [b"r"]}), smtp=False)
        cleanup.submit(flags=FILTER | MAP | MILTER | BOUNCE)
        self.assertEqual([("bounce", "Q1")], cleanup.reports.notices)

    def test_not_asked(self) -> None:
        """no_milters, SMTP clients without filters, our own mail unless internal_mail_filter_classes says so."""
        for flags, service, classes, asked in (
            (FILTER | MAP, "pickup", "", False),
            (FILTER | MAP | MILTER, "smtpd", "", False),
            (INTERNAL, "bounce", "", False),
            (INTERNAL, "bounce", "bounce", True),
        ):
            script = Script()
            cleanup = Filtered(script, {"internal_mail_filter_classes": classes}, smtp=False)
            cleanup.submit(flags=flags, service=service)
            self.assertEqual(asked, bool(script.sessions))


class Keeping(SynchronousTestCase):
    """Held content."""

    def test_boundaries(self) -> None:
        """Wherever the pieces part, the header ends in the same place."""
        text = b"A: b\r\nC: d\r\n\r\nbody\r\n\r\nmore\r\n"
        for cut in range(len(text)):
            held = Held(MemoryHost())
            for piece in (text[:cut], text[cut:]):
                self.assertIsNone(held.write(piece))
            self.assertEqual((b"A: b\r\nC: d\r\n", 14), (held.header, held.body.size), cut)
            self.assertTrue(held.separated)

    def test_octets(self) -> None:
        """Pieces of one octet each; a mail without a header."""
        for text, header, size in ((b"A: b\r\n\r\n\r\nx\r\n", b"A: b\r\n", 5), (b"\r\nbody\r\n", b"", 6)):
            held = Held(MemoryHost())
            for octet in text:
                held.write(bytes((octet,)))
            self.assertEqual((header, size), (held.header, held.body.size))

    def test_pieces(self) -> None:
        spool = Spool(MemoryHost())
        for _ in range(3):
            spool.write(b"12345")
        found: list[bytes] = []

        async def read() -> None:
            found.extend([piece async for piece in spool.pieces(4)])

        self.successResultOf(Deferred.fromCoroutine(read()))
        self.assertEqual([b"1234", b"5123", b"4512", b"345"], found)
