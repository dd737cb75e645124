"""header_checks and body_checks: log lines and replies as a running Postfix gave them."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.contracts.cleanup import INTERNAL, MAP
from pytwfix.mail.envelope import Recipient
from pytwfix.mail.errors import MailError
from tests.kit.submitting import Mailer, now

CONTEXT = "from client.example[192.0.2.1]; from=<s@x.example> to=<u@x.example> proto=ESMTP helo=<cli.example>"
HEADERS = (
    r"{/^X-Warn:(.*)/ WARN text $$1}, {/^X-Info:/ INFO}, {/^X-Reject:/ REJECT no thanks},"
    r" {/^X-Reject2:/ REJECT 5.7.77 no}, {/^X-Reject3:/ REJECT 4.7.7 later}, {/^X-Reject4:/ REJECT},"
    r" {/^X-Ignore:/ IGNORE because}, {/^X-Strip:/ STRIP gone}, {/^X-Replace:/ REPLACE X-New: value},"
    r" {/^X-Prepend:/ PREPEND X-Pre: value}, {/^X-Hold:/ HOLD held}, {/^X-Discard:/ DISCARD gone},"
    r" {/^X-Filter:/ FILTER smtp:[1.2.3.4]}, {/^X-Redirect:/ REDIRECT red@x.example}, {/^X-Bcc:/ BCC bcc@x.example},"
    r" {/^X-Pass:/ PASS passed}, {/^X-Bad:/ FOO bar}, {/^X-Dunno:/ DUNNO}, {/^X-Ok:/ OK},"
    r" {/^X-NoFilter:/ FILTER foo}, {/^X-NoHeader:/ REPLACE nonsense}"
)
BODIES = (
    r"{/^body-reject/ REJECT bad body}, {/^body-warn/ WARN seen}, {/^body-ignore/ IGNORE},"
    r" {/^body-replace/ REPLACE new}, {/^body-prepend/ PREPEND pre}, {/^body-strip/ STRIP s}"
)
MAIN = {"header_checks": f"regexp:{{ {HEADERS} }}", "body_checks": f"regexp:{{ {BODIES} }}", "nested_header_checks": ""}


class HeaderChecks(SynchronousTestCase):
    def mailer(self, name: str, **main: str) -> Mailer:
        mailer = Mailer({**MAIN, **main})
        mailer.send(f"A: 1\r\nX-{name}: v\r\n  w\r\nX-Warn: after\r\n\r\nbody\r\n".encode())
        return mailer

    def test_lines(self) -> None:
        """CL-7, LG-7: each action's log line, and whether what follows is looked at."""
        after = f"Q1: warning: header X-Warn: after {CONTEXT}: text  after"
        for name, line, goes_on in (
            ("Warn", "warning: header X-Warn: v?  w CONTEXT: text  v?  w", True),
            ("Info", "info: header X-Info: v?  w CONTEXT", True),
            ("Strip", "strip: header X-Strip: v?  w CONTEXT: gone", True),
            ("Replace", "replace: header X-Replace: v?  w CONTEXT: X-New: value", True),
            ("Prepend", "prepend: header X-Prepend: v?  w CONTEXT: X-Pre: value", True),
            ("Hold", "hold: header X-Hold: v?  w CONTEXT: held", True),
            ("Filter", "filter: header X-Filter: v?  w CONTEXT: smtp:[1.2.3.4]", True),
            ("Bcc", "bcc: header X-Bcc: v?  w CONTEXT: bcc@x.example", True),
            ("Redirect", "redirect: header X-Redirect: v?  w CONTEXT: red@x.example", False),
            ("Pass", "pass: header X-Pass: v?  w CONTEXT: passed", False),
        ):
            lines = self.mailer(name).lines
            self.assertEqual("Q1: " + line.replace("CONTEXT", CONTEXT), lines[0])
            self.assertEqual([after] if goes_on else [], lines[1:-1])
            self.assertEqual("Q1: message-id=<>", lines[-1])

    def test_silent(self) -> None:
        """CL-7: OK, DUNNO and IGNORE leave no line."""
        for name in ("Dunno", "Ok", "Ignore"):
            self.assertEqual(2, len(self.mailer(name).lines))

    def test_content(self) -> None:
        """CL-7: what becomes of the header."""
        kept = b"X-%b: v\r\n  w\r\n"
        for name, wanted in {
            "Ignore": b"",
            "Strip": b"",
            "Replace": b"X-New: value\r\n",
            "Prepend": b"X-Pre: value\r\n" + kept % b"Prepend",
            "Warn": kept % b"Warn",
            "Bad": kept % b"Bad",
            "NoFilter": kept % b"NoFilter",
            "NoHeader": kept % b"NoHeader",
        }.items():
            self.assertEqual(
                b"A: 1\r\n" + wanted + b"X-Warn: after\r\n\r\nbody\r\n", self.mailer(name).mail().content, name
            )

    def test_envelope(self) -> None:
        """CL-7, CA-10: FILTER, REDIRECT, BCC and HOLD."""
        self.assertEqual("smtp:[1.2.3.4]", self.mailer("Filter").mail().envelope.content_filter)
        self.assertEqual(b"red@x.example", self.mailer("Redirect").mail().envelope.redirect)
        self.assertEqual([b"u@x.example", b"bcc@x.example"], self.mailer("Bcc").recipients)
        held = self.mailer("Hold")
        self.assertEqual(["hold"], list(held.store.queues))
        self.assertEqual([], held.queue.woken)

    def test_discard(self) -> None:
        """CL-7, CL-11: a mail that is discarded is accepted, and leaves nothing but two lines."""
        mailer = Mailer(MAIN)
        self.assertTrue(mailer.send(b"X-Discard: v\r\nX-Warn: w\r\n\r\nb\r\n").discarded)
        self.assertEqual([f"Q1: discard: header X-Discard: v {CONTEXT}: gone", "Q1: removed (discarded)"], mailer.lines)
        self.assertEqual(({}, ["Q1"]), (mailer.store.queues, mailer.store.aborted))

    def test_reject(self) -> None:
        """CL-7: the reply, which 4.x.x makes a temporary one."""
        for name, reply in {
            "Reject": "550 5.7.1 no thanks",
            "Reject2": "550 5.7.77 no",
            "Reject3": "451 4.7.7 later",
            "Reject4": "550 5.7.1 message content rejected",
        }.items():
            mailer = Mailer(MAIN)
            self.assertEqual(reply, mailer.refused(f"X-{name}: v\r\nX-Warn: w\r\n\r\nb\r\n".encode()))
            self.assertEqual(f"Q1: reject: header X-{name}: v {CONTEXT}: {reply[4:]}", mailer.lines[0])
            self.assertEqual("Q1: removed (canceled)", mailer.lines[-1])

    def test_mistakes(self) -> None:
        """CL-7: an unknown action, or one without what it needs, is logged and does nothing."""
        self.assertEqual("warning: unknown command in header_checks map: FOO bar", self.mailer("Bad").lines[0])
        self.assertEqual(
            "warning: bad FILTER command foo in header_checks -- need transport:destination",
            self.mailer("NoFilter").lines[0],
        )

    def test_first_rule(self) -> None:
        """CL-8: the first rule that matches counts alone."""
        mailer = Mailer({"header_checks": "regexp:{ {/A/ WARN one}, {/A: 1/ WARN two} }"})
        mailer.send(b"A: 1\r\n\r\nb\r\n")
        self.assertEqual(2, len(mailer.lines))

    def test_not_asked_for(self) -> None:
        """SD-52, CL-6: without the flag FILTER nothing is looked at."""
        mailer = Mailer(MAIN)
        mailer.send(b"X-Reject: v\r\n\r\nbody-reject\r\n", flags=MAP)
        self.assertEqual(["Q1: message-id=<>"], mailer.lines)

    def test_own_mail(self) -> None:
        """CL-6: our own notices are looked at only if internal_mail_filter_classes says so."""
        content = b"X-Warn: v\r\n\r\nb\r\n"
        for classes, count in (("", 1), ("bounce", 2)):
            mailer = Mailer({**MAIN, "internal_mail_filter_classes": classes})
            mailer.send(content, flags=INTERNAL, service="bounce")
            self.assertEqual(count, len(mailer.lines))

    def test_failing_table(self) -> None:
        """CA-5: a table that fails refuses the mail for now."""
        mailer = Mailer({"header_checks": "fail:x"})
        self.assertEqual("451 4.3.0 Error: queue file write error", mailer.refused(b"A: 1\r\n\r\nb\r\n"))

    def test_actions_from_smtpd(self) -> None:
        """SD-32: what an access table decided before the content came."""
        mailer = Mailer()
        transaction = mailer.begin()
        now(transaction.sender(b"s@x"))
        now(transaction.recipient(Recipient(b"u@x")))
        for name, argument in (("prepend", "X-A: 1"), ("filter", "a:b"), ("redirect", "r@x"), ("bcc", "c@x")):
            transaction.action(name, argument)
        transaction.action("hold")
        transaction.body(b"B: 2\r\n\r\nb\r\n")
        now(transaction.commit())
        mail = mailer.mail("hold")
        self.assertEqual(b"X-A: 1\r\nB: 2\r\n\r\nb\r\n", mail.content)
        self.assertEqual(("a:b", b"r@x"), (mail.envelope.content_filter, mail.envelope.redirect))
        self.assertEqual([b"u@x", b"c@x"], [one.address for one in mail.envelope.recipients])


class BodyChecks(SynchronousTestCase):
    def test_actions(self) -> None:
        """CL-7: on lines of the body."""
        mailer = Mailer(MAIN)
        mailer.send(b"A: 1\r\n\r\nbody\r\nbody-ignore\r\nbody-replace\r\nbody-prepend x\r\nbody-strip x\r\nend\r\n")
        self.assertEqual(b"A: 1\r\n\r\nbody\r\nnew\r\npre\r\nbody-prepend x\r\nend\r\n", mailer.mail().content)
        self.assertEqual(f"Q1: replace: body body-replace {CONTEXT}: new", mailer.lines[1])

    def test_reject(self) -> None:
        """CL-7, LG-7: reject: body."""
        mailer = Mailer(MAIN)
        self.assertEqual("550 5.7.1 bad body", mailer.refused(b"A: 1\r\n\r\nbody-reject\r\nmore\r\n"))
        self.assertEqual(f"Q1: reject: body body-reject {CONTEXT}: 5.7.1 bad body", mailer.lines[1])

    def test_limit(self) -> None:
        """CL-6: body_checks_size_limit octets of each part are looked at."""
        mailer = Mailer({**MAIN, "body_checks_size_limit": "100"})
        mailer.send(
            b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n" + b"x" * 101 + b"\r\nbody-warn 1\r\n"
            b"--b\r\n\r\nbody-warn 2\r\n--b--\r\n"
        )
        self.assertEqual(1, len([line for line in mailer.lines if "body-warn" in line]))
        self.assertIn("body-warn 2", mailer.lines[-1])

    def test_pieces(self) -> None:
        """CL-6: a line that comes in pieces is one line, and the last may lack its end."""
        for piece in (1, 2, 5, 11):
            mailer = Mailer(MAIN)
            mailer.send(b"A: 1\r\n\r\nx\r\nbody-warn first\r\nbody-warn last", piece=piece)
            self.assertEqual(2, len([line for line in mailer.lines if "seen" in line]))

    def test_context_without_client(self) -> None:
        """LG-7: local mail has no proto and helo."""
        mailer = Mailer(MAIN)
        mailer.send(b"A: 1\r\n\r\nbody-warn\r\n", protocol="", context="local")
        self.assertEqual(
            "Q1: warning: body body-warn from local; from=<s@x.example> to=<u@x.example>: seen", mailer.lines[1]
        )


class Refusals(SynchronousTestCase):
    def test_error_is_sticky(self) -> None:
        """SD-9: what comes after a mistake is thrown away, and the first mistake is told."""
        mailer = Mailer(MAIN)
        transaction = mailer.begin()
        transaction.body(b"X-Reject: 1\r\n\r\n")
        self.assertIsNone(transaction.body(b"body-reject\r\n"))
        error = self.failureResultOf(transaction.commit(), MailError)
        self.assertEqual("550 5.7.1 no thanks", error.value.reply.line())
