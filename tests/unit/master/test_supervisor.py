"""master/supervisor.py, children.py, listeners.py, forked.py: the master and its processes."""

from __future__ import annotations

import gc
import os
import signal
import socket
from typing import Any, cast

from twisted.internet import process
from twisted.internet import reactor as real_reactor
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.ipc import methods
from pytwfix.master import supervisor, whole
from pytwfix.master.children import KEEPER, Child, log_end
from pytwfix.master.forked import fork
from pytwfix.master.listeners import Listeners
from pytwfix.master.permissions import Account
from pytwfix.master.placement import AGENTS, QUEUE, WORKER
from pytwfix.master.sockets import Place, bind
from pytwfix.master.startup import Prepared, StartFailed
from pytwfix.master.supervisor import PATIENCE, Supervisor
from pytwfix.settings.kinds import SettingsError
from pytwfix.spool.exclusive import InstanceLock
from tests.kit.host import MemoryLog
from tests.unit.master.test_plan import plan_of

MASTER = """\
25 inet n - n - 7 smtpd
cleanup unix n - n - 0 cleanup
local unix - n n - - local
"""
NO_AGENTS = "25 inet n - n - 7 smtpd\n"


class Lines:
    """A log Destination."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def write(self, tag: str, level: int, text: str) -> None:
        self.lines.append(text)

    def flush(self) -> None:
        """Nothing waits."""

    def reopen(self) -> None:
        self.lines.append("(reopened)")


class Reactor(Clock):
    """IReactorTime, and when twistd's reactor would stop."""

    stops = 0

    def callWhenRunning(self, function: Any) -> None:
        """It never runs here."""

    def stop(self) -> None:
        self.stops += 1


class Told:
    """A channel to a child: what it was told."""

    def __init__(self) -> None:
        self.casts: list[tuple[Any, ...]] = []
        self.given: list[tuple[Any, ...]] = []
        self.stopped = False
        self.transport = None

    def cast(self, *message: Any) -> None:
        self.casts.append(message)

    def give(self, descriptor: int, *message: Any) -> None:
        self.given.append(message)

    def stop(self) -> None:
        self.stopped = True


class SupervisorCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = Reactor()
        self.lines = Lines()
        self.pid = 1000
        self.killed: list[int] = []
        self.patch(supervisor, "preload", lambda: None)
        self.patch(whole, "make_ready", lambda host, plan: None)
        self.patch(whole, "complaints", lambda plan: [])
        self.patch(supervisor, "adopt", lambda *_: None)
        self.patch(supervisor, "fork", self._fork)
        self.patch(supervisor, "Channel", lambda *_: Told())
        self.patch(supervisor, "check", lambda directory, owner: None)
        self.patch(gc, "freeze", lambda: None)
        self.patch(Listeners, "update", lambda _, plan, log: {})  # class Sockets has it
        self.patch(process, "registerReapProcessHandler", lambda pid, handler: None)
        self.patch(os, "kill", lambda pid, number: self.killed.append(pid))

    def _fork(self, reactor: Any, life: Any, name: str) -> int:
        self.pid += 1
        return self.pid

    def made(self, workers: int, master: str = MASTER, root: bool = False, ready: Any = None) -> Supervisor:
        queue = os.path.abspath(self.mktemp())
        os.makedirs(f"{queue}/pid")
        self.patch(os, "geteuid", lambda: 0 if root else 1000)
        self.patch(supervisor, "account", lambda name, group: Account(name, 5, 5, (5,)))
        plan = plan_of(self, f"queue_directory = {queue}\nmail_version = 3.11.0\n", master)
        prepared = Prepared(plan, InstanceLock(queue), cast(Any, self.lines), {})
        made = Supervisor(self.reactor, prepared, workers, ready)
        made.startService()
        return made

    def places(self, of: Supervisor) -> list[tuple[str, int]]:
        return list(of._children)

    def child(self, of: Supervisor, kind: str, index: int = 0) -> Any:
        return of._children[kind, index]


class Starting(SupervisorCase):
    """MA-1, HOUSE 3: which processes there are."""

    def test_one_worker(self) -> None:
        """It has the queue itself."""
        made = self.made(1)
        self.assertEqual(self.places(made), [(WORKER, 0), (AGENTS, 0)])
        self.assertEqual(made._roles(WORKER), {WORKER, QUEUE})
        self.assertEqual(made._share(WORKER)(7), 7)

    def test_several(self) -> None:
        """The queue is a process of its own; each worker has its part of the limits."""
        made = self.made(3)
        self.assertEqual(self.places(made), [(QUEUE, 0), (WORKER, 0), (WORKER, 1), (WORKER, 2), (AGENTS, 0)])
        self.assertEqual((made._roles(WORKER), made._roles(QUEUE)), ({WORKER}, {QUEUE}))
        self.assertEqual((made._share(WORKER)(7), made._share(QUEUE)(7), made._share(WORKER)(0)), (3, 7, 0))

    def test_no_agents(self) -> None:
        """They are there when master.cf has use for them."""
        self.assertEqual(self.places(self.made(1, NO_AGENTS)), [(WORKER, 0)])

    def test_keeper(self) -> None:
        """As root the agents have a keeper; an ordinary user's act for themselves."""
        self.assertEqual(len(self.made(1, root=True)._keepers), 1)
        self.assertEqual(len(self.made(1)._keepers), 0)

    def test_joined(self) -> None:
        """Every process gets a way to the one that has the queue, and that one to each."""
        made = self.made(2)
        self.assertEqual(
            self.child(made, QUEUE).channel.given,
            [(methods.PEER, WORKER), (methods.PEER, WORKER), (methods.PEER, AGENTS)],
        )
        for kind, index in ((WORKER, 0), (WORKER, 1), (AGENTS, 0)):
            self.assertEqual(self.child(made, kind, index).channel.given, [(methods.PEER, QUEUE)])

    def test_logged(self) -> None:
        """MA-10."""
        made = self.made(1)
        directory = made._plan.directory
        self.assertEqual(self.lines.lines, [f"daemon started -- version 3.11.0, configuration {directory}"])

    def test_ready(self) -> None:
        """Told once, when all serve."""
        told: list[int] = []
        made = self.made(1, ready=lambda: told.append(1))
        made._served(self.child(made, WORKER))[methods.READY]()
        self.assertEqual(told, [])
        for _ in range(2):
            made._served(self.child(made, AGENTS))[methods.READY]()
        self.assertEqual(told, [1])


class Failing(SupervisorCase):
    """MA-6: a start that comes to nothing."""

    def test_told(self) -> None:
        """It is logged, nothing is left, and nobody is left waiting."""

        def refuse() -> None:
            raise ValueError("no such module")

        self.patch(supervisor, "preload", refuse)
        failed = self.assertRaises(StartFailed, self.made, 1)
        self.assertEqual((str(failed), failed.code), ("ValueError: no such module", 1))
        self.assertEqual(self.lines.lines[-1], "fatal: ValueError: no such module")
        self.assertIn("error: start: ValueError: no such module (test_supervisor.py:", self.lines.lines[-2])

    def test_expected(self) -> None:
        """What says itself what is wrong needs no more words; children that are there already end."""

        def refuse(*_: Any) -> int:
            if self.pid > 1000:
                raise SettingsError("main.cf: no")
            return self._fork(*_)

        self.patch(supervisor, "fork", refuse)
        failed = self.assertRaises(StartFailed, self.made, 1)
        self.assertEqual((str(failed), self.lines.lines), ("main.cf: no", ["fatal: main.cf: no"]))
        self.assertEqual(self.killed, [1001])


class Ends(SupervisorCase):
    """MA-6: a process that has ended."""

    def end(self, of: Supervisor, kind: str, status: int, ready: bool = True) -> int:
        child = self.child(of, kind)
        child.ready = ready
        self.lines.lines.clear()
        of._ended(child, status)
        return cast(int, child.pid)

    def test_killed(self) -> None:
        """It is said, and after a second another one starts and is joined."""
        made = self.made(2)
        pid = self.end(made, WORKER, signal.SIGSEGV)
        self.assertEqual(self.lines.lines, [f"warning: process worker pid {pid} killed by signal 11"])
        self.assertNotIn((WORKER, 0), self.places(made))
        self.reactor.advance(1)
        self.assertIn((WORKER, 0), self.places(made))
        self.assertEqual(self.child(made, WORKER).channel.given, [(methods.PEER, QUEUE)])

    def test_after_a_while(self) -> None:
        """Whoever has served for long is replaced at once."""
        made = self.made(1)
        self.reactor.advance(100)
        self.end(made, AGENTS, 0)
        self.assertEqual(self.lines.lines, [])
        self.assertIn((AGENTS, 0), self.places(made))

    def test_bad_startup(self) -> None:
        """MA-6: who never served is left alone for service_throttle_time."""
        made = self.made(1)
        pid = self.end(made, WORKER, 1 << 8, ready=False)
        self.assertEqual(
            self.lines.lines,
            [
                f"warning: process worker pid {pid} exit status 1",
                "warning: worker: bad command startup -- throttling",
            ],
        )
        self.reactor.advance(59)
        self.assertNotIn((WORKER, 0), self.places(made))
        self.reactor.advance(1)
        self.assertIn((WORKER, 0), self.places(made))

    def test_the_queue(self) -> None:
        """When the one that has the queue dies, all are joined with its successor."""
        made = self.made(2)
        self.end(made, QUEUE, signal.SIGKILL)
        self.reactor.advance(1)
        self.assertEqual(len(self.child(made, QUEUE).channel.given), 3)
        self.assertEqual(len(self.child(made, WORKER, 1).channel.given), 2)

    def test_keeper(self) -> None:
        """It is not started by itself: the agents end with it and bring another."""
        made = self.made(1, root=True)
        (keeper,) = made._keepers
        made._ended(keeper, signal.SIGKILL)
        self.reactor.advance(100)
        self.assertEqual(len(made._keepers), 0)
        self.end(made, AGENTS, 0)
        self.assertEqual(len(made._keepers), 1)

    def test_no_process(self) -> None:
        """A fork that fails is tried again after fork_delay."""
        made = self.made(1)

        def refuse(*_: Any) -> int:
            raise OSError(11, "Resource temporarily unavailable")

        self.patch(supervisor, "fork", refuse)
        self.reactor.advance(100)
        self.end(made, WORKER, 0)
        self.assertEqual(self.lines.lines, ["warning: fork: Resource temporarily unavailable"])
        self.patch(supervisor, "fork", self._fork)
        self.reactor.advance(1)
        self.assertIn((WORKER, 0), self.places(made))


class Reloads(SupervisorCase):
    """MA-5."""

    def rewrite(self, of: Supervisor, name: str, text: str) -> None:
        with open(f"{of._plan.directory}/{name}", "a") as file:
            file.write(text)

    def test_told(self) -> None:
        made = self.made(1)
        self.lines.lines.clear()
        self.rewrite(made, "main.cf", "mail_name = New\n")
        made.reload()
        self.assertEqual(
            self.lines.lines,
            [f"reload -- version 3.11.0, configuration {made._plan.directory}", "(reopened)"],
        )
        method, packed, with_log = self.child(made, WORKER).channel.casts[0]
        self.assertEqual((method, with_log), (methods.RELOAD, False))
        self.assertEqual(packed[2]["mail_name"], "New")

    def test_mistake(self) -> None:
        """Everything stays as it was."""
        made = self.made(1)
        self.rewrite(made, "main.cf", "default_process_limit = many\n")
        made.reload()
        self.assertIn("the configuration of before stays in force", self.lines.lines[-1])
        self.assertEqual(self.child(made, WORKER).channel.casts, [])

    def test_agents_are_wanted_now(self) -> None:
        made = self.made(1, NO_AGENTS)
        self.rewrite(made, "master.cf", "local unix - n n - - local\n")
        made.reload()
        self.assertIn((AGENTS, 0), self.places(made))

    def test_throttled(self) -> None:
        """MA-6: what was wrong may be right now: it starts at once."""
        made = self.made(1)
        made._ended(self.child(made, WORKER), 1 << 8)
        self.assertNotIn((WORKER, 0), self.places(made))
        made.reload()
        self.assertIn((WORKER, 0), self.places(made))
        self.reactor.advance(100)
        self.assertEqual(self.pid, 1003)

    def test_frozen(self) -> None:
        """What is bound and owned stays."""
        made = self.made(1)
        old = made._plan.settings.inet_interfaces
        self.rewrite(made, "main.cf", "inet_interfaces = 127.0.0.9\n")
        made.reload()
        self.assertEqual(made._plan.settings.inet_interfaces, old)
        self.assertIn("warning: ignoring inet_interfaces parameter value change", self.lines.lines)

    def test_spool_directory(self) -> None:
        """A keeper knows the one that it was started with: the agents end, and another pair starts."""
        made = self.made(1, root=True)
        self.rewrite(made, "main.cf", "mail_spool_directory = /other\n")
        made.reload()
        self.assertEqual(self.child(made, AGENTS).channel.casts[-1], (methods.STOP,))


class Stopping(SupervisorCase):
    """HOUSE 3: the end, in order."""

    def test_order(self) -> None:
        """The agents when nobody gives them work any more."""
        made = self.made(2, root=True)
        done = made.stopService()
        for kind, index in ((QUEUE, 0), (WORKER, 0), (WORKER, 1)):
            self.assertEqual(self.child(made, kind, index).channel.casts, [(methods.STOP,)])
        self.assertEqual(self.child(made, AGENTS).channel.casts, [])
        agents = self.child(made, AGENTS)
        for kind, index in ((WORKER, 0), (WORKER, 1), (QUEUE, 0)):
            made._ended(self.child(made, kind, index), 0)
        self.assertEqual(agents.channel.casts, [(methods.STOP,)])
        made._ended(agents, 0)
        self.assertNoResult(done)
        made._ended(next(iter(made._keepers)), 0)
        self.successResultOf(done)
        self.assertEqual(self.lines.lines[-1], "terminating on signal 15")
        self.reactor.advance(0)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_at_most_ten_seconds(self) -> None:
        """Whoever does not end is killed."""
        made = self.made(1, root=True)
        made.stopService()
        pids = {child.pid for child in (*made._children.values(), *made._keepers)}
        self.reactor.advance(PATIENCE)
        self.assertEqual(set(self.killed), pids)

    def test_abort(self) -> None:
        """SIGQUIT: nobody gets time."""
        made = self.made(1)
        made._abort()
        self.assertEqual(self.reactor.stops, 1)
        self.reactor.advance(0)
        self.assertEqual(len(self.killed), 2)

    def test_once(self) -> None:
        """Ctrl-C, and again: a reactor that is stopped twice complains. The first signal is told."""
        made = self.made(1, NO_AGENTS)
        made._end(signal.SIGINT)
        made._end(signal.SIGTERM)
        self.assertEqual(self.reactor.stops, 1)
        done = made.stopService()
        made._ended(self.child(made, WORKER), 0)
        self.successResultOf(done)
        self.assertEqual(self.lines.lines[-1], "terminating on signal 2")

    def test_not_started_anew(self) -> None:
        made = self.made(1)
        made.stopService()
        made._ended(self.child(made, WORKER), 0)
        self.reactor.advance(5)
        self.assertEqual(self.places(made), [(AGENTS, 0)])


class Asked(SupervisorCase):
    """What children ask of the master."""

    def test_stress(self) -> None:
        """MA-7: when all workers are full, all hear of it."""
        made = self.made(2)
        for index in range(2):
            made._served(self.child(made, WORKER, index))[methods.FULL]("25/inet", True)
        self.assertEqual(self.child(made, WORKER).channel.casts, [(methods.STRESS, "25/inet", True)])
        self.assertIn('warning: service "25" (25) has reached its process limit "7"', self.lines.lines[-3])
        made._served(self.child(made, WORKER))[methods.FULL]("unknown/inet", True)

    def test_secret(self) -> None:
        made = self.made(1)
        self.assertRaises(OSError, made._served(self.child(made, WORKER))[methods.SECRET], "/etc/shadow")

    def test_stop(self) -> None:
        made = self.made(1)
        made._served(self.child(made, WORKER))[methods.WANT_STOP]()
        self.reactor.advance(0)
        self.assertEqual(self.reactor.stops, 1)


class Logged(SynchronousTestCase):
    def test_good_ends(self) -> None:
        """MA-6: nothing is said of them."""
        log, child = MemoryLog(), Child(KEEPER, 0, 0.0)
        log_end(log, child, 0)
        self.assertEqual(log.lines, [])


class Sockets(SynchronousTestCase):
    """MA-11: what children get of the master's listeners."""

    def setUp(self) -> None:
        folder = os.path.relpath(self.mktemp())
        os.makedirs(folder)
        self.path = f"{folder}/s"
        self.unix = Place("policy/unix", socket.AF_UNIX, self.path)
        self.plan = plan_of(self, "", "policy unix - n n - - spawn user=nobody argv=/bin/cat\n")

    def test_taken(self) -> None:
        """Each process keeps its own and closes the others."""
        for role, count in ((AGENTS, 1), (WORKER, 0)):
            bound = bind(self.unix)
            own = Listeners({self.unix: bound}, None).take(self.plan, frozenset((role,)))
            self.assertEqual(len(own), count)
            self.assertEqual(bound.fileno() < 0, not count)
            bound.close()

    def test_update(self) -> None:
        """A service that is gone, and one whose socket cannot be bound."""
        log = MemoryLog()
        listeners = Listeners({self.unix: bind(self.unix)}, None)
        new = plan_of(self, "queue_directory = /nowhere\n", "policy unix - n n - - spawn user=nobody argv=/bin/cat\n")
        self.assertEqual(listeners.update(new, log), {})
        self.assertFalse(os.path.exists(self.path))
        self.assertEqual(log.lines, ["warning: bind /nowhere/private/policy: No such file or directory"])


class Forked(SynchronousTestCase):
    """A real fork."""

    def test_reactor(self) -> None:
        """The child has a reactor of its own and its status is what `life` says; nothing of ours runs in it."""

        def life(reactor: Any) -> int:
            from twisted.internet import reactor as found

            return 7 if reactor is found and reactor is not real_reactor else 1

        pid = fork(real_reactor, life, "pytwfix test")
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 7)

    def test_exception(self) -> None:
        """A traceback on standard error, and a status that is not 0."""

        def life(reactor: Any) -> int:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            raise RuntimeError("no")

        pid = fork(real_reactor, life, "pytwfix test")
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 1)
