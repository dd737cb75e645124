"""The keeper itself: real forks, as root, for the user nobody."""

from __future__ import annotations

import os
import pwd
import signal
import socket
import stat
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.trial.unittest import TestCase

from pytwfix.contracts.asuser import AsUserError, CommandRun, FileRead, Identity, MailboxWrite
from pytwfix.keeper import keeper, wire
from pytwfix.keeper.client import KeeperClient, adopt

_OWNER = 4711
_PATH = {"PATH": "/usr/bin:/bin"}


class KeeperTests(TestCase):
    timeout = 20
    if os.getuid() != 0:
        skip = "needs root"

    def setUp(self) -> None:
        user = pwd.getpwnam("nobody")
        self.who = Identity(user.pw_uid, user.pw_gid)
        self.base = f"/tmp/keeper-test-{os.getpid()}-{id(self)}"
        os.makedirs(self.base)
        self.home = self.base + "/home"
        os.mkdir(self.home, 0o700)
        os.chown(self.home, *(user.pw_uid, user.pw_gid))
        self.spool = self.base + "/spool"
        os.mkdir(self.spool, 0o755)
        ours, theirs = socket.socketpair()
        self.pid = os.fork()
        if not self.pid:
            try:
                ours.close()
                keeper.main(theirs.detach(), _OWNER, [self.spool])
            finally:
                os._exit(0)
        theirs.close()
        self.client: KeeperClient = adopt(reactor, ours.fileno())
        ours.close()

    def tearDown(self) -> Deferred[None]:  # type: ignore[override]
        return Deferred.fromCoroutine(self._end())

    async def _end(self) -> None:
        self.client.stop()
        for _ in range(200):
            if os.waitpid(self.pid, os.WNOHANG)[0]:
                break
            await self.pause()
        else:
            os.kill(self.pid, signal.SIGKILL)
            self.fail("the keeper did not end with its socket")
        for folder, _, files in os.walk(self.base, topdown=False):
            for name in files:
                os.unlink(os.path.join(folder, name))
            os.rmdir(folder)

    def pause(self) -> Any:
        from twisted.internet.task import deferLater

        return deferLater(reactor, 0.01)  # type: ignore[arg-type]

    async def refused(self, work: Any) -> AsUserError:
        try:
            await work
        except AsUserError as error:
            return error
        raise AssertionError("not refused")

    async def test_maildir_as_user(self) -> None:
        """VI-1: the files belong to the user; many at once are all delivered."""
        request = MailboxWrite(self.home + "/m/", b"mail", hostname="mx")
        await gatherResults([self.client.write(self.who, request) for _ in range(20)])
        names = os.listdir(self.home + "/m/new")
        self.assertEqual(len(names), 20)
        info = os.stat(self.home + "/m/new/" + names[0])
        self.assertEqual((info.st_uid, info.st_gid, stat.S_IMODE(info.st_mode)), (self.who.uid, self.who.gid, 0o600))

    async def test_rights(self) -> None:
        """LO-1: what the user may not do is not done."""
        error = await self.refused(self.client.write(self.who, MailboxWrite(self.base + "/mb", b"x")))
        self.assertEqual((error.kind, error.text), ("denied", "cannot create file exclusively: Permission denied"))
        secret = self.base + "/secret"
        with open(secret, "w") as file:
            file.write("x")
        os.chmod(secret, 0o600)
        error = await self.refused(self.client.read(self.who, FileRead(secret, owner_only=False)))
        self.assertEqual(error.kind, "denied")

    async def test_refused_identities(self) -> None:
        """HOUSE 3: neither root nor root's group nor mail_owner."""
        for who in (Identity(0, 1), Identity(1, 0), Identity(_OWNER, 1), Identity(-1, 1)):
            error = await self.refused(self.client.run(who, CommandRun(["true"], _PATH, b"")))
            self.assertEqual(error.kind, "denied")

    async def test_command(self) -> None:
        """LO-5: uid, the one group, input, output, status."""
        request = CommandRun(["sh", "-c", "id -u; id -G; cat; exit 3"], _PATH, b"mail\n" * 50_000, output_limit=20)
        result = await self.client.run(self.who, request)
        expected = f"{self.who.uid}\n{self.who.gid}\nmail\n".encode()
        self.assertEqual((result.status, result.output[: len(expected)]), (3, expected))

    async def test_command_failures(self) -> None:
        """LO-5: not there, over time, by signal."""
        error = await self.refused(self.client.run(self.who, CommandRun(["/no/such"], _PATH, b"")))
        self.assertEqual((error.kind, error.text), ("missing", "execvp /no/such: No such file or directory"))
        slow = CommandRun(["sh", "-c", "sleep 60"], _PATH, b"", time_limit=0.1)
        result = await self.client.run(self.who, slow)
        self.assertTrue(result.timed_out)
        killed = await self.client.run(self.who, CommandRun(["sh", "-c", "kill -15 $$"], _PATH, b""))
        self.assertEqual(killed.status, -15)

    async def test_file_limit(self) -> None:
        """LO-4: mailbox_size_limit holds for files that commands write."""
        name = self.home + "/out"
        request = CommandRun(["sh", "-c", f"head -c 5000 /dev/zero >{name}"], _PATH, b"", file_limit=1000)
        self.assertNotEqual((await self.client.run(self.who, request)).status, 0)
        self.assertEqual(os.path.getsize(name), 1000)

    async def test_chroot(self) -> None:
        """PI-1: chroot= and directory= of a command."""
        request = CommandRun(["/bin/nothing"], _PATH, b"", chroot=self.base)
        error = await self.refused(self.client.run(self.who, request))
        self.assertEqual(error.text, "execvp /bin/nothing: No such file or directory")
        result = await self.client.run(self.who, CommandRun(["pwd"], _PATH, b"", directory=self.home))
        self.assertEqual(result.output, self.home.encode() + b"\n")

    async def test_read(self) -> None:
        """LO-6: a .forward of the user."""
        path = self.home + "/.forward"
        with open(path, "w") as file:
            file.write("x@y\n")
        self.assertEqual(await self.client.read(self.who, FileRead(path)), b"x@y\n")
        self.assertIsNone(await self.client.read(self.who, FileRead(self.home + "/none")))
        os.chown(path, 4712, 4712)
        os.chmod(path, 0o644)
        error = await self.refused(self.client.read(self.who, FileRead(path)))
        self.assertEqual(error.text, f"file {path} has bad owner uid 4712")

    async def test_mail_spool(self) -> None:
        """LO-4: in the mail spool, where only root may write, mbox and lock file are made for the user."""
        request = MailboxWrite(self.spool + "/nobody", b"m\n", ("fcntl", "dotlock"), create_directory=self.spool)
        await self.client.write(self.who, request)
        await self.client.write(self.who, request)
        self.assertEqual(os.listdir(self.spool), ["nobody"])
        info = os.stat(self.spool + "/nobody")
        self.assertEqual((info.st_uid, info.st_size, stat.S_IMODE(info.st_mode)), (self.who.uid, 4, 0o600))

    async def test_mail_spool_lock(self) -> None:
        """LO-4: another's lock file there is waited for."""
        with open(self.spool + "/nobody.lock", "w"):
            pass
        request = MailboxWrite(
            self.spool + "/nobody", b"m", ("dotlock",), lock_attempts=2, lock_delay=0.01, create_directory=self.spool
        )
        error = await self.refused(self.client.write(self.who, request))
        self.assertEqual(error.kind, "locked")
        self.assertIn("unable to create lock file", error.text)

    async def test_other_directories_are_no_spool(self) -> None:
        """HOUSE 3: root makes files in the spool directories alone, by plain names."""
        for path, directory in (
            (self.base + "/mb", self.base),
            (self.spool + "/../mb", self.spool + "/.."),
            (self.spool + "/../home2", self.spool),
        ):
            request = MailboxWrite(path, b"m", (), create_directory=directory)
            error = await self.refused(self.client.write(self.who, request))
            self.assertEqual(error.kind, "denied")
        self.assertEqual(sorted(os.listdir(self.base)), ["home", "spool"])

    async def test_bad_requests(self) -> None:
        """HOUSE 3: a request that makes no sense is refused, and the keeper lives on."""
        for verb, body in ((wire.RUN, b"\xc1"), (wire.WRITE, b"\x91\x01"), (wire.READ, b""), (99, b"")):
            error = await self.refused(self.client._ask(verb, self.who, body, 5.0))
            self.assertIn(error.kind, ("temporary", "denied"))
        without_socket = wire.pack_run(CommandRun(["x"], {}, b""))
        error = await self.refused(self.client._ask(wire.SPAWN, self.who, without_socket, 5.0))
        self.assertEqual(error.kind, "permanent")
        self.assertIsNone(await self.client.read(self.who, FileRead("/none")))

    async def test_descriptors(self) -> None:
        """HOUSE 3: the keeper holds its socket and nothing of the process that it was forked from."""
        await self.client.read(self.who, FileRead("/none"))
        links = [os.readlink(f"/proc/{self.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{self.pid}/fd") if int(fd) > 2]
        self.assertEqual({link.partition(":")[0] for link in links}, {"socket"})
        self.assertEqual(len(links), 2)  # the agents' and the helper's

    async def test_spawn(self) -> None:
        """SP-1: a connected socket becomes a command's standard input and output."""
        ours, theirs = socket.socketpair()
        ours.settimeout(5)
        request = CommandRun(["sh", "-c", "read line; echo $(id -u) $line"], _PATH, b"")
        ended = self.client.spawn(self.who, request, theirs.fileno())
        theirs.close()
        ours.sendall(b"hello\n")
        result = await ended
        self.assertEqual((result.status, ours.recv(100)), (0, f"{self.who.uid} hello\n".encode()))
        ours.close()
