"""master/inline.py, whole.py and assembly.py: the mail system in one process, without its rooms."""

from __future__ import annotations

import os
from typing import Any, cast

from twisted.application.service import MultiService
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.accept.smtpd.safety import Fatal
from pytwfix.master import assembly, inline, startup, supervisor, whole
from pytwfix.master.inline import Inline
from pytwfix.master.listeners import Listeners
from pytwfix.master.startup import Prepared, StartError, StartFailed
from pytwfix.spool.exclusive import InstanceLock, running
from tests.unit.master.test_plan import plan_of
from tests.unit.master.test_supervisor import Lines, Reactor

MASTER = "25 inet n - n - 2 smtpd\n"


class Host:
    def __init__(self) -> None:
        self.stress: list[bool] = []
        self.full: Any = lambda yes: None

    def set_stress(self, yes: bool) -> None:
        self.stress.append(yes)


class Rooms(MultiService):
    """What Inline has instead of rooms."""

    broken: Exception | None = None

    def __init__(self, process: Any, plan: Any, remote: Any, sockets: Any) -> None:
        super().__init__()
        self.hosts = {"25/inet": Host()}
        self.made: dict[str, Any] = {}
        self.ports = self
        self.sockets = dict(sockets)
        self.plans = [plan]
        self.stopping: Deferred[None] = Deferred()

    def startService(self) -> None:
        super().startService()
        if self.broken is not None:
            raise self.broken

    def stopService(self) -> Any:
        return self.stopping

    def reload(self, plan: Any) -> None:
        self.plans.append(plan)

    def open(self, services: Any) -> None:
        """Nothing listens here."""


class Control:
    """ControlPorts."""

    def __init__(self, rooms: Any, reload: Any, stop: Any, pid: int) -> None:
        self.stop, self.pid = stop, pid
        self.state = "made"

    def open(self) -> None:
        self.state = "open"

    def close(self) -> None:
        self.state = "closed"


class Words:
    """LastWords."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.closed = False

    def say(self, text: str) -> None:
        self.said.append(text)

    def close(self) -> None:
        self.closed = True


class InlineCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor, self.lines, self.words = Reactor(), Lines(), Words()
        for module, name, value in (
            (whole, "make_ready", lambda host, plan: None),
            (whole, "complaints", lambda plan: ["odd"]),
            (inline, "Rooms", Rooms),
            (inline, "ControlPorts", Control),
            (inline, "attach_network", lambda process: None),
            (Listeners, "update", lambda self, plan, log: {}),
        ):
            self.patch(module, name, value)
        self.queue = os.path.abspath(self.mktemp())
        os.makedirs(f"{self.queue}/pid")
        self.plan = plan_of(self, f"queue_directory = {self.queue}\nmail_version = 3.11.0\n", MASTER)
        lock = InstanceLock(self.queue)
        lock.acquire()
        self.prepared = Prepared(self.plan, lock, cast(Any, self.lines), {}, None, cast(Any, self.words))
        self.addCleanup(self.prepared.release)
        self.made = Inline(self.reactor, self.prepared)

    def rewrite(self, text: str) -> None:
        with open(f"{self.plan.directory}/main.cf", "a") as file:
            file.write(text)

    @property
    def rooms(self) -> Rooms:
        return cast(Rooms, self.made.rooms)

    @property
    def control(self) -> Control:
        return cast(Control, self.made._control)


class Starting(InlineCase):
    def test_started(self) -> None:
        """MA-10; nobody waits for words any more. Commands hear of this process."""
        self.made.startService()
        directory = self.plan.directory
        self.assertEqual(
            self.lines.lines, ["warning: odd", f"daemon started -- version 3.11.0, configuration {directory}"]
        )
        self.assertEqual((self.words.closed, self.words.said), (True, []))
        self.assertEqual((self.control.state, self.control.pid), ("open", os.getpid()))
        self.assertTrue(self.rooms.running)

    def test_old_defaults(self) -> None:
        """V-3: which old defaults master.cf relies on is in the log, in front of what is odd."""
        self.patch(whole, "old_chroots", lambda plan: ["old"])
        self.made.startService()
        self.addCleanup(self.made.stopService)
        self.assertEqual(self.lines.lines[:2], ["old", "warning: odd"])

    def test_refused(self) -> None:
        """MA-6: a room that cannot run ends the process: it is told, and no thread and no lock are left."""
        self.patch(Rooms, "broken", Fatal("open relay"))
        failed = self.assertRaises(StartFailed, self.made.startService)
        self.assertIsInstance(failed, SystemExit)  # no traceback
        self.assertEqual((self.words.said, self.lines.lines[-1]), (["open relay"], "fatal: open relay"))
        self.assertEqual(running(self.queue), 0)
        self.assertEqual(self.made._process.threads._workers, [])

    def test_unexpected(self) -> None:
        """What nobody expected comes with its type, and with the place in the log."""
        self.patch(Rooms, "broken", KeyError("x"))
        self.assertRaises(StartFailed, self.made.startService)
        self.assertEqual(self.words.said, ["KeyError: 'x'"])
        self.assertIn("error: start: KeyError: 'x' (test_inline.py:", self.lines.lines[-2])


class Running(InlineCase):
    def setUp(self) -> None:
        super().setUp()
        self.made.startService()
        self.lines.lines.clear()

    def test_reload(self) -> None:
        """MA-5: as it is now, but for what is bound and owned."""
        self.rewrite("mail_name = New\ninet_protocols = ipv6\n")
        self.made.reload()
        plan = self.rooms.plans[-1]
        self.assertEqual((plan.settings.mail_name, plan.settings.inet_protocols), ("New", "all"))
        self.assertIn("warning: ignoring inet_protocols parameter value change", self.lines.lines)

    def test_mistake(self) -> None:
        """MA-5: everything stays as it was."""
        self.rewrite("default_process_limit = many\n")
        self.made.reload()
        self.assertIn("the configuration of before stays in force", self.lines.lines[-1])
        self.assertEqual(len(self.rooms.plans), 1)

    def test_stress(self) -> None:
        """MA-7: at the limit the service gets its settings with stress, and those without 1000 seconds after it."""
        host = self.rooms.hosts["25/inet"]
        host.full(True)
        self.assertIn('warning: service "25" (25) has reached its process limit "2"', self.lines.lines[0])
        self.assertEqual(host.stress, [True])
        host.full(False)
        self.reactor.advance(1000)
        self.assertEqual(host.stress, [True, False])


class Stopping(InlineCase):
    """MA-5."""

    def setUp(self) -> None:
        super().setUp()
        self.made.startService()

    def test_once(self) -> None:
        """A signal, and the control socket's stop: the reactor is stopped once, the first is told."""
        self.made._end(2)
        self.control.stop()
        self.assertEqual(self.reactor.stops, 1)

    def test_order(self) -> None:
        """Questions first, then the rooms, the last line, the lock."""
        self.made._end(2)
        done = self.made.stopService()
        self.assertEqual(self.control.state, "closed")
        self.assertEqual(running(self.queue), os.getpid())
        self.made.reload()  # comes too late
        self.rooms.stopping.callback(None)
        self.successResultOf(done)
        self.assertEqual(self.lines.lines[-1], "terminating on signal 2")
        self.assertEqual((running(self.queue), len(self.rooms.plans)), (0, 1))

    def test_abort(self) -> None:
        """QUIT: nobody gets time."""
        ended: list[int] = []
        self.patch(os, "_exit", ended.append)
        self.made._abort()
        self.assertEqual((ended, running(self.queue)), ([0], 0))


class Assembling(InlineCase):
    """HOUSE 3: which processes."""

    def setUp(self) -> None:
        super().setUp()
        self.patch(assembly, "prepare", lambda directory: self.prepared)
        self.patch(os, "environ", {"TZ": "UTC", "SECRET": "x"})
        self.patch(supervisor, "_checked_owner", lambda prepared: None)
        self.patch(os, "cpu_count", lambda: 5)

    def assemble(self, uid: int, workers: int | None, inline: bool = False) -> str:
        self.patch(os, "geteuid", lambda: uid)
        made: Any = assembly.assemble("/etc/p", self.reactor, workers, inline)
        return f"{type(made).__name__} {getattr(made, '_workers', '')}".strip()

    def test_processes(self) -> None:
        for uid, workers, one, expected in (
            (1000, None, False, "Inline"),
            (1000, 2, False, "Supervisor 2"),
            (0, None, False, "Supervisor 4"),
            (0, None, True, "Supervisor 1"),
            (0, 3, False, "Supervisor 3"),
        ):
            self.assertEqual(self.assemble(uid, workers, one), expected)

    def test_environment(self) -> None:
        """SV-6: import_environment, and where the configuration is."""
        self.assemble(1000, None)
        self.assertEqual(dict(os.environ), {"TZ": "UTC", "LANG": "C", "MAIL_CONFIG": "/etc/p"})


class Reasons(SynchronousTestCase):
    def test_reason(self) -> None:
        self.assertEqual(startup.reason(StartError("no")), "no")
        self.assertEqual(startup.reason(OSError(2, "No such file")), "FileNotFoundError: [Errno 2] No such file")
