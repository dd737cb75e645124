"""sendmail(1): options, what it reads, what it hands on."""

from __future__ import annotations

import io
import os
import sys
from contextlib import redirect_stderr, redirect_stdout

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.accept.pickup.dropfile import DropFile
from pytwfix.commands import sendmail, submission
from pytwfix.commands.composition import extract, read_lines
from pytwfix.commands.sendmailoptions import DELAY, NEVER, RET_HDRS, SUCCESS, check_verp, parse
from pytwfix.commands.smtpstdin import Session
from pytwfix.mail.envelope import TRACE_RECORD, TRACE_VERIFY_ONLY
from pytwfix.settings.snapshot import Snapshot


class Input:
    """Standard input with its bytes."""

    def __init__(self, data: bytes) -> None:
        self.buffer = io.BytesIO(data)


class Options(SynchronousTestCase):
    def test_letters(self) -> None:
        """SE-1: what each option means, attached or apart, and what is ignored."""
        options = parse(
            ["-f", "s@x", "-FJoe", "-oi", "-B8BITMIME", "-N", "success,delay", "-R", "hdrs", "-V", "env", "-XV=+", "-G",
             "-Ac", "-om", "-o7", "-h5", "-n", "-L", "tag", "-U", "-v", "a@b", "-t", "--", "-c"]
        )  # fmt: skip
        self.assertEqual(
            ("s@x", "Joe", True, "8bit", SUCCESS | DELAY, RET_HDRS, "env", "=+", True, 1, True, ["a@b", "-c"]),
            (options.sender, options.full_name, options.dots, options.encoding, options.notify, options.ret,
             options.envid, options.verp, options.gateway, options.verbose, options.extract, options.recipients),
        )  # fmt: skip
        self.assertEqual(NEVER, parse(["-N", "never"]).notify)
        self.assertEqual("v", parse(["-bv"]).mode)
        self.assertEqual((True, True), (parse(["-O", "requiretls=yes"]).requiretls, parse(["-Osmtputf8=yes"]).smtputf8))

    def test_queue(self) -> None:
        """SE-1: -q, -qI, -qR are postqueue's; an interval is not ours."""
        for word, wanted in {"-q": ("-f", ""), "-qIABC": ("-i", "ABC"), "-qRx.y": ("-s", "x.y"), "-q15m": None}.items():
            self.assertEqual(wanted, parse([word]).flush)

    def test_refused(self) -> None:
        """SE-1, SE-3, OB-10: complaints end in exit code 75, as with a real Postfix."""
        for words, text in {
            ("-W",): "invalid option -- 'W'\nsendmail: fatal: usage: sendmail [options]\n",
            ("-f",): "option requires an argument -- 'f'\nsendmail: fatal: usage: sendmail [options]\n",
            ("-Bx",): "fatal: -B option needs 8BITMIME or 7BIT\n",
            ("-bz",): "fatal: unsupported: -bz\n",
            ("-F", "a\nb"): "fatal: -F option value contains a newline\n",
        }.items():
            said = io.StringIO()
            with redirect_stderr(said):
                error = self.assertRaises(SystemExit, parse, list(words))
            self.assertEqual((75, "sendmail: " + text), (error.code, said.getvalue()))

    def test_verp(self) -> None:
        """SE-1, SC-11: -XV takes two characters that verp_delimiter_filter knows, or none."""
        check_verp("", "#,")
        check_verp("#,", "#,")
        check_verp("+=", "-=+")
        for bad, allowed in (("+=", "#,"), ("#", "#,"), ("#,#", "#,"), ("ab", "-=+")):
            said = io.StringIO()
            with redirect_stderr(said):
                error = self.assertRaises(SystemExit, check_verp, bad, allowed)
            text = f"sendmail: fatal: -V requires two characters from {allowed}\n"
            self.assertEqual((75, text), (error.code, said.getvalue()))

    def test_warnings(self) -> None:
        """SE-1: bad -N and -R values are ignored with a warning."""
        said = io.StringIO()
        with redirect_stderr(said):
            options = parse(["-N", "foo", "-R", "bar"])
        self.assertEqual((0, 0), (options.notify, options.ret))
        self.assertEqual(3, len(said.getvalue().splitlines()))


class Reading(SynchronousTestCase):
    def test_dot(self) -> None:
        """SE-2: a dot alone ends the mail, unless -i."""
        self.assertEqual([b"a"], read_lines(b"a\n.\nb\n", False, "always"))
        self.assertEqual([b"a", b".", b"b"], read_lines(b"a\n.\nb", True, "always"))

    def test_line_endings(self) -> None:
        """sendmail_fix_line_endings: always, strict, never."""
        self.assertEqual([b"a", b"b"], read_lines(b"a\r\nb\n", True, "always"))
        self.assertEqual([b"a", b"b"], read_lines(b"a\r\nb\r\n", True, "strict"))
        self.assertEqual([b"a", b"b\r"], read_lines(b"a\nb\r\n", True, "strict"))
        self.assertEqual([b"a\r"], read_lines(b"a\r\n", True, "never"))

    def test_mailbox_line(self) -> None:
        self.assertEqual([b"To: a"], read_lines(b"From x Mon\n>From y\nTo: a\n", False, "always"))

    def test_recipients(self) -> None:
        """SE-1 -t, SE-2: To, Cc, Bcc, or their Resent- kin; not in the body."""
        self.assertEqual(
            [b"a@x", b"b c@d", b"e", b"f"],
            extract([b"To: a@x,", b'  "b c"@d', b"CC: e", b"Bcc : f", b"", b"To: no@x"])[1],
        )
        self.assertEqual([b"r"], extract([b"To: a@x", b"Resent-To: r"])[1])
        self.assertEqual([], extract([b"no header", b"To: a@x"])[1])


class Submitting(SynchronousTestCase):
    def setUp(self) -> None:
        self.directory = self.mktemp()
        os.makedirs(self.directory + "/maildrop")
        with open(self.directory + "/main.cf", "w", encoding="ascii") as file:
            file.write(f"queue_directory = {os.path.abspath(self.directory)}\nmyhostname = mx.lab.example\n")
        self.sent: list[bytes] = []
        self.patch(sendmail, "submit", self.submit)

    def submit(self, config: Snapshot, data: bytes) -> str:
        self.sent.append(data)
        return "ABC"

    def run_it(self, *words: str, text: bytes = b"Subject: x\n\nb\n") -> tuple[int, str, str]:
        self.patch(sys, "stdin", Input(text))
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            try:
                code = sendmail.main(["-C", self.directory, *words])
            except SystemExit as error:
                code = int(error.code or 0)
        return code, out.getvalue(), err.getvalue()

    @property
    def mail(self) -> DropFile:
        return DropFile(self.sent[-1])

    def test_mail(self) -> None:
        """SE-2: envelope and content as records."""
        self.assertEqual((0, "", ""), self.run_it("-f", "<q@x>", "-F", "Joe", "-N", "never", "a@b (c)", "Joe <j@x>"))
        self.assertEqual((b"q@x", b"Joe"), (self.mail.sender, self.mail.full_name))
        self.assertEqual([(b"a@b", NEVER), (b"j@x", NEVER)], [(r.address, r.notify) for r in self.mail.recipients])
        self.assertEqual(b"Subject: x\r\n\r\nb\r\n", b"".join(self.mail.content()))

    def test_headers_too(self) -> None:
        """SE-1: -t adds to what the command line says."""
        self.run_it("-t", "x@y", text=b"To: a@b\nBcc: c@d\n\nb\n")
        self.assertEqual([b"x@y", b"a@b", b"c@d"], [r.address for r in self.mail.recipients])

    def test_null_sender(self) -> None:
        for word in ("", "<>"):
            self.run_it("-f", word, "a@b")
            self.assertEqual(b"", self.mail.sender)

    def test_malformed_sender(self) -> None:
        _, _, said = self.run_it("-f", "a b", "c@d")
        self.assertEqual("sendmail: warning: -f option specified malformed sender: a b\n", said)
        self.assertEqual(b"a", self.mail.sender)

    def test_nobody(self) -> None:
        """SE-2: no recipients anywhere."""
        code, _, said = self.run_it("-t", "-f", "a@b")
        self.assertEqual(
            (75, f"sendmail: fatal: a@b({os.getuid()}): No recipient addresses found in message header\n"), (code, said)
        )
        code, _, said = self.run_it()
        self.assertEqual(75, code)
        self.assertIn("Recipient addresses must be specified on the command line or via the -t option", said)

    def test_empty_recipient(self) -> None:
        """SE-2: nothing, or <>, is the address of whoever gets mail for nobody."""
        for word in ("", "<>"):
            self.assertEqual(0, self.run_it("-f", "s@x", word)[0])
            self.assertEqual([b""], [one.address for one in self.mail.recipients])

    def test_end_of_header(self) -> None:
        """SE-2: with -t the header ends where a line is that can be in no header, and an empty one is put there."""
        for text, content in (
            (b"To: a@b\nhello\n", b"To: a@b\r\n\r\nhello\r\n"),
            (b"To: a@b\n\nhello\n", b"To: a@b\r\n\r\nhello\r\n"),
            (b"To: a@b\n", b"To: a@b\r\n"),
        ):
            self.run_it("-t", "-f", "s@x", text=text)
            self.assertEqual(content, b"".join(self.mail.content()))
        self.run_it("-f", "s@x", "c@d", text=b"To: a@b\nhello\n")
        self.assertEqual(b"To: a@b\r\nhello\r\n", b"".join(self.mail.content()))

    def test_reports(self) -> None:
        """SE-1: -bv asks what would be done, -v what was done."""
        for word, flag in (("-bv", TRACE_VERIFY_ONLY), ("-v", TRACE_RECORD)):
            code, said, _ = self.run_it(word, "-f", "s@x", "a@b")
            self.assertEqual((0, "Mail Delivery Status Report will be mailed to <s@x>.\n"), (code, said))
            self.assertEqual(flag, self.mail.number("trace_flags"))

    def test_probe(self) -> None:
        """SE-1, DS-3: the mail of -bv is made, not read; so there are no recipients in it."""
        self.run_it("-bv", "-f", "s@x", "a@b, c")
        content = b"".join(self.mail.content())
        self.assertEqual(b"From: s@x\r\nSubject: probe\r\nTo:\ta@b,\r\n\tc\r\n", content)
        code, _, said = self.run_it("-bv", "-t", "-f", "s@x")
        self.assertEqual((75, "sendmail: fatal: -t option cannot be used with -bv\n"), (code, said))

    def test_down(self) -> None:
        """HOUSE 3: with the daemon down a user hears so and 75 is the exit code; root's mail waits in maildrop."""
        self.patch(sendmail, "submit", submission.submit)
        self.patch(os, "geteuid", lambda: 1000)
        code, _, said = self.run_it("-f", "s@x", "a@b")
        self.assertEqual(75, code)
        self.assertIn("the mail system is down", said)

    def test_too_big(self) -> None:
        """SE-3: oversize is 65."""
        with open(self.directory + "/main.cf", "a", encoding="ascii") as file:
            file.write("message_size_limit = 1000\n")
        code, _, said = self.run_it("a@b", text=b"x" * 2000)
        self.assertEqual(65, code)
        self.assertIn("message file too big", said)


class StandardInput(SynchronousTestCase):
    def test_session(self) -> None:
        """SE-4, SD-58: SMTP on standard input; each mail is submitted."""
        sent: list[bytes] = []

        def submit(config: Snapshot, data: bytes) -> str:
            sent.append(data)
            return "ABC"

        from pytwfix.commands import smtpstdin

        self.patch(smtpstdin, "submit", submit)
        session = Session(Snapshot({"myhostname": "mx.lab.example"}))
        self.assertEqual(b"220 mx.lab.example ESMTP Postfix\r\n", session.greet())
        answer = session.receive(
            b'HELO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@x.example>\r\nRCPT TO:<"a b"@x.example>\r\nDATA\r\n'
            b"Subject: t\r\n\r\nb\r\n..x\r\n.\r\nVRFY a\r\nNONSENSE\r\nQUIT\r\n"
        )
        self.assertEqual(
            [b"250", b"250", b"250", b"250", b"354", b"250", b"252", b"500", b"221"],
            [line[:3] for line in answer.splitlines()],
        )
        self.assertIn(b"250 2.0.0 Ok: queued as ABC\r\n", answer)
        self.assertTrue(session.closed)
        mail = DropFile(sent[0])
        self.assertEqual(
            (b"a@b", [b"c@x.example", b"a b@x.example"]), (mail.sender, [r.address for r in mail.recipients])
        )
        self.assertTrue(b"".join(mail.content()).endswith(b"Subject: t\r\n\r\nb\r\n.x\r\n"))

    def test_line_ends(self) -> None:
        """SE-4: a program may end its lines with LF alone."""
        sent: list[bytes] = []
        from pytwfix.commands import smtpstdin

        def submit(config: Snapshot, data: bytes) -> str:
            sent.append(data)
            return "ABC"

        self.patch(smtpstdin, "submit", submit)
        session = Session(Snapshot({"myhostname": "mx.lab.example"}))
        session.greet()
        answer = session.receive(b"EHLO x\nMAIL FROM:<a@b>\nRCPT TO:<c@d>\nDATA\nSubject: t\n\nb\n.\nQUIT\n")
        self.assertTrue(answer.endswith(b"250 2.0.0 Ok: queued as ABC\r\n221 2.0.0 Bye\r\n"), answer)
        content = b"".join(DropFile(sent[0]).content())
        self.assertRegex(content, rb"Received: from x \(localhost \[127.0.0.1\]\)\r\n\t.* with ESMTP\r\n\tfor <c@d>;")
        self.assertTrue(content.endswith(b"\r\nSubject: t\r\n\r\nb\r\n"))
        self.assertEqual(" ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5", session.counts.line())

    def test_another_protocol(self) -> None:
        """SD-17: who speaks HTTP, or sends a header, is sent away."""
        for line in b"GET / HTTP/1.0", b"Subject: x":
            session = Session(Snapshot({"myhostname": "mx.lab.example"}))
            session.greet()
            answer = session.receive(line + b"\r\n\r\n")
            self.assertEqual(b"221 2.7.0 Error: I can break rules, too. Goodbye.\r\n", answer)
            self.assertEqual([f"non-SMTP command from localhost[127.0.0.1]: {line.decode()}"], session.told)

    def test_failure(self) -> None:
        """A mail that is not taken is told so."""
        from pytwfix.commands import smtpstdin

        def submit(config: Snapshot, data: bytes) -> str:
            raise submission.SubmitError("down")

        self.patch(smtpstdin, "submit", submit)
        session = Session(Snapshot({"myhostname": "mx.lab.example"}))
        session.receive(b"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\n")
        self.assertEqual(b"451 4.3.0 Error: down\r\n", session.receive(b"x: 1\r\n\r\n.\r\n"))


class Light(SynchronousTestCase):
    def test_imports(self) -> None:
        """HOUSE 5: a command that starts for each mail imports neither Twisted nor dataclasses."""
        import subprocess

        script = (
            "import sys, pytwfix.commands.sendmail, pytwfix.commands.postdrop, pytwfix.commands.postlog;"
            "print([m for m in ('twisted', 'dataclasses', 'inspect', 'zope') if m in sys.modules])"
        )
        path = os.path.dirname(os.path.dirname(os.path.abspath(submission.__file__)))
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=os.path.dirname(path)
        )
        self.assertEqual("[]", done.stdout.strip())
