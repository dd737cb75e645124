"""A load balancer in front (SD-45)."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.accept.smtpd.safety import Fatal
from pytwfix.accept.smtpd.service import SmtpdService
from tests.kit.smtpclient import Smtp, smtpd_host

MAIN = {"smtpd_upstream_proxy_protocol": "haproxy"}


class Balanced(SynchronousTestCase):
    def setUp(self) -> None:
        self.smtp = Smtp(smtpd_host(MAIN))

    def test_client(self) -> None:
        """SD-45, SD-46: the client is who the balancer says, by name too."""
        self.assertEqual([], self.smtp.said())
        said = self.smtp.raw(b"PROXY TCP4 192.0.2.1 192.0.2.25 1234 25\r\n")
        self.assertEqual(["220 mx.example.com ESMTP Postfix"], said)
        self.assertEqual(["connect from client.example[192.0.2.1]"], self.smtp.log)

    def test_nonsense(self) -> None:
        reply = "421 4.3.0 mx.example.com Server local error"
        self.assertEqual([reply], self.smtp.raw(b"EHLO x\r\n"))
        self.assertTrue(self.smtp.closed)
        self.assertEqual("warning: haproxy read: short protocol header: EHLO x\\r\\n", self.smtp.log[0])
        self.assertEqual("disconnect from unknown[198.51.100.7] commands=0/0", self.smtp.log[2])

    def test_silence(self) -> None:
        self.smtp.host.clock.advance(5)
        self.assertEqual("warning: haproxy read: timeout error", self.smtp.log[0])
        self.assertTrue(self.smtp.closed)

    def test_gone(self) -> None:
        self.smtp.raw(b"PROXY ")
        self.smtp.vanish()
        self.assertEqual("warning: haproxy read: lost connection", self.smtp.log[0])

    def test_other_protocol(self) -> None:
        service = SmtpdService(smtpd_host({"smtpd_upstream_proxy_protocol": "nginx"}))
        self.assertRaises(Fatal, service.startService)
