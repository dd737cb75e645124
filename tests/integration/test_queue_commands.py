"""postqueue, mailq, postsuper, postcat and postconf on a system that runs (PQ-*, PS-*, PT-1, PC-*)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.integration.world import World, WorldCase, in_each_mode
from tests.kit.waiting import free_port, wait_for


class HoldingWorld(World):
    """Mail for hold.example is held; nobody listens for down.example."""

    def prepare(self) -> None:
        self.dead = free_port()

    def main(self) -> Mapping[str, str]:
        return {
            "smtpd_recipient_restrictions": "check_recipient_access inline:{hold.example=HOLD}",
            "transport_maps": f"inline:{{down.example=smtp:[127.0.0.1]:{self.dead}}}",
            "minimal_backoff_time": "300s", "maximal_backoff_time": "4000s", "queue_run_delay": "300s",
        }  # fmt: skip


@in_each_mode
class QueueCommands(WorldCase):
    """An administrator at work on the queue."""

    world_class = HoldingWorld

    def setUp(self) -> None:
        super().setUp()
        self.system.command("postsuper", "-d", "ALL")

    def entry(self, queue_id: str) -> dict[str, Any] | None:
        return next((one for one in self.system.listed() if one["queue_id"] == queue_id), None)

    def held(self, to: str = "user@hold.example") -> tuple[str, str]:
        """(token, queue ID) of a mail that is held."""
        before = set(self.system.files("hold"))
        token = self.world.send(to)
        found = wait_for(lambda: set(self.system.files("hold")) - before, self.system.told)
        return token, found.pop()

    def deferred(self) -> tuple[str, str]:
        before = set(self.system.files("deferred"))
        token = self.world.send("user@down.example")
        found = wait_for(lambda: set(self.system.files("deferred")) - before, self.system.told)
        return token, found.pop()

    def test_lists(self) -> None:
        """PQ-2, PQ-3: the two forms of the list, with the reason for the delay."""
        _token, held = self.held()
        _token, late = self.deferred()
        entry = self.entry(late)
        assert entry is not None
        self.assertEqual((entry["queue_name"], entry["sender"]), ("deferred", "from@there.example"))
        self.assertEqual(entry["recipients"][0]["address"], "user@down.example")
        self.assertIn("Connection refused", entry["recipients"][0]["delay_reason"])
        text = self.system.ask("postqueue", "-p")
        self.assertEqual(text, self.system.ask("mailq"))
        self.assertIn("-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------", text)
        self.assertRegex(text, rf"(?m)^{held}! +\d+ \w{{3}} \w{{3}} [ \d]\d \d\d:\d\d:\d\d  from@there\.example$")
        self.assertRegex(text, r"(?m)^ *\(connect to 127\.0\.0\.1\[127\.0\.0\.1\]:\d+: Connection refused\)$")
        self.assertRegex(text, r"(?m)^-- \d+ Kbytes in 2 Requests\.$")

    def test_empty(self) -> None:
        """PQ-2: nothing to list."""
        self.assertEqual(self.system.ask("postqueue", "-p"), "Mail queue is empty\n")
        self.assertEqual(self.system.ask("postqueue", "-j"), "")

    def test_hold_and_release(self) -> None:
        """PS-*: -h holds a deferred mail, -H lets it go again, and it is delivered when it is asked for."""
        token, queue_id = self.held()
        self.pause(0.3)
        self.assertEqual(self.world.sink.all(token), [])
        self.assertIn("Released from hold: 1 message", self.system.command("postsuper", "-H", queue_id).err)
        self.system.ask("postqueue", "-i", queue_id)
        self.world.got(token)
        _token, queue_id = self.deferred()
        self.assertIn("Placed on hold: 1 message", self.system.command("postsuper", "-h", queue_id).err)
        entry = self.entry(queue_id)
        assert entry is not None
        self.assertEqual(entry["queue_name"], "hold")

    def test_delete(self) -> None:
        """PS-*: -d one, - from standard input, ALL of a queue; what is gone is logged."""
        ids = [self.held()[1] for _ in range(3)]
        self.assertIn("Deleted: 1 message", self.system.command("postsuper", "-d", ids[0]).err)
        self.assertLogged(rf"postsuper\[\d+\]: {ids[0]}: removed")
        self.assertEqual(self.system.command("postsuper", "-d", "-", text=ids[1] + "\n").code, 0)
        self.assertEqual(self.system.files("hold"), [ids[2]])
        self.system.ask("postsuper", "-d", "ALL", "hold")
        self.assertEqual(self.system.listed(), [])

    def test_requeue(self) -> None:
        """PS-*: -r sends a mail through cleanup again, under another queue ID."""
        token, queue_id = self.held()
        self.assertIn("Requeued: 1 message", self.system.command("postsuper", "-r", queue_id).err)
        self.system.ask("postqueue", "-f")
        self.world.got(token)
        self.assertIsNone(self.entry(queue_id))

    def test_contents(self) -> None:
        """PT-1: postcat -q finds a file by its queue ID."""
        token, queue_id = self.held()
        text = self.system.ask("postcat", "-q", queue_id)
        self.assertIn(f"*** ENVELOPE RECORDS hold/{queue_id} ***\n", text)
        self.assertIn("recipient: user@hold.example\n", text)
        self.assertIn(f"X-Token: {token}\n", text)
        self.assertEqual(self.system.ask("postcat", "-bq", queue_id), "\nhello\n")

    def test_postconf(self) -> None:
        """PC-*: reads what is set, and edits it."""
        self.assertEqual(self.system.ask("postconf", "-h", "myhostname"), "mx.test.example\n")
        self.system.ask("postconf", "-e", "smtpd_banner = $myhostname ESMTP edited")
        self.assertEqual(self.system.ask("postconf", "-xh", "smtpd_banner"), "mx.test.example ESMTP edited\n")
        self.system.ask("postconf", "-X", "smtpd_banner")
        self.assertEqual(self.system.ask("postconf", "-n", "smtpd_banner"), "")
        self.assertRegex(self.system.ask("postconf", "-M", "qmgr/unix"), r"^qmgr +unix +n +- +n +300 +1 +qmgr\n$")
