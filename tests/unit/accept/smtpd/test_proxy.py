"""A before-queue filter (SD-48)."""

from __future__ import annotations

import os
import tempfile
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionDone, ConnectionRefusedError
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.accept.smtpd.proxylink import ProxyLink
from pytwfix.accept.smtpd.safety import Fatal
from pytwfix.accept.smtpd.service import SmtpdService
from tests.kit.smtpclient import Smtp, smtpd_host

EHLO = b"250-filter\r\n250 XFORWARD NAME ADDR PROTO HELO SOURCE PORT IDENT\r\n"
XFORWARD = (
    b"XFORWARD NAME=[UNAVAILABLE] ADDR=198.51.100.7 PORT=4711 PROTO=ESMTP HELO=x IDENT=[UNAVAILABLE] SOURCE=REMOTE"
)
LOST = "451 4.3.0 Error: queue file write error"


class Proxied(SynchronousTestCase):
    options = ""

    def setUp(self) -> None:
        self.refused = False
        self.links: list[Any] = []
        folder = tempfile.mkdtemp(prefix="pytwfix-proxy-")
        os.mkdir(f"{folder}/incoming")
        self.addCleanup(os.rmdir, folder)
        self.addCleanup(os.rmdir, f"{folder}/incoming")
        main = {"smtpd_proxy_filter": "127.0.0.1:10024", "smtpd_proxy_options": self.options}
        self.smtp = Smtp(smtpd_host({**main, "queue_directory": folder, "local_recipient_maps": ""}))
        proxy: Any = self.smtp.service.configuration().proxy
        proxy.end = self
        self.smtp.send("EHLO x")

    def connect(self, make: Any, seconds: float) -> Deferred[ProxyLink]:
        if self.refused:
            return fail(ConnectionRefusedError())
        link = make()
        link.makeConnection(StringTransport())
        self.links.append(link)
        return succeed(link)

    def filter(self, *replies: bytes) -> list[bytes]:
        """The filter says these, one after the other; what it heard for each."""
        heard = []
        for reply in replies:
            heard.append(self.links[-1].transport.value())
            self.links[-1].transport.clear()
            self.links[-1].dataReceived(reply)
        return heard


class AtOnce(Proxied):
    def to_rcpt(self, reply: bytes = b"250 2.1.5 Fine\r\n") -> list[bytes]:
        self.smtp.send("MAIL FROM:<a@b.example> SIZE=10", "RCPT TO:<bob@example.com>")
        return self.filter(b"220 filter\r\n", EHLO, b"250 Ok\r\n", b"250 Ok\r\n", reply)

    def test_mail(self) -> None:
        """SD-48, SD-44, LG-4: the filter hears what the client says, and answers for the mail."""
        heard = self.to_rcpt()
        mail = b"MAIL FROM:<a@b.example> SIZE=10", b"RCPT TO:<bob@example.com>"
        lines = [b"", b"EHLO mx.example.com", XFORWARD, *mail]
        self.assertEqual([line + b"\r\n" if line else b"" for line in lines], heard)
        self.assertEqual(["250 2.1.5 Ok"], self.smtp.said())
        self.assertEqual("NOQUEUE: client=unknown[198.51.100.7]", self.smtp.log[-1])
        self.assertEqual([], self.smtp.send("DATA"))
        self.filter(b"354 go on\r\n")
        self.assertEqual(["354 End data with <CR><LF>.<CR><LF>"], self.smtp.said())
        self.smtp.raw(b"Subject: x\r\n\r\n..x\r\n.\r\n")
        (content,) = self.filter(b"250 2.0.0 Ok: queued as ABC\r\n")
        self.assertTrue(content.startswith(b"Received: from x (unknown [198.51.100.7])\r\n\tby mx.example.com (Po"))
        self.assertIn(b" with ESMTP\r\n\tfor <bob@example.com>;", content)
        self.assertTrue(content.endswith(b"\r\nSubject: x\r\n\r\n..x\r\n.\r\n"))
        self.assertEqual(["250 2.0.0 Ok: queued as ABC"], self.smtp.said())
        about = "from=<a@b.example> to=<bob@example.com> proto=ESMTP helo=<x>"
        self.assertEqual(f"proxy-accept: END-OF-MESSAGE: 250 2.0.0 Ok: queued as ABC; {about}", self.smtp.log[-1])
        self.assertEqual(b"QUIT\r\n", self.links[-1].transport.value())
        self.assertEqual([], self.smtp.mails)

    def test_refusals(self) -> None:
        """SD-48: in the filter's words."""
        self.to_rcpt(b"550 5.1.1 No such user\r\n")
        self.assertEqual(["550 5.1.1 No such user"], self.smtp.said())

    def test_content_refused(self) -> None:
        self.to_rcpt()
        self.smtp.send("DATA")
        self.filter(b"354 go on\r\n")
        self.smtp.raw(b"x\r\n.\r\n")
        self.filter(b"554-5.7.1 spam\r\n554 5.7.1 really\r\n")
        self.assertEqual(["554-5.7.1 spam", "554 5.7.1 really"], self.smtp.said()[-2:])
        self.assertTrue(self.smtp.log[-1].startswith("proxy-reject: END-OF-MESSAGE: 554 5.7.1 spam"))

    def test_away(self) -> None:
        self.refused = True
        self.assertEqual(LOST, self.smtp.last("MAIL FROM:<a@b.example>", "RCPT TO:<bob@example.com>"))
        self.assertTrue(self.smtp.log[-1].startswith("warning: connect to proxy filter 127.0.0.1:10024: "))

    def test_lost_in_content(self) -> None:
        self.to_rcpt()
        self.smtp.send("DATA")
        self.filter(b"354 go on\r\n")
        self.smtp.said()
        self.links[-1].connectionLost(Failure(ConnectionDone()))
        self.assertEqual([LOST], self.smtp.raw(b"x\r\n.\r\n"))
        self.assertIn("warning: lost connection with proxy filter 127.0.0.1:10024", self.smtp.log)

    def test_silent(self) -> None:
        """smtpd_proxy_timeout."""
        self.to_rcpt()
        self.smtp.send("DATA")
        self.smtp.host.clock.advance(100)
        self.assertEqual([LOST], self.smtp.said()[-1:])

    def test_reset(self) -> None:
        self.to_rcpt()
        self.smtp.send("RSET")
        self.assertTrue(self.links[-1].transport.disconnected or self.links[-1].transport.disconnecting)

    def test_no_queue_file(self) -> None:
        main = {"smtpd_proxy_filter": "127.0.0.1:1", "smtpd_client_restrictions": "check_client_access static:HOLD"}
        smtp = Smtp(smtpd_host(main))
        smtp.send("EHLO x", "MAIL FROM:<a@b.example>", "RCPT TO:<x@elsewhere.example>")
        words = "with smtpd_proxy_filter specified, action HOLD is unavailable"
        self.assertTrue(any(words in line for line in smtp.log))

    def test_settings(self) -> None:
        for main in ({"smtpd_proxy_filter": "[x"}, {"smtpd_proxy_filter": "h:1", "smtpd_proxy_options": "fast"}):
            self.assertRaises(Fatal, SmtpdService(smtpd_host(main)).startService)


class Stored(Proxied):
    options = "speed_adjust"

    def test_mail(self) -> None:
        """SD-48: the filter is asked when the mail is here, however large it is."""
        self.smtp.send("MAIL FROM:<a@b.example>", "RCPT TO:<bob@example.com>", "DATA")
        for size in (10, 200000):
            self.smtp.raw(b"x" * size + b"\r\n")
        self.assertEqual([], self.links)
        self.smtp.raw(b".\r\n")
        ok = b"250 Ok\r\n"
        heard = self.filter(b"220 x\r\n", EHLO, ok, ok, ok, b"354 go on\r\n", b"250 2.0.0 taken\r\n")
        self.assertEqual([b"RCPT TO:<bob@example.com>\r\n", b"DATA\r\n"], heard[4:6])
        self.assertTrue(heard[6].endswith(b"\r\n" + b"x" * 10 + b"\r\n" + b"x" * 200000 + b"\r\n.\r\n"))
        self.assertEqual("250 2.0.0 taken", self.smtp.said()[-1])

    def test_refused(self) -> None:
        self.smtp.send("MAIL FROM:<a@b.example>", "RCPT TO:<bob@example.com>", "DATA", "x", ".")
        self.filter(b"220 x\r\n", EHLO, b"250 Ok\r\n", b"550 5.7.1 not you\r\n")
        self.assertEqual("550 5.7.1 not you", self.smtp.said()[-1])
