"""Sessions from greeting to goodbye, over a wire in memory."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.contracts.rewriting import CLASS_LOCAL, ERROR, Resolved
from pytwfix.mail.errors import queue_file_write_error
from tests.kit.accepting import RoomyStore
from tests.kit.smtpclient import Smtp, smtpd_host

MAIL = ("EHLO client.example", "MAIL FROM:<a@b.example>", "RCPT TO:<bob@example.com>")
LIST = [
    "250-mx.example.com",
    "250-PIPELINING",
    "250-SIZE 10240000",
    "250-VRFY",
    "250-ETRN",
    "250-ENHANCEDSTATUSCODES",
    "250-8BITMIME",
    "250-DSN",
    "250-SMTPUTF8",
    "250 CHUNKING",
]


class Mails(SynchronousTestCase):
    def test_one_mail(self) -> None:
        """SD-1, SD-8, SD-9, SD-49, SD-60, LG-1, LG-2."""
        smtp = Smtp(smtpd_host())
        self.assertEqual(["220 mx.example.com ESMTP Postfix"], smtp.said())
        self.assertEqual(LIST, smtp.send("EHLO client.example"))
        self.assertEqual(["250 2.1.0 Ok", "250 2.1.5 Ok"], smtp.send(*MAIL[1:]))
        self.assertEqual(["354 End data with <CR><LF>.<CR><LF>"], smtp.send("DATA"))
        self.assertEqual(["250 2.0.0 Ok: queued as Q1"], smtp.raw(b"Subject: x\r\n\r\n..\r\n.\r\n"))
        self.assertEqual(["221 2.0.0 Bye"], smtp.send("QUIT"))
        self.assertTrue(smtp.closed)
        (mail,) = smtp.mails
        self.assertEqual((b"a@b.example", "committed"), (mail.from_, mail.ended))
        received, _, rest = mail.content.partition(b"\r\nSubject")
        self.assertEqual(b": x\r\n\r\n.\r\n", rest)
        lines = received.decode().split("\r\n")
        self.assertEqual("Received: from client.example (unknown [198.51.100.7])", lines[0])
        self.assertEqual("\tby mx.example.com (Postfix) with ESMTP id Q1", lines[1])
        self.assertRegex(
            lines[2], r"^\tfor <bob@example.com>; \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4} \(\w+\)$"
        )
        peer = "unknown[198.51.100.7]"
        done = f"disconnect from {peer} ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5"
        self.assertEqual([f"connect from {peer}", f"Q1: client={peer}", done], smtp.log)

    def test_no_file_without_recipient(self) -> None:
        """SD-8."""
        smtp = Smtp(smtpd_host())
        smtp.send("EHLO x", "MAIL FROM:<a@b.example>", "RCPT TO:<nobody@elsewhere.example>")
        self.assertEqual("554 5.5.1 Error: no valid recipients", smtp.last("DATA"))
        self.assertEqual([], smtp.mails)

    def test_two_recipients_are_not_named(self) -> None:
        """SD-49."""
        smtp = Smtp(smtpd_host())
        smtp.send(*MAIL, "RCPT TO:<alice@example.com>", "DATA", ".")
        self.assertNotIn(b"for <", smtp.mails[0].content)

    def test_bdat(self) -> None:
        """SD-10."""
        smtp = Smtp(smtpd_host())
        smtp.send(*MAIL)
        self.assertEqual(["250 2.0.0 Ok: 12 bytes"], smtp.raw(b"BDAT 12\r\nSubject: abc"))
        self.assertEqual(["250 2.0.0 Ok: 22 bytes queued as Q1"], smtp.raw(b"BDAT 9 LAST\r\ndef\r\n\r\nx\n"))
        self.assertTrue(smtp.mails[0].content.endswith(b"\r\nSubject: abcdef\r\n\r\nx\r\n"))

    def test_bdat_refused(self) -> None:
        """SD-10: a chunk that a list refuses is read, and its mail is gone."""
        smtp = Smtp(smtpd_host({"smtpd_data_restrictions": "reject"}))
        smtp.send(*MAIL)
        self.assertEqual("554 5.7.1 <DATA>: Data command rejected: Access denied", smtp.raw(b"BDAT 4 LAST\r\nQUIT")[-1])
        self.assertEqual("aborted", smtp.mails[0].ended)
        self.assertEqual("250 2.1.0 Ok", smtp.last(MAIL[1]))

    def test_tidy_pieces(self) -> None:
        """OB-8: what was kept of a first line that came in pieces goes on as it is, with its stray CR looked for."""
        smtp = Smtp(smtpd_host())
        smtp.send(*MAIL, "DATA")
        smtp.raw(b"From a\rb" + b"x" * (65536 - 8))
        smtp.raw(b" c\r\nSubject: x\r\n\r\n.\r\n")
        (mail,) = smtp.mails
        self.assertIn(b"X-Mailbox-Line: From a\rbxxx", mail.content)
        self.assertNotIn(True, [tidy for piece, tidy in mail.pieces if b"a\rb" in piece])

    def test_cleanup_fails(self) -> None:
        """SD-9: its reply is the client's; the mail is gone."""
        host = smtpd_host()
        host.peers.cleanup.error = queue_file_write_error("disk on fire")
        smtp = Smtp(host)
        self.assertEqual("451 4.3.0 Error: queue file write error", smtp.last(*MAIL, "DATA", "."))
        self.assertEqual("250 2.1.0 Ok", smtp.last("MAIL FROM:<>"))

    def test_lost_in_data(self) -> None:
        """LG-1: where the client was; the mail is dropped."""
        smtp = Smtp(smtpd_host())
        smtp.send(*MAIL, "DATA", "abc")
        smtp.vanish()
        self.assertEqual("aborted", smtp.mails[0].ended)
        self.assertEqual("Q1: lost connection after DATA (5 bytes) from unknown[198.51.100.7]", smtp.log[-2])
        self.assertTrue(smtp.log[-1].endswith(" ehlo=1 mail=1 rcpt=1 data=0/1 commands=3/4"))

    def test_envelope(self) -> None:
        """SD-6, SD-7, SD-52, SD-54: what was asked for arrives."""
        smtp = Smtp(smtpd_host({"content_filter": "scan:[127.0.0.1]:10025"}))
        smtp.send("EHLO x", "MAIL FROM:<a@b.c> BODY=8BITMIME RET=HDRS ENVID=x+2By SMTPUTF8 AUTH=s@b")
        smtp.send("RCPT TO:<bob@example.com> NOTIFY=FAILURE,DELAY ORCPT=rfc822;q@r")
        envelope, (recipient,) = smtp.mails[0].envelope, smtp.mails[0].recipients
        self.assertEqual(
            ("8bit", 2, b"x+y", 1), (envelope.encoding, envelope.dsn_ret, envelope.dsn_envid, envelope.sendopts)
        )
        self.assertEqual("scan:[127.0.0.1]:10025", envelope.content_filter)
        self.assertEqual(
            (b"bob@example.com", 12, b"rfc822;q@r"), (recipient.address, recipient.notify, recipient.orcpt)
        )
        self.assertIn("Q1: client=unknown[198.51.100.7], sasl_sender=s@b", smtp.log)

    def test_rewrite_context(self) -> None:
        """SD-55: whose headers are completed as ours."""
        for clients, context in (("permit_mynetworks", "remote"), ("check_address_map static:x", "local")):
            smtp = Smtp(smtpd_host({"local_header_rewrite_clients": clients}))
            smtp.send(*MAIL)
            self.assertEqual(context, smtp.mails[0].origin.rewrite_context, clients)


class Commands(SynchronousTestCase):
    def test_vrfy(self) -> None:
        """SD-12."""
        smtp = Smtp(smtpd_host())
        smtp.said()
        self.assertEqual(["252 2.0.0 bob"], smtp.send("VRFY bob"))
        unknown = "550 5.1.1 <ghost>: Recipient address rejected: User unknown in local recipient table"
        self.assertEqual([unknown], smtp.send("VRFY ghost"))
        self.assertEqual(
            f"NOQUEUE: reject: VRFY from unknown[198.51.100.7]: {unknown}; to=<ghost> proto=SMTP", smtp.log[-1]
        )

    def test_etrn(self) -> None:
        """SD-13."""
        smtp = Smtp(smtpd_host({"fast_flush_domains": "relay.example"}))
        smtp.said()
        replies = ["250 Queuing started", "459 <other.example>: service unavailable"]
        self.assertEqual(replies, smtp.send("ETRN relay.example", "ETRN #other.example"))
        self.assertEqual(["relay.example"], smtp.host.peers.queue.sites)
        self.assertEqual("warning: reject: ETRN other.example... from unknown[198.51.100.7]", smtp.log[-1])

    def test_non_smtp(self) -> None:
        """SD-17."""
        for line in ("GET / HTTP/1.0", "Subject: hi"):
            smtp = Smtp(smtpd_host())
            self.assertEqual("221 2.7.0 Error: I can break rules, too. Goodbye.", smtp.last(line))
            self.assertTrue(smtp.closed)
            self.assertIn(f"warning: non-SMTP command from unknown[198.51.100.7]: {line}", smtp.log)

    def test_keywords(self) -> None:
        """SD-4."""
        smtp = Smtp(smtpd_host({"smtpd_discard_ehlo_keywords": "pipelining, DSN, silent-discard"}))
        self.assertEqual([x for x in LIST if x not in ("250-PIPELINING", "250-DSN")], smtp.send("EHLO x")[1:])
        self.assertEqual(1, len(smtp.log))
        smtp = Smtp(smtpd_host({"smtpd_discard_ehlo_keywords": "chunking, nonsense"}))
        smtp.send("EHLO x")
        self.assertEqual("discarding EHLO keywords: CHUNKING", smtp.log[-1])

    def test_wrapper_waits(self) -> None:
        """SD-42: nothing is read before TLS can begin, however long the client's name takes to be found."""
        host = smtpd_host({"smtpd_tls_wrappermode": "yes"})
        host.names.client = lambda *_: Deferred()
        self.assertEqual("paused", Smtp(host).transport.producerState)

    def test_starttls_offered(self) -> None:
        """SD-3, SD-42: not without a certificate; a context that cannot be made is 454."""
        smtp = Smtp(smtpd_host({"smtpd_tls_security_level": "may"}))
        self.assertEqual(["warning: No server certs available. TLS won't be enabled"], smtp.log[:1])
        self.assertEqual(LIST, smtp.send("EHLO x")[1:])
        smtp = Smtp(smtpd_host({"smtpd_tls_security_level": "encrypt", "smtpd_tls_cert_file": "/nonexistent"}))
        self.assertIn("250-STARTTLS", smtp.send("EHLO x"))
        self.assertEqual("454 4.7.0 TLS not available due to local problem", smtp.last("STARTTLS"))
        self.assertEqual("530 5.7.0 Must issue a STARTTLS command first", smtp.last("MAIL FROM:<>"))
        self.assertEqual("502 5.5.1 Error: command not implemented", Smtp(smtpd_host()).last("STARTTLS"))

    def test_size(self) -> None:
        """SD-6."""
        smtp = Smtp(smtpd_host({"message_size_limit": "100"}))
        self.assertEqual(
            "552 5.3.4 Message size exceeds fixed limit", smtp.last("EHLO x", "MAIL FROM:<a@b.c> SIZE=101")
        )
        self.assertEqual("552 5.3.4 Error: message file too big", smtp.last(*MAIL, "DATA", "x" * 120, "."))
        self.assertEqual("aborted", smtp.mails[0].ended)
        smtp.send(*MAIL)
        self.assertEqual(["552 5.3.4 Chunk exceeds message size limit"], smtp.raw(b"BDAT 101 LAST\r\n" + b"x" * 101))
        full = Smtp(smtpd_host(store=RoomyStore(1000)))
        self.assertEqual("452 4.3.1 Insufficient system storage", full.last("EHLO x", "MAIL FROM:<a@b.c>"))

    def test_after_refused_chunks(self) -> None:
        """SD-10: when the last of them is refused too, nothing of that mail is left for the next one."""
        smtp = Smtp(smtpd_host({"message_size_limit": "100", "smtpd_recipient_limit": "1"}))
        smtp.send("EHLO x", "MAIL FROM:<a@b.example>", "RCPT TO:<bob@example.com>")
        self.assertEqual(["552 5.3.4 Chunk exceeds message size limit"], smtp.raw(b"BDAT 101\r\n" + b"x" * 101))
        self.assertIn("5", smtp.raw(b"BDAT 2 LAST\r\nxx")[0][:1])
        self.assertEqual("250 2.1.0 Ok", smtp.last("MAIL FROM:<c@d.example>"))
        self.assertEqual("250 2.1.5 Ok", smtp.last("RCPT TO:<bob@example.com>"))

    def test_recipient_limit(self) -> None:
        """SD-7."""
        main = {"smtpd_recipient_limit": "1", "smtpd_recipient_overshoot_limit": "1", "smtpd_hard_error_limit": "1"}
        smtp = Smtp(smtpd_host(main))
        self.assertEqual("452 4.5.3 Error: too many recipients", smtp.last(*MAIL, MAIL[2]))
        self.assertFalse(smtp.closed)
        self.assertEqual("421 4.7.0 mx.example.com Error: too many errors", smtp.last(MAIL[2]))

    def test_bare_lf(self) -> None:
        """SD-19: reject, note."""
        smtp = Smtp(smtpd_host({"smtpd_forbid_bare_newline": "reject"}))
        smtp.send(*MAIL, "DATA")
        self.assertEqual(["550 5.5.2 mx.example.com Error: bare <LF> received"], smtp.raw(b"a\nb\r\n.\r\n"))
        line = "Q1: reject: END-OF-MESSAGE from unknown[198.51.100.7]: bare <LF> received; "
        self.assertEqual(
            line + "from=<a@b.example> to=<bob@example.com> proto=ESMTP helo=<client.example>", smtp.log[-1]
        )
        self.assertEqual(["221 2.0.0 Bye"], smtp.send("QUIT"))
        smtp = Smtp(smtpd_host({"smtpd_forbid_bare_newline": "note"}))
        smtp.raw(b"NOOP\nQUIT\r\n")
        self.assertTrue(smtp.log[-1].endswith("quit=1 commands=2 notes=bare_lf"))


class Limits(SynchronousTestCase):
    def test_errors(self) -> None:
        """SD-14."""
        smtp = Smtp(smtpd_host({"smtpd_hard_error_limit": "3"}))
        replies = smtp.send("FOO", "FOO", "FOO")
        self.assertEqual("421 4.7.0 mx.example.com Error: too many errors", replies[-1])
        self.assertTrue(smtp.closed)
        self.assertEqual("too many errors after UNKNOWN from unknown[198.51.100.7]", smtp.log[-2])

    def test_errors_forgotten(self) -> None:
        """SD-14: a mail that is taken makes up for the errors before it."""
        smtp = Smtp(smtpd_host({"smtpd_hard_error_limit": "3"}))
        smtp.send("FOO", "FOO", *MAIL, "DATA")
        smtp.raw(b"Subject: x\r\n\r\n.\r\n")
        smtp.send("FOO", "FOO")
        self.assertFalse(smtp.closed)

    def test_tarpit(self) -> None:
        """SD-14: once the soft limit is reached every reply is late."""
        smtp = Smtp(smtpd_host({"smtpd_soft_error_limit": "1", "smtpd_error_sleep_time": "2s"}))
        smtp.said()
        self.assertEqual(["500 5.5.2 Error: command not recognized"], smtp.send("FOO"))
        self.assertEqual([], smtp.send("FOO"))
        smtp.host.clock.advance(2)
        self.assertEqual(["500 5.5.2 Error: command not recognized"], smtp.said())
        self.assertEqual([], smtp.send("NOOP"))
        smtp.host.clock.advance(2)
        self.assertEqual(["250 2.0.0 Ok"], smtp.said())

    def test_junk(self) -> None:
        """SD-14."""
        smtp = Smtp(smtpd_host({"smtpd_junk_command_limit": "2", "smtpd_hard_error_limit": "2"}))
        self.assertEqual("250 2.0.0 Ok", smtp.last("NOOP", "NOOP", "NOOP", "NOOP"))
        replies = smtp.send("NOOP")
        self.assertEqual("421 4.7.0 mx.example.com Error: too many errors", replies[-1])

    def test_timeout(self) -> None:
        """SD-15, OB-12."""
        smtp = Smtp(smtpd_host({"smtpd_timeout": "30s"}))
        smtp.said()
        smtp.host.clock.advance(29)
        smtp.raw(b"N")
        smtp.host.clock.advance(29)
        self.assertFalse(smtp.closed)
        smtp.host.clock.advance(2)
        self.assertEqual(["421 4.4.2 mx.example.com Error: timeout exceeded"], smtp.said())
        self.assertTrue(smtp.closed)
        self.assertEqual("timeout after CONNECT from unknown[198.51.100.7]", smtp.log[-2])

    def test_client_that_does_not_read(self) -> None:
        """SD-15: its commands wait until it takes its replies; in the end it is cut off."""
        smtp = Smtp(smtpd_host({"smtpd_timeout": "30s"}))
        smtp.wire.pauseProducing()
        smtp.send("NOOP")
        smtp.host.clock.advance(20)
        smtp.wire.resumeProducing()
        self.assertEqual("250 2.0.0 Ok", smtp.last("NOOP"))
        smtp.wire.pauseProducing()
        smtp.send("NOOP")
        smtp.host.clock.advance(31)
        self.assertTrue(smtp.closed)
        smtp.host.clock.advance(31)
        self.assertTrue(smtp.transport.disconnected)

    def test_request_deadline(self) -> None:
        """SD-15: bytes now and then do not help."""
        smtp = Smtp(smtpd_host({"smtpd_timeout": "30s", "smtpd_per_request_deadline": "yes"}))
        for _ in range(6):
            smtp.raw(b"N")
            smtp.host.clock.advance(6)
        self.assertTrue(smtp.closed)

    def test_connection_count(self) -> None:
        """SD-47, LG-5."""
        host = smtpd_host({"smtpd_client_connection_count_limit": "1"})
        first = Smtp(host)
        second = Smtp(host, service=first.service)
        reply = "421 4.7.0 mx.example.com Error: too many connections from 198.51.100.7"
        self.assertEqual([reply], second.said())
        self.assertTrue(second.closed)
        line = "warning: Connection concurrency limit exceeded: 2 from unknown[198.51.100.7] for service smtp"
        self.assertIn(line, second.log)
        exempt = Smtp(host, "192.0.2.1", first.service), Smtp(host, "192.0.2.1", first.service)
        self.assertTrue(all(smtp.said()[0].startswith("220 ") for smtp in exempt))

    def test_rates(self) -> None:
        """SD-47."""
        smtp = Smtp(smtpd_host({"smtpd_client_message_rate_limit": "1", "smtpd_client_recipient_rate_limit": "1"}))
        self.assertEqual("450 4.7.1 Error: too many recipients from 198.51.100.7", smtp.last(*MAIL, MAIL[2]))
        self.assertEqual("450 4.7.1 Error: too much mail from 198.51.100.7", smtp.last("RSET", MAIL[1]))

    def test_stop(self) -> None:
        """The service ends: sessions say 421 when they come to rest."""
        smtp = Smtp(smtpd_host())
        smtp.said()
        done = smtp.service.stopService()
        assert done is not None
        self.successResultOf(done)
        self.assertEqual(["421 4.3.2 mx.example.com Server is shutting down"], smtp.said())


class Filters(SynchronousTestCase):
    MAIN = {"smtpd_authorized_xclient_hosts": "198.51.100.7", "smtpd_authorized_xforward_hosts": "198.51.100.7"}

    def test_xclient(self) -> None:
        """SD-43: another client, a new greeting."""
        smtp = Smtp(smtpd_host(self.MAIN))
        said = smtp.last("EHLO x", "XCLIENT NAME=mail.example ADDR=192.0.2.5 HELO=h.example PROTO=ESMTP")
        self.assertEqual("220 mx.example.com ESMTP Postfix", said)
        self.assertEqual("250 2.1.5 Ok", smtp.last("MAIL FROM:<a@b.c>", "RCPT TO:<x@remote.example>"))
        self.assertIn("Q1: client=mail.example[192.0.2.5]", smtp.log)
        self.assertEqual("550 5.7.0 Error: insufficient authorization", smtp.last("RSET", "XCLIENT ADDR=192.0.2.9"))

    def test_xforward(self) -> None:
        """SD-44: for logs and the next filter, until the mail has ended."""
        smtp = Smtp(smtpd_host(self.MAIN))
        smtp.send("EHLO x", "XFORWARD NAME=spike.example ADDR=192.0.2.9 PORT=99 IDENT=ABC", *MAIL[1:])
        self.assertIn(
            "Q1: client=unknown[198.51.100.7], orig_queue_id=ABC, orig_client=spike.example[192.0.2.9]", smtp.log
        )
        self.assertEqual("192.0.2.9", smtp.mails[0].origin.origin.address)
        smtp.send("DATA", ".", *MAIL[1:])
        self.assertEqual("Q2: client=unknown[198.51.100.7]", smtp.log[-1])

    def test_command_filter(self) -> None:
        """SD-51."""
        smtp = Smtp(smtpd_host({"smtpd_command_filter": "inline:{ {XNOOP = NOOP} }"}))
        self.assertEqual("250 2.0.0 Ok", smtp.last("XNOOP"))
        self.assertEqual('unknown[198.51.100.7]: replacing command "XNOOP" with "NOOP"', smtp.log[-1])

    def test_footer(self) -> None:
        """SD-51."""
        smtp = Smtp(smtpd_host({"smtpd_reject_footer": "Call us. $client_address\\nBye"}))
        smtp.said()
        said = ["500-5.5.2 Error: command not recognized", "500-5.5.2 Call us. 198.51.100.7", "500 5.5.2 Bye"]
        self.assertEqual(said, smtp.send("FOO"))

    def test_footer_maps(self) -> None:
        """SD-51: found by the whole reply."""
        table = "pcre:{{/^500 .* not recognized$$/ No, $$$$client_address.}}"
        smtp = Smtp(smtpd_host({"smtpd_reject_footer_maps": table, "smtpd_reject_footer": "general"}))
        self.assertEqual("500 5.5.2 No, 198.51.100.7.", smtp.last("FOO"))
        self.assertEqual("501 5.5.4 general", smtp.last("RSET x"))
        smtp = Smtp(smtpd_host({"smtpd_reject_footer_maps": "fail:x", "smtpd_reject_footer": "general"}))
        self.assertEqual("501 5.5.4 general", smtp.last("RSET x"))

    def test_route_says_no(self) -> None:
        """OB-13: an error: transport refuses at RCPT already; soft_bounce makes it 4xx (SD-24)."""
        for main, code in (({}, "550 5.1.2"), ({"soft_bounce": "yes"}, "450 4.1.2")):
            host = smtpd_host({"mynetworks": "198.51.100.0/24", **main})
            address = b"x@err.example"
            host.peers.rewriter.special[address] = Resolved(
                "error", "5.1.2 no such domain", address, CLASS_LOCAL | ERROR
            )
            smtp = Smtp(host)
            said = f"{code} <x@err.example>: Recipient address rejected: no such domain"
            self.assertEqual(said, smtp.last("EHLO x", "MAIL FROM:<>", "RCPT TO:<x@err.example>"))

    def test_errors_without_status(self) -> None:
        """TR-4, SD-38: what the error and retry transports say for themselves."""
        for transport, nexthop, said in (
            ("error", "not here", "550 5.1.1 <x@err.example>: Recipient address rejected: not here"),
            ("retry", "4.2.9 later", "450 4.2.9 <x@err.example>: Recipient address rejected: later"),
        ):
            host = smtpd_host({"mynetworks": "198.51.100.0/24"})
            host.peers.rewriter.special[b"x@err.example"] = Resolved(transport, nexthop, b"x@err.example", CLASS_LOCAL)
            self.assertEqual(said, Smtp(host).last("EHLO x", "MAIL FROM:<>", "RCPT TO:<x@err.example>"))
