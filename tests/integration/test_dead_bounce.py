"""A bounce service that can write nothing: no mail is lost, and senders hear of it when it can again (BO-1, OB-12)."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping

from tests.integration.world import World, WorldCase, in_each_mode
from tests.kit.mailsystem import owner
from tests.kit.waiting import wait_for

_LOGS = "bounce", "trace"


class ShortWaits(World):
    def main(self) -> Mapping[str, str]:
        return {
            "notify_classes": "", "minimal_backoff_time": "1s", "maximal_backoff_time": "1s",
            "queue_run_delay": "1s",
        }  # fmt: skip


@in_each_mode
class DeadBounce(WorldCase):
    world_class = ShortWaits
    needs_root = True
    fresh = True
    not_real = "accepts no mail in this state: its cleanup removes old logs there"

    def close_logs(self) -> None:
        for name in _LOGS:
            os.chmod(f"{self.system.queue}/{name}", 0)
            os.chown(f"{self.system.queue}/{name}", 0, 0)

    def open_logs(self) -> None:
        for name in _LOGS:
            os.chown(f"{self.system.queue}/{name}", pwd.getpwnam(owner()).pw_uid, 0)
            os.chmod(f"{self.system.queue}/{name}", 0o700)

    def test_dead(self) -> None:
        """ER-1, BO-1: who was refused waits, who was delivered to is done with; then each sender gets one notice."""
        self.world.got(self.world.send("before@far.example"))
        self.close_logs()
        self.addCleanup(self.open_logs)
        mark = self.system.mark()
        self.world.send("perm-a@far.example", sender="s1@far.example")
        both = self.world.send(["perm-b@far.example", "fine@far.example"], sender="s2@far.example")
        asked = self.world.send("asked@far.example", sender="s3@far.example", rcpt=["NOTIFY=SUCCESS"])
        late = self.world.send("temp-c@far.example", sender="s4@far.example")
        for token in both, asked:
            self.world.got(token)
        for name in "perm-a", "perm-b":
            self.assertLogged(rf"to=<{name}@far\.example>, .*status=deferred \(bounce failed\)", mark)
        self.assertLogged(r"to=<temp-c@far\.example>, .*dsn=4\.2\.1, status=deferred", mark)
        wait_for(lambda: len(self.system.listed()) >= 3, self.system.told)
        self.open_logs()
        sink = self.world.sink
        wait_for(lambda: {"s1@far.example", "s2@far.example"} <= self.told(), self.system.told, 40)
        self.assertEqual(1, len([one for one in sink.all(both) if one.sender]), "delivered once")
        wait_for(lambda: len(self.system.listed()) == 1, self.system.told, 40)
        self.assertEqual([], sink.recipients(late))
        notices = sorted(to for one in sink.messages if not one.sender for to in one.recipients)
        self.assertEqual(sorted(set(notices)), notices, "each is told once")

    def told(self) -> set[str]:
        """Senders that got a notice."""
        return {to for message in self.world.sink.messages if not message.sender for to in message.recipients}
