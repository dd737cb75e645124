"""Filters during a session."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.accept.smtpd.service import SmtpdService
from tests.kit.scriptedmilter import CLOSE, MemoryMilter, Script
from tests.kit.smtpclient import Smtp, smtpd_host
from tests.kit.smtpnet import MemoryNet

NAME = "inet:192.0.2.9:1000"
PEER = "unknown[198.51.100.7]"
MAIL = ("EHLO c.example", "MAIL FROM:<a@b.example> BODY=8BITMIME", "RCPT TO:<bob@example.com>")
LATER = "451 4.7.1 Service unavailable - try again later"


class FilteredSmtp(Smtp):
    """A connection to a smtpd with filters on a network in memory."""

    def __init__(self, *scripts: Script, address: str = "198.51.100.7", **main: str) -> None:
        net = self.net = MemoryNet()
        names = []
        for place, script in enumerate(scripts):
            net.servers["192.0.2.9", 1000 + place] = lambda script=script: MemoryMilter(script)  # type: ignore[misc]
            names.append(f"inet:192.0.2.9:{1000 + place}")
        values = {"smtpd_milters": " ".join(names), "milter_default_action": "tempfail", **main}
        host = smtpd_host(values)
        host.clock = host.reactor = net
        super().__init__(host, address, SmtpdService(host))
        net.settle()

    def send(self, *lines: str) -> list[str]:
        said: list[str] = []
        for line in lines:
            self.wire.dataReceived(line.encode() + b"\r\n")
            self.net.settle()
            said.extend(self.said())
        return said

    def raw(self, data: bytes) -> list[str]:
        self.wire.dataReceived(data)
        self.net.settle()
        return self.said()

    def decided(self) -> list[str]:
        return [line for line in self.log if "milter" in line]


class Sessions(SynchronousTestCase):
    def test_told(self) -> None:
        """MI-2, MI-5: every command, with its macros."""
        script = Script()
        smtp = FilteredSmtp(script)
        smtp.send(*MAIL, "RCPT TO:<alice@example.com> NOTIFY=NEVER", "WHAT is this", "DATA")
        smtp.raw(b"Subject: x\r\n\r\n.\r\n")
        smtp.send("QUIT")
        smtp.net.settle()
        self.assertEqual("OCHMRRUTAQ", script.commands())
        self.assertEqual(b"[198.51.100.7]\x004", script.data("C")[0][:16])
        self.assertEqual([b"<a@b.example>\0BODY=8BITMIME\0"], script.data("M"))
        self.assertEqual([b"<bob@example.com>\0", b"<alice@example.com>\0NOTIFY=NEVER\0"], script.data("R"))
        self.assertEqual([b"WHAT is this\0"], script.data("U"))
        self.assertEqual(
            {"{mail_addr}": "a@b.example", "{mail_host}": "b.example", "{mail_mailer}": "smtp"}, script.macros("M")
        )
        self.assertEqual("Q1", script.macros("R")["i"])
        self.assertEqual({"i": "Q1"}, script.macros("T"))
        connect = script.macros("C")
        self.assertEqual(("mx.example.com", "192.0.2.25"), (connect["j"], connect["{daemon_addr}"]))
        self.assertEqual("unknown [198.51.100.7]", connect["_"])
        self.assertIsNotNone(smtp.mails[0].origin.milters)

    def test_macros_of_the_client(self) -> None:
        """MI-5."""
        names = "{client_addr} {client_name} {client_ptr} {client_port} {client_resolve} {auth_type} {tls_version}"
        script = Script()
        FilteredSmtp(script, address="192.0.2.1", milter_connect_macros=names)
        self.assertEqual(
            {"{client_addr}": "192.0.2.1", "{client_name}": "client.example", "{client_ptr}": "client.example",
             "{client_port}": "4711", "{client_resolve}": "OK"}, script.macros("C"),
        )  # fmt: skip

    def test_rset(self) -> None:
        """A mail that is forgotten is over for filters too."""
        script = Script()
        smtp = FilteredSmtp(script)
        smtp.send(*MAIL, "RSET", "MAIL FROM:<c@d.example>", "EHLO again")
        self.assertEqual("OCHMRAMAH", script.commands())

    def test_lost(self) -> None:
        script = Script()
        smtp = FilteredSmtp(script)
        smtp.send(*MAIL)
        smtp.vanish()
        smtp.net.settle()
        self.assertEqual("OCHMRAQ", script.commands())

    def test_nobody(self) -> None:
        """no_milters."""
        script = Script()
        smtp = FilteredSmtp(script, receive_override_options="no_milters")
        smtp.send(*MAIL)
        self.assertEqual([], script.sessions)
        self.assertIsNone(smtp.mails[0].origin.milters)

    def test_by_client(self) -> None:
        """MI-7: smtpd_milter_maps."""
        for value, commands in (("DISABLE", []), ("inet:192.0.2.9:1001", ["", "OC"]), (None, ["OC"])):
            scripts = Script(), Script()
            maps = f"inline:{{198.51.100.7={value}}}" if value else "inline:{192.0.2.77=DISABLE}"
            smtp = FilteredSmtp(*scripts, smtpd_milters=NAME, smtpd_milter_maps=maps)
            self.assertEqual(["220 mx.example.com ESMTP Postfix"], smtp.said())
            self.assertEqual(commands, [one.commands() if one.sessions else "" for one in scripts][: len(commands)])

    def test_xclient(self) -> None:
        """SD-43: another client, another connection to the filters."""
        script = Script()
        smtp = FilteredSmtp(script, smtpd_authorized_xclient_hosts="198.51.100.7")
        smtp.send("EHLO x", "XCLIENT NAME=other.example ADDR=192.0.2.50", "EHLO y")
        self.assertEqual(["OCHQ", "OCH"], [script.commands(0), script.commands(1)])
        self.assertTrue(script.data("C")[0].startswith(b"other.example\x004"))


class Verdicts(SynchronousTestCase):
    """MI-3, MI-4, LG-4: replies and log lines as a real Postfix has them."""

    def test_connect(self) -> None:
        smtp = FilteredSmtp(Script({"C": [b"r"]}))
        self.assertEqual(["554 mx.example.com ESMTP not accepting connections"], smtp.said())
        self.assertEqual("250 mx.example.com", smtp.last("HELO x"))
        self.assertEqual("550 5.7.1 Command rejected", smtp.last("MAIL FROM:<a@b.example>"))
        self.assertEqual("550 5.7.1 Command rejected", smtp.last("WHAT"))
        self.assertEqual(
            [
                f"NOQUEUE: milter-reject: CONNECT from {PEER}: 550 5.7.1 Command rejected; proto=SMTP",
                f"NOQUEUE: milter-reject: HELO from {PEER}: 550 5.7.1 Command rejected; proto=SMTP helo=<x>",
                f"NOQUEUE: milter-reject: MAIL from {PEER}: 550 5.7.1 Command rejected; "
                "from=<a@b.example> proto=SMTP helo=<x>",
                f"NOQUEUE: milter-reject: UNKNOWN from {PEER}: 550 5.7.1 Command rejected; proto=SMTP helo=<x>",
            ],
            smtp.decided(),
        )

    def test_connect_later(self) -> None:
        smtp = FilteredSmtp(Script({"C": [b"t"]}))
        self.assertEqual(["220 mx.example.com ESMTP Postfix"], smtp.said())
        self.assertEqual(LATER, smtp.last("EHLO x", "MAIL FROM:<a@b.example>"))

    def test_connect_hangs_up(self) -> None:
        for answer in (b"4", b"y421 4.3.2 bye\0"):
            smtp = FilteredSmtp(Script({"C": [answer]}))
            self.assertEqual(["421 mx.example.com Service unavailable - try again later"], smtp.said())
            self.assertTrue(smtp.closed)

    def test_mail(self) -> None:
        """A refused MAIL is no mail."""
        script = Script({"M": [b"y550 5.7.7 go away\0"]})
        smtp = FilteredSmtp(script)
        self.assertEqual("550 5.7.7 go away", smtp.last(*MAIL[:2]))
        self.assertEqual("503 5.5.1 Error: need MAIL command", smtp.last(MAIL[2]))
        self.assertEqual("OCHMA", script.commands())

    def test_rcpt(self) -> None:
        """One recipient refused is not the next."""
        script = Script({"R": lambda data: [b"r" if data.startswith(b"<bob") else b"c"]})
        smtp = FilteredSmtp(script)
        self.assertEqual("550 5.7.1 Command rejected", smtp.last(*MAIL))
        self.assertEqual("250 2.1.5 Ok", smtp.last("RCPT TO:<alice@example.com>"))
        self.assertIn(
            f"NOQUEUE: milter-reject: RCPT from {PEER}: 550 5.7.1 Command rejected; "
            "from=<a@b.example> to=<bob@example.com> proto=ESMTP helo=<c.example>",
            smtp.decided(),
        )

    def test_data(self) -> None:
        smtp = FilteredSmtp(Script({"T": [b"t"]}))
        self.assertEqual(LATER, smtp.last(*MAIL, "DATA"))
        self.assertIn(f"Q1: milter-reject: DATA from {PEER}: {LATER};", smtp.decided()[0])
        smtp = FilteredSmtp(Script({"T": [b"t"]}))
        smtp.send(*MAIL)
        self.assertEqual(LATER, smtp.raw(b"BDAT 3 LAST\r\nabc")[-1])

    def test_discard(self) -> None:
        """The client hears nothing of it, and filters no more."""
        script = Script({"R": [b"d"]})
        smtp = FilteredSmtp(script)
        self.assertEqual("354 End data with <CR><LF>.<CR><LF>", smtp.last(*MAIL, "DATA"))
        self.assertEqual("250 2.0.0 Ok: queued as Q1", smtp.raw(b"x\r\n.\r\n")[-1])
        self.assertIn(("discard", ""), smtp.mails[0].actions)
        self.assertIsNone(smtp.mails[0].origin.milters)
        self.assertEqual("OCHMRA", script.commands())
        self.assertIn("milter-discard: RCPT", smtp.decided()[0])

    def test_quarantine_by_default(self) -> None:
        smtp = FilteredSmtp(Script({"R": [CLOSE]}), milter_default_action="quarantine")
        self.assertEqual("250 2.1.5 Ok", smtp.last(*MAIL))
        self.assertEqual([("hold", "")], smtp.mails[0].actions)
        self.assertIn("milter-hold: RCPT", smtp.decided()[1])

    def test_shutdown(self) -> None:
        """MI-4: the default of 3.11 when a filter fails: 421, and the connection ends."""
        smtp = FilteredSmtp(Script({"R": [CLOSE]}), milter_default_action="shutdown")
        self.assertEqual("421 4.7.0 Server closing connection", smtp.last(*MAIL))
        self.assertTrue(smtp.closed)

    def test_our_own_first(self) -> None:
        """A recipient that we refuse is told to those who ask for such, and stays refused."""
        deaf, curious = Script(), Script(events=0x800)
        smtp = FilteredSmtp(deaf, curious)
        smtp.send(*MAIL[:2])
        self.assertEqual("454", smtp.last("RCPT TO:<x@elsewhere.example>")[:3])
        self.assertEqual(["OCHM", "OCHMR"], [deaf.commands(), curious.commands()])
        self.assertEqual(
            {"{rcpt_mailer}": "error", "{rcpt_host}": "4.7.1"},
            {name: value for name, value in curious.macros("R").items() if name in ("{rcpt_mailer}", "{rcpt_host}")},
        )

    def test_nonsense(self) -> None:
        """A list that makes no sense: the service does not start."""
        host: Any = smtpd_host({"smtpd_milters": "somewhere"})
        with self.assertRaises(Exception) as caught:
            SmtpdService(host).startService()
        self.assertIn("Milter service needs transport:endpoint", str(caught.exception))
