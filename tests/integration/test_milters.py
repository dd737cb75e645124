"""Mail filters: OpenDKIM that signs and verifies, and one that does what a test says (MI-1 to MI-8)."""

from __future__ import annotations

import smtplib
import time
from collections.abc import Mapping, Sequence

from tests.integration.world import World, WorldCase, in_each_mode, new_token
from tests.kit.mailsystem import listener
from tests.kit.opendkim import DOMAIN, OpenDkim
from tests.kit.scriptedmilter import CLOSE, ScriptedMilter
from tests.kit.sinks import Received
from tests.kit.waiting import free_port, wait_for

SENDER = f"from@{DOMAIN}"
PEER = r"unknown\[127\.0\.0\.1\]"


class DkimWorld(World):
    """Ports that sign, that verify, and that would ask a filter that is not there."""

    def prepare(self) -> None:
        self.dkim = OpenDkim()
        self.closers.append(self.dkim.close)
        self.signing, self.verifying, self.lonely, self.refusing = (free_port() for _ in range(4))

    def main(self) -> Mapping[str, str]:
        return {"non_smtpd_milters": self.dkim.signer, "milter_default_action": "tempfail"}

    def services(self) -> Sequence[str]:
        nobody = f"smtpd_milters=inet:127.0.0.1:{free_port()}"
        return [
            *super().services(),
            listener(self.signing, f"smtpd_milters={self.dkim.signer}"),
            listener(self.verifying, f"smtpd_milters={self.dkim.verifier}"),
            listener(self.lonely, nobody, "milter_default_action=accept"),
            listener(self.refusing, nobody),
        ]


@in_each_mode
class OpenDkims(WorldCase):
    """A filter that is used everywhere."""

    world_class = DkimWorld

    def again(self, message: Received, content: bytes) -> str:
        """What comes of a message that is sent to the port that verifies."""
        assert isinstance(self.world, DkimWorld)
        token = message.token().decode()
        with smtplib.SMTP("127.0.0.1", self.world.verifying, local_hostname="client.example", timeout=30) as client:
            client.sendmail(SENDER, ["again@far.example"], content)
        sink = self.world.sink
        seen = wait_for(lambda: [one for one in sink.all(token) if one.recipients == ["again@far.example"]])
        return seen[-1].text

    def signed(self, body: str = "hello\r\n") -> Received:
        assert isinstance(self.world, DkimWorld)
        return self.world.got(self.world.send("u@far.example", sender=SENDER, port=self.world.signing, body=body))

    def test_signs_and_verifies(self) -> None:
        """MI-3, MI-8: the signature that was added is that of the mail that was delivered."""
        message = self.signed()
        self.assertTrue(message.text.startswith(f"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/simple; d={DOMAIN};"))
        self.assertIn("dkim=pass", self.again(message, message.content))

    def test_large(self) -> None:
        """MI-2: a body of many chunks, which does not fit in memory."""
        message = self.signed("".join(f"{number:070}\r\n" for number in range(20000)))
        self.assertIn("dkim=pass", self.again(message, message.content))

    def test_tampered(self) -> None:
        message = self.signed()
        text = self.again(message, message.content.replace(b"hello", b"hullo"))
        self.assertIn("Authentication-Results: mx.test.example;", text)
        self.assertIn("dkim=fail", text)

    def test_unsigned(self) -> None:
        assert isinstance(self.world, DkimWorld)
        text = self.world.got(self.world.send("u@far.example", port=self.world.verifying)).text
        self.assertIn("dkim=none", text)

    def test_local_mail(self) -> None:
        """MI-6: non_smtpd_milters."""
        token = new_token()
        text = f"From: {SENDER}\nSubject: x\nX-Token: {token}\n\nhello\n"
        self.system.ask("sendmail", "-f", SENDER, "u@far.example", text=text)
        message = self.world.got(token)
        self.assertIn("DKIM-Signature:", message.text)
        self.assertIn("dkim=pass", self.again(message, message.content))

    def test_nobody_there(self) -> None:
        """MI-4: accept, and tempfail."""
        assert isinstance(self.world, DkimWorld)
        mark = self.system.mark()
        self.world.got(self.world.send("u@far.example", port=self.world.lonely))
        self.assertLogged(r"smtpd\[\d+\]: warning: connect to Milter service inet:\S+: Connection refused$", mark)
        self.assertEqual(
            "451 4.7.1 Service unavailable - try again later",
            self.world.refused("u@far.example", port=self.world.refusing),
        )


class ScriptedWorld(World):
    """One filter for all mail, which does what the sender's name says."""

    def prepare(self) -> None:
        self.doing: dict[bytes, Sequence[bytes]] = {}
        self.milter = ScriptedMilter({"E": self.end, "R": self.rcpt})
        self.closers.append(self.milter.close)
        self.careful = free_port()

    def main(self) -> Mapping[str, str]:
        return {
            "smtpd_milters": self.milter.name, "milter_default_action": "tempfail",
            "virtual_alias_maps": "inline:{al@far.example=expanded@far.example}",
        }  # fmt: skip

    def services(self) -> Sequence[str]:
        return [*super().services(), listener(self.careful, "milter_default_action=shutdown")]

    @property
    def sender(self) -> bytes:
        return self.milter.data("M")[-1].partition(b"@")[0].removeprefix(b"<")

    def end(self, data: bytes) -> Sequence[bytes]:
        return self.doing.get(self.sender, [b"c"])

    def rcpt(self, data: bytes) -> Sequence[bytes]:
        return [b"y550 5.7.7 not you\0"] if data.startswith(b"<unloved") else [b"c"]


@in_each_mode
class Scripts(WorldCase):
    """Edits and verdicts."""

    world_class = ScriptedWorld

    def send(self, name: str, *edits: bytes, to: str = "u@far.example") -> str:
        assert isinstance(self.world, ScriptedWorld)
        self.world.doing[name.encode()] = [*edits, b"c"]
        return self.world.send(to, sender=f"{name}@there.example", headers="X-Dup: 1\r\nX-Dup: 2\r\n")

    def test_headers(self) -> None:
        """MI-3, MI-8."""
        token = self.send(
            "headers", b"hX-Added\0one\n\ttwo\0", b"i\0\0\0\1X-Put\0in\0", b"m\0\0\0\2X-Dup\0changed\0",
            b"m\0\0\0\1Subject\0\0",
        )  # fmt: skip
        text = self.world.got(token).text
        self.assertIn("ESMTP id ", text)
        self.assertRegex(text, r"\AReceived: .*\n(\t.*\n)*X-Put: in\nFrom: ")
        self.assertIn("\nX-Dup: 1\nX-Dup: changed\n", text)
        self.assertIn("\nX-Added: one\n\ttwo\n", text)
        self.assertNotIn("Subject:", text)

    def test_body(self) -> None:
        token = self.send("body", b"bnew ", b"bbody\r\n")
        self.assertTrue(self.world.got(token).text.endswith("\n\nnew body\n"))

    def test_envelope(self) -> None:
        """MI-3, CL-10."""
        token = self.send("envelope", b"-<u@far.example>\0", b"+<al@far.example>\0", b"e<other@there.example>\0")
        message = self.world.got(token)
        self.assertEqual((["expanded@far.example"], "other@there.example"), (message.recipients, message.sender))

    def test_quarantine(self) -> None:
        """MI-3, LG-4."""
        mark = self.system.mark()
        token = self.send("held", b"qwhy\0")
        line = self.assertLogged(rf"cleanup\[\d+\]: \w+: milter-hold: END-OF-MESSAGE from {PEER}: milter", mark)
        self.assertIn("from=<held@there.example>", line)
        self.pause(0.3)
        self.assertEqual([], self.world.sink.all(token))
        self.assertIn("held@there.example", [one["sender"] for one in self.system.listed()])

    def test_refused(self) -> None:
        """LG-4."""
        assert isinstance(self.world, ScriptedWorld)
        mark = self.system.mark()
        self.world.doing[b"refused"] = [b"y554 5.7.9 no such mail\0"]
        said = self.world.refused("u@far.example", sender="refused@there.example")
        self.assertEqual("554 5.7.9 no such mail", said)
        self.assertLogged(
            rf"cleanup\[\d+\]: \w+: milter-reject: END-OF-MESSAGE from {PEER}: 5\.7\.9 no such mail; "
            r"from=<refused@there\.example> to=<u@far\.example> proto=ESMTP helo=<client\.example>$", mark,
        )  # fmt: skip

    def test_recipient(self) -> None:
        mark = self.system.mark()
        self.assertEqual("550 5.7.7 not you", self.world.refused("unloved@far.example"))
        self.assertLogged(rf"NOQUEUE: milter-reject: RCPT from {PEER}: 550 5\.7\.7 not you; from=<", mark)

    def test_dies(self) -> None:
        """MI-4: the mail is refused, and the next session has a filter again."""
        assert isinstance(self.world, ScriptedWorld)
        self.world.doing[b"dies"] = [CLOSE]
        self.assertEqual(
            "451 4.7.1 Service unavailable - try again later",
            self.world.refused("u@far.example", sender="dies@there.example"),
        )
        self.world.got(self.send("lives"))


@in_each_mode
class Shutdowns(WorldCase):
    """What a real 3.7 has not."""

    world_class = ScriptedWorld
    not_real = "Debian's Postfix is older than milter_default_action = shutdown, and waits for delayed acknowledgements"

    def test_shutdown(self) -> None:
        """MI-4: 421, and the connection ends."""
        assert isinstance(self.world, ScriptedWorld)
        self.world.doing[b"dies"] = [CLOSE]
        said = self.world.refused("u@far.example", sender="dies@there.example", port=self.world.careful)
        self.assertEqual("421 4.7.0 Server closing connection", said)

    def test_answer_in_pieces(self) -> None:
        """MI-3: a filter that does not turn off Nagle's algorithm, as OpenDKIM does not, sends the rest of its answer
        when the first piece is acknowledged: at once, not after 40 ms."""
        assert isinstance(self.world, ScriptedWorld)
        self.world.doing[b"pieces"] = [b"hX-A\0 b\0", b"c"]
        seconds: list[float] = []
        with smtplib.SMTP("127.0.0.1", self.world.port, local_hostname="client.example", timeout=30) as client:
            for _ in range(30):  # a connection that is new is acknowledged at once for a while
                begun = time.perf_counter()
                client.sendmail("pieces@there.example", ["u@far.example"], b"Subject: x\r\n\r\nx\r\n")
                seconds.append(time.perf_counter() - begun)
        self.assertLess(min(seconds[-10:]), 0.036)
