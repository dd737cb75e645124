"""The client's side of the SMTP dialog, without sockets (OB-1, OB-2, OB-3, OB-6; SM-6, SM-7)."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.dialogs.smtp_client import Probe, SmtpClient, Stage, Todo, Transfer
from pytwfix.dialogs.smtp_client_hello import parse_features
from pytwfix.dialogs.smtp_client_replies import Answer, ReplyParser


def greeted() -> SmtpClient:
    client = SmtpClient()
    client.receive(b"220 mx\r\n")
    client.next_reply()
    return client


class Replies(SynchronousTestCase):
    def answers(self, *pieces: bytes) -> list[Answer]:
        parser = ReplyParser()
        found = []
        for piece in pieces:
            parser.receive(piece)
            while (answer := parser.next()) is not None:
                found.append(answer)
        return found

    def test_lines(self) -> None:
        """RFC 5321 section 4.2.1; OB-1: the last line's code decides; LF alone ends a line too."""
        (answer,) = self.answers(b"250-one\r\n250-tw", b"o\n550 5.1.1 three\r\n")
        self.assertEqual((answer.code, answer.dsn, answer.text), (550, "5.1.1", "250-one 250-two 550 5.1.1 three"))

    def test_every_cut(self) -> None:
        data = b"220 a\r\nnonsense\r\n250-x\r\n250 2.1.0 y\r\n354\r\n"
        whole = [(one.code, one.lines) for one in self.answers(data)]
        self.assertEqual([code for code, _ in whole], [220, 250, 354])
        for cut in range(len(data)):
            self.assertEqual([(one.code, one.lines) for one in self.answers(data[:cut], data[cut:])], whole)

    def test_status(self) -> None:
        """OB-1, OB-2: a status of the wrong class does not count, odd codes are 5.5.0."""
        for line, dsn in (
            (b"450 5.1.1 x", "4.0.0"),
            (b"250 2.1.5 x", "2.1.5"),
            (b"150 x", "5.5.0"),
            (b"354 x", "5.5.0"),
            (b"600 6.1.1 x", "5.5.0"),
            (b"550 5.1.1", "5.1.1"),
            (b"550 5.1.1x", "5.0.0"),
            (b"550-5.1.1 x", ""),
        ):
            found = self.answers(line + b"\r\n")
            self.assertEqual([one.dsn for one in found], [dsn] if dsn else [])
        self.assertEqual(self.answers(b"250 2.0.0 x\r\n")[0].failure, "5.5.0")

    def test_text(self) -> None:
        """What cannot be printed does not get into the log."""
        self.assertEqual(self.answers(b"250 a\tb\x00\xff \xc3\xbc\r\n")[0].text, "250 a?b?? \u00fc")

    def test_endless(self) -> None:
        """A line or a reply without end does not fill our memory."""
        (answer,) = self.answers(*[b"250 " + b"x" * 3000] * 20, b"\r\n")
        self.assertEqual(len(answer.lines[0]), 2048)
        (answer,) = self.answers(
            b"250-" + b"x" * 1000 + b"\r\n", *[b"250-" + b"y" * 1000 + b"\r\n"] * 100, b"250 z\r\n"
        )
        self.assertEqual((3, 250), (len(answer.lines), answer.code))

    def test_cut_off(self) -> None:
        """SM-9: what is cut off is told, each line and once a reply, with its begin."""
        told: list[tuple[bool, bytes]] = []
        parser = ReplyParser(50)
        parser.complain = lambda whole, start: told.append((whole, start))
        parser.receive(b"250-" + b"x" * 46 + b"\r\n250 y\r\n")
        answer = parser.next()
        assert answer is not None
        self.assertEqual((250, [b"250-" + b"x" * 46], [(True, b"250-" + b"x" * 26)]), (answer.code, answer.lines, told))
        told.clear()
        for piece in (b"451 4.3.0 " + b"z" * 60 + b"\r\n", b"451 4.3.0 " + b"z" * 60, b"zz", b"\r\n"):
            parser.receive(piece)
        answers = [one.lines for one in (parser.next(), parser.next()) if one]
        self.assertEqual([[b"451 4.3.0 " + b"z" * 40]] * len(answers), answers)
        self.assertEqual([(False, b"451 4.3.0 " + b"z" * 20)] * 2, told)

    def test_noise(self) -> None:
        """SM-6: a line that is no reply is told of, and stands before the text of the reply that follows."""
        parser = ReplyParser()
        parser.receive(b"hello there\r\n\r\n45 x\r\n354 go\r\n\r\n250 ok\r\n")
        first, second = parser.next(), parser.next()
        assert first is not None and second is not None
        self.assertEqual((354, "hello there  45 x 354 go"), (first.code, first.text))
        self.assertEqual((250, "250 ok", b"hello there"), (second.code, second.text, parser.skipped))


class Features(SynchronousTestCase):
    def test_parse(self) -> None:
        """RFC 5321 section 4.1.1.1; AUTH= of old servers; keywords to overlook."""
        lines = [b"250-mx.example hello", b"250-size 1000", b"250-AUTH PLAIN", b"250-AUTH=LOGIN", b"250 STARTTLS"]
        features = parse_features(Answer(250, lines), {"starttls"})
        self.assertEqual((features.host, features.size), ("mx.example", 1000))
        self.assertEqual(features.words("AUTH"), ["PLAIN", "LOGIN"])
        self.assertNotIn("STARTTLS", features)
        self.assertEqual(parse_features(Answer(250, [b"250-x", b"250 SIZE y"])).size, 0)


class Transfers(SynchronousTestCase):
    def transfer(self, replies: bytes, count: int = 2, **more: object) -> tuple[SmtpClient, Transfer]:
        client = greeted()
        options: dict[str, object] = {"pipelining": True, **more}
        transfer = Transfer(client, b"MAIL", [b"RCPT %d" % n for n in range(count)], **options)  # type: ignore[arg-type]
        client.receive(replies)
        return client, transfer

    def codes(self, transfer: Transfer) -> list[tuple[Stage, int] | None]:
        return [None if one is None else (one[0], one[1].code) for one in transfer.answers]

    def test_pipelined(self) -> None:
        client, transfer = self.transfer(b"250 a\r\n250 b\r\n550 c\r\n354 d\r\n")
        self.assertEqual(client.data_to_send(), b"MAIL\r\nRCPT 0\r\nRCPT 1\r\nDATA\r\n")
        self.assertIs(transfer.advance(), Todo.CONTENT)
        self.assertEqual(transfer.accepted, 1)
        transfer.content_sent()
        self.assertIs(client.waiting, Stage.END)
        client.receive(b"250 e\r\n")
        self.assertIs(transfer.advance(), Todo.DONE)
        self.assertTrue(transfer.complete)
        self.assertEqual(self.codes(transfer), [(Stage.END, 250), (Stage.RCPT, 550)])

    def test_one_by_one(self) -> None:
        client, transfer = self.transfer(b"", pipelining=False, before=[b"XFORWARD"])
        said = []
        for reply in (b"250", b"250", b"550", b"250", b"354"):
            said.append(client.data_to_send())
            client.receive(reply + b" x\r\n")
            todo = transfer.advance()
        self.assertEqual(said, [b"XFORWARD\r\n", b"MAIL\r\n", b"RCPT 0\r\n", b"RCPT 1\r\n", b"DATA\r\n"])
        self.assertIs(todo, Todo.CONTENT)

    def test_nobody_left(self) -> None:
        """Without pipelining there is no DATA when nobody was taken."""
        client, transfer = self.transfer(b"250 x\r\n", pipelining=False)
        for reply in (b"550 x\r\n", b"450 x\r\n"):
            transfer.advance()
            client.receive(reply)
        self.assertIs(transfer.advance(), Todo.DONE)
        self.assertFalse(transfer.complete)
        self.assertEqual(self.codes(transfer), [(Stage.RCPT, 550), (Stage.RCPT, 450)])
        self.assertNotIn(b"DATA", client.data_to_send())

    def test_mail_refused(self) -> None:
        """SM-7: all replies of the pipeline are used up, and the one to MAIL counts."""
        client, transfer = self.transfer(b"451 a\r\n503 b\r\n503 c\r\n503 d\r\n")
        self.assertIs(transfer.advance(), Todo.DONE)
        self.assertEqual(self.codes(transfer), [(Stage.MAIL, 451)] * 2)
        self.assertIsNone(client.waiting)

    def test_unwanted_content(self) -> None:
        """RFC 2920 section 3.1: 354 although nobody was taken."""
        client, transfer = self.transfer(b"250 a\r\n550 b\r\n550 c\r\n354 d\r\n")
        self.assertIs(transfer.advance(), Todo.NOTHING)
        transfer.content_sent()
        client.receive(b"250 lost\r\n")
        self.assertIs(transfer.advance(), Todo.DONE)
        self.assertEqual(self.codes(transfer), [(Stage.RCPT, 550)] * 2)

    def test_lmtp(self) -> None:
        """RFC 2033: a reply for each recipient that was taken, in order; OB-3: surplus ones do not matter."""
        client, transfer = self.transfer(b"250 a\r\n250 b\r\n550 c\r\n250 d\r\n354 e\r\n", 3, lmtp=True)
        transfer.advance()
        transfer.content_sent()
        client.receive(b"250 f\r\n")
        self.assertIs(transfer.advance(), Todo.WAIT)
        client.receive(b"452 g\r\n250 h\r\n")
        self.assertIs(transfer.advance(), Todo.DONE)
        self.assertEqual(self.codes(transfer), [(Stage.END, 250), (Stage.RCPT, 550), (Stage.END, 452)])
        self.assertTrue(client.surplus)

    def test_probes(self) -> None:
        """VE-1: a probe ends before DATA, or at its answer."""
        client, transfer = self.transfer(b"250 a\r\n250 b\r\n550 c\r\n", probe=Probe.RCPT)
        self.assertNotIn(b"DATA", client.data_to_send())
        self.assertIs(transfer.advance(), Todo.DONE)
        self.assertEqual(self.codes(transfer), [(Stage.RCPT, 250), (Stage.RCPT, 550)])
        client, transfer = self.transfer(b"250 a\r\n250 b\r\n550 c\r\n354 d\r\n", probe=Probe.DATA)
        self.assertIs(transfer.advance(), Todo.DONE)
        self.assertEqual(self.codes(transfer), [(Stage.DATA, 354), (Stage.RCPT, 550)])

    def test_complaints(self) -> None:
        client, transfer = self.transfer(b"550 x\r\n250 a\r\n", 1, before=[b"XFORWARD"])
        transfer.advance()
        self.assertEqual([one.code for one in transfer.complaints], [550])
        self.assertIs(client.waiting, Stage.RCPT)

    def test_start_tls(self) -> None:
        """OB-6: what was said in plaintext before the handshake is thrown away."""
        client = greeted()
        client.command(b"STARTTLS", Stage.STARTTLS)
        client.receive(b"220 go\r\n250 injected\r\n")
        client.next_reply()
        client.start_tls()
        client.command(b"EHLO x", Stage.EHLO)
        self.assertIsNone(client.next_reply())
        self.assertFalse(client.surplus)
