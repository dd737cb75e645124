"""The SMTP server's machine: commands, sequence, pipelining, bodies; every smuggling case is one line."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.dialogs import smtp_events as events
from pytwfix.dialogs.smtp_server import NEED_DATA, PAUSED, Rules, SmtpServer
from pytwfix.mail.reply import Reply

MAIL = b"EHLO c\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<d@e.example>\r\n"


class Peer:
    """Says yes to everything, and keeps what the dialog gave out."""

    def __init__(self, **attributes: object) -> None:
        self.core = SmtpServer(Rules(hostname="mx", forbid_pipelining=False))
        for name, value in attributes.items():
            setattr(self.core, name, value)
        self.body = b""
        self.seen: list[events.Event] = []

    def feed(self, data: bytes) -> None:
        self.core.receive(data)
        while isinstance(event := self.core.next_event(), events.Event):
            self.one(event)

    def one(self, event: events.Event) -> None:
        if isinstance(event, events.Body):
            self.body += event.data
            return
        self.seen.append(event)
        if isinstance(event, (events.Refused, events.ClosedByPolicy)):
            self.core.reply(event.reply)
        elif isinstance(event, events.Data):
            self.core.reply(Reply(354, "", "go"))
        elif isinstance(event, events.Bdat):
            self.core.accept_chunk()
        elif isinstance(event, events.Unknown):
            self.core.reply(Reply(500, "5.5.2", "what"))
        else:
            self.core.reply(Reply(250, "", event.verb))

    @property
    def said(self) -> list[str]:
        return self.core.data_to_send().decode().splitlines()


def mails(data: bytes, step: int = 0, **attributes: object) -> tuple[list[str], bytes]:
    """What the client hears after MAIL, and the body that arrived; `step` cuts the input into pieces."""
    peer = Peer(**attributes)
    peer.feed(MAIL)
    peer.said  # noqa: B018
    size = step or len(data)
    for at in range(0, len(data), size):
        peer.feed(data[at : at + size])
    return peer.said, peer.body


class Smuggling(SynchronousTestCase):
    """SD-19, OB-7: what ends a mail, and what does not."""

    ONE, TWO = ["354 go", "250 DATA"], ["354 go", "250 DATA", "250 NOOP"]

    def check(self, data: bytes, said: list[str], body: bytes, **attributes: object) -> None:
        for step in (0, 1, 2, 3, 5):
            self.assertEqual((said, body), mails(b"DATA\r\n" + data, step, **attributes), f"pieces of {step}")

    def test_plain(self) -> None:
        self.check(b"a\r\n.\r\n", self.ONE, b"a\r\n")

    def test_empty(self) -> None:
        self.check(b".\r\n", self.ONE, b"")

    def test_dots(self) -> None:
        self.check(b"..\r\n..x\r\n.y\r\n.\r\n", self.ONE, b".\r\n.x\r\ny\r\n")

    def test_lf_dot_lf(self) -> None:
        self.check(b"a\n.\nNOOP\r\n.\r\n", self.ONE, b"a\r\n\r\nNOOP\r\n")

    def test_lf_dot_crlf(self) -> None:
        self.check(b"a\n.\r\nNOOP\r\n.\r\n", self.ONE, b"a\r\n\r\nNOOP\r\n")

    def test_crlf_dot_lf(self) -> None:
        self.check(b"a\r\n.\nNOOP\r\n.\r\n", self.ONE, b"a\r\n\r\nNOOP\r\n")

    def test_crlf_dot_crcrlf(self) -> None:
        self.check(b"a\r\n.\r\r\nNOOP\r\n.\r\n", self.ONE, b"a\r\n\r\r\nNOOP\r\n")

    def test_crlf_dot_cr(self) -> None:
        self.check(b"a\r\n.\rNOOP\r\n.\r\n", self.ONE, b"a\r\n\rNOOP\r\n")

    def test_cr_dot_cr(self) -> None:
        self.check(b"a\r.\rNOOP\r\n.\r\n", self.ONE, b"a\r.\rNOOP\r\n")

    def test_nul_dot(self) -> None:
        self.check(b"a\r\n\0.\r\nNOOP\r\n.\r\n", self.ONE, b"a\r\n\0.\r\nNOOP\r\n")

    def test_lenient_lf_dot_lf(self) -> None:
        self.check(b"a\n.\nNOOP\r\n", self.TWO, b"a\r\n", lenient_lf=True)

    def test_lenient_lf_dot_crlf(self) -> None:
        self.check(b"a\n.\r\nNOOP\r\n", self.TWO, b"a\r\n", lenient_lf=True)

    def test_lenient_crlf_dot_lf(self) -> None:
        self.check(b"a\r\n.\nNOOP\r\n", self.TWO, b"a\r\n", lenient_lf=True)

    def test_lenient_crlf_dot_crcrlf(self) -> None:
        self.check(b"a\r\n.\r\r\nNOOP\r\n", self.TWO, b"a\r\n", lenient_lf=True)

    def test_lenient_lines(self) -> None:
        self.check(b"a\nb\r\r\nc\rd\r\n.\r\n", self.ONE, b"a\r\nb\r\nc\rd\r\n", lenient_lf=True)

    def test_tidy(self) -> None:
        """OB-8: a piece is tidy when no CR of it stands alone; a bare LF has been made CRLF."""
        texts = {b"x\r\n": True, b"x\r\n..y\r\n": True, b"x\ny\r\n": True, b"x\ry\r\n": False, b"x\r.\r\n": False}
        for lenient in (True, False):
            for text, tidy in texts.items():
                peer = Peer(lenient_lf=lenient)
                peer.feed(MAIL + b"DATA\r\n")
                peer.core.receive(text + b".\r\n")
                event = peer.core.next_event()
                assert isinstance(event, events.Body)
                self.assertEqual((tidy, False), (event.tidy, b"\n" in event.data.replace(b"\r\n", b"")), text)

    def test_bare_lf_is_seen(self) -> None:
        """SD-19: reject and note need to know."""
        for data, seen in ((b"a\nb\r\n.\r\n", True), (b"a\r\nb\r\n.\r\n", False)):
            peer = Peer()
            peer.feed(MAIL + b"DATA\r\n" + data)
            end = peer.seen[-1]
            assert isinstance(end, events.EndOfData)
            self.assertIs(seen, end.bare_lf)

    def test_long_line_leaves_in_parts(self) -> None:
        """SD-16: memory stays bounded when no line end comes, and no CR is torn from its LF."""
        peer = Peer()
        peer.feed(MAIL + b"DATA\r\n" + b"x" * 70000 + b"\r")
        self.assertEqual(b"x" * 70000, peer.body)
        self.assertEqual(1, peer.core.pending)
        peer.feed(b"\n.\r\n")
        self.assertEqual(b"x" * 70000 + b"\r\n", peer.body)


class Chunks(SynchronousTestCase):
    """SD-10, OB-9: BDAT."""

    def check(self, data: bytes, said: list[str], body: bytes, **attributes: object) -> None:
        for step in (0, 1, 2, 3, 5):
            self.assertEqual((said, body), mails(data, step, **attributes), f"pieces of {step}")

    def test_one(self) -> None:
        self.check(b"BDAT 3 LAST\r\nx\r\nNOOP\r\n", ["250 BDAT", "250 NOOP"], b"x\r\n")

    def test_dot_is_data(self) -> None:
        self.check(b"BDAT 6 LAST\r\nx\r\n.\r\n", ["250 BDAT"], b"x\r\n.\r\n")

    def test_line_over_two_chunks(self) -> None:
        self.check(b"BDAT 2\r\na\rBDAT 3 LAST\r\n\nb\n", ["250 BDAT", "250 BDAT"], b"a\r\nb\r\n")

    def test_last_line_is_ended(self) -> None:
        self.check(b"BDAT 3 LAST\r\nabc", ["250 BDAT"], b"abc\r\n")

    def test_zero_last(self) -> None:
        self.check(b"BDAT 3\r\nx\r\nBDAT 0 LAST\r\n", ["250 BDAT", "250 BDAT"], b"x\r\n")

    def test_null(self) -> None:
        said = ["551 5.7.1 Null BDAT request", "551 5.0.0 Discarded 3 bytes after earlier error", "250 NOOP"]
        self.check(b"BDAT 0\r\nBDAT 3 LAST\r\nabcNOOP\r\n", said, b"")

    def test_bad_syntax_hangs_up(self) -> None:
        for line in (b"BDAT", b"BDAT abc", b"BDAT -3", b"BDAT 0 LAST x", b"BDAT 3 FOO", b"BDAT 99999999999999999999"):
            self.check(line + b"\r\nNOOP\r\n", ["521 5.5.4 Syntax: BDAT count [LAST]"], b"")

    def test_sequence(self) -> None:
        self.check(b"BDAT 3\r\nx\r\nDATA\r\n", ["250 BDAT", "503 5.5.1 Error: DATA after BDAT"], b"x\r\n")
        self.check(b"BDAT 1\r\nxRCPT TO:<x>\r\n", ["250 BDAT", "503 5.5.1 Error: RCPT after BDAT"], b"x")
        self.check(b"BDAT 1\r\nxMAIL FROM:<x>\r\n", ["250 BDAT", "503 5.5.1 Error: nested MAIL command"], b"x")

    def test_refused_chunk_is_read_first(self) -> None:
        peer = Peer()
        peer.feed(b"BDAT 5\r\nNO")
        self.assertEqual([], peer.said)
        peer.feed(b"OP\r" + b"NOOP\r\n")
        self.assertEqual(["503 5.5.1 Error: need RCPT command", "250 NOOP"], peer.said)

    def test_refused_outside(self) -> None:
        """What the session refuses is skipped as well."""
        core = SmtpServer(Rules(forbid_pipelining=False))
        peer = Peer()
        peer.core = core
        peer.feed(MAIL)
        core.receive(b"BDAT 4\r\nNOOPBDAT 2 LAST\r\nxxNOOP\r\n")
        self.assertIsInstance(core.next_event(), events.Bdat)
        core.data_to_send()
        core.reply(Reply(552, "5.3.4", "big"))
        peer.feed(b"")
        said = ["552 5.3.4 big", "551 5.0.0 Discarded 2 bytes after earlier error", "250 NOOP"]
        self.assertEqual(said, peer.said)


class Order(SynchronousTestCase):
    """SD-5 to SD-18: one event open at a time, and what may follow what."""

    def said(self, data: bytes, rules: Rules | None = None, **attributes: object) -> list[str]:
        peer = Peer()
        if rules is not None:
            peer.core = SmtpServer(rules)
        for name, value in attributes.items():
            setattr(peer.core, name, value)
        peer.feed(data)
        return peer.said

    def test_paused_while_open(self) -> None:
        core = SmtpServer(Rules())
        core.receive(b"NOOP\r\n")
        self.assertIsInstance(core.next_event(), events.Noop)
        self.assertIs(PAUSED, core.next_event())
        core.reply(Reply(250, "2.0.0", "Ok"))
        self.assertIs(NEED_DATA, core.next_event())
        self.assertEqual(b"250 2.0.0 Ok\r\n", core.data_to_send())
        self.assertRaises(RuntimeError, core.reply, Reply(250, "", "again"))

    def test_sequence(self) -> None:
        self.assertEqual(["503 5.5.1 Error: need MAIL command"], self.said(b"RCPT TO:<a@b>\r\n"))
        self.assertEqual(["503 5.5.1 Error: need RCPT command"], self.said(b"DATA\r\n"))
        self.assertEqual(["250 MAIL", "554 5.5.1 Error: no valid recipients"], self.said(b"MAIL FROM:<>\r\nDATA\r\n"))
        self.assertEqual("503 5.5.1 Error: nested MAIL command", self.said(b"MAIL FROM:<>\r\nMAIL FROM:<>\r\n")[1])
        self.assertEqual("250 MAIL", self.said(b"MAIL FROM:<>\r\nRSET\r\nMAIL FROM:<>\r\n")[2])
        self.assertEqual("250 MAIL", self.said(b"MAIL FROM:<>\r\nEHLO x\r\nMAIL FROM:<>\r\n")[2])

    def test_helo_required(self) -> None:
        rules = Rules(helo_required=True)
        self.assertEqual(["503 5.5.1 Error: send HELO/EHLO first"], self.said(b"MAIL FROM:<>\r\n", rules))

    def test_syntax(self) -> None:
        cases = {
            b"": "500 5.5.2 Error: bad syntax",
            b"HELO": "501 Syntax: HELO hostname",
            b"RSET x": "501 5.5.4 Syntax: RSET",
            b"NOOP \xff": "500 5.5.2 Error: bad UTF-8 syntax",
            b"STARTTLS x": "501 5.5.4 Syntax: STARTTLS",
            b"STARTTLS": "502 5.5.1 Error: command not implemented",
            b"AUTH PLAIN": "503 5.5.1 Error: authentication not enabled",
            b"VRFY": "501 5.5.4 Syntax: VRFY address [SMTPUTF8]",
            b"VRFY a b": "501 5.1.3 Bad recipient address syntax",
            b"ETRN": "500 Syntax: ETRN domain",
            b"ETRN bad_host!": "501 Error: invalid parameter syntax",
            b"XCLIENT ADDR=1.2.3.4": "550 5.7.0 Error: insufficient authorization",
            b"MAIL FROM <a@b>": "501 5.5.4 Syntax: MAIL FROM:<address>",
            b"MAIL FROM:<a b@c>": "501 5.1.7 Bad sender address syntax",
        }
        for line, reply in cases.items():
            self.assertEqual([reply], self.said(line + b"\r\n"), line)

    def test_mail_parameters(self) -> None:
        """SD-6."""
        cases = {
            b"SIZE=": "501 5.5.4 Bad message size syntax",
            b"SIZE=99999999999999999999": "552 5.3.4 Message size exceeds file system imposed limit",
            b"BODY=BINARYMIME": "555 5.5.4 Unsupported option: BODY=BINARYMIME",
            b"RET=NONE": "501 5.5.4 Bad RET parameter syntax",
            b"RET=FULL RET=HDRS": "501 5.5.4 Bad RET parameter syntax",
            b"ENVID=a+ZZ": "501 5.5.4 Bad ENVID parameter syntax",
            b"ENVID=a+00b": "501 5.5.4 Bad ENVID parameter syntax",
            b"SMTPUTF8=1": "555 5.5.4 Unsupported option: SMTPUTF8=1",
            b"XVERP": "555 5.5.4 Unsupported option: XVERP",
            b"REQUIRETLS": "555 5.5.4 Unsupported option: REQUIRETLS",
            b"SIZE=1 BODY=8bitmime RET=hdrs ENVID=x+2By AUTH=<> SMTPUTF8": "250 MAIL",
        }
        for text, reply in cases.items():
            self.assertEqual([reply], self.said(b"MAIL FROM:<a@b.c> " + text + b"\r\n"), text)

    def test_rcpt_parameters(self) -> None:
        """SD-7, OB-10."""
        cases = {
            b"NOTIFY=NEVER,SUCCESS": "501 5.5.4 Error: Bad NOTIFY parameter syntax",
            b"NOTIFY=": "501 5.5.4 Error: Bad NOTIFY parameter syntax",
            b"ORCPT=x": "501 5.5.4 Error: Bad ORCPT parameter syntax",
            b"ORCPT=rfc822;a+00": "501 5.5.4 Error: Bad ORCPT parameter syntax",
            b"FOO=bar": "555 5.5.4 Unsupported option: FOO=bar",
            b"notify=success,delay ORCPT=rfc822;a+2Bb": "250 RCPT",
        }
        for text, reply in cases.items():
            self.assertEqual(reply, self.said(b"MAIL FROM:<>\r\nRCPT TO:<a@b.c> " + text + b"\r\n")[1], text)

    def test_values(self) -> None:
        peer = Peer()
        peer.feed(b"MAIL FROM:<a@b.c> ENVID=x+2By RET=HDRS SIZE=7\r\n")
        peer.feed(b"RCPT TO:<\"d e\"@f.g> ORCPT=rfc822;q+40r NOTIFY=DELAY\r\n")
        mail, rcpt = peer.seen
        assert isinstance(mail, events.Mail) and isinstance(rcpt, events.Rcpt)
        self.assertEqual((b"a@b.c", b"x+y", 2, 7), (mail.sender, mail.envid, mail.ret, mail.size))
        self.assertEqual((b"d e@f.g", b"rfc822;q@r", 8), (rcpt.recipient, rcpt.orcpt, rcpt.notify))

    def test_dsn_discarded(self) -> None:
        """SD-4."""
        gone = frozenset(("dsn",))
        self.assertEqual(["501 5.7.1 DSN support is disabled"], self.said(b"MAIL FROM:<> RET=FULL\r\n", discarded=gone))

    def test_tls_required(self) -> None:
        """SD-2: what is allowed before TLS; a refused BDAT is still read."""
        rules = Rules(tls_required=True, forbid_pipelining=False)
        first = "530 5.7.0 Must issue a STARTTLS command first"
        said = self.said(b"NOOP\r\nRSET\r\nBDAT 4\r\nNOOPFOO\r\nEHLO x\r\n", rules, tls_offered=True)
        self.assertEqual(["250 NOOP", first, first, "500 5.5.2 what", "250 EHLO"], said)

    def test_starttls_drops_what_was_sent_ahead(self) -> None:
        """OB-6."""
        peer = Peer(tls_offered=True)
        peer.feed(b"EHLO x\r\nMAIL FROM:<>\r\nSTARTTLS\r\nRSET\r\nMAIL FROM:<inj@x>\r\n")
        self.assertEqual(["250 EHLO", "250 MAIL", "250 STARTTLS"], peer.said)
        peer.core.tls_started()
        peer.feed(b"STARTTLS\r\nDATA\r\n")
        self.assertEqual(["554 5.5.1 Error: TLS already active", "503 5.5.1 Error: need RCPT command"], peer.said)

    def test_unauthorised_pipelining(self) -> None:
        """SD-18."""
        rules = Rules(forbid_pipelining=True)
        refused = "554 5.5.0 Error: SMTP protocol synchronization"
        self.assertEqual([refused], self.said(b"EHLO x\r\nNOOP\r\n", rules))
        self.assertEqual([refused], self.said(b"MAIL FROM:<>\r\nRSET\r\n", rules))
        peer = Peer()
        peer.core = SmtpServer(rules)
        peer.feed(b"EHLO x\r\n")
        peer.feed(b"MAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\n")
        self.assertEqual(["250 EHLO", "250 MAIL", "250 RCPT", "354 go"], peer.said)
        self.assertEqual(b"", peer.core.improper)

    def test_bare_lf_command(self) -> None:
        """OB-7."""
        self.assertEqual(["550 5.5.2 mx Error: bare <LF> received"], self.said(b"NOOP\nNOOP\r\n", reject_lf=True))
        self.assertEqual(["250 NOOP", "250 NOOP"], self.said(b"NOOP\nNOOP\r\n"))

    def test_too_long(self) -> None:
        """SD-16."""
        reply = ["500 5.5.2 localhost Error: command too long"]
        self.assertEqual(reply, self.said(b"NOOP " + b"x" * 3000, Rules()))
        self.assertEqual(reply, self.said(b"NOOP " + b"x" * 3000 + b"\r\nNOOP\r\n", Rules()))
        self.assertEqual(["250 NOOP"], self.said(b"NOOP " + b"x" * 2043 + b"\r\n", Rules()))

    def test_header_like(self) -> None:
        """SD-17."""
        for line, like in ((b"Subject: x", True), (b"RCPT:", True), (b"FOO a:b", False)):
            peer = Peer()
            peer.feed(line + b"\r\n")
            event = peer.seen[0]
            assert isinstance(event, events.Unknown)
            self.assertIs(like, event.header_like)

    def test_attributes(self) -> None:
        """SD-43, SD-44."""
        cases = {
            b"XCLIENT": "501 5.5.4 Syntax: XCLIENT attribute=value...",
            b"XCLIENT ADDR": "501 5.5.4 Error: attribute=value expected",
            b"XCLIENT FOO=bar": "501 5.5.4 Bad XCLIENT attribute name: FOO",
            b"XFORWARD LOGIN=joe": "501 5.5.4 Bad XFORWARD attribute name: LOGIN",
            b"XCLIENT NAME=foo+ZZ": "501 5.5.4 Bad NAME syntax: foo+ZZ",
            b"XFORWARD ADDR=1.2.3": "501 5.5.4 Bad ADDR syntax: 1.2.3",
            b"XFORWARD SOURCE=elsewhere": "501 5.5.4 Bad SOURCE syntax: elsewhere",
            b"XCLIENT NAME=foo+2Eexample ADDR=IPv6:2001:db8::1 PORT=[UNAVAILABLE]": "250 XCLIENT",
        }
        for line, reply in cases.items():
            self.assertEqual([reply], self.said(line + b"\r\n", xclient=True, xforward=True), line)
