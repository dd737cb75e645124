"""A queue that a real Postfix left is delivered by us, and the reverse (RF-*, QU-*): how people move over, and back."""

from __future__ import annotations

import os
import smtplib
from collections.abc import Mapping

from twisted.trial.unittest import SkipTest

from tests.integration.world import World, WorldCase, in_each_mode, new_token
from tests.kit.mailsystem import POSTFIX, MailSystem, RealPostfix, listener, make
from tests.kit.sinks import Sink
from tests.kit.waiting import free_port, wait_for

LARGE = (b"0123456789" * 7 + b"\r\n") * 4000


class Moving(World):
    """Two systems on one configuration, never both at once. Nobody listens for late.example until it is said."""

    def prepare(self) -> None:
        if RealPostfix.missing():
            raise SkipTest(RealPostfix.missing())
        self.late = free_port()

    def main(self) -> Mapping[str, str]:
        return {
            "smtpd_recipient_restrictions": "check_recipient_access inline:{hold.example=HOLD}",
            "transport_maps": f"inline:{{late.example=smtp:[127.0.0.1]:{self.late}}}",
            "minimal_backoff_time": "300s", "maximal_backoff_time": "4000s", "queue_run_delay": "300s",
            "delay_warning_time": "4h", "daemon_directory": "/usr/lib/postfix/sbin", "setgid_group": "postdrop",
            "command_directory": "/usr/sbin",
        }  # fmt: skip

    def furnish(self) -> None:
        """The other system: it works in our system's directory."""
        self.real_one = make(POSTFIX, {}, [listener(self.port)])
        self.real_one.remove()
        self.closers.append(self.real_one.stop)
        for name in ("directory", "config", "queue", "data", "maillog"):
            setattr(self.real_one, name, getattr(self.system, name))
        self.ours = self.system


@in_each_mode
class Exchange(WorldCase):
    """The mail: large and small, several recipients, some done already, held, with DSN parameters, from maildrop."""

    world_class = Moving
    fresh = True
    not_real = "is about the other system"

    def fill(self, system: MailSystem) -> dict[str, str]:
        """Mail that waits in the queue: what it is to its token."""
        world = self.world
        tokens = {"small": world.send(["a@late.example", "b@late.example"], rcpt=["NOTIFY=NEVER"])}
        tokens["large"] = world.send("c@late.example", body=LARGE)
        tokens["partly"] = world.send(["done@far.example", "d@late.example"], mail=["ENVID=kept", "RET=HDRS"])
        tokens["held"] = world.send("e@hold.example")
        tokens["utf8"] = self.send_utf8()
        world.got(tokens["partly"])
        wait_for(lambda: len(system.files("deferred")) == 4 and not system.files("active"), system.told)
        tokens["dropped"] = new_token()
        system.stop()
        system.ask("sendmail", "-f", "s@there.example", "f@late.example", text=f"X-Token: {tokens['dropped']}\n\nx\n")
        return tokens

    def send_utf8(self) -> str:
        token = new_token()
        with smtplib.SMTP("127.0.0.1", self.world.port, timeout=30) as client:
            client.ehlo()
            client.mail("jö@there.example", ["SMTPUTF8", "BODY=8BITMIME"])
            client.rcpt("ü@late.example")
            client.data(f"Subject: ü\r\nX-Token: {token}\r\n\r\nb\r\n".encode())
        return token

    def deliver(self, system: MailSystem, tokens: dict[str, str]) -> None:
        """All of it arrives, once, with what it had; and what is held is still held."""
        assert isinstance(self.world, Moving)
        sink = Sink(self.world.late)
        self.addCleanup(sink.close)
        system.start(self.world.port)
        mark = self.system.mark()
        wait_for(lambda: not system.files("maildrop"), system.told)
        system.ask("postqueue", "-f")
        found = {name: self.world.got(token, sink) for name, token in tokens.items() if name != "held"}
        self.assertEqual(sorted(sink.recipients(tokens["small"])), ["a@late.example", "b@late.example"])
        words = {word for one in found["small"].parameters for word in one.split()}
        self.assertEqual(words, {"NOTIFY=NEVER", "ORCPT=rfc822;a@late.example", "ORCPT=rfc822;b@late.example"})
        self.assertTrue(found["large"].content.endswith(LARGE))
        self.assertEqual(found["partly"].recipients, ["d@late.example"])
        self.assertIn("ENVID=kept", found["partly"].mail_parameters)
        self.assertEqual(found["utf8"].sender, "jö@there.example")
        self.assertEqual(len(self.world.sink.all(tokens["partly"])), 1)
        self.assertEqual(len(system.files("hold")), 1)
        system.ask("postsuper", "-H", "ALL")
        system.ask("postqueue", "-f")
        self.world.got(tokens["held"])
        wait_for(system.empty, system.told)
        self.assertEqual([system.files(name) for name in ("defer", "bounce", "corrupt")], [[], [], []])
        self.assertNotIn("warning: ", self.system.log(mark))

    def test_to_us(self) -> None:
        """RF-1 to RF-6: what Postfix queued, we deliver."""
        assert isinstance(self.world, Moving)
        self.world.ours.stop()
        self.world.real_one.start(self.world.port)
        tokens = self.fill(self.world.real_one)
        self.deliver(self.world.ours, tokens)

    def test_back(self) -> None:
        """RF-1 to RF-6: what we queued, Postfix delivers."""
        assert isinstance(self.world, Moving)
        tokens = self.fill(self.world.ours)
        self.assertTrue(os.path.isdir(self.world.real_one.queue))
        self.deliver(self.world.real_one, tokens)
        self.world.real_one.stop()
