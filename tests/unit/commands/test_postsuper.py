"""postsuper(1)."""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.commands import postsuper
from tests.kit.commands import CommandQueue

QUEUES = ("hold", "deferred", "active", "incoming", "maildrop")


class Postsuper(SynchronousTestCase):
    def setUp(self) -> None:
        self.queue = CommandQueue(self.mktemp())
        self.ids = {name: self.queue.spool.put(b"\r\n", b"r@x", queue=name).queue_id for name in QUEUES}
        self.patch(os, "setgroups", lambda groups: None)

    def run_(self, *words: str, text: str = "", code: int = 0) -> list[str]:
        found, out, said = self.queue.run(postsuper.main, *words, text=text)
        self.assertEqual((found, out), (code, ""))
        return [line.removeprefix("postsuper: ") for line in said.splitlines()]

    def where(self, queue_id: str) -> str:
        for folder, _, names in os.walk(self.queue.spool.path):
            if queue_id in names:
                return os.path.relpath(folder, self.queue.spool.path).split("/")[0]
        return ""

    def test_hold_and_release(self) -> None:
        """PS-20, ST-1: from any queue to hold, from hold to deferred with the time now."""
        queue_id = self.ids["deferred"]
        path = self.queue.spool.store.paths.path("deferred", queue_id)
        self.assertEqual(self.run_("-h", queue_id), [f"{queue_id}: placed on hold", "Placed on hold: 1 message"])
        self.assertEqual(self.where(queue_id), "hold")
        os.utime(self.queue.spool.store.paths.path("hold", queue_id), (1, 1))
        expected = [f"{queue_id}: released from hold", "Released from hold: 1 message"]
        self.assertEqual(self.run_("-H", queue_id), expected)
        self.assertGreater(os.stat(path).st_mtime, 1)
        self.assertEqual(self.run_("-h", self.ids["hold"]), ["Placed on hold: 0 messages"])

    def test_log(self) -> None:
        """PS-20: what is said is logged too."""
        self.run_("-d", self.ids["active"])
        self.assertEqual(self.queue.logged(), [f"{self.ids['active']}: removed", "Deleted: 1 message"])

    def test_delete(self) -> None:
        """PS-20: with what was kept for its sender."""
        queue_id = self.ids["deferred"]
        for log in ("defer/" + queue_id[0], "bounce", "trace"):
            os.makedirs(f"{self.queue.spool.path}/{log}", exist_ok=True)
            with open(f"{self.queue.spool.path}/{log}/{queue_id}", "w"):
                pass
        self.run_("-d", queue_id, "-d", self.ids["maildrop"])
        self.assertEqual(self.where(queue_id), "")
        self.assertEqual(self.where(self.ids["maildrop"]), "")

    def test_requeue(self) -> None:
        """PS-21: to maildrop/, for pickup to take it in again."""
        queue_id = self.ids["hold"]
        self.assertEqual(self.run_("-r", queue_id), [f"{queue_id}: requeued", "Requeued: 1 message"])
        self.assertEqual(self.where(queue_id), "maildrop")

    def test_expire(self) -> None:
        """PS-20, QU-4: a mode bit; -f releases too; what is expired is not expired again."""
        held, active = self.ids["hold"], self.ids["active"]
        self.assertEqual(self.run_("-e", active), [f"{active}: expired", "Force-expired: 1 message"])
        self.assertEqual(os.stat(f"{self.queue.spool.path}/active/{active}").st_mode & 0o777, 0o710)
        self.assertEqual(self.run_("-e", active), ["Force-expired: 0 messages"])
        expected = [f"{held}: expired", f"{held}: released from hold",
                    "Force-expired: 1 message", "Released from hold: 1 message"]  # fmt: skip
        self.assertEqual(self.run_("-f", held), expected)
        self.assertEqual(self.where(held), "deferred")

    def test_all(self) -> None:
        """PS-20: ALL in capitals, without a line for each; queues may be named."""
        self.assertEqual(self.run_("-h", "ALL", "incoming"), ["Placed on hold: 1 message"])
        self.assertEqual(self.run_("-h", "ALL"), ["Placed on hold: 2 messages"])
        self.assertEqual(self.where(self.ids["maildrop"]), "maildrop")
        self.assertEqual(self.run_("-d", "all"), ["Deleted: 0 messages"])
        self.assertEqual(self.run_("-d", "ALL"), ["Deleted: 5 messages"])

    def test_input(self) -> None:
        """PS-20: `-` reads IDs from standard input."""
        text = f"{self.ids['active']}\n../x\n{self.ids['hold']}\n"
        expected = [f"{self.ids['active']}: removed", "warning: invalid mail queue id: ../x",
                    f"{self.ids['hold']}: removed", "Deleted: 2 messages"]  # fmt: skip
        self.assertEqual(self.run_("-d", "-", text=text), expected)

    def test_structure(self) -> None:
        """PS-22, QU-7: -s gives files the names that they should have; it is what is done by default."""
        old = self.ids["hold"]
        folder = f"{self.queue.spool.path}/hold/"
        os.rename(folder + old, folder + old + "F")
        expected = ["Renamed to match inode number: 1 message",
                    "warning: QUEUE FILE NAMES WERE CHANGED TO MATCH INODE NUMBERS"]  # fmt: skip
        self.assertEqual(self.run_("-s"), expected)
        self.assertEqual(self.where(old), "hold")
        self.assertEqual(self.run_(), [])

    def test_mistakes(self) -> None:
        self.assertEqual(self.run_("-h", "X1", "foo", code=1), ["fatal: invalid directory name: foo"])
        self.assertEqual(self.run_("-z", code=1), ["invalid option -- 'z'", "fatal: " + postsuper._USAGE])
        self.assertEqual(self.run_("-d", code=1)[0], "option requires an argument -- 'd'")
        self.assertEqual(self.run_("-d", "NOSUCH"), ["Deleted: 0 messages"])

    def test_others_than_root(self) -> None:
        self.patch(os, "geteuid", lambda: 12345)
        self.assertEqual(self.run_("-s", code=1), ["fatal: use of this command is reserved for the superuser"])


class Light(SynchronousTestCase):
    def test_what_is_imported(self) -> None:
        """HOUSE 5: these commands start at once."""
        import subprocess
        import sys

        names = "postcat, postqueue, mailq, postsuper, controlclient"
        code = f"import sys; from pytwfix.commands import {names}; import pytwfix.showq.listing, pytwfix.showq.format\n"
        code += "print([name for name in ('twisted', 'zope', 'dataclasses', 'inspect') if name in sys.modules])"
        found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        self.assertEqual(found.stdout, "[]\n")
