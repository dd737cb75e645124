"""A start that fails, in the foreground and in the background, and Ctrl-C (MA-5, MA-6, SD-22, PX-2)."""

from __future__ import annotations

import os
import pwd
import signal
import socket
import subprocess
from typing import Any

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests.kit.mailsystem import INLINE, ROOT, WORKERS1, MailSystem, listener, make, missing, owner
from tests.kit.processes import family, wait_gone
from tests.kit.waiting import free_port, listens, wait_for

OPEN = {"smtpd_relay_restrictions": "permit", "smtpd_recipient_restrictions": "permit"}
WHY = "in parameter smtpd_relay_restrictions or smtpd_recipient_restrictions, specify at least one working instance of"


class StartCase(SynchronousTestCase):
    """A mail system of its own; `user` starts it."""

    def setUp(self) -> None:
        if missing(INLINE):
            raise SkipTest(missing(INLINE))
        self.user = "nobody" if ROOT else owner()
        self.port = free_port()

    def system(self, mode: str, **main: str) -> MailSystem:
        made = make(mode, main, [listener(self.port)])
        self.addCleanup(made.remove)
        return made

    def of_user(self, **main: str) -> MailSystem:
        """One that an ordinary user owns and starts: one process."""
        made = self.system(INLINE, mail_owner=self.user, **main)
        account = pwd.getpwnam(self.user)
        if ROOT:
            for folder, _, names in os.walk(made.directory):
                for path in (folder, *(f"{folder}/{name}" for name in names)):
                    os.chown(path, account.pw_uid, account.pw_gid)
        return made

    def as_user(self) -> dict[str, Any]:
        account = pwd.getpwnam(self.user)
        return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if ROOT else {}


class Refused(StartCase):
    """SD-22: the settings of smtpd are those of an open relay, which one process cannot start with."""

    def setUp(self) -> None:
        super().setUp()
        self.made = self.of_user(**OPEN)

    def assert_told(self, code: int, errors: str) -> None:
        self.assertEqual(code, 1)
        self.assertIn(f"pytwfix: fatal: {WHY}", errors)
        self.assertNotIn("Traceback", errors)
        self.assertRegex(self.made.log(), rf"postfix/master\[\d+\]: fatal: {WHY}")
        self.assertFalse(listens(self.port))

    def test_foreground(self) -> None:
        """MA-6: the process ends at once, and says why."""
        argv = [self.made.program("twistd"), "-n", "--pidfile=", "pytwfix", "-c", self.made.config]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=30, cwd="/", **self.as_user())
        self.assert_told(done.returncode, done.stderr)

    def test_background(self) -> None:
        """PX-2: so does `postfix start`, though twistd has gone into the background by then."""
        done = self.made.command("postfix", "start", user=self.user, seconds=30)
        self.assert_told(done.code, done.err)
        self.assertIn("fatal: mail system startup failed", self.made.log())
        self.assertEqual(self.made.command("postfix", "status", user=self.user).code, 1)


class Throttled(StartCase):
    """MA-6: a service that cannot serve."""

    def test_reload(self) -> None:
        """The others run on, and a reload with the mistake repaired brings it back."""
        made = self.system(WORKERS1, **OPEN)
        made.start()
        made.wait_log("warning: smtpd: bad command startup -- throttling")
        self.assertTrue(made.running)
        self.assertEqual(made.command("postqueue", "-p").out, "Mail queue is empty\n")
        made.write_main(smtpd_relay_restrictions="reject_unauth_destination")
        made.reload()
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            self.assertEqual(connection.recv(4), b"220 ")


class Interrupted(StartCase):
    """MA-5: Ctrl-C, which goes to all processes of the terminal, and again."""

    def interrupted(self, made: MailSystem, **more: Any) -> int:
        log = open(f"{made.directory}/errors", "w+b")  # noqa: SIM115 (the cleanup closes it)
        self.addCleanup(log.close)
        argv = [made.program("twistd"), "-n", "--pidfile=", "pytwfix", "-c", made.config]
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", start_new_session=True, **more
        )
        self.addCleanup(process.kill)
        made.wait_log("daemon started -- ")
        wait_for(lambda: listens(self.port), made.told)
        members = list(family(process.pid))
        for _ in range(3):
            os.killpg(process.pid, signal.SIGINT)
        code = process.wait(20)
        self.assertTrue(wait_gone(members))
        log.seek(0)
        self.assertEqual(log.read(), b"")
        self.assertRegex(made.log(), r"terminating on signal 2\n")
        return code

    def test_one_process(self) -> None:
        self.assertEqual(self.interrupted(self.of_user(), **self.as_user()), 0)

    def test_workers(self) -> None:
        if not ROOT:
            raise SkipTest("needs root")
        self.assertEqual(self.interrupted(self.system(WORKERS1)), 0)
