"""The system's own life: reload, stop, a process that dies, a second start, a crash (MA-*, HOUSE 3)."""

from __future__ import annotations

import contextlib
import os
import signal
import smtplib
import socket
import subprocess
import time
from collections.abc import Mapping

from tests.integration.world import World, WorldCase, in_each_mode, new_token
from tests.kit.mailsystem import INLINE, WORKERS2
from tests.kit.processes import Process, family
from tests.kit.waiting import free_port, listens, wait_for


def dialog(port: int) -> smtplib.SMTP:
    client = smtplib.SMTP("127.0.0.1", port, local_hostname="client.example", timeout=30)
    client.ehlo()
    return client


@in_each_mode
class Reload(WorldCase):
    """SIGHUP, by `postfix reload`."""

    def test_session_goes_on(self) -> None:
        """MA-5: a session under way is not dropped, and keeps what it began with; the next has the new settings."""
        client = dialog(self.world.port)
        client.mail("a@there.example")
        self.system.write_main(smtpd_banner="mx.test.example changed", message_size_limit="5000000")
        self.system.reload()
        wait_for(lambda: self._greeting().endswith("changed"), self.system.told)
        client.rcpt("user@far.example")
        token = new_token()
        self.assertEqual(client.data(f"X-Token: {token}\r\n\r\nx\r\n")[0], 250)
        client.quit()
        self.world.got(token)
        with dialog(self.world.port) as after:
            self.assertEqual(after.esmtp_features["size"], "5000000")

    def _greeting(self) -> str:
        with socket.create_connection(("127.0.0.1", self.world.port), 10) as connection:
            connection.settimeout(10)
            return connection.recv(500).decode().rstrip()

    def test_new_service(self) -> None:
        """MA-5: a listener that is added to master.cf, and one that is taken off."""
        more = free_port()
        lines = [f"127.0.0.1:{self.world.port} inet n - n - - smtpd\n", f"127.0.0.1:{more} inet n - n - - smtpd\n"]
        self.system.write_master("".join(lines))
        self.system.reload()
        wait_for(lambda: listens(more), self.system.told)
        self.world.got(self.world.send("user@far.example", port=more))
        self.system.write_master(lines[0])
        self.system.reload()
        wait_for(lambda: not listens(more), self.system.told)
        if self.system.kind != "postfix":  # where a process of before may take the connection and end
            self.world.got(self.world.send("user@far.example"))

    def test_mistake(self) -> None:
        """MA-5: a main.cf that cannot be read does not end the system."""
        self.system.write_main(message_size_limit="many")
        self.addCleanup(self.system.reload)
        self.addCleanup(self.system.write_main, message_size_limit="10240000")
        self.system.command("postfix", "reload")
        self.pause(1)
        self.assertTrue(self.system.running)


class StoppingWorld(World):
    """Deliveries that take a while."""

    def main(self) -> Mapping[str, str]:
        return {"queue_run_delay": "1s", "minimal_backoff_time": "1s", "maximal_backoff_time": "2s"}


@in_each_mode
class Stop(WorldCase):
    """The end, in order."""

    world_class = StoppingWorld
    fresh = True

    def test_terminated(self) -> None:
        """HOUSE 3: SIGTERM while mail is on its way. Nothing is lost, and the stop takes no longer than it may."""
        tokens = [self.world.send(f"slow-{number}@far.example") for number in range(10)]
        start = time.monotonic()
        self.system.stop()
        self.assertLess(time.monotonic() - start, 20)
        self.assertFalse(listens(self.world.port))
        self.system.start(self.world.port)
        for token in tokens:
            self.world.got(token, seconds=40)
        wait_for(self.system.empty, self.system.told, 30)

    def test_open_sessions(self) -> None:
        """HOUSE 3: who is connected is told that we close; a mail that was not finished is not taken."""
        client = dialog(self.world.port)
        client.mail("a@there.example")
        client.rcpt("user@far.example")
        self.system.stop()
        with contextlib.suppress(smtplib.SMTPServerDisconnected):
            self.assertEqual(client.getreply()[0], 421)
        client.close()
        if self.system.kind != "postfix":  # which leaves the file of a mail under way, and removes it days later
            self.assertTrue(self.system.empty())

    def test_no_process_is_left(self) -> None:
        """HOUSE 3: when the master is killed, the others end by themselves."""
        members = [pid for pid in family(self.system.pid) if pid != self.system.pid]
        if not members:
            self.skipTest("there is one process")
        if self.system.kind == "postfix":
            self.skipTest("a real Postfix's processes wait for work first")
        os.kill(self.system.pid, signal.SIGKILL)
        left = lambda: [pid for pid in members if os.path.exists(f"/proc/{pid}/exe")]  # noqa: E731
        with contextlib.suppress(AssertionError):
            wait_for(lambda: not left(), seconds=15)
        self.assertEqual(left(), [])

    def test_second_start(self) -> None:
        """MA-4: a second instance on the same queue is refused; the first goes on."""
        argv = self.system._start()
        if self.system.kind == "postfix":
            argv = ["/usr/sbin/postfix", "-c", self.system.config, "start"]
        done = subprocess.run(argv, capture_output=True, timeout=30, stdin=subprocess.DEVNULL)
        self.assertNotEqual(done.returncode, 0)
        self.world.got(self.world.send("user@far.example"))

    def test_crash(self) -> None:
        """QM-*: every process is killed; mail that was in the queue goes out at the next start."""
        tokens = [self.world.send(f"slow-{number}@far.example") for number in range(5)]
        self.system.kill()
        self.system.start(self.world.port)
        for token in tokens:
            self.world.got(token, seconds=40)
        wait_for(self.system.empty, self.system.told, 30)

    def test_status(self) -> None:
        """PX-3: postfix status and stop, by the command."""
        self.assertEqual(self.system.command("postfix", "status").code, 0)
        self.assertEqual(self.system.command("postfix", "stop").code, 0)
        wait_for(lambda: not self.system.running, self.system.told)
        self.assertNotEqual(self.system.command("postfix", "status").code, 0)


@in_each_mode
class DeadProcess(WorldCase):
    """A process of the system that dies is started again."""

    world_class = StoppingWorld
    fresh = True
    not_real = "has processes that come and go"

    def children(self) -> list[Process]:
        """In the order of their names."""
        found = family(self.system.pid)
        found.pop(self.system.pid)
        return sorted(found.values(), key=lambda one: one.name)

    def settled(self) -> list[str]:
        """The names once they have stayed for a second: the port listens before the last child has its name."""
        names, since = [one.name for one in self.children()], time.monotonic()
        while time.monotonic() < since + 1:
            time.sleep(0.02)
            now = [one.name for one in self.children()]
            if now != names:
                names, since = now, time.monotonic()
        return names

    def test_each_process(self) -> None:
        """MA-6, HOUSE 3: each child is killed in its turn; mail goes through afterwards, and nothing is lost."""
        names = self.settled()
        if not names:
            self.skipTest("there is one process")
        if self.system.kind == WORKERS2:
            self.assertGreaterEqual(len(names), 3, "two workers, and a queue process")
        for at in range(len(names)):
            wait_for(lambda: [one.name for one in self.children()] == names, self.system.told, 40)
            self.kill_one(self.children()[at].pid)
        wait_for(lambda: [one.name for one in self.children()] == names, self.system.told, 40)

    def kill_one(self, pid: int) -> None:
        mark = self.system.mark()
        token = self.world.send("slow-one@far.example")
        os.kill(pid, signal.SIGKILL)
        self.assertLogged(rf"warning: process .* pid {pid} killed by signal 9", mark)
        self.world.got(token, seconds=40)
        wait_for(lambda: listens(self.world.port), self.system.told)
        self.world.got(self._send_again(), seconds=40)

    def _send_again(self) -> str:
        """A mail, as a client that tries again when nobody answers."""
        end = time.monotonic() + 30
        while True:
            try:
                return self.world.send("user@far.example")
            except (OSError, smtplib.SMTPException):
                if time.monotonic() > end:
                    raise
                time.sleep(0.2)

    def test_inline_has_one(self) -> None:
        """HOUSE 3: not as root, inline is one process."""
        if self.system.kind != INLINE or os.geteuid() == 0:
            self.skipTest("is so inline, and not as root")
        self.assertEqual(self.children(), [])


