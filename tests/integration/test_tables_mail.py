"""A table on a server, in a mail system: by `proxy:`, while the server is there, gone and back (LK-12, LK-13, NP-9)."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

from pytwfix.dialogs import resp
from tests.integration.world import World, WorldCase, in_each_mode
from tests.kit.tables import replace_file
from tests.kit.tableservers import RedisServer
from tests.kit.waiting import wait_for


class RedisWorld(World):
    def prepare(self) -> None:
        self.redis = RedisServer()
        self.closers.append(self.redis.remove)
        self.fill()

    def fill(self) -> None:
        with socket.create_connection(("127.0.0.1", self.redis.port), 5) as connection:
            connection.sendall(
                resp.request(b"AUTH", b"secret") + resp.request(b"SET", b"refused@there.example", b"REJECT by redis")
            )
            reader = resp.ReplyReader(2)
            assert wait_for(lambda: reader.receive(connection.recv(1000))) == [b"OK", b"OK"]

    def main(self) -> Mapping[str, str]:
        names = "proxy:redis:@CONFIG@/redis.cf, regexp:@CONFIG@/senders"
        return {"smtpd_sender_restrictions": f"check_sender_access {names}"}

    def tables(self) -> Mapping[str, str]:
        text = f"hosts = inet:127.0.0.1:{self.redis.port}\npassword = secret\ntimeout = 1\n"
        return {"redis.cf": text, "senders": "/^pattern@/ REJECT by the first pattern\n"}


@in_each_mode
class Redis(WorldCase):
    world_class = RedisWorld
    not_real = "it has no redis tables"

    def refused(self, sender: str) -> str:
        return self.world.refused("user@far.example", sender=sender)

    def test_server(self) -> None:
        """LK-12, LK-13: a refusal, a 4xx while the server is gone, and a refusal again."""
        world = self.world
        assert isinstance(world, RedisWorld)
        self.assertIn("by redis", self.refused("refused@there.example"))
        world.redis.stop()
        self.assertTrue(self.refused("refused@there.example").startswith("4"))
        world.redis.start()
        world.fill()
        self.assertIn("by redis", self.refused("refused@there.example"))

    def test_change(self) -> None:
        """SV-4: patterns that change are in force without a reload; a file with a slip in it is not taken."""
        # Every worker has read the first content; one that nobody asks in between goes from it to the slip, and stays.
        self.pause(2)
        for _ in range(20):
            self.assertIn("by the first pattern", self.refused("pattern@there.example"))
        self.change(b"/^pattern@/ REJECT by the second pattern\n")
        wait_for(lambda: "by the second pattern" in self.refused("pattern@there.example"))
        self.change(b"/^pattern@ REJECT by slip\n")
        self.pause(1.2)
        for _ in range(10):
            self.assertRegex(self.refused("pattern@there.example"), "by the (first|second) pattern")
        self.assertLogged("faulty lines; the old content of regexp:.* stays in use")

    def change(self, text: bytes) -> None:
        path = f"{self.system.config}/senders"
        replace_file(path, text)
        os.chmod(path, 0o644)
