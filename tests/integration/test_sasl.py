"""Submission: AUTH against a real Dovecot and against tables, under TLS as master.cf's own services have it (SD-41)."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Mapping, Sequence

from tests.integration.test_tls import TlsWorld
from tests.integration.world import WorldCase, in_each_mode, new_token
from tests.kit.dovecot import PASSWORD, USER, Dovecot
from tests.kit.mailsystem import listener
from tests.kit.waiting import free_port

_ONLY_USERS = "smtpd_recipient_restrictions=permit_sasl_authenticated, reject"
_STORED = "inline:{ann@test.example={PLAIN}hers}"


class Submitting(TlsWorld):
    """submission and submissions with Dovecot, a third service with a table."""

    def prepare(self) -> None:
        super().prepare()
        self.dovecot = Dovecot()
        self.closers.append(self.dovecot.close)
        self.submission, self.submissions, self.table = (free_port() for _ in range(3))

    def main(self) -> Mapping[str, str]:
        return {
            **super().main(), "transport_maps": "", "smtpd_sasl_path": self.dovecot.socket,
            "smtpd_sasl_authenticated_header": "yes", "mynetworks": "192.0.2.1",
        }  # fmt: skip

    def services(self) -> Sequence[str]:
        auth = "smtpd_sasl_auth_enable=yes", _ONLY_USERS, "smtpd_relay_restrictions=permit_sasl_authenticated, reject"
        return [
            listener(self.port),
            listener(self.submission, "smtpd_tls_security_level=encrypt", "smtpd_tls_auth_only=yes", *auth),
            listener(self.submissions, "smtpd_tls_wrappermode=yes", *auth),
            listener(self.table, "smtpd_sasl_type=table", f"pytwfix_sasl_password_maps={_STORED}", *auth),
        ]

    def ports(self) -> Sequence[int]:
        return [self.port, self.submission, self.submissions, self.table]


@in_each_mode
class Submission(WorldCase):
    world_class = Submitting

    def submit(self, client: smtplib.SMTP) -> str:
        token = new_token()
        client.sendmail(USER, ["user@far.example"], f"X-Token: {token}\r\n\r\nhello\r\n")
        return token

    def context(self) -> ssl.SSLContext:
        assert isinstance(self.world, Submitting)
        return self.world.client_context()

    def test_submission(self) -> None:
        """SD-41, SD-42, LG-2: no AUTH before TLS; then each mechanism."""
        assert isinstance(self.world, Submitting)
        for mechanism in ("PLAIN", "LOGIN", "CRAM-MD5"):
            mark = self.system.mark()
            with smtplib.SMTP("localhost", self.world.submission, "client.example", timeout=30) as client:
                client.ehlo()
                self.assertFalse(client.has_extn("auth"))
                self.assertEqual(530, client.docmd("MAIL FROM:<>")[0])
                context = self.context()
                context.check_hostname = False
                client.starttls(context=context)
                client.ehlo()
                client.esmtp_features["auth"] = mechanism
                client.login(USER, PASSWORD)
                message = self.world.got(self.submit(client))
            self.assertIn(f"(Authenticated sender: {USER})", message.text)
            self.assertIn("with ESMTPSA id", message.text)
            self.assertLogged(rf": client=\S+, sasl_method={mechanism}, sasl_username={USER}$", mark)

    def test_submissions(self) -> None:
        """SD-42: TLS from the first byte."""
        assert isinstance(self.world, Submitting)
        context = self.context()
        context.check_hostname = False
        with smtplib.SMTP_SSL("localhost", self.world.submissions, "client.example", context=context) as client:
            client.login(USER, PASSWORD)
            self.world.got(self.submit(client))

    def test_wrong_password(self) -> None:
        """LG-5: as fail2ban reads it."""
        assert isinstance(self.world, Submitting)
        mark = self.system.mark()
        context = self.context()
        context.check_hostname = False
        with smtplib.SMTP_SSL("localhost", self.world.submissions, "client.example", context=context) as client:
            self.assertRaises(smtplib.SMTPAuthenticationError, client.login, USER, "wrong")
            self.assertEqual(554, client.docmd("MAIL FROM:<>")[0] and client.docmd("RCPT TO:<user@far.example>")[0])
        self.assertLogged(rf"warning: \S+: SASL \S+ authentication failed: .*, sasl_username={USER}", mark)

    def test_table(self) -> None:
        """SD-41: without any other daemon."""
        assert isinstance(self.world, Submitting)
        for mechanism in ("PLAIN", "LOGIN"):
            with smtplib.SMTP("localhost", self.world.table, "client.example", timeout=30) as client:
                client.ehlo()
                self.assertEqual("PLAIN LOGIN SCRAM-SHA-256", client.esmtp_features["auth"].strip())
                client.esmtp_features["auth"] = mechanism
                client.login("ann@test.example", "hers")
                self.assertIn("(Authenticated sender: ann@test.example)", self.world.got(self.submit(client)).text)
