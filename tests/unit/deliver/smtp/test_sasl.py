"""Logging in at a server (SM-14)."""

from __future__ import annotations

import base64
import os
from typing import Any

from tests.kit.smtpcase import SmtpCase
from tests.kit.smtpnet import SmtpServer

_ON = {"smtp_sasl_auth_enable": "yes", "smtp_sasl_password_maps": "inline:{{192.0.2.10=user:pass}}"}
_PLAIN = base64.b64encode(b"\0user\0pass")


class SaslTests(SmtpCase):
    def ready(self, mechanisms: str, reply: Any = b"235 2.7.0 in\r\n", **main: str) -> None:
        self.begin(**{**_ON, "smtp_sasl_security_options": "noanonymous", **main})
        self.server.rules({"EHLO": b"250-mx\r\n250 AUTH " + mechanisms.encode() + b"\r\n", "AUTH": reply})

    def test_plain(self) -> None:
        """SM-14: name and password by host; the best mechanism that both know."""
        self.ready("LOGIN PLAIN GSSAPI")
        self.deliver()
        self.assertEqual(self.server.commands[1], b"AUTH PLAIN " + _PLAIN)
        self.assertEqual(len(self.server.mails), 1)

    def test_type(self) -> None:
        """SM-14: an smtp_sasl_type that there is not lets the mail wait, as with Postfix."""
        self.ready("PLAIN", smtp_sasl_type="gsasl")
        self.deliver()
        self.assertEqual(self.server.mails, [])
        self.logged("warning: unsupported SASL client implementation: gsasl")
        self.assertIn("dsn=4.3.5, status=deferred (SASL library initialization)", self.ends()[0])

    def test_by_destination(self) -> None:
        """SM-14: else by the nexthop as it is written."""
        self.ready("PLAIN", smtp_sasl_password_maps="inline:{{[192.0.2.10]:25=user:pass}}")
        self.deliver()
        self.assertEqual(self.server.commands[1], b"AUTH PLAIN " + _PLAIN)

    def test_by_sender(self) -> None:
        """SM-14: smtp_sender_dependent_authentication; a session belongs to its sender."""
        self.ready(
            "PLAIN",
            smtp_sender_dependent_authentication="yes",
            smtp_sasl_password_maps="inline:{{a@b.example=user:pass}, {@d.example=other:word}}",
        )
        self.net.servers[("192.0.2.10", 25)] = lambda: SmtpServer(**self.server.replies)
        self.deliver()
        self.deliver(sender=b"c@d.example")
        self.deliver()
        self.assertEqual(len(self.net.asked), 2)
        auth = [line for server in self.net.made for line in server.commands if line.startswith(b"AUTH")]
        self.assertEqual(auth, [b"AUTH PLAIN " + _PLAIN, b"AUTH PLAIN " + base64.b64encode(b"\0other\0word")])

    def test_no_password(self) -> None:
        """SM-14: a server that we have no password for is used without; so is one without AUTH."""
        self.ready("PLAIN", smtp_sasl_password_maps="inline:{{x=y:z}}")
        self.deliver()
        self.server.rules({"EHLO": b"250 mx\r\n"})
        self.wait(3)
        self.deliver()
        self.assertEqual([line for line in self.server.commands if line.startswith(b"AUTH")], [])
        self.assertEqual(len(self.server.mails), 2)

    def test_login(self) -> None:
        """SM-14: LOGIN asks twice."""
        asked: list[bytes] = []

        def challenge(server: Any) -> bytes:
            server.rules({"": answer})
            return b"334 VXNlcm5hbWU6\r\n"

        def answer(server: Any) -> bytes:
            asked.append(base64.b64decode(server.commands[-1]))
            if len(asked) == 1:
                return b"334 UGFzc3dvcmQ6\r\n"
            del server.replies[""]
            return b"235 in\r\n"

        self.ready("LOGIN", challenge)
        self.deliver()
        self.assertEqual(asked, [b"user", b"pass"])
        self.assertEqual(len(self.server.mails), 1)

    def test_noplaintext(self) -> None:
        """SM-14: the default options keep the password from a connection in the clear."""
        self.ready("PLAIN LOGIN", smtp_sasl_security_options="noplaintext, noanonymous")
        self.assertEqual(len(self.deliver().deferred), 1)
        self.assertIn(
            "dsn=4.7.0, status=deferred (SASL authentication failed; cannot authenticate to server "
            "192.0.2.10[192.0.2.10]: no mechanism available)",
            self.ends()[0],
        )
        self.logged("warning: SASL authentication failure: No worthy mechs found")

    def test_filter(self) -> None:
        """SM-14: smtp_sasl_mechanism_filter."""
        self.ready("PLAIN LOGIN", b"334 VXNlcm5hbWU6\r\n", smtp_sasl_mechanism_filter="!plain, static:rest")
        self.start()
        self.net.settle()
        self.assertEqual(self.server.commands[1], b"AUTH LOGIN")
        self.ready("PLAIN LOGIN", smtp_sasl_mechanism_filter="cram-md5")
        self.deliver()
        self.assertIn(
            "dsn=4.7.0, status=deferred (SASL authentication failed: server 192.0.2.10[192.0.2.10] offered no "
            "compatible authentication mechanisms for this type of connection security)",
            self.ends()[0],
        )

    def test_refused(self) -> None:
        """SM-14: a login that fails defers, or bounces with smtp_sasl_auth_soft_bounce = no."""
        for soft, word in (("yes", "dsn=4.7.8, status=deferred"), ("no", "dsn=5.7.8, status=bounced")):
            self.setUp()
            self.ready("PLAIN", b"535 5.7.8 who\r\n", smtp_sasl_auth_soft_bounce=soft)
            self.deliver()
            self.assertIn(
                f"{word} (SASL authentication failed; server 192.0.2.10[192.0.2.10] said: 535 5.7.8 who)",
                self.ends()[0],
            )

    def test_failed_before(self) -> None:
        """SM-14: smtp_sasl_auth_cache_name: a login that was refused is not tried again with the same password."""
        folder = os.path.abspath(self.mktemp())
        os.mkdir(folder)
        cache = {"smtp_sasl_auth_cache_name": f"lmdb:{folder}/cache"}
        self.ready("PLAIN", b"535 5.7.8 who\r\n", **cache)
        self.deliver()
        self.deliver()
        self.assertEqual(len([line for line in self.server.commands if line.startswith(b"AUTH")]), 1)
        self.assertIn(
            "(SASL [CACHED] authentication failed; server 192.0.2.10[192.0.2.10] said: 535 5.7.8 who)", self.ends()[1]
        )
        self.ready("PLAIN", smtp_sasl_password_maps="inline:{{192.0.2.10=user:other}}", **cache)
        self.deliver()
        self.assertIn("status=sent", self.ends()[0])

    def test_dummy(self) -> None:
        """SM-14: smtp_send_dummy_mail_auth."""
        self.ready("PLAIN", smtp_send_dummy_mail_auth="yes")
        self.deliver()
        self.assertEqual(self.server.commands[2], b"MAIL FROM:<a@b.example> AUTH=<>")
