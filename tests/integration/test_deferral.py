"""Mail that cannot go on yet: deferred, tried again, flushed, reported, given up (QM-*, QU-*, DS-2)."""

from __future__ import annotations

import smtplib
from collections.abc import Mapping

from tests.integration.world import World, WorldCase, in_each_mode
from tests.kit.sinks import Sink
from tests.kit.waiting import free_port, wait_for


class DeferringWorld(World):
    """down.example is served by nobody; retries come each second."""

    def prepare(self) -> None:
        self.down = free_port()
        self.dead = free_port()

    def main(self) -> Mapping[str, str]:
        return {
            "transport_maps": f"inline:{{ {{down.example=smtp:[127.0.0.1]:{self.down}}} "
            f"{{dead.example=smtp:[127.0.0.1]:{self.dead}}} }}",
            "minimal_backoff_time": "1s", "maximal_backoff_time": "2s", "queue_run_delay": "1s",
            "fast_flush_domains": "down.example, dead.example", "smtp_connect_timeout": "5s",
        }  # fmt: skip


@in_each_mode
class Deferral(WorldCase):
    """What happens to mail whose next hop does not answer."""

    world_class = DeferringWorld

    def server(self) -> Sink:
        """A server for down.example."""
        sink = Sink(self.world.down)  # type: ignore[attr-defined]
        self.addCleanup(sink.close)
        return sink

    def test_retry(self) -> None:
        """QM-2, SM-5: it is deferred with the reason, tried again without being asked, and arrives."""
        mark = self.system.mark()
        token = self.world.send("user@down.example")
        line = self.assertLogged(r"to=<user@down\.example>, .*status=deferred", mark)
        self.assertRegex(
            line, r"relay=none, .*dsn=4\.4\.1, status=deferred "
            r"\(connect to 127\.0\.0\.1\[127\.0\.0\.1\]:\d+: Connection refused\)$",
        )  # fmt: skip
        sink = self.server()
        self.world.got(token, sink)
        self.assertLogged(r"to=<user@down\.example>, .*status=sent", mark)
        wait_for(self.system.empty, self.system.told)
        self.assertEqual(self.system.files("defer"), [])

    def test_temporary_reply(self) -> None:
        """ST-*: a reply of 4xx defers that recipient alone."""
        mark = self.system.mark()
        token = self.world.send(["temp-one@far.example", "good-one@far.example"])
        self.assertEqual(self.world.got(token).recipients, ["good-one@far.example"])
        self.assertLogged(r"to=<temp-one@far\.example>, .*dsn=4\.2\.1, status=deferred \(host .* said: 450", mark)
        listed = [one for one in self.system.listed() if one["queue_name"] in ("deferred", "active")]
        found = [one for one in listed if any(to["address"] == "temp-one@far.example" for to in one["recipients"])]
        self.assertEqual([to["address"] for to in found[0]["recipients"]], ["temp-one@far.example"])
        self.system.ask("postsuper", "-d", found[0]["queue_id"])

    def test_closed_connection(self) -> None:
        """SM-*: a server that hangs up in the middle is a reason to wait."""
        mark = self.system.mark()
        self.world.send("drop-one@far.example")
        line = self.assertLogged(r"to=<drop-one@far\.example>, .*status=deferred", mark)
        self.assertRegex(line, r"status=deferred \(lost connection with .* while sending RCPT TO\)$")
        self.system.ask("postsuper", "-d", "ALL")


class SlowWorld(DeferringWorld):
    """Retries do not come by themselves."""

    def main(self) -> Mapping[str, str]:
        slow = {"minimal_backoff_time": "300s", "maximal_backoff_time": "4000s", "queue_run_delay": "300s"}
        return {**super().main(), **slow}


@in_each_mode
class Flushing(WorldCase):
    """Deferred mail that is asked for."""

    world_class = SlowWorld

    def deferred(self, domain: str = "down.example") -> tuple[str, str]:
        """(token, queue ID) of a mail that is deferred."""
        mark = self.system.mark()
        token = self.world.send(f"user@{domain}")
        line = self.assertLogged(rf"to=<user@{domain}>, .*status=deferred", mark)
        queue_id = line.split("]: ", 1)[1].split(":", 1)[0]
        wait_for(lambda: queue_id in self.system.files("deferred"), self.system.told)
        return token, queue_id

    def server(self, port: int) -> Sink:
        sink = Sink(port)
        self.addCleanup(sink.close)
        return sink

    def world_ports(self) -> tuple[int, int]:
        return self.world.down, self.world.dead  # type: ignore[attr-defined]

    def test_flush_all(self) -> None:
        """PQ-*: postqueue -f tries all of the queue again."""
        token, _queue_id = self.deferred()
        sink = self.server(self.world_ports()[0])
        self.system.ask("postqueue", "-f")
        self.world.got(token, sink)

    def test_deliver_one(self) -> None:
        """PQ-*: postqueue -i tries one message, and leaves the others."""
        token, queue_id = self.deferred()
        other, other_id = self.deferred()
        sink = self.server(self.world_ports()[0])
        self.system.ask("postqueue", "-i", queue_id)
        self.world.got(token, sink)
        self.pause(0.5)
        self.assertEqual(sink.all(other), [])
        self.system.ask("postsuper", "-d", other_id)

    def test_flush_site(self) -> None:
        """FL-1: postqueue -s and ETRN try the mail for one site."""
        for ask in (self._by_command, self._by_etrn):
            token, _queue_id = self.deferred()
            _other, other_id = self.deferred("dead.example")
            sink = self.server(self.world_ports()[0])
            ask()
            self.world.got(token, sink)
            sink.close()
            self.assertIn(other_id, self.system.files("deferred"))
            self.system.ask("postsuper", "-d", other_id)

    def _by_command(self) -> None:
        self.system.ask("postqueue", "-s", "down.example")

    def _by_etrn(self) -> None:
        with smtplib.SMTP("127.0.0.1", self.world.port, timeout=30) as client:
            client.ehlo("client.example")
            self.assertEqual(client.docmd("ETRN", "down.example"), (250, b"Queuing started"))

    def test_forced_expiry(self) -> None:
        """PS-*: postsuper -e gives a message up at its next try; the notice says why."""
        _token, queue_id = self.deferred("dead.example")
        answer = self.system.command("postsuper", "-e", queue_id)
        self.assertIn("1 message", answer.err)
        self.system.ask("postqueue", "-i", queue_id)
        notice = self.world.got(f"X-Postfix-Queue-ID: {queue_id}")
        self.assertIn("Final-Recipient: rfc822; user@dead.example", notice.text)
        self.assertIn("Status: 4.4.1", notice.text)
        self.assertLogged(rf"{queue_id}: from=<from@there\.example>, status=force-expired, returned to sender")


class ImpatientWorld(DeferringWorld):
    """Senders are warned after a second, and mail is given up after four."""

    def main(self) -> Mapping[str, str]:
        times = {"delay_warning_time": "1s", "maximal_queue_lifetime": "4s", "bounce_queue_lifetime": "4s"}
        return {**super().main(), **times}


@in_each_mode
class GivingUp(WorldCase):
    """Mail that waits too long."""

    world_class = ImpatientWorld

    def test_delay_and_expiry(self) -> None:
        """DS-2, QU-*: a delay notice first, then the bounce; both tell what stood in the way."""
        token = self.world.send("user@dead.example", sender="waiting@there.example")
        delayed = self.world.got("Subject: Delayed Mail (still being retried)")
        self.assertEqual((delayed.sender, delayed.recipients), ("", ["waiting@there.example"]))
        self.assertIn("Action: delayed", delayed.text)
        self.assertIn("Will-Retry-Until: ", delayed.text)
        self.assertIn(token, delayed.text)
        failed = self.world.got("Subject: Undelivered Mail Returned to Sender")
        self.assertIn("Action: failed", failed.text)
        self.assertIn("Status: 4.4.1", failed.text)
        self.assertLogged(r"from=<waiting@there\.example>, status=expired, returned to sender")
        wait_for(self.system.empty, self.system.told)
