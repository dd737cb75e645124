"""Transcripts for the postmaster and for the log; refusals in other words."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.kit.smtpclient import Smtp, smtpd_host

ALL = {"notify_classes": "resource, software, policy, protocol", "smtpd_sasl_auth_enable": "yes"}
TABLE = {"smtpd_sasl_type": "table", "pytwfix_sasl_password_maps": "inline:{joe={PLAIN}secret}"}
PEER = "unknown[198.51.100.7]"


class Notices(SynchronousTestCase):
    def serve(self, *lines: str, **main: str) -> Smtp:
        smtp = Smtp(smtpd_host({**ALL, **TABLE, **main}))
        smtp.send("EHLO x", *lines)
        return smtp

    def test_refusal(self) -> None:
        """SD-56: what was said, from us to the postmaster."""
        smtp = self.serve("MAIL FROM:<a@b.c>", "RCPT TO:<x@y.example>", "QUIT", smtpd_discard_ehlo_keywords="auth, dsn")
        (mail,) = smtp.mails
        self.assertEqual(b"double-bounce@mx.example.com", mail.from_)
        self.assertEqual([b"postmaster"], [one.address for one in mail.recipients])
        self.assertEqual("committed", mail.ended)
        text = mail.content.decode()
        subject = f"Subject: Postfix SMTP server: errors from {PEER}"
        self.assertIn(f"{subject}\r\n\r\nTranscript of session follows.\r\n\r\n", text)
        said = " In:  RCPT TO:<x@y.example>\r\n Out: 454 4.7.1 <x@y.example>: Relay access denied\r\n In:  QUIT\r\n"
        self.assertIn(said, text)
        end = "\r\n\r\n\r\nFor other details, see the local mail logfile\r\n"
        self.assertTrue(text.endswith(" Out: 221 2.0.0 Bye" + end))

    def test_not_wanted(self) -> None:
        self.assertEqual([], self.serve("FOO", "QUIT", notify_classes="resource, software").mails)
        self.assertEqual([], self.serve("QUIT").mails)

    def test_forgiven(self) -> None:
        """A mail that was taken makes up for it."""
        smtp = self.serve("FOO", "MAIL FROM:<a@b.c>", "RCPT TO:<bob@example.com>", "DATA", ".", "QUIT")
        self.assertEqual(1, len(smtp.mails))

    def test_forgiven_but_not_forgotten(self) -> None:
        """What comes after the mail is told with all that was said before."""
        smtp = self.serve("FOO", "MAIL FROM:<a@b.c>", "RCPT TO:<bob@example.com>", "DATA", ".", "BAR", "QUIT")
        self.assertIn(b" In:  FOO\r\n", smtp.mails[1].content)

    def test_classes(self) -> None:
        """SD-56: unknown users are a bounce, whose notices go elsewhere; no right is a matter of policy."""
        to = {"bounce_notice_recipient": "bounces@x.example", "error_notice_recipient": "errors@x.example"}
        for kind, line, hears in (
            ("bounce", "RCPT TO:<nobody@example.com>", b"bounces@x.example"),
            ("policy", "RCPT TO:<x@y.example>", b"errors@x.example"),
            ("protocol", "FOO", b"errors@x.example"),
        ):  # fmt: skip
            for notify in ("bounce", "policy", "protocol"):
                smtp = self.serve("MAIL FROM:<a@b.c>", line, "QUIT", notify_classes=notify, **to)
                told = [one.address for mail in smtp.mails for one in mail.recipients]
                self.assertEqual([hears] if notify == kind else [], told, (kind, notify))

    def test_untold(self) -> None:
        """No valid recipients, and ETRN for a domain that is not served, are worth no notice."""
        everything = "bounce, policy, protocol, resource, software"
        smtp = self.serve("ETRN no.example", "MAIL FROM:<a@b.c>", "DATA", "QUIT", notify_classes=everything)
        self.assertEqual([], smtp.mails)

    def test_flushed(self) -> None:
        """smtpd_history_flush_threshold: at RSET what was said is forgotten, or told when it was worth it."""
        smtp = self.serve(*["NOOP"] * 60, "RSET", "FOO", "QUIT")
        self.assertNotIn(b"NOOP", smtp.mails[0].content)
        smtp = self.serve("FOO", *["NOOP"] * 60, "RSET", "NOOP")
        self.assertEqual(1, len(smtp.mails))
        end = b" In:  RSET\r\n\r\n\r\nFor other details, see the local mail logfile\r\n"
        self.assertTrue(smtp.mails[0].content.endswith(end))

    def test_too_many_errors(self) -> None:
        """The last words are ours."""
        smtp = self.serve(*["NOOP"] * 30, smtpd_junk_command_limit="5", smtpd_hard_error_limit="10")
        self.assertIn(b" Out: 421 4.7.0 mx.example.com Error: too many errors\r\n", smtp.mails[0].content)

    def test_aborted(self) -> None:
        smtp = self.serve("FOO")
        smtp.vanish()
        self.assertIn(b"\r\n\r\nSession aborted, reason: lost connection\r\n\r\nFor other", smtp.mails[0].content)

    def test_no_passwords(self) -> None:
        smtp = self.serve("AUTH PLAIN AGpvZQBzZWNyZXQ=", "AUTH LOGIN", "am9l", "FOO", "QUIT")
        text = smtp.mails[0].content.decode()
        self.assertIn(" In:  AUTH PLAIN ...\r\n", text)
        self.assertNotIn("AGpv", text)
        smtp = self.serve("AUTH LOGIN", "am9l", "c2VjcmV0", "FOO", "QUIT")
        self.assertNotIn("c2Vj", smtp.mails[0].content.decode())

    def test_resource(self) -> None:
        smtp = self.serve(notify_classes="resource")
        smtp.host.peers.store.free = 0
        smtp.send("MAIL FROM:<a@b.c>", "QUIT")
        self.assertIn(b"452 4.3.1 Insufficient system storage", smtp.mails[0].content)


class Debugging(SynchronousTestCase):
    def test_peer(self) -> None:
        """SV-8: the dialog of a peer in debug_peer_list is logged, nobody else's."""
        host = smtpd_host({"debug_peer_list": "192.0.2.1", "notify_classes": ""})
        smtp = Smtp(host, "192.0.2.1")
        smtp.send("HELO x")
        self.assertIn("> client.example[192.0.2.1]: 220 mx.example.com ESMTP Postfix", smtp.log)
        self.assertIn("< client.example[192.0.2.1]: HELO x", smtp.log)
        self.assertIn("> client.example[192.0.2.1]: 250 mx.example.com", smtp.log)
        mark = len(smtp.log)
        Smtp(host).send("HELO x")
        self.assertEqual([f"connect from {PEER}"], smtp.log[mark:])


class RejectFilter(SynchronousTestCase):
    def test_replaced(self) -> None:
        """SD-51: the whole refusal, before the footer is added."""
        table = "pcre:{{/^454 4.7.1 (.*): Relay access denied/ 450 4.7.9 $$1 later}, {/^500/ nonsense}}"
        smtp = Smtp(smtpd_host({"smtpd_reject_filter_maps": table, "smtpd_reject_footer": "Call us"}))
        smtp.send("EHLO x", "MAIL FROM:<a@b.c>")
        self.assertEqual(["450-4.7.9 <x@y.z> later", "450 4.7.9 Call us"], smtp.send("RCPT TO:<x@y.z>"))
        old = "in: 454 4.7.1 <x@y.z>: Relay access denied; out: 450 4.7.9 <x@y.z> later"
        self.assertEqual(f"NOQUEUE: reject filter: RCPT from {PEER}: {old}", smtp.log[-1])
        self.assertEqual("500 5.5.2 Error: command not recognized", smtp.send("FOO")[0].replace("-", " "))
        self.assertEqual("warning: smtpd_reject_filter_maps: ignoring bad reply: nonsense", smtp.log[-1])
