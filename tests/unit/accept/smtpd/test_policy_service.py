"""check_policy_service over a connection in memory (SD-40)."""

from __future__ import annotations

from typing import Any

from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.accept.smtpd.service import SmtpdService
from tests.kit.smtpclient import Smtp, smtpd_host

START = ("EHLO client.example", "MAIL FROM:<a@b.example> SIZE=77", "RCPT TO:<bob@example.com>")


class Policy(SynchronousTestCase):
    def connect(self, service: str = "unix:private/policy", **main: str) -> Smtp:
        """A session that waits for the service's first connection."""
        restrictions = f"check_policy_service {service}"
        host = smtpd_host({"smtpd_recipient_restrictions": restrictions, "queue_directory": "/q", **main})
        self.reactor: Any = MemoryReactorClock()
        host.reactor = self.reactor
        smtp = Smtp(host)
        smtp.send(*START[:2])
        self.assertEqual([], smtp.send(START[2]))
        return smtp

    def accept(self) -> tuple[Any, StringTransport]:
        """The service takes the connection and has the request."""
        path, factory = self.reactor.unixClients[-1][:2]
        self.assertEqual("/q/private/policy", path)
        protocol = factory.buildProtocol(None)
        transport = StringTransport()
        protocol.makeConnection(transport)
        return protocol, transport

    def test_request(self) -> None:
        smtp = self.connect()
        protocol, transport = self.accept()
        lines = transport.value().decode().split("\n")
        self.assertEqual(["", ""], lines[-2:])
        values = dict(line.split("=", 1) for line in lines if line)
        self.assertEqual("request", next(iter(values)))
        expected = {
            "request": "smtpd_access_policy",
            "protocol_state": "RCPT",
            "protocol_name": "ESMTP",
            "client_address": "198.51.100.7",
            "helo_name": "client.example",
            "sender": "a@b.example",
            "recipient": "bob@example.com",
            "recipient_count": "0",
            "size": "77",
        }
        self.assertEqual(expected, {name: values[name] for name in expected})
        protocol.dataReceived(b"action=450 4.2.0 Greylisted\n\n")
        said = ["450 4.2.0 <bob@example.com>: Recipient address rejected: Greylisted"]
        self.assertEqual(said, smtp.said())

    def test_connection_is_used_again(self) -> None:
        smtp = self.connect()
        protocol, transport = self.accept()
        protocol.dataReceived(b"action=DUNNO\n\n")
        self.assertEqual(["250 2.1.5 Ok"], smtp.said())
        transport.clear()
        smtp.send("RCPT TO:<alice@example.com>")
        self.assertIn(b"recipient=alice@example.com\n", transport.value())
        self.assertEqual(1, len(self.reactor.unixClients))

    def test_default_action(self) -> None:
        """It does not answer: try again, then the default."""
        smtp = self.connect()
        for _ in range(2):
            self.accept()
            smtp.host.clock.advance(100)
            smtp.host.clock.advance(1)
        said = "451 4.3.5 <bob@example.com>: Recipient address rejected: Server configuration problem"
        self.assertEqual([said], smtp.said())
        self.assertIn("warning: problem talking to server private/policy: Connection timed out", smtp.log)

    def test_own_options(self) -> None:
        service = "{ unix:private/policy, timeout = 3s, try_limit=1, { default_action = DUNNO } }"
        smtp = self.connect(service)
        self.accept()
        smtp.host.clock.advance(3)
        self.assertEqual(["250 2.1.5 Ok"], smtp.said())

    def test_bad_endpoint(self) -> None:
        for service in ("inet:nowhere", "private/policy:", "{ unix:x, speed = 3 }"):
            host = smtpd_host({"smtpd_recipient_restrictions": f"check_policy_service {service}"})
            SmtpdService(host).startService()
            self.assertEqual("451 4.3.5 Server configuration error", Smtp(host).last(*START), service)
