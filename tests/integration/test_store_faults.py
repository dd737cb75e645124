"""A queue that cannot be written any more: a full disk, damaged files (OB-12, QU-*, ER-1). What was answered 250 stays.

The queue is a tmpfs of a few MB, which root may mount; without that right the tests say that they were skipped.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import smtplib
import subprocess
import tempfile
from collections.abc import Mapping

from twisted.trial.unittest import SkipTest

from tests.integration.world import World, WorldCase, in_each_mode
from tests.kit.mailsystem import ROOT
from tests.kit.waiting import wait_for

_SIZE = 4 << 20
_LARGE = b"x" * 70 + b"\r\n"


class SmallDisk(World):
    """Mail waits until `defer_transports` is emptied."""

    def main(self) -> Mapping[str, str]:
        return {
            "defer_transports": "smtp relay", "message_size_limit": "0", "mailbox_size_limit": "0",
            "queue_minfree": "0", "minimal_backoff_time": "2s", "maximal_backoff_time": "2s",
            "queue_run_delay": "1s", "notify_classes": "",
        }  # fmt: skip

    def furnish(self) -> None:
        if not ROOT:
            raise SkipTest("not root: no tmpfs")
        status = os.stat(self.system.queue)
        words = ["mount", "-t", "tmpfs", "-o", f"size={_SIZE},mode=0755", "tmpfs", self.system.queue]
        done = subprocess.run(words, capture_output=True, text=True)
        if done.returncode:
            raise SkipTest(f"no tmpfs: {done.stderr.strip()}")
        self.closers.append(lambda: subprocess.run(["umount", "-l", self.system.queue], capture_output=True))
        os.chown(self.system.queue, status.st_uid, status.st_gid)

    def fill(self, leave: int) -> None:
        """So many bytes are left."""
        free = os.statvfs(self.system.queue)
        size = max(0, free.f_bavail * free.f_frsize - leave)
        with open(f"{self.system.queue}/filler", "wb") as file:
            file.write(bytes(size))

    def make_room(self) -> None:
        os.unlink(f"{self.system.queue}/filler")

    def send_again(self, to: str, body: bytes = b"hello\r\n") -> str:
        """The token of a mail that is sent until the system has seen that there is room."""

        def attempt() -> str | None:
            with contextlib.suppress(smtplib.SMTPSenderRefused):
                return self.send(to, body=body)
            return None

        token = wait_for(attempt, self.system.told)
        assert token is not None
        return token

    def deliver(self) -> None:
        self.system.write_main(defer_transports="")
        self.system.reload()
        self.system.ask("postqueue", "-f")


@in_each_mode
class FullDisk(WorldCase):
    world_class = SmallDisk
    fresh = True
    not_real = "is about what a real one does too, in other words"

    def end(self, taken: list[str]) -> None:
        """All that was taken arrives once, and nothing else is left."""
        self.world.deliver()  # type: ignore[attr-defined]
        for token in taken:
            self.world.got(token)
        wait_for(self.system.empty, self.system.told)
        self.assertEqual([1] * len(taken), [len(self.world.sink.all(token)) for token in taken])
        self.assertEqual(len(taken), len(self.world.sink.messages))
        self.assertEqual([], self.system.files("corrupt"))

    def waiting(self) -> int:
        """Mails in the queue."""
        return len({*self.system.files("deferred"), *self.system.files("active"), *self.system.files("incoming")})

    def test_data(self) -> None:
        """OB-12, SD-55: the client is told to come again, the mails before and after it are all there."""
        world = self.world
        assert isinstance(world, SmallDisk)
        taken = [world.send("a@far.example")]
        world.fill(300_000)
        for _ in range(3):
            said = world.refused("b@far.example", body=_LARGE * 10_000)
            self.assertRegex(said, r"\A45[12] 4\.3\.[01] ", said)
        taken.append(world.send_again("c@far.example", body=_LARGE * 100))
        wait_for(lambda: self.waiting() == 2, self.system.told)
        wait_for(lambda: not self.system.files("incoming"), self.system.told)
        world.make_room()
        taken.append(world.send_again("d@far.example", body=_LARGE * 10_000))
        self.end(taken)

    def test_nothing_left(self) -> None:
        """Not even a small mail has room: 4xx, and the mail that waits is not touched."""
        world = self.world
        assert isinstance(world, SmallDisk)
        taken = [world.send("a@far.example"), world.send("b@far.example")]
        wait_for(lambda: len(self.system.files("deferred")) == 2, self.system.told)
        world.fill(0)
        said = world.refused("c@far.example", body=_LARGE * 200)
        self.assertRegex(said, r"\A45[12] 4\.3\.[01] ", said)
        wait_for(lambda: self.waiting() == 2, self.system.told)
        world.make_room()
        taken.append(world.send_again("d@far.example"))
        self.end(taken)

    def test_no_room_for_reasons(self) -> None:
        """A recipient is deferred and why cannot be written: the mail stays, and arrives when there is room."""
        world = self.world
        assert isinstance(world, SmallDisk)
        taken = [world.send([f"temp{number}@far.example", f"good{number}@far.example"]) for number in range(3)]
        wait_for(lambda: len(self.system.files("deferred")) == 3, self.system.told)
        world.fill(0)
        world.deliver()
        for token in taken:
            world.got(token)  # for the good ones
        self.pause(2)
        wait_for(lambda: self.waiting() == 3, self.system.told)
        world.make_room()
        world.sink.moody = 0.0
        listed = self.system.listed()
        self.assertEqual([f"temp{number}@far.example" for number in range(3)], sorted(self.addresses(listed)))
        self.assertEqual([], self.system.files("corrupt"))

    @staticmethod
    def addresses(listed: list[dict[str, object]]) -> set[str]:
        return {str(to["address"]) for one in listed for to in one["recipients"]}  # type: ignore[attr-defined]

    def test_minfree(self) -> None:
        """SD-8: below queue_minfree MAIL is answered 452."""
        world = self.world
        assert isinstance(world, SmallDisk)
        self.system.write_main(queue_minfree="1000000")
        self.system.reload()
        taken = [world.send("a@far.example")]
        world.fill(500_000)

        def told() -> bool:
            with smtplib.SMTP("127.0.0.1", world.port, timeout=30) as client:
                client.ehlo()
                return client.mail("s@there.example") == (452, b"4.3.1 Insufficient system storage")

        wait_for(told, self.system.told)  # it is looked at every few seconds
        world.make_room()
        self.end(taken)


_FAILING = """\
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <unistd.h>
static int fails(void) { errno = EIO; return -1; }
int fsync(int fd) {
    return access(FLAG, F_OK) ? ((int (*)(int)) dlsym(RTLD_NEXT, "fsync"))(fd) : fails();
}
int fdatasync(int fd) {
    return access(FLAG, F_OK) ? ((int (*)(int)) dlsym(RTLD_NEXT, "fdatasync"))(fd) : fails();
}
"""


class FailingDisk(World):
    """fsync fails with EIO as long as a file is there."""

    def prepare(self) -> None:
        if not shutil.which("cc"):
            raise SkipTest("no C compiler: make peers")
        self.folder = tempfile.mkdtemp(prefix="pytwfix-eio-")
        self.closers.append(lambda: shutil.rmtree(self.folder, ignore_errors=True))
        os.chmod(self.folder, 0o755)
        self.flag = f"{self.folder}/broken"
        with open(f"{self.folder}/failing.c", "w", encoding="ascii") as file:
            file.write(_FAILING)
        made = f"{self.folder}/failing.so"
        words = ["cc", "-shared", "-fPIC", f'-DFLAG="{self.flag}"', "-o", made, file.name, "-ldl"]
        done = subprocess.run(words, capture_output=True, text=True)
        if done.returncode:
            raise SkipTest(f"cc: {done.stderr.strip()}")

    def furnish(self) -> None:
        self.system.prefix = ["env", f"LD_PRELOAD={self.folder}/failing.so"]

    def breaks(self, yes: bool) -> None:
        if yes:
            with open(self.flag, "w", encoding="ascii"):
                pass
        else:
            os.unlink(self.flag)


@in_each_mode
class FailingSync(WorldCase):
    world_class = FailingDisk
    fresh = True
    not_real = "is about what is promised, not about words"

    def test_eio(self) -> None:
        """OB-12: what could not be made durable is not answered 250, and nothing of it arrives or stays."""
        world = self.world
        assert isinstance(world, FailingDisk)
        before = world.send("a@far.example")
        world.got(before)
        world.breaks(True)
        for _ in range(3):
            said = world.refused("b@far.example")
            self.assertRegex(said, r"\A451 4\.3\.0 ", said)
        world.breaks(False)
        after = world.send("c@far.example")
        world.got(after)
        wait_for(self.system.empty, self.system.told)
        self.assertEqual(2, len(world.sink.messages))
        self.assertEqual([], self.system.files("corrupt"))
        self.assertRegex(self.system.log(), "warning: .*Input/output error")


@in_each_mode
class DamagedFiles(WorldCase):
    """Queue files that somebody cut short or wrote into."""

    world_class = SmallDisk
    fresh = True
    not_real = "is about the words that a real one has"

    def test_cut_short(self) -> None:
        """RF-1, QM-2: a damaged file goes to corrupt/, with a warning, and the others are delivered."""
        world = self.world
        assert isinstance(world, SmallDisk)
        for cut in (0.1, 0.5, 0.9, 0.99):
            bad, good = world.send("bad@far.example", body=_LARGE * 20), world.send("good@far.example")
            wait_for(lambda: len(self.system.files("deferred")) == 2, self.system.told)
            for name in self.system.files("deferred"):
                path = next(
                    f"{folder}/{name}" for folder, _, names in os.walk(f"{self.system.queue}/deferred") if name in names
                )
                with open(path, "rb+") as file:
                    content = file.read()
                    if bad.encode() in content:
                        file.truncate(int(len(content) * cut))
            world.deliver()
            world.got(good)
            wait_for(lambda: self.system.files("corrupt"), self.system.told)
            wait_for(self.system.empty, self.system.told)
            self.assertEqual([], world.sink.all(bad))
            self.assertEqual(1, len(self.system.files("corrupt")))
            self.assertRegex(self.system.log(), "warning: .*corrupt")
            for name in self.system.files("corrupt"):
                os.unlink(f"{self.system.queue}/corrupt/{name}")
            self.system.write_main(defer_transports="smtp relay")
            self.system.reload()


