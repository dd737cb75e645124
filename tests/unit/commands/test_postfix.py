"""commands/postfix.py, script.py, logrotate.py, postfixcheck.py: the postfix command."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import time
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.commands import logrotate, postfix, postfixcheck
from pytwfix.spool.exclusive import InstanceLock
from tests.kit.commands import CommandQueue

NOT_RUNNING = "the Postfix mail system is not running"
OTHER = "nobody" if os.geteuid() == 0 else ""


class PostfixCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.queue = CommandQueue(self.mktemp(), data_directory="$queue_directory/data", setgid_group="nogroup",
                                  compatibility_level="3.11")  # fmt: skip
        self.write("master.cf", "25 inet n - n - - smtpd\n")
        self.signals: list[tuple[int, int]] = []
        self.patch(os, "kill", self._kill)
        self.patch(os, "environ", dict(os.environ))
        self.lock = InstanceLock(self.queue.spool.path)

    def _kill(self, pid: int, number: int) -> None:
        self.signals.append((pid, number))
        if number in (signal.SIGTERM, signal.SIGQUIT, signal.SIGKILL):
            self.lock.release()

    def run_system(self) -> None:
        """A system that holds the lock, as this process."""
        os.makedirs(f"{self.queue.spool.path}/pid", exist_ok=True)
        self.lock.acquire()
        self.addCleanup(self.lock.release)

    def write(self, name: str, text: str, mode: str = "w") -> str:
        path = f"{self.queue.directory}/{name}"
        with open(path, mode) as file:
            file.write(text)
        return path

    def postfix(self, *words: str) -> int:
        code, _, self.said = self.queue.run(postfix.main, *words)
        return code

    def logged(self) -> list[str]:
        return self.queue.logged() if os.path.exists(f"{self.queue.directory}/log") else []


class Level(PostfixCase):
    def test_old(self) -> None:
        """V-3: old defaults are told, whatever the command is."""
        self.write("main.cf", "compatibility_level = 3.6\n", "a")
        self.assertEqual(self.postfix("status"), 1)
        self.assertEqual(self.logged(), [
            "Postfix is using backwards-compatible default settings",
            "See https://www.postfix.org/COMPATIBILITY_README.html for details",
            'To disable backwards compatibility use "postconf compatibility_level=3.11" and "postfix reload"',
            NOT_RUNNING,
        ])  # fmt: skip

    def test_malformed(self) -> None:
        """V-3: a level that is none."""
        self.write("main.cf", "compatibility_level = x\n", "a")
        self.assertEqual(self.postfix("status"), 1)
        self.assertEqual(self.logged(), ['fatal: malformed compatibility level syntax: "x"'])


class Running(PostfixCase):
    """PX-2, LG-15: a system that runs is found by its lock, and told by signals."""

    def test_status(self) -> None:
        self.assertEqual(self.postfix("status"), 1)
        self.run_system()
        self.assertEqual(self.postfix("status"), 0)
        self.assertEqual(self.logged(), [NOT_RUNNING, f"the Postfix mail system is running: PID: {os.getpid()}"])
        with open(f"{self.queue.directory}/log") as file:
            self.assertIn(f"postfix/postfix-script[{os.getpid()}]: ", file.readline())

    def test_reload(self) -> None:
        self.run_system()
        self.assertEqual(self.postfix("reload"), 0)
        self.assertEqual(self.signals, [(os.getpid(), signal.SIGHUP)])
        self.assertEqual(self.logged(), ["refreshing the Postfix mail system"])

    def test_ends(self) -> None:
        for word, number, text in (
            ("stop", signal.SIGTERM, "stopping the Postfix mail system"),
            ("drain", signal.SIGTERM, "stopping the Postfix mail system"),
            ("quick-stop", signal.SIGQUIT, "stopping the Postfix mail system"),
            ("abort", signal.SIGQUIT, "aborting the Postfix mail system"),
        ):
            self.run_system()
            self.signals.clear()
            self.assertEqual(self.postfix(word), 0)
            self.assertEqual(self.signals, [(os.getpid(), number)])
            self.assertEqual(self.logged()[-1], text)

    def test_waits(self) -> None:
        """Once a second it says so; who does not end is killed."""
        self.run_system()
        now = [0.0]
        self.patch(time, "monotonic", lambda: now[0])
        self.patch(time, "sleep", lambda seconds: now.__setitem__(0, now[0] + 1))
        self.patch(postfix, "_STOP_PATIENCE", 3.0)
        self.patch(os, "kill", lambda pid, number: self.signals.append((pid, number)))
        self.postfix("stop")
        self.assertEqual([number for _, number in self.signals], [signal.SIGTERM, signal.SIGKILL])
        self.assertEqual(self.logged()[-2], "waiting for the Postfix mail system to terminate")
        self.assertEqual(self.logged()[-1], "warning: stopping the Postfix mail system with force")

    def test_not_running(self) -> None:
        for word in ("stop", "abort", "quick-stop", "drain", "reload"):
            self.assertEqual(self.postfix(word), 1)
            self.assertEqual(self.logged()[-1], f"fatal: {NOT_RUNNING}")
        self.assertEqual(self.signals, [])

    def test_flush(self) -> None:
        """It is postqueue -f."""
        self.assertEqual(self.postfix("flush"), 69)
        self.assertIn("postqueue: fatal: Cannot flush mail queue - mail system is down\n", self.said)

    def test_another_users(self) -> None:
        self.run_system()

        def refuse(pid: int, number: int) -> None:
            raise PermissionError

        self.patch(os, "kill", refuse)
        self.assertEqual(self.postfix("reload"), 1)
        self.assertEqual(self.logged()[-1], f"fatal: process {os.getpid()} is another user's")


class Starting(PostfixCase):
    """PX-2: start is twistd."""

    def setUp(self) -> None:
        super().setUp()
        self.commands: list[list[str]] = []
        self.code = 0
        self.patch(subprocess, "run", self._started)

    def _started(self, command: list[str], **_: Any) -> Any:
        self.commands.append(command)
        return subprocess.CompletedProcess(command, self.code)

    def test_start(self) -> None:
        self.assertEqual(self.postfix("start"), 0)
        self.assertEqual(self.commands[0][-4:], ["--pidfile=", "pytwfix", "-c", self.queue.directory])
        self.assertIn("starting the Postfix mail system", self.logged())

    def test_failed(self) -> None:
        self.code = 1
        self.assertEqual(self.postfix("start"), 1)
        self.assertEqual(self.logged()[-1], "fatal: mail system startup failed")

    def test_already_running(self) -> None:
        self.run_system()
        self.assertEqual(self.postfix("start"), 1)
        self.assertEqual(self.logged(), ["fatal: the Postfix mail system is already running"])
        self.assertEqual(self.commands, [])

    def test_foreground(self) -> None:
        """The command becomes the system."""
        found: list[list[str]] = []

        def replace(path: str, command: list[str]) -> None:
            found.append(command)
            raise SystemExit(0)

        self.patch(os, "execv", replace)
        self.postfix("start-fg")
        self.assertEqual(found[0][-5:], ["--pidfile=", "--nodaemon", "pytwfix", "-c", self.queue.directory])


class Usage(PostfixCase):
    def test_unknown(self) -> None:
        self.assertEqual(self.postfix("foo"), 1)
        self.assertTrue(self.logged()[0].startswith("fatal: unknown command: 'foo'. Usage: postfix start (or stop, "))
        self.assertEqual(self.postfix("stop", "now"), 1)

    def test_options(self) -> None:
        usage = "postfix: fatal: usage: postfix [-c config_dir] [-Dv] command\n"
        self.assertEqual((self.postfix(), self.said), (1, usage))
        self.assertEqual((self.postfix("-x"), self.said), (1, "postfix: invalid option -- 'x'\n" + usage))

    def test_no_configuration(self) -> None:
        os.unlink(f"{self.queue.directory}/main.cf")
        self.assertEqual(self.postfix("-v", "status"), 1)
        self.assertIn("main.cf: No such file or directory", self.said)

    def test_others_than_root(self) -> None:
        """PX-2: only who has the configuration or the queue may work on it."""
        stranger = os.stat(self.queue.directory).st_uid + 1
        self.patch(os, "geteuid", lambda: stranger)
        self.assertEqual(self.postfix("check"), 1)
        self.assertIn("fatal: the postfix command is reserved for the superuser", self.said)
        self.patch(os, "geteuid", lambda: stranger - 1)
        self.assertEqual(self.postfix("status"), 1)

    def test_all_instances(self) -> None:
        """multi_instance_wrapper gets the command line, unless one instance was named."""
        found: list[list[str]] = []
        self.patch(os, "execv", lambda path, command: found.append(command))
        self.write("main.cf", "multi_instance_wrapper = /usr/bin/postmulti -p --\n", "a")
        self.postfix("status")
        self.assertEqual(found, [])
        os.environ["MAIL_CONFIG"] = self.queue.directory
        postfix._hand_over("", ["status"])
        self.assertEqual(found, [])
        del os.environ["MAIL_CONFIG"]
        self.patch(postfix, "configuration", lambda program, option, code: _Wrapped())
        postfix._hand_over("", ["status"])
        self.assertEqual(found, [["/usr/bin/postmulti", "-p", "--", "status"]])

    def test_light(self) -> None:
        """HOUSE 5: status must not import Twisted."""
        code = (
            "import sys; from pytwfix.commands import postfix\n"
            f"try: postfix.main(['-c', {self.queue.directory!r}, 'status'])\n"
            "finally: sys.exit(any(name.partition('.')[0] in ('twisted', 'zope') for name in sys.modules))"
        )
        package = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(postfix.__file__))))
        done = subprocess.run([postfix.sys.executable, "-c", code], cwd=package)  # type: ignore[attr-defined]
        self.assertEqual(done.returncode, 0)


class _Wrapped:
    def expand(self, text: str) -> str:
        return "/usr/bin/postmulti -p --"


class Rotation(PostfixCase):
    """PX-4."""

    def setUp(self) -> None:
        super().setUp()
        self.patch(time, "sleep", lambda seconds: None)

    def test_rotated(self) -> None:
        """Renamed by date, the system is told, the old file is compressed."""
        self.run_system()
        self.postfix("status")
        self.assertEqual(self.postfix("logrotate"), 0)
        self.assertEqual(self.signals, [(os.getpid(), signal.SIGHUP)])
        (name,) = (one for one in os.listdir(self.queue.directory) if one.startswith("log."))
        self.assertRegex(name, r"^log\.\d{8}-\d{6}\.gz$")

    def test_nothing_to_rotate(self) -> None:
        for value, text in (
            ("", "fatal: empty 'maillog_file' parameter value - logfile rotation failed"),
            ("/dev/stdout", "fatal: not rotating '/dev/stdout'"),
        ):
            found = _Script(maillog_file=value)
            self.assertEqual(logrotate.rotate(found, lambda: None), 1)  # type: ignore[arg-type]
            self.assertEqual(found.lines, [text])

    def test_failures(self) -> None:
        path = os.path.abspath(self.mktemp())
        found = _Script(maillog_file=path, maillog_file_rotate_suffix="x", maillog_file_compressor="/no/such")
        self.assertEqual(logrotate.rotate(found, lambda: None), 1)  # type: ignore[arg-type]
        self.assertIn("No such file or directory", found.lines[0])
        for _ in range(2):
            with open(path, "w"):
                self.assertEqual(logrotate.rotate(found, lambda: None), 1)  # type: ignore[arg-type]
        self.assertIn("compression failed", found.lines[1])
        self.assertIn("exists", found.lines[2])


class _Script:
    def __init__(self, **values: str) -> None:
        self.values = values
        self.lines: list[str] = []

    def value(self, name: str) -> str:
        return self.values[name]

    def fatal(self, text: str) -> int:
        self.lines.append("fatal: " + text)
        return 1

    def close(self) -> None:
        """Nothing is open."""


class Checks(PostfixCase):
    """PX-3."""

    def setUp(self) -> None:
        super().setUp()
        self.patch(postfixcheck, "check_readable", lambda directory, owner: None)
        self.patch(postfixcheck, "_owner", lambda script: None)
        self.patch(postfixcheck, "complaints", lambda plan: [])
        self.postfix("set-permissions")

    def warnings(self) -> list[str]:
        self.assertEqual(self.postfix("check"), 0)
        return [line.removeprefix("warning: ").replace(self.queue.directory, "") for line in self.logged()]

    def test_fine(self) -> None:
        self.assertEqual(self.warnings(), [])

    def test_directories(self) -> None:
        """What is missing is made, what is open is warned of; set-permissions mends it."""
        os.rmdir(f"{self.queue.spool.path}/trace")
        os.chmod(f"{self.queue.spool.path}/hold", 0o777)
        self.assertEqual(self.warnings(), ["group or other writable: /queue/hold"])
        self.assertTrue(os.path.isdir(f"{self.queue.spool.path}/trace"))
        self.assertEqual(self.postfix("set-permissions"), 0)
        self.assertEqual(os.stat(f"{self.queue.spool.path}/hold").st_mode & 0o777, 0o700)

    def test_configuration_files(self) -> None:
        path = self.write("virtual", "")
        os.chmod(path, 0o666)
        expected = ["group or other writable: /virtual"]
        if OTHER:
            os.chown(path, pwd.getpwnam(OTHER).pw_uid, -1)
            expected.insert(0, "not owned by root: /virtual")
        self.assertEqual(self.warnings(), expected)

    def test_settings(self) -> None:
        """DN-3, PC-8: names that nothing reads."""
        self.write("main.cf", "no_such_parameter = 1\n", "a")
        self.assertEqual(self.warnings(), ["/main.cf: unused parameter: no_such_parameter=1"])

    def test_tables(self) -> None:
        """HOUSE 3: indexed tables must be there, and readable by mail_owner."""
        self.write("main.cf", f"virtual_alias_maps = lmdb:{self.queue.directory}/virtual\n", "a")
        self.assertEqual(self.warnings(), ["missing table: /virtual.lmdb"])

    def test_no_berkeley_db(self) -> None:
        """MT-1: a hash: table is not missing when there is a text that it can be made from."""
        self.patch(postfixcheck, "find_spec", lambda _name: None)
        self.write("main.cf", f"virtual_alias_maps = hash:{self.queue.directory}/virtual\n", "a")
        self.assertEqual(self.warnings(), ["missing table: /virtual"])
        with open(f"{self.queue.directory}/virtual", "w"):
            pass
        self.assertEqual(self.warnings(), ["missing table: /virtual"])  # as before: nothing new is said

    def test_mistakes(self) -> None:
        """They are fatal."""
        self.write("main.cf", "message_size_limit = many\n", "a")
        self.assertEqual(self.postfix("check"), 1)
        self.assertIn("fatal: ", self.logged()[-1])
        self.assertRegex(self.logged()[-2], r"warning: .*/main.cf, line \d+: bad numerical .*; specify a whole number")
        self.write("master.cf", "nosuch.invalid:25 inet n - n - - smtpd\n")
        self.write("main.cf", "message_size_limit = 0\n", "a")
        self.assertEqual(self.postfix("check"), 1)
        self.assertRegex(self.logged()[-1], r"fatal: .*/master.cf: line 1: nosuch.invalid:25: ")
        self.write("master.cf", "25 inet n - n\n")
        self.assertEqual(self.postfix("check"), 1)
        self.assertIn("bad field count", self.logged()[-1])

    def test_nothing_to_upgrade(self) -> None:
        self.assertEqual(self.postfix("upgrade-configuration"), 0)
