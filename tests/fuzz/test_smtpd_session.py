"""Whole sessions with random clients: no exception is logged, no mail is left open, and the counts add up."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.kit.smtpclient import Smtp, smtpd_host

WORDS = [
    b"EHLO x.example\r\n", b"HELO x\r\n", b"MAIL FROM:<a@b.example>\r\n", b"MAIL FROM:<> SIZE=9 SMTPUTF8\r\n",
    b"RCPT TO:<bob@example.com>\r\n", b"RCPT TO:<alice@example.com>\r\n", b"RCPT TO:<x@remote.example>\r\n",
    b"RCPT TO:<postmaster>\r\n", b"DATA\r\n", b"x\r\n.\r\n", b".\r\n", b"BDAT 4\r\n", b"BDAT 3 LAST\r\n", b"BDAT 0\r\n",
    b"BDAT 0 LAST\r\n", b"BDAT 500\r\n", b"RSET\r\n", b"NOOP\r\n", b"QUIT\r\n", b"VRFY bob\r\n", b"ETRN x.example\r\n",
    b"STARTTLS\r\n", b"AUTH PLAIN x\r\n", b"XCLIENT ADDR=192.0.2.9 NAME=[UNAVAILABLE] HELO=q\r\n", b"FOO\r\n",
    b"X: y\r\n",
    b"XCLIENT NAME=a.example PROTO=ESMTP\r\n", b"XFORWARD NAME=a.example ADDR=192.0.2.9 IDENT=x\r\n", b"\r\n", b"\n",
    b"HELP\r\n", b"EHLO \xc3\xa9\r\n", b"MAIL FROM:<\xc3\xa9@b.example>\r\n", b"NOOP \xff\r\n", b"a", b"\0",
]  # fmt: skip
INTRO = b"EHLO x.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<bob@example.com>\r\n"
PIECES = st.tuples(
    st.sampled_from([b"", INTRO, INTRO + b"DATA\r\n", INTRO + b"BDAT 7\r\n"]),
    st.lists(st.sampled_from(WORDS) | st.sampled_from(WORDS) | st.binary(max_size=12), min_size=3, max_size=40),
).map(lambda pair: [pair[0], *pair[1]])
LISTS = st.sampled_from(
    [
        {},
        {"smtpd_forbid_unauth_pipelining": "yes"},
        {"smtpd_delay_reject": "no", "smtpd_helo_restrictions": "reject_non_fqdn_helo_hostname"},
        {"smtpd_sender_restrictions": "check_sender_access inline:{a@b.example=HOLD}", "message_size_limit": "100"},
        {"smtpd_data_restrictions": "reject_unauth_pipelining", "smtpd_forbid_bare_newline": "reject"},
        {"smtpd_recipient_restrictions": "warn_if_reject reject, defer_if_reject", "smtpd_helo_required": "yes"},
        {"smtpd_end_of_data_restrictions": "reject", "smtpd_reject_footer": "see $client_name"},
        {"smtpd_sender_restrictions": "check_sender_access inline:{a@b.example=DISCARD}", "soft_bounce": "yes"},
        {"smtpd_forbid_bare_newline": "no", "smtpd_recipient_limit": "1", "smtputf8_enable": "no"},
    ]
)


class Sessions(SynchronousTestCase):
    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(PIECES, LISTS)
    def test_anything(self, pieces: list[bytes], main: dict[str, str]) -> None:
        trust = "198.51.100.7 192.0.2.0/24"
        own = {"smtpd_authorized_xclient_hosts": trust, "smtpd_authorized_xforward_hosts": trust}
        smtp = Smtp(smtpd_host({**own, **main}))
        for piece in pieces:
            if not smtp.closed:
                smtp.raw(piece)
        if not smtp.closed:
            smtp.vanish()
        self.assertEqual([], [line for line in smtp.log if line.startswith("error:")])
        self.assertTrue(all(mail.ended for mail in smtp.mails))
        self.assertIn("commands=", smtp.log[-1])
        self.assertEqual(1, sum(line.startswith("disconnect from ") for line in smtp.log))
