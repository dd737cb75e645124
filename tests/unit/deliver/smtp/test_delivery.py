"""The SMTP client as a whole, over a network in memory: who gets the mail, and what is said of it."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import fail, succeed

from pytwfix.contracts.delivery import PROBE, VERIFY_ONLY
from pytwfix.contracts.dns import MX, Address, Answer, NoData, NoSuchName, SearchList, TryAgain
from pytwfix.mail.envelope import Client, Recipient
from pytwfix.mail.status import NOTIFY_FAILURE, NOTIFY_SUCCESS, RET_HDRS
from tests.kit.smtpcase import SmtpCase
from tests.kit.smtpnet import SmtpServer

R = "relay=192.0.2.10[192.0.2.10]:25"
SENT = f"{R}, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 4711)"


class OneServer(SmtpCase):
    def test_one_mail(self) -> None:
        """SM-6, LG-10: commands leave in one write, content in another."""
        result = self.deliver()
        self.assertEqual(result.deferred, [])
        self.assertEqual(
            self.server.writes[1:],
            [
                b"MAIL FROM:<a@b.example> SIZE=30\r\nRCPT TO:<u@dest.example>\r\nDATA\r\n",
                b"Subject: x\r\n\r\nFrom here\r\nbye\r\n.\r\n",
            ],
        )
        self.assertEqual(self.server.mails, [b"Subject: x\r\n\r\nFrom here\r\nbye\r\n"])
        self.assertEqual(self.ends(), [f"to=<u@dest.example>, {SENT}"])
        self.assertTrue(self.request.recipients[0].done)

    def test_no_pipelining(self) -> None:
        """SM-6: one command at a time."""
        self.server.replies["EHLO"] = b"250 mx\r\n"
        self.deliver(b"u@dest.example", b"v@dest.example")
        self.assertEqual(
            self.server.writes[1:5],
            [b"MAIL FROM:<a@b.example>\r\n", b"RCPT TO:<u@dest.example>\r\n", b"RCPT TO:<v@dest.example>\r\n"]
            + [b"DATA\r\n"],
        )
        self.assertEqual(len(self.ends()), 2)

    def test_each_recipient(self) -> None:
        """SM-7, SM-8: one taken, one refused, one put off."""
        self.server.rules({"RCPT TO:<bad": b"550 5.1.1 no such user\r\n", "RCPT TO:<full": b"452 4.2.2 full\r\n"})
        result = self.deliver(b"ok@dest.example", b"bad@dest.example", b"full@dest.example")
        host = "host 192.0.2.10[192.0.2.10] said:"
        self.assertEqual(
            self.ends(),
            [
                f"to=<ok@dest.example>, {SENT}",
                f"to=<bad@dest.example>, {R}, dsn=5.1.1, status=bounced ({host} 550 5.1.1 no such user "
                "(in reply to RCPT TO command))",
                f"to=<full@dest.example>, {R}, dsn=4.2.2, status=deferred ({host} 452 4.2.2 full "
                "(in reply to RCPT TO command))",
            ],
        )
        self.assertEqual([one.address for one in result.deferred], [b"full@dest.example"])
        self.assertIsNone(result.dead)
        dsn = self.reports.records[0][2].dsn
        self.assertEqual((dsn.dtype, dsn.dtext, dsn.mname), ("smtp", "550 5.1.1 no such user", "192.0.2.10"))

    def test_mail_refused(self) -> None:
        """SM-7: the answer to MAIL holds for all, whatever is said of the rest of the pipeline."""
        self.server.rules({"MAIL": b"550 5.7.1 go away\r\n", "RCPT": b"503 no\r\n", "DATA": b"503 no\r\n"})
        self.deliver(b"u@dest.example", b"v@dest.example")
        self.assertEqual(len(self.ends()), 2)
        self.assertTrue(all("550 5.7.1 go away (in reply to MAIL FROM command)" in one for one in self.ends()))

    def test_data_refused(self) -> None:
        """SM-7: DATA put off."""
        self.server.rules({"DATA": b"451 4.3.0 later\r\n"})
        self.assertEqual(len(self.deliver().deferred), 1)
        self.assertIn("451 4.3.0 later (in reply to DATA command)", self.ends()[0])

    def test_end_refused(self) -> None:
        """SM-8: the whole mail is refused at its end."""
        self.server.rules({".": b"554 5.7.1 spam\r\n"})
        self.deliver()
        self.assertIn(
            "status=bounced (host 192.0.2.10[192.0.2.10] said: 554 5.7.1 spam (in reply to end of DATA command))",
            self.ends()[0],
        )

    def test_all_refused_but_354(self) -> None:
        """RFC 2920: a server that wants content although nobody gets it has an empty mail."""
        self.server.rules({"RCPT": b"550 5.1.1 no\r\n", ".": b"554 5.5.1 no recipients\r\n"})
        self.deliver()
        self.assertEqual(self.server.writes[2], b".\r\n")
        self.assertIn("status=bounced (host 192.0.2.10[192.0.2.10] said: 550 5.1.1 no", self.ends()[0])

    def test_dots(self) -> None:
        """RFC 5321 section 4.5.2; a last line without an end gets one."""
        self.deliver(content=b".a\r\n..b\r\nc")
        self.assertEqual(self.server.mails, [b"..a\r\n...b\r\nc\r\n"])

    def test_long_line(self) -> None:
        """SM-6: lines beyond smtp_line_length_limit are folded, and that is said."""
        self.deliver(content=b"A: b\r\n\r\n" + b"x" * 1000 + b"\r\n")
        self.assertEqual(self.server.mails, [b"A: b\r\n\r\n" + b"x" * 998 + b"\r\n xx\r\n"])
        self.logged("QID1: breaking line > 998 bytes with <CR><LF>SPACE")

    def test_size(self) -> None:
        """SM-6: a mail that is too large for the server is not offered."""
        self.server.replies["EHLO"] = b"250-mx\r\n250 SIZE 20\r\n"
        self.deliver()
        self.assertEqual(self.server.commands[1:], [])
        self.assertIn(
            "dsn=5.3.4, status=bounced (message size 30 exceeds size limit 20 of server 192.0.2.10[192.0.2.10])",
            self.ends()[0],
        )

    def test_parameters(self) -> None:
        """DS-3, SM-6: what the server knows is sent along: BODY, SMTPUTF8, ENVID, RET, ORCPT, NOTIFY."""
        done = self.start(
            Recipient(b"u v@dest.example", orcpt=b"rfc822;o+x@dest.example", notify=NOTIFY_SUCCESS | NOTIFY_FAILURE)
        )
        envelope = self.request.envelope
        envelope.encoding, envelope.dsn_envid, envelope.dsn_ret, envelope.sendopts = "8bit", b"a+b", RET_HDRS, 1
        self.net.settle()
        self.assertTrue(self.successResultOf(done))
        self.assertEqual(
            self.server.commands[1:3],
            [
                b"MAIL FROM:<a@b.example> SIZE=30 BODY=8BITMIME SMTPUTF8 ENVID=a+2Bb RET=HDRS",
                b'RCPT TO:<"u v"@dest.example> ORCPT=rfc822;o+2Bx@dest.example NOTIFY=SUCCESS,FAILURE',
            ],
        )
        self.assertEqual(self.reports.records, [])  # the next server reports success

    def test_success_report(self) -> None:
        """DS-3: a server without DSN reports nothing, so we do."""
        self.server.replies["EHLO"] = b"250 mx\r\n"
        self.deliver(Recipient(b"u@dest.example", notify=NOTIFY_SUCCESS))
        ((log, _, report),) = self.reports.records
        self.assertEqual((log, report.dsn.action), ("trace", "relayed"))

    def test_utf8_required(self) -> None:
        """AD-2: a mail that needs SMTPUTF8 is not sent without."""
        self.server.replies["EHLO"] = b"250 mx\r\n"
        done = self.start()
        self.request.envelope.sendopts = 1 | 8
        self.net.settle()
        self.successResultOf(done)
        self.assertIn("dsn=5.6.7, status=bounced (SMTPUTF8 is required, but was not offered by host", self.ends()[0])

    def test_null_sender(self) -> None:
        self.deliver(sender=b"")
        self.assertEqual(self.server.commands[1], b"MAIL FROM:<> SIZE=30")

    def test_downgrade(self) -> None:
        """SM-6: 8-bit text for a server without 8BITMIME becomes quoted-printable."""
        self.server.replies["EHLO"] = b"250 mx\r\n"
        content = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nf\xc3\xbcr=\r\n"
        self.deliver(content=content)
        self.assertEqual(
            self.server.mails,
            [
                b"Content-Type: text/plain; charset=utf-8\r\n"
                b"Content-Transfer-Encoding: quoted-printable\r\n\r\nf=C3=BCr=3D\r\n"
            ],
        )

    def test_no_downgrade(self) -> None:
        """SM-6: disable_mime_output_conversion leaves it as it is."""
        self.begin(disable_mime_output_conversion="yes")
        self.server.replies["EHLO"] = b"250 mx\r\n"
        content = b"Content-Transfer-Encoding: 8bit\r\n\r\nf\xc3\xbcr\r\n"
        self.deliver(content=content)
        self.assertEqual(self.server.mails, [content])

    def test_probe(self) -> None:
        """VE-1: a probe ends before DATA, its answer goes to the verify service, the session is reset."""
        told: list[Any] = []

        class Verifier:
            async def update(self, *what: Any) -> None:
                told.append(what)

        self.host.peers.verifier = Verifier()
        self.deliver(flags=VERIFY_ONLY | PROBE)
        self.assertEqual(told, [(b"u@dest.example", 0, "250 2.1.5 Ok")])
        self.assertEqual([line[:4] for line in self.server.commands], [b"EHLO", b"MAIL", b"RCPT", b"RSET"])
        self.assertIn("dsn=2.1.5, status=deliverable (250 2.1.5 Ok)", self.ends()[0])

    def test_probe_to_data(self) -> None:
        """SM-7: smtp_address_verify_target = data goes as far as 354, and no further."""
        self.begin(smtp_address_verify_target="data")
        self.deliver(flags=VERIFY_ONLY)
        self.assertIn("status=deliverable (354 go on)", self.ends()[0])
        self.assertTrue(self.server.gone)
        self.assertEqual(self.server.mails, [])

    def test_soft_bounce(self) -> None:
        """SC-10: refused, and yet kept."""
        self.begin(soft_bounce="yes")
        self.server.rules({"RCPT": b"550 5.1.1 no\r\n", "DATA": b"554 no\r\n"})
        self.assertEqual(len(self.deliver().deferred), 1)
        self.assertIn("dsn=4.1.1, status=SOFTBOUNCE", self.ends()[0])

    def test_xforward(self) -> None:
        """SM-6, LG-2: who the client was goes to a filter that wants to know."""
        self.begin(smtp_send_xforward_command="yes")
        self.server.replies["EHLO"] = b"250-mx\r\n250 XFORWARD NAME ADDR PROTO HELO SOURCE PORT IDENT\r\n"
        self.deliver()
        self.assertEqual(
            self.server.commands[1:3],
            [
                b"XFORWARD NAME=c.example ADDR=192.0.2.1 PORT=4711",
                b"XFORWARD PROTO=ESMTP HELO=helo.example IDENT=QID1 SOURCE=LOCAL",
            ],
        )

    def test_xforward_local(self) -> None:
        """OB-13: mail from sendmail(1) has no client; a refusal of XFORWARD does not stop the mail."""
        self.begin(smtp_send_xforward_command="yes")
        self.server.rules({"EHLO": b"250-mx\r\n250-PIPELINING\r\n250 XFORWARD NAME ADDR\r\n"})
        done = self.start()
        self.request.envelope.client = Client()
        self.net.settle()
        self.successResultOf(done)
        self.assertEqual(len(self.server.commands), 4)
        self.server.rules({"XFORWARD": b"550 5.7.0 not you\r\n"})
        self.deliver()
        self.logged("warning: host 192.0.2.10[192.0.2.10] said: 550 5.7.0 not you (in reply to XFORWARD command)")
        self.assertEqual(len(self.server.mails), 2)

    def test_reply_filter(self) -> None:
        """SM-15: smtp_reply_filter says what a reply is to be."""
        self.begin(smtp_reply_filter="pcre:{{/^550 (.*)/ 450 4.2.2 full}}")
        self.server.rules({"RCPT": b"550 5.1.1 full\r\n", "DATA": b"554 no\r\n"})
        self.deliver()
        self.assertIn("dsn=4.2.2, status=deferred", self.ends()[0])
        self.logged('replacing server reply "550 5.1.1 full" with "450 4.2.2 full"')

    def test_status_filter(self) -> None:
        """SM-15: smtp_delivery_status_filter has the last word."""
        self.begin(smtp_delivery_status_filter="pcre:{{/^4(.*)/ 5$$1}}")
        self.server.rules({"RCPT": b"450 4.2.2 full\r\n", "DATA": b"554 no\r\n"})
        self.deliver()
        self.assertIn("dsn=5.2.2, status=bounced (host 192.0.2.10[192.0.2.10] said: 450 4.2.2 full", self.ends()[0])


class Broken(SmtpCase):
    """OB-1, OB-3, SM-8, SM-9: servers that misbehave."""

    def test_lost(self) -> None:
        """SM-8: the connection is lost before, in and after the content."""
        for key, activity in (
            ("greeting", "receiving the initial server greeting"),
            ("EHLO", "performing the EHLO handshake"),
            ("MAIL", "sending MAIL FROM"),
            ("RCPT", "sending RCPT TO"),
            ("DATA", "sending DATA command"),
            (".", "sending end of data -- message may be sent more than once"),
        ):
            self.setUp()
            self.server.rules({key: self.server.hang_up})
            result = self.deliver()
            self.assertEqual(len(result.deferred), 1)
            self.assertIn(
                f"{R}, dsn=4.4.2, status=deferred (lost connection with 192.0.2.10[192.0.2.10] while {activity})",
                self.ends()[0],
            )
            self.assertEqual(result.dead is not None, key in ("greeting", "EHLO"))

    def test_timeouts(self) -> None:
        """SM-9: every stage has its own."""
        for key, activity, seconds in (
            ("greeting", "receiving the initial server greeting", 300),
            ("EHLO", "performing the EHLO handshake", 300),
            ("MAIL", "sending MAIL FROM", 300),
            ("RCPT", "sending RCPT TO", 300),
            ("DATA", "sending DATA command", 120),
            (".", "sending end of data -- message may be sent more than once", 600),
        ):
            self.setUp()
            self.server.rules({key: None})
            done = self.start()
            self.net.settle()
            self.wait(seconds - 1)
            self.assertNoResult(done)
            self.wait(2)
            self.assertEqual(len(self.successResultOf(done).deferred), 1)
            self.assertIn(
                "dsn=4.4.2, status=deferred (conversation with 192.0.2.10[192.0.2.10] timed out while " + activity,
                self.ends()[0],
            )
            self.assertTrue(self.server.gone)

    def test_nobody_listens(self) -> None:
        """SM-4, LG-11, SC-3: the destination is dead."""
        result = self.deliver(nexthop="[192.0.2.99]:25")
        text = "connect to 192.0.2.99[192.0.2.99]:25: Connection refused"
        self.assertEqual(self.log[0], text)
        self.assertEqual(self.ends(), [f"to=<u@dest.example>, relay=none, dsn=4.4.1, status=deferred ({text})"])
        assert result.dead is not None
        self.assertEqual(result.dead.reason, text)

    def test_surplus_reply(self) -> None:
        """OB-3: an extra reply shifts all that follow, which ends in a bounce."""
        self.server.rules({"greeting": b"220 mx\r\n250 extra\r\n"})
        self.server.replies["EHLO"] = b"250 mx\r\n"
        self.deliver()
        self.assertIn("status=bounced (Protocol error: host 192.0.2.10[192.0.2.10] said: 250", self.ends()[0])

    def test_nonsense_is_skipped(self) -> None:
        """OB-1: a line without a code is no reply."""
        self.server.rules({"MAIL": b"hello there\r\n250 ok\r\n"})
        self.deliver()
        self.assertEqual(len(self.server.mails), 1)
        self.logged("warning: QID1: non-ESMTP response from 192.0.2.10[192.0.2.10]:25: hello there")
        self.logged("warning: to prevent loss of mail, turn off command pipelining for 192.0.2.10 with the smtp_dis")

    def test_odd_codes(self) -> None:
        """OB-1: codes that are no answers bounce as 5.5.0; the last line of a reply decides."""
        self.server.rules({"RCPT": b"150 hm\r\n", "DATA": b"554 no\r\n"})
        self.deliver()
        self.assertIn("dsn=5.5.0, status=bounced", self.ends()[0])
        self.setUp()
        self.server.rules({"RCPT": b"250-fine\r\n550 not fine\r\n", "DATA": b"554 no\r\n"})
        self.deliver()
        self.assertIn(
            "dsn=5.0.0, status=bounced (host 192.0.2.10[192.0.2.10] said: 250-fine 550 not fine", self.ends()[0]
        )

    def test_wrong_class(self) -> None:
        """OB-2: an enhanced status of another class does not count."""
        self.server.rules({"RCPT": b"450 5.1.1 odd\r\n", "DATA": b"554 no\r\n"})
        self.deliver()
        self.assertIn("dsn=4.0.0, status=deferred", self.ends()[0])

    def test_greetings(self) -> None:
        """OB-1: 250 will do; 421 and 554 defer, 554 bounces with smtp_skip_5xx_greeting = no."""
        self.server.rules({"greeting": b"250 mx\r\n"})
        self.deliver()
        self.assertEqual(len(self.server.mails), 1)
        for reply, skip, word in (
            (b"421 4.3.2 busy\r\n", "yes", "dsn=4.3.2, status=deferred"),
            (b"554 5.7.1 no\r\n", "yes", "dsn=4.7.1, status=deferred"),
            (b"554 5.7.1 no\r\n", "no", "dsn=5.7.1, status=bounced"),
            (b"350 what\r\n", "yes", "dsn=5.5.0, status=bounced"),
        ):
            self.setUp()
            self.begin(smtp_skip_5xx_greeting=skip)
            self.server.rules({"greeting": reply})
            self.deliver()
            self.assertIn(
                f"{R}, {word} (host 192.0.2.10[192.0.2.10] refused to talk to me: {reply.decode().strip()})",
                self.ends()[0],
            )
            self.assertEqual(self.server.commands, [b"QUIT"])

    def test_helo(self) -> None:
        """OB-2, SM-5: EHLO is refused, HELO is not; 421 is the end."""
        self.server.rules({"EHLO": b"502 what\r\n"})
        self.deliver()
        self.assertEqual(
            self.server.commands[:3], [b"EHLO mx.example.com", b"HELO mx.example.com", b"MAIL FROM:<a@b.example>"]
        )
        self.setUp()
        self.server.rules({"EHLO": b"421 bye\r\n"})
        self.deliver()
        self.assertIn("status=deferred (host 192.0.2.10[192.0.2.10] refused to talk to me: 421 bye)", self.ends()[0])

    def test_own_name(self) -> None:
        """OB-4: a server at port 25 that says our name is us."""
        self.server.rules({"EHLO": b"250 mx.example.com\r\n"})
        self.deliver()
        self.assertIn("dsn=5.4.6, status=bounced (mail for 192.0.2.10 loops back to myself)", self.ends()[0])
        self.logged("warning: host 192.0.2.10[192.0.2.10]:25 replied to HELO/EHLO with my own hostname mx.example.com")

    def test_discarded_keywords(self) -> None:
        """SM-15: smtp_discard_ehlo_keywords."""
        self.begin(smtp_discard_ehlo_keywords="pipelining, size")
        self.deliver()
        self.assertEqual(self.server.commands[1], b"MAIL FROM:<a@b.example>")
        self.logged("discarding EHLO keywords: PIPELINING SIZE")

    def test_pix(self) -> None:
        """SM-5: a firewall that hides the greeting gets HELO, and the dot after a while, when the mail is old."""
        self.server.rules({"greeting": b"220 ****************0*****\r\n"})
        done = self.start()
        self.request.times.arrival -= 1000
        self.net.settle()
        self.wait(9)
        self.assertNoResult(done)
        self.wait(2)
        self.successResultOf(done)
        self.assertEqual(self.server.commands[0], b"HELO mx.example.com")
        self.logged("QID1: enabling PIX workarounds: disable_esmtp delay_dotcrlf for 192.0.2.10[192.0.2.10]:25")


class Transcripts(SmtpCase):
    def test_protocol_class(self) -> None:
        """SM-17: with notify_classes = protocol the postmaster reads what was said."""
        from tests.kit.delivering import MemoryCleanup

        self.begin(notify_classes="protocol", smtp_connection_cache_on_demand="no")
        cleanup = self.host.peers.cleanup = MemoryCleanup()
        self.deliver()
        self.assertEqual(cleanup.mails, [])
        self.server.rules({"DATA": b"502 5.5.1 what\r\n"})
        self.deliver()
        (mail,) = cleanup.mails
        self.assertEqual([one.address for one in mail.recipients], [b"postmaster"])
        self.assertIn(b"Subject: Postfix SMTP client: errors from 192.0.2.10[192.0.2.10]:25\r\n", mail.content)
        self.assertIn(b" Out: DATA\r\n In:  250 2.1.0 Ok\r\n", mail.content)
        self.assertIn(b" In:  502 5.5.1 what\r\n", mail.content)


class ManyServers(SmtpCase):
    """SM-3: MX records, addresses, and what is tried in which order."""

    def setUp(self) -> None:
        super().setUp()
        self.zone: dict[tuple[str, str], Any] = {
            ("dest.example", "MX"): [MX(20, "b.dest.example"), MX(10, "a.dest.example")],
            ("a.dest.example", "A"): [Address(2, "192.0.2.10")],
            ("b.dest.example", "A"): [Address(2, "192.0.2.20")],
        }
        self.host.resolver.zone = self.zone

    def mx(self, **main: str) -> None:
        self.begin(**main)
        self.host.resolver.zone = self.zone

    def test_best_first(self) -> None:
        self.deliver(nexthop="dest.example")
        self.assertEqual(self.net.asked, [("192.0.2.10", 25)])
        self.assertIn("relay=a.dest.example[192.0.2.10]:25", self.ends()[0])

    def test_port(self) -> None:
        """SM-2: a port of one's own, by name or number, with MX records or without."""
        for nexthop in ("dest.example:587", "dest.example:submission", "[a.dest.example]:587"):
            self.net.asked.clear()
            self.deliver(nexthop=nexthop)
            self.assertEqual(self.net.asked[0], ("192.0.2.10", 587))

    def test_brackets(self) -> None:
        """SM-2: no MX records for a name in brackets."""
        self.zone[("dest.example", "A")] = [Address(2, "192.0.2.20")]
        self.deliver(nexthop="[dest.example]")
        self.assertEqual(self.net.asked, [("192.0.2.20", 25)])

    def test_next_server(self) -> None:
        """SM-7: who was put off by one server goes to the next; what the first said is logged."""
        self.server.rules({"RCPT TO:<v": b"450 4.2.1 greylisted\r\n"})
        second = self.listens("192.0.2.20")
        result = self.deliver(b"u@dest.example", b"v@dest.example", nexthop="dest.example")
        self.assertEqual(result.deferred, [])
        self.assertIn(b"RCPT TO:<v@dest.example>", second.commands)
        self.assertNotIn(b"RCPT TO:<u@dest.example>", second.commands)
        self.assertEqual(
            [line for line in self.log if line.startswith("QID1: host")],
            ["QID1: host a.dest.example[192.0.2.10] said: 450 4.2.1 greylisted (in reply to RCPT TO command)"],
        )
        self.assertIn("relay=b.dest.example[192.0.2.20]:25", self.ends()[1])

    def test_unfriendly_server(self) -> None:
        """SM-5, SM-8: what one server said is logged when another is asked, and only then."""
        self.server.rules({"greeting": b"421 4.3.2 busy\r\n"})
        self.listens("192.0.2.20")
        self.assertEqual(self.deliver(nexthop="dest.example").deferred, [])
        text = "host a.dest.example[192.0.2.10] refused to talk to me: 421 4.3.2 busy"
        self.assertEqual([line for line in self.log if "refused" in line], [f"QID1: {text}"])

    def test_down_server(self) -> None:
        """SM-4: a server that is down is no matter when there is another."""
        self.net.servers[("192.0.2.10", 25)] = Exception("x")
        del self.net.servers[("192.0.2.10", 25)]
        self.listens("192.0.2.20")
        result = self.deliver(nexthop="dest.example")
        self.assertEqual((result.deferred, result.dead), ([], None))
        self.assertEqual(self.log[0], "connect to a.dest.example[192.0.2.10]:25: Connection refused")

    def test_refusal_is_final(self) -> None:
        """SM-7: a 5xx is not asked again elsewhere."""
        self.server.rules({"RCPT": b"550 no\r\n", "DATA": b"554 no\r\n"})
        self.listens("192.0.2.20")
        self.deliver(nexthop="dest.example")
        self.assertEqual(self.net.asked, [("192.0.2.10", 25)])

    def test_helo_refusal_is_final(self) -> None:
        """OB-2: a 5xx to HELO bounces at once."""
        self.server.rules({"EHLO": b"550 no\r\n", "HELO": b"550 5.7.1 no\r\n"})
        self.listens("192.0.2.20")
        self.deliver(nexthop="dest.example")
        self.assertEqual(self.net.asked, [("192.0.2.10", 25)])
        self.assertIn("status=bounced", self.ends()[0])

    def test_session_limit(self) -> None:
        """SM-3: smtp_mx_session_limit sessions, smtp_mx_address_limit addresses."""
        self.zone[("dest.example", "MX")] = [MX(n, f"m{n}.dest.example") for n in range(1, 10)]
        for n in range(1, 10):
            self.zone[(f"m{n}.dest.example", "A")] = [Address(2, f"192.0.2.{n}")]
            self.listens(f"192.0.2.{n}", greeting=b"421 no\r\n")
        self.deliver(nexthop="dest.example")
        self.assertEqual(len(self.net.asked), 2)
        self.mx(smtp_mx_session_limit="0")
        self.net.asked.clear()
        self.deliver(nexthop="dest.example")
        self.assertEqual(len(self.net.asked), 5)

    def test_fallback(self) -> None:
        """SM-3: smtp_fallback_relay, when nobody else takes the mail."""
        self.mx(smtp_fallback_relay="[192.0.2.30]:2525")
        self.server.rules({"greeting": b"421 no\r\n"})
        relay = self.listens("192.0.2.30", 2525)
        self.deliver(nexthop="dest.example")
        self.assertEqual(len(relay.mails), 1)

    def test_fallback_unknown(self) -> None:
        """SM-3: also for a domain that does not exist."""
        self.mx(smtp_fallback_relay="[192.0.2.30]")
        relay = self.listens("192.0.2.30")
        self.deliver(nexthop="nowhere.example")
        self.assertEqual(len(relay.mails), 1)

    def test_list(self) -> None:
        """SM-2: several nexthops."""
        self.listens("192.0.2.20")
        self.deliver(nexthop="[192.0.2.99], [192.0.2.20]")
        self.assertEqual(self.net.asked, [("192.0.2.99", 25), ("192.0.2.20", 25)])
        self.assertIn("status=sent", self.ends()[0])

    def test_no_mx(self) -> None:
        """SM-3: the domain's own address will do."""
        self.zone = self.host.resolver.zone = {("plain.example", "A"): [Address(2, "192.0.2.10")]}
        self.deliver(nexthop="plain.example")
        self.assertIn("relay=plain.example[192.0.2.10]:25", self.ends()[0])

    def test_null_mx(self) -> None:
        """SM-3: RFC 7505."""
        self.zone[("dest.example", "MX")] = [MX(0, "")]
        self.deliver(nexthop="dest.example")
        self.assertIn(
            "relay=none, dsn=5.1.0, status=bounced (Domain dest.example does not accept mail (nullMX))", self.ends()[0]
        )

    def test_unknown(self) -> None:
        """SM-3: a domain that does not exist bounces, a name server that is ill defers."""
        result = self.deliver(nexthop="nowhere.example")
        self.assertIn("relay=none, dsn=5.4.4, status=bounced", self.ends()[0])
        self.assertIsNone(result.dead)
        self.zone[("ill.example", "MX")] = TryAgain("ill.example", "MX", "Host or domain name not found. x")
        result = self.deliver(nexthop="ill.example")
        self.assertIn("dsn=4.4.3, status=deferred (Host or domain name not found. x)", self.ends()[1])
        self.assertIsNotNone(result.dead)

    def test_search_list(self) -> None:
        """SM-3: smtp_dns_resolver_options hold for hosts, not for MX records; what is no option is said."""
        self.mx(smtp_dns_resolver_options="res_defnames")
        self.host.resolver.search_list = lambda: succeed(SearchList(("sub.example",)))
        self.zone[("dest.example", "MX")] = [MX(10, "mx")]
        self.zone[("mx.sub.example", "A")] = [Address(2, "192.0.2.10")]
        self.deliver(nexthop="dest.example")
        self.assertIn("relay=mx[192.0.2.10]:25", self.ends()[0])
        self.assertEqual([("dest.example", "MX"), ("mx.sub.example", "A")], self.host.resolver.asked[:2])
        self.mx(smtp_dns_resolver_options="res_debug")
        self.deliver(nexthop="dest.example")
        self.logged("warning: smtp_dns_resolver_options: bad resolver option: res_debug")

    def test_dnssec_probe(self) -> None:
        """SM-3: answers that nobody validates are noticed once."""
        self.mx(smtp_dns_support_level="dnssec")
        self.zone[(".", "NS")] = ["a.root-servers.net"]
        for _ in range(2):
            self.deliver(nexthop="dest.example")
        self.logged("warning: reason: dnssec_probe 'ns:.' received a response that is not DNSSEC validated")
        self.assertEqual(1, self.host.resolver.asked.count((".", "NS")))

    def test_ignore_mx_error(self) -> None:
        self.mx(ignore_mx_lookup_error="yes")
        self.zone[("dest.example", "MX")] = TryAgain("dest.example", "MX", "x")
        self.zone[("dest.example", "A")] = [Address(2, "192.0.2.10")]
        self.deliver(nexthop="dest.example")
        self.assertIn("status=sent", self.ends()[0])

    def test_mx_without_address(self) -> None:
        """SM-3: 5.4.4, or 4.x with smtp_defer_if_no_mx_address_found."""
        self.zone = self.host.resolver.zone = {("dest.example", "MX"): [MX(10, "gone.dest.example")]}
        self.deliver(nexthop="dest.example")
        self.logged("warning: no MX host for dest.example has a valid address record")
        self.assertIn("dsn=5.4.4, status=bounced", self.ends()[0])
        self.mx(smtp_defer_if_no_mx_address_found="yes")
        self.deliver(nexthop="dest.example")
        self.assertIn("dsn=4.4.4, status=deferred", self.ends()[0])

    def test_loop(self) -> None:
        """OB-4: servers from our own preference on do not count; being the best is a loop."""
        self.mx(proxy_interfaces="192.0.2.20")
        self.server.rules({"greeting": b"421 no\r\n"})
        self.listens("192.0.2.20")
        self.deliver(nexthop="dest.example")
        self.assertEqual(self.net.asked, [("192.0.2.10", 25)])
        self.mx(proxy_interfaces="192.0.2.10")
        self.deliver(nexthop="dest.example")
        self.assertIn("dsn=5.4.6, status=bounced (mail for dest.example loops back to myself)", self.ends()[0])

    def test_loop_without_primary(self) -> None:
        """SM-4: a better server without an address is no loop: the mail waits for it."""
        self.mx(proxy_interfaces="192.0.2.20")
        self.zone.pop(("a.dest.example", "A"))
        self.deliver(nexthop="dest.example")
        self.assertIn("dsn=4.4.4, status=deferred (unable to find primary relay for dest.example)", self.ends()[0])

    def test_no_fallback_for_our_own(self) -> None:
        """SM-4: smtp_fallback_relay is not for destinations that this machine is a server of."""
        self.mx(proxy_interfaces="192.0.2.10", smtp_fallback_relay="[192.0.2.99]")
        self.deliver(nexthop="dest.example")
        self.assertEqual(self.net.asked, [])
        self.assertIn("dsn=5.4.6, status=bounced (mail for dest.example loops back to myself)", self.ends()[0])

    def test_loop_of_relayhost(self) -> None:
        """TR-3: a relayhost that is this machine is a slip in main.cf: the mail waits."""
        self.mx(proxy_interfaces="192.0.2.10", relayhost="dest.example")
        self.deliver(nexthop="dest.example")
        self.assertIn("dsn=4.3.5, status=deferred (mail for dest.example loops back to myself)", self.ends()[0])

    def test_best_mx_transport(self) -> None:
        """SM-3: mail whose best server is this machine may be for another transport."""
        from tests.kit.delivering import MemoryAgents

        self.mx(proxy_interfaces="192.0.2.10", best_mx_transport="local")
        agents = self.host.peers.agents = MemoryAgents("local")
        self.deliver(nexthop="dest.example")
        self.assertEqual([(one.transport, one.nexthop) for one in agents.requests], [("local", "dest.example")])

    def test_families(self) -> None:
        """SM-3: smtp_address_preference; inet_protocols; room for both under the limit."""
        self.zone[("dest.example", "MX")] = [MX(10, "a.dest.example")]
        self.zone[("a.dest.example", "A")] = [Address(2, f"192.0.2.{n}") for n in range(50, 60)]
        self.zone[("a.dest.example", "AAAA")] = [Address(10, f"2001:db8::{n}") for n in range(5)]
        self.mx(smtp_address_preference="ipv6")
        self.deliver(nexthop="dest.example")
        kinds = ["6" if ":" in host else "4" for host, _ in self.net.asked]
        self.assertEqual(kinds, ["6", "6", "4", "4", "4"])
        self.net.asked.clear()
        self.mx(inet_protocols="ipv4")
        self.deliver(nexthop="dest.example")
        self.assertTrue(all(":" not in host for host, _ in self.net.asked))

    def test_srv(self) -> None:
        """SM-3, NV-1: use_srv_lookup: by priority, with ports of their own; without records MX ones if allowed."""
        from twisted.internet.defer import succeed

        from pytwfix.contracts.dns import SRV, Answer, NoData

        self.mx(use_srv_lookup="submission")
        records: Any = Answer((SRV(20, 1, 587, "a.dest.example"), SRV(10, 0, 1587, "b.dest.example")), False, 60, "x")
        asked: list[str] = []

        def srv(name: str) -> Any:
            asked.append(name)
            return fail(records) if isinstance(records, Exception) else succeed(records)

        self.host.resolver.srv = srv
        self.deliver(nexthop="dest.example:submission")
        self.assertEqual(asked, ["_submission._tcp.dest.example"])
        self.assertEqual(self.net.asked, [("192.0.2.20", 1587), ("192.0.2.10", 587)])
        records = NoData("x", "SRV", "no service")
        self.deliver(nexthop="dest.example:submission")
        self.assertIn("dsn=5.4.4, status=bounced (no service)", self.ends()[1])
        self.mx(use_srv_lookup="submission", allow_srv_lookup_fallback="yes")
        self.host.resolver.srv = srv
        self.net.asked.clear()
        self.deliver(nexthop="dest.example:submission")
        self.assertEqual(self.net.asked, [("192.0.2.10", 587), ("192.0.2.20", 587)])

    def test_dns_filter(self) -> None:
        """SM-3: smtp_dns_reply_filter drops records; what is left of nothing is 4.7.0."""
        self.mx(smtp_dns_reply_filter="pcre:{{/ MX 10 / IGNORE}}")
        self.listens("192.0.2.20")
        self.deliver(nexthop="dest.example")
        self.assertEqual(self.net.asked, [("192.0.2.20", 25)])
        self.logged("ignoring DNS RR: dest.example. 60 IN MX 10 a.dest.example.")
        self.mx(smtp_dns_reply_filter="pcre:{{/ MX / IGNORE}}")
        self.deliver(nexthop="dest.example")
        self.assertIn("dsn=4.7.0, status=deferred", self.ends()[0])

    def test_native_fails(self) -> None:
        """SM-3: what the system does not know is bounced, by what it says; a failure of its own is not."""
        answers: dict[str, Any] = {
            "4.4.4, status=deferred (unable to look up host x.example: t)": fail(TryAgain("x.example", "A", "t")),
            "5.4.4, status=bounced (unable to look up host x.example: n)": fail(NoSuchName("x.example", "A", "n")),
            "5.3.0, status=bounced (unable to look up host x.example: d)": fail(NoData("x.example", "A", "d")),
            "5.3.0, status=bounced (unable to look up host x.example: No address associated with hostname)": succeed(
                Answer((Address(10, "2001:db8::1"),), False, 60, "x.example")
            ),
        }
        self.mx(smtp_host_lookup="native", smtp_dns_support_level="disabled", inet_protocols="ipv4")
        for wanted, answer in answers.items():

            class Names:
                def addresses(self, name: str, answer: Any = answer) -> Any:
                    return answer

            self.host.names = Names()  # type: ignore[assignment]
            self.deliver(nexthop="[x.example]")
            self.assertIn(f"dsn={wanted}", self.ends()[-1])

    def test_other_family(self) -> None:
        """SM-3: an address literal of a family that inet_protocols leaves out is not connected to."""
        for host_lookup, text in (
            ("dns", "dsn=5.4.4, status=bounced (Name service error for 2001:db8::1: invalid host or domain name)"),
            (
                "native",
                "dsn=5.3.0, status=bounced "
                "(unable to look up host 2001:db8::1: Address family for hostname not supported)",
            ),
        ):
            self.mx(smtp_host_lookup=host_lookup, inet_protocols="ipv4")
            self.deliver(nexthop="[2001:db8::1]")
            self.assertIn(text, self.ends()[-1])
            self.assertEqual(self.net.asked, [])

    def test_relayhost_not_found(self) -> None:
        """SM-3, TR-4: mail is kept while the relay host cannot be found; another next hop's is returned."""
        for relayhost, status in (("typo.example", "4.3.5, status=deferred"), ("x.example", "5.4.4, status=bounced")):
            self.mx(relayhost=relayhost)
            self.deliver(nexthop="typo.example")
            self.assertIn(f"dsn={status} (typo.example AAAA: not found)", self.ends()[-1])

    def test_native(self) -> None:
        """SM-3: smtp_host_lookup = native."""
        from twisted.internet.defer import succeed

        from pytwfix.contracts.dns import Answer

        class Names:
            def addresses(self, name: str) -> Any:
                return succeed(Answer((Address(2, "192.0.2.10"),), False, 0, name))

        self.mx(smtp_host_lookup="native")
        self.host.names = Names()
        self.deliver(nexthop="[box]")
        self.assertIn("relay=box[192.0.2.10]:25", self.ends()[0])

    def test_bind(self) -> None:
        """SM-19: smtp_bind_address."""
        self.mx(smtp_bind_address="192.0.2.200")
        self.deliver(nexthop="dest.example")
        self.assertEqual(self.net.bound, [("192.0.2.200", 0)])

    def test_bad_nexthop(self) -> None:
        """SM-2: what cannot be understood waits for somebody to correct it."""
        self.deliver(nexthop="[a")
        self.assertIn("dsn=4.3.5, status=deferred", self.ends()[0])
        self.logged("missing")


class Lmtp(SmtpCase):
    """SM-1: the same program under its other name, with parameters of its own."""

    lmtp = True

    def setUp(self) -> None:
        super().setUp()
        self.net.servers["/var/spool/postfix/private/lmtp"] = SmtpServer
        self.begin(queue_directory="/var/spool/postfix")

    def test_socket(self) -> None:
        """SM-1, SM-2, LG-10: a socket below the queue directory; our own name stands for the host."""
        self.deliver(nexthop="unix:private/lmtp")
        self.assertEqual(
            self.ends(),
            [
                "to=<u@dest.example>, relay=mx.example.com[private/lmtp], dsn=2.0.0, "
                "status=sent (250 2.0.0 Ok: queued as 4711)"
            ],
        )
        self.assertEqual(self.net.made[0].commands[0], b"LHLO mx.example.com")

    def test_no_socket(self) -> None:
        """SM-8."""
        from twisted.internet.error import ConnectError

        self.net.servers["/var/spool/postfix/x"] = ConnectError(osError=2)
        self.deliver(nexthop="unix:x")
        self.assertIn(
            "relay=none, dsn=4.4.1, status=deferred (connect to mx.example.com[x]: No such file or directory)",
            self.ends()[0],
        )

    def test_replies(self) -> None:
        """SM-7: one reply for each recipient that was taken."""
        self.net.servers[("192.0.2.10", 24)] = lambda: self.server
        self.server.rules({"RCPT TO:<b": b"550 5.1.1 no\r\n", ".": b"250 2.0.0 one\r\n452 4.2.2 full\r\n"})
        result = self.deliver(b"a@d.example", b"b@d.example", b"c@d.example", nexthop="inet:192.0.2.10")
        self.assertEqual([one.address for one in result.deferred], [b"c@d.example"])
        self.assertIn("status=sent (250 2.0.0 one)", self.ends()[0])
        self.assertIn("452 4.2.2 full (in reply to end of DATA command)", self.ends()[2])

    def test_too_few(self) -> None:
        """OB-3: who has no answer is deferred."""
        self.net.servers[("192.0.2.10", 24)] = lambda: self.server

        def one(server: SmtpServer) -> None:
            server.transport.write(b"250 2.0.0 one\r\n")
            server.hang_up()

        self.server.rules({".": one})
        result = self.deliver(b"a@d.example", b"b@d.example", nexthop="192.0.2.10")
        self.assertEqual([one.address for one in result.deferred], [b"b@d.example"])

    def test_final(self) -> None:
        """DS-3: lmtp_assume_final."""
        self.begin(queue_directory="/var/spool/postfix", lmtp_assume_final="yes")
        self.net.servers["/var/spool/postfix/private/lmtp"] = lambda: SmtpServer(LHLO=b"250 x\r\n")
        self.deliver(Recipient(b"u@d.example", notify=NOTIFY_SUCCESS), nexthop="unix:private/lmtp")
        self.assertEqual(self.reports.records[0][2].dsn.action, "delivered")
