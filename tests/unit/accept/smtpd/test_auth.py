"""AUTH, from the client's words to who may relay."""

from __future__ import annotations

import base64
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.accept.smtpd.safety import Fatal
from pytwfix.accept.smtpd.sasl_dovecot import _Connection
from pytwfix.accept.smtpd.service import SmtpdService
from tests.kit.smtpclient import Smtp, smtpd_host

PEER = "unknown[198.51.100.7]"
TABLE = {
    "smtpd_sasl_auth_enable": "yes",
    "smtpd_sasl_type": "table",
    "pytwfix_sasl_password_maps": "inline:{joe={PLAIN}secret, odd=secret}",
    "smtpd_relay_restrictions": "permit_sasl_authenticated, reject",
}
RELAY = ("MAIL FROM:<a@b.example>", "RCPT TO:<x@elsewhere.example>")


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def server(**changes: str) -> Smtp:
    smtp = Smtp(smtpd_host({**TABLE, **changes}))
    smtp.said()
    return smtp


class Table(SynchronousTestCase):
    def test_offer(self) -> None:
        """SD-3, SD-41: what EHLO says of AUTH."""
        self.assertIn("250-AUTH PLAIN LOGIN SCRAM-SHA-256", server().send("EHLO x"))
        self.assertIn("250-AUTH=PLAIN LOGIN SCRAM-SHA-256", server(broken_sasl_auth_clients="yes").send("EHLO x"))
        options = {"smtpd_sasl_security_options": "noanonymous, noplaintext"}
        self.assertIn("250-AUTH SCRAM-SHA-256", server(**options).send("EHLO x"))
        self.assertIn("250-AUTH LOGIN", server(smtpd_sasl_mechanism_filter="login").send("EHLO x"))

    def test_not_offered(self) -> None:
        for changes in (
            {"smtpd_tls_auth_only": "yes"},
            {"smtpd_sasl_exceptions_networks": "198.51.100.0/24"},
            {"smtpd_sasl_auth_enable": "no"},
        ):
            smtp = server(**changes)
            self.assertNotIn("AUTH", "".join(smtp.send("EHLO x")))
            self.assertEqual("503 5.5.1 Error: authentication not enabled", smtp.last("AUTH PLAIN"))
        self.assertNotIn("AUTH", "".join(server(smtpd_discard_ehlo_keywords="auth").send("EHLO x")))

    def test_success(self) -> None:
        """SD-41, SD-49, LG-2, LG-3: logged, relayed, named."""
        smtp = server(smtpd_sasl_authenticated_header="yes")
        smtp.send("EHLO x")
        self.assertEqual("235 2.7.0 Authentication successful", smtp.last("AUTH PLAIN " + b64("\0joe\0secret")))
        self.assertEqual("503 5.5.1 Error: already authenticated", smtp.last("AUTH PLAIN"))
        self.assertEqual("250 2.1.5 Ok", smtp.last(*RELAY))
        self.assertEqual(f"Q1: client={PEER}, sasl_method=PLAIN, sasl_username=joe", smtp.log[-1])
        smtp.send("DATA", ".", "QUIT")
        self.assertIn(b"(Authenticated sender: joe)", smtp.mails[0].content)
        self.assertIn(b"with ESMTPA id", smtp.mails[0].content)
        self.assertEqual("joe", smtp.mails[0].origin.client.sasl_username)
        self.assertIn(" auth=1/2 ", smtp.log[-1])

    def test_login(self) -> None:
        smtp = server()
        smtp.send("EHLO x")
        self.assertEqual(["334 VXNlcm5hbWU6"], smtp.send("AUTH LOGIN"))
        self.assertEqual(["334 UGFzc3dvcmQ6"], smtp.send(b64("joe")))
        self.assertEqual(["235 2.7.0 Authentication successful"], smtp.send(b64("secret")))

    def test_failures(self) -> None:
        """SD-41, LG-5: the reply and the line that fail2ban reads."""
        smtp = server()
        smtp.send("EHLO x")
        for command, reason, user in (
            ("AUTH PLAIN " + b64("\0joe\0wrong"), "authentication failure", "joe"),
            ("AUTH PLAIN " + b64("\0who\0wrong"), "authentication failure", "who"),
            ("AUTH PLAIN ===", "Invalid base64 data in initial response", "(unavailable)"),
            ("AUTH GSSAPI", "Invalid authentication mechanism", "(unavailable)"),
        ):
            self.assertEqual(f"535 5.7.8 Error: authentication failed: {reason}", smtp.last(command))
            word = command.split()[1]
            line = f"warning: {PEER}: SASL {word} authentication failed: {reason}, sasl_username={user}"
            self.assertEqual(line, smtp.log[-1])
        self.assertEqual("501 5.5.4 Syntax: AUTH mechanism", smtp.last("AUTH"))
        denied = "554 5.7.1 <x@elsewhere.example>: Recipient address rejected: Access denied"
        self.assertEqual(denied, smtp.last(*RELAY))
        self.assertEqual("503 5.5.1 Error: MAIL transaction in progress", smtp.last("AUTH PLAIN"))

    def test_unusable_password(self) -> None:
        smtp = server()
        smtp.send("EHLO x")
        reply = smtp.last("AUTH PLAIN " + b64("\0odd\0secret"))
        self.assertEqual("454 4.7.0 Temporary authentication failure: password lookup failed", reply)

    def test_abort(self) -> None:
        smtp = server()
        smtp.send("EHLO x", "AUTH LOGIN")
        self.assertEqual("501 5.7.0 Authentication aborted", smtp.last("*"))
        self.assertEqual("250 2.0.0 Ok", smtp.last("NOOP"))
        self.assertIn(f"warning: {PEER}: SASL LOGIN authentication aborted", smtp.log)

    def test_too_long(self) -> None:
        """SD-41: smtpd_sasl_response_limit, in one piece and in several."""
        smtp = server()
        smtp.send("EHLO x")
        for pieces in (1, 5):
            smtp.send("AUTH LOGIN")
            for _ in range(pieces - 1):
                self.assertEqual([], smtp.raw(b"A" * 9000))
            self.assertEqual("500 5.5.6 SASL response limit exceeded", smtp.last("A" * 13000))
        self.assertEqual("250 2.0.0 Ok", smtp.last("NOOP"))

    def test_rate(self) -> None:
        """SD-47."""
        smtp = server(smtpd_client_auth_rate_limit="1")
        smtp.send("EHLO x", "AUTH PLAIN " + b64("\0joe\0wrong"))
        self.assertEqual("450 4.7.1 Error: too many AUTH commands from 198.51.100.7", smtp.last("AUTH PLAIN"))
        self.assertEqual(f"warning: AUTH command rate limit exceeded: 2 from {PEER} for service smtp", smtp.log[-1])

    def test_realm(self) -> None:
        smtp = server(smtpd_sasl_local_domain="d.e", pytwfix_sasl_password_maps="inline:{joe@d.e={PLAIN}s}")
        smtp.send("EHLO x")
        self.assertEqual("235 2.7.0 Authentication successful", smtp.last("AUTH PLAIN " + b64("\0joe\0s")))
        self.assertTrue(smtp.send(*RELAY) and smtp.log[-1].endswith("sasl_username=joe@d.e"))

    def test_fatal(self) -> None:
        for changes, words in (
            ({"pytwfix_sasl_password_maps": ""}, "needs pytwfix_sasl_password_maps"),
            ({"smtpd_sasl_type": "kerberos"}, "unsupported SASL server implementation"),
            ({"smtpd_sasl_type": "cyrus", "pytwfix_saslauthd_path": "/nowhere/mux"}, "needs saslauthd"),
            ({"smtpd_sasl_security_options": "noplain"}, "unknown SASL security option"),
        ):
            service = SmtpdService(smtpd_host({**TABLE, **changes}))
            self.assertIn(words, str(self.assertRaises(Fatal, service.startService)))


class FakeWire:
    """The other end of a connection to Dovecot."""

    def __init__(self) -> None:
        self.sent = b""
        self.gone = False

    def write(self, data: bytes) -> None:
        self.sent += data

    def abortConnection(self) -> None:
        self.gone = True


class Dovecot(SynchronousTestCase):
    def setUp(self) -> None:
        self.made: list[Any] = []
        self.host = smtpd_host({**TABLE, "smtpd_sasl_type": "dovecot", "smtpd_sasl_path": "private/auth"})
        self.smtp = Smtp(self.host)
        self.smtp.said()
        offer: Any = self.smtp.service.configuration().sasl
        offer._sasl._end = self
        self.text = "private/auth"

    def connect(self, make: Any, seconds: float) -> Deferred[_Connection]:
        connection = make()
        connection.makeConnection(FakeWire())
        self.made.append(connection)
        done: Deferred[_Connection] = Deferred()
        done.callback(connection)
        return done

    def introduce(self) -> None:
        self.made[-1].dataReceived(b"VERSION\t1\t1\nMECH\tPLAIN\tplaintext\nMECH\tX\tprivate\nDONE\n")

    def test_exchange(self) -> None:
        """SD-41: a connection is made for the first client, kept, and used again."""
        self.assertEqual([], self.smtp.send("EHLO x"))
        self.introduce()
        self.assertIn("250-AUTH PLAIN", self.smtp.said())
        self.assertEqual([], self.smtp.send("AUTH PLAIN " + b64("\0joe\0wrong")))
        (connection,) = self.made
        asked = connection.transport.sent.splitlines()[-1]
        words = b"AUTH 1 PLAIN service=smtp nologin lip=192.0.2.25 lport=25 rip=198.51.100.7".replace(b" ", b"\t")
        self.assertTrue(asked.startswith(words), asked)
        connection.dataReceived(b"FAIL\t1\tuser=joe\n")
        self.assertEqual(["535 5.7.8 Error: authentication failed: (reason unavailable)"], self.smtp.said())
        self.smtp.send("AUTH PLAIN " + b64("\0joe\0secret"))
        connection.dataReceived(b"OK\t2\tuser=joe@example.com\n")
        self.assertEqual(["235 2.7.0 Authentication successful"], self.smtp.said())
        self.assertEqual(1, len(self.made))

    def test_away(self) -> None:
        """No answer: no AUTH, a warning, and the session goes on."""
        self.smtp.send("EHLO x")
        self.host.clock.advance(10)
        self.assertIn("250 CHUNKING", self.smtp.said())
        self.assertIn("warning: no SASL authentication mechanisms", self.smtp.log)

    def test_dies(self) -> None:
        """In the middle of an exchange; an idle connection that has died is replaced."""
        self.smtp.send("EHLO x")
        self.introduce()
        self.smtp.send("AUTH PLAIN")
        self.made[-1].dataReceived(b"CONT\t1\t\n")
        self.assertEqual("334 ", self.smtp.said()[-1])
        self.smtp.send(b64("\0joe\0secret"))
        self.made[-1].connectionLost()
        lost = "454 4.7.0 Temporary authentication failure: Connection lost to authentication server"
        self.assertEqual([lost], self.smtp.said())
        self.smtp.send("AUTH PLAIN " + b64("\0joe\0secret"))
        self.introduce()
        self.made[-1].dataReceived(b"OK\t1\tuser=joe\n")
        self.assertEqual(["235 2.7.0 Authentication successful"], self.smtp.said())

    def test_client_leaves(self) -> None:
        """Its connection is not used for another client."""
        self.smtp.send("EHLO x")
        self.introduce()
        self.smtp.send("AUTH PLAIN")
        self.made[-1].dataReceived(b"CONT\t1\t\n")
        self.smtp.vanish()
        self.assertTrue(self.made[-1].transport.gone)
