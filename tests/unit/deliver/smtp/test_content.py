"""What goes over the wire of a mail's content (SM-6, SM-15, SM-16)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.contracts.queue import QueueError
from pytwfix.deliver.smtp.service import SmtpAgent
from pytwfix.deliver.smtp.sevenbit import downgraded
from tests.kit.delivering import LocalRewriter
from tests.kit.smtpcase import SmtpCase


class Streamed(SmtpCase):
    """Mail that is not in memory."""

    def pieces(self, *pieces: bytes, error: Exception | None = None) -> Any:
        done = self.start(content=b"")
        message: Any = self.request.message

        async def body() -> AsyncIterator[bytes]:
            for piece in pieces:
                yield piece
            if error is not None:
                raise error

        message.cached = lambda: None
        message.body = body
        return done

    def test_pieces(self) -> None:
        """SM-6: dots and ends of lines where pieces meet."""
        for data in ((b"A: b\r\n\r\n.x\r\n", b".y\r\n", b"z"), (b"A: b\r\n", b"\r\n..\r\n", b"z\r\n")):
            self.setUp()
            done = self.pieces(*data)
            self.net.settle()
            self.assertEqual(self.successResultOf(done).deferred, [])
            content = b"".join(data)
            content = content if content.endswith(b"\r\n") else content + b"\r\n"
            self.assertEqual(self.server.mails, [content.replace(b"\r\n.", b"\r\n..")])

    def test_unreadable(self) -> None:
        """A queue file that ends in an error: the server must not take half a mail."""
        done = self.pieces(b"A: b\r\n", error=QueueError("QID1: read: Input/output error"))
        self.net.settle()
        self.assertEqual(len(self.successResultOf(done).deferred), 1)
        self.assertEqual(self.server.mails, [])
        self.assertTrue(self.server.gone)
        self.assertIn("dsn=4.3.0, status=deferred (queue file read error)", self.ends()[0])

    def test_lost_in_between(self) -> None:
        """SM-8: the server goes while content is being sent."""
        done = self.pieces(b"A: b\r\n")
        server = self.server

        def data(_server: Any) -> bytes:
            self.net.later(server.hang_up)
            return b"354 go\r\n"

        server.rules({"DATA": data})
        wire_blocked: list[Any] = []
        self.net.settle()
        self.successResultOf(done)
        self.assertEqual(wire_blocked, [])
        self.assertIn("dsn=4.4.2, status=deferred (lost connection with 192.0.2.10[192.0.2.10] while", self.ends()[0])

    def test_slow_reader(self) -> None:
        """SM-9: a server that stops reading has smtp_data_xfer_timeout for each piece."""
        for patience, text in ((100, ""), (181, "timed out while sending message body")):
            self.setUp()
            done = self.pieces(b"A: b\r\n", b"c\r\n")
            made = self.server.connectionMade

            def connected(made: Any = made) -> None:
                made()
                client = self.server.transport.peer
                write = client.write

                def stuck(data: bytes) -> None:
                    write(data)
                    if data.startswith(b"A: b"):
                        client.producer.pauseProducing()

                client.write = stuck

            self.server.connectionMade = connected  # type: ignore[method-assign]
            self.net.settle()
            self.wait(patience)
            if not text:
                self.server.transport.peer.producer.resumeProducing()
                self.net.settle()
                self.assertEqual(self.server.mails, [b"A: b\r\nc\r\n"])
            self.successResultOf(done)
            self.assertIn(text, self.ends()[0])


class Checks(SmtpCase):
    """SM-15: the mail is changed on its way."""

    CONTENT = (
        b"From: <a@in.example>\r\nTo: x@y.example,\r\n b@in.example\r\nSubject: old\r\nX-Secret: 1\r\n"
        b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\npre\r\n--b\r\n'
        b"Content-Type: text/plain\r\nX-Part: 1\r\n\r\nhello word\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
        b"Subject: inner\r\n\r\ntext\r\n--b--\r\n"
    )

    def sent(self, **main: str) -> bytes:
        self.begin(**main)
        self.host.peers.rewriter = LocalRewriter()
        self.deliver(content=self.CONTENT)
        (mail,) = self.server.mails
        return mail

    def test_header_checks(self) -> None:
        """SM-15: REPLACE, PREPEND, IGNORE, WARN."""
        mail = self.sent(
            smtp_header_checks="pcre:{{/^Subject: old/ REPLACE Subject: new}, {/^X-Secret/ IGNORE}, "
            "{/^From:/ PREPEND X-Out: 1}, {/^To:/ WARN seen}}"
        )
        expected = self.CONTENT.replace(b"Subject: old", b"Subject: new").replace(b"X-Secret: 1\r\n", b"")
        self.assertEqual(mail, b"X-Out: 1\r\n" + expected)
        self.logged("QID1: replace: header Subject: old: Subject: new")
        self.logged("QID1: prepend: header From: <a@in.example>: X-Out: 1")
        self.logged("QID1: warning: header To: x@y.example,: seen")

    def test_other_headers(self) -> None:
        """SM-15: headers of parts and of nested mail have tables of their own; so have lines."""
        mail = self.sent(
            smtp_mime_header_checks="pcre:{{/^Content-Type: text.plain/ REPLACE Content-Type: text/x}}",
            smtp_nested_header_checks="pcre:{{/^Subject: (.*)/ REPLACE Subject: [$$1]}}",
            smtp_body_checks="pcre:{{/word/ REPLACE world}}",
        )
        expected = self.CONTENT.replace(b"text/plain", b"text/x").replace(b"hello word", b"world")
        self.assertEqual(mail, expected.replace(b"Subject: inner", b"Subject: [inner]"))

    def test_unknown_action(self) -> None:
        """SM-15: a REJECT makes no sense here."""
        self.assertEqual(self.sent(smtp_header_checks="pcre:{{/^Subject/ REJECT}}"), self.CONTENT)
        self.logged("warning: unknown command in smtp_header_checks map: REJECT")

    def test_failing_table(self) -> None:
        """SM-15: the mail waits."""
        self.begin(smtp_header_checks="fail:x")
        self.assertEqual(len(self.deliver().deferred), 1)
        self.assertIn("dsn=4.3.0, status=deferred (mail system configuration error)", self.ends()[0])

    def test_generic(self) -> None:
        """SM-15: smtp_generic_maps in envelope and header."""
        self.begin(smtp_generic_maps="inline:{a@in.example=out@out.example, @in.example=@gone.example, me@b.example=x}")
        self.host.peers.rewriter = LocalRewriter()
        self.deliver(b"b@in.example", sender=b"a@in.example", content=self.CONTENT)
        self.assertEqual(
            self.server.commands[1:3], [b"MAIL FROM:<out@out.example> SIZE=277", b"RCPT TO:<b@gone.example>"]
        )
        self.assertTrue(
            self.server.mails[0].startswith(b"From: <out@out.example>\r\nTo: x@y.example, b@gone.example\r\n"),
            self.server.mails[0],
        )
        self.assertIn("to=<b@in.example>", self.ends()[0])


class BareLineFeeds(SmtpCase):
    def test_no_smuggling(self) -> None:
        """OB-7, OB-8: a LF that a milter or an old queue file brought cannot end the mail early."""
        self.deliver(content=b"A: b\r\n\r\nx\n.\nMAIL FROM:<evil>\r\n")
        self.assertEqual(self.server.mails, [b"A: b\r\n\r\nx\r\n..\r\nMAIL FROM:<evil>\r\n"])


class Flags(SmtpCase):
    def test_flags(self) -> None:
        """SM-16: flags=DORX put headers in front."""
        self.agent = SmtpAgent(self.host, False, ["flags=DOR"])
        self.deliver()
        self.assertTrue(
            self.server.mails[0].startswith(
                b"Return-Path: <a@b.example>\r\nX-Original-To: u@dest.example\r\nDelivered-To: u@dest.example\r\nSub"
            )
        )

    def test_loop(self) -> None:
        """SM-16: with D a mail that was delivered to this recipient before is a loop."""
        self.agent = SmtpAgent(self.host, False, ["flags=D"])
        self.deliver(content=b"Delivered-To: U@dest.example\r\n\r\n")
        self.assertIn("dsn=5.4.6, status=bounced (mail forwarding loop for u@dest.example)", self.ends()[0])
        self.assertEqual(self.net.asked, [])


class SevenBit(SynchronousTestCase):
    """SM-6, CL-9: conversion to quoted-printable."""

    def test_parts(self) -> None:
        content = (
            b'Content-Type: multipart/mixed; boundary="b"\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\xc3\xbc\r\n--b\r\n'
            b"Content-Transfer-Encoding: 8bit\r\n\r\n\xc3\xbc=\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
            b"Subject: x\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\xc3\xbc\r\n--b\r\n"
            b"Content-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--b--\r\n"
        )
        self.assertEqual(
            downgraded(content, 100, 2048),
            b'Content-Type: multipart/mixed; boundary="b"\r\nContent-Transfer-Encoding: 7bit\r\n\r\n\xc3\xbc\r\n--b\r\n'
            b"Content-Transfer-Encoding: quoted-printable\r\n\r\n=C3=BC=3D\r\n--b\r\n"
            b"Content-Type: message/rfc822\r\n\r\n"
            b"Subject: x\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=C3=BC\r\n--b\r\n"
            b"Content-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--b--\r\n",
        )

    def test_ends(self) -> None:
        """A mail that ends in its header, or without a line end, or that is empty."""
        for content in (b"", b"A: b\r\n", b"A: b", b"\r\nx", b"A: b\r\n\r\nx", b"no header\r\n"):
            self.assertEqual(downgraded(content, 100, 2048), content)
