"""master/rooms.py: the services of one process, from start over reload to stop."""

from __future__ import annotations

from typing import Any, cast

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.accept.smtpd.safety import Fatal
from pytwfix.master import rooms
from pytwfix.master.placement import AGENTS, INLINE, QUEUE, WORKER
from pytwfix.master.plan import Plan
from pytwfix.master.process import Process
from pytwfix.master.rooms import PATIENCE, Rooms
from tests.unit.master.test_plan import plan_of
from tests.unit.master.test_supervisor import Lines

MASTER = """\
25 inet n - n - 7 smtpd
cleanup unix n - n - 0 cleanup
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
qmgr unix n - n 300 1 qmgr
pickup unix n - n 60 1 pickup
smtp unix - - n - 3 smtp
local unix - n n - - local
"""


class Room(Service):
    """A room: what happened to it, in the order of all."""

    def __init__(self, host: Any, story: list[str]) -> None:
        self.host, self.story = host, story
        self.waits: Deferred[None] | None = None
        self.broken: Exception | None = None
        self.reloads = 0

    def startService(self) -> None:
        super().startService()
        self.story.append("start " + self.host.service)
        if self.broken is not None:
            raise self.broken

    def stopService(self) -> Any:
        super().stopService()
        self.story.append("stop " + self.host.service)
        return self.waits

    def reloaded(self) -> None:
        self.reloads += 1
        if self.broken is not None:
            raise self.broken


class RoomsCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.story: list[str] = []
        self.broken: dict[str, Exception] = {}
        self.clock, self.lines = Clock(), Lines()
        self.process = Process(self.clock, cast(Any, self.lines))
        self.patch(rooms, "make", self._make)
        self.patch(rooms, "QueueStore", lambda host: ("store", host))

    def _make(self, host: Any, line: Any) -> Room:
        made = Room(host, self.story)
        made.broken = self.broken.get(line.name)
        return made

    def made(self, master: str = MASTER, *roles: str, remote: Any = None, patient: bool = False) -> Rooms:
        made = Rooms(self.process, self.plan(master), frozenset(roles) or INLINE, remote, patient=patient)
        self.patch(made.ports, "open", lambda services: self.story.append("open"))
        self.patch(made.ports, "close", lambda: self.story.append("close"))
        return made

    def plan(self, master: str = MASTER) -> Plan:
        return plan_of(self, "", master)

    def room(self, of: Rooms, at: str) -> Room:
        return cast(Room, of.made[at])


class Making(RoomsCase):
    def test_needed(self) -> None:
        """What Postfix cannot do without is there even if master.cf forgot it."""
        made = self.made("25 inet n - n - - smtpd\n")
        programs = {host.program for host in made.hosts.values()}
        self.assertEqual(
            programs,
            {"store", "smtpd", "cleanup", "trivial-rewrite", "bounce", "verify", "anvil", "tlsmgr", "tlsrpt",
             "proxymap", "flush", "error", "qmgr", "pickup"},
        )  # fmt: skip

    def test_roles(self) -> None:
        """HOUSE 3: a process makes what placement gives it."""
        for role, there, elsewhere in (
            (WORKER, "25/inet", "local/unix"),
            (QUEUE, "qmgr/unix", "25/inet"),
            (AGENTS, "local/unix", "qmgr/unix"),
        ):
            made = self.made(MASTER, role)
            self.assertIn(there, made.made)
            self.assertNotIn(elsewhere, made.made)
            self.assertIn("cleanup/unix", made.made)

    def test_contracts(self) -> None:
        """bounce, defer and trace are one; delivery agents are found by transport, with their limits."""
        made = self.made()
        self.assertIs(made.board.one["reports"], made.board.services["defer"])
        self.assertIs(made.board.agents.agent("smtp"), made.made["smtp/unix"])
        self.assertEqual(made.board.agents.limit("smtp"), 3)
        self.assertIs(made.board.one["queue"], made.made["qmgr/unix"])

    def test_remote(self) -> None:
        """What runs elsewhere is not made here."""
        made = self.made(MASTER, WORKER, remote={"queue": "far away"})
        self.assertEqual(made.board.one["queue"], "far away")


class Starting(RoomsCase):
    def test_order(self) -> None:
        """Whoever may ask comes after whom it asks; the ports last."""
        self.made().startService()
        order = [self.story.index(f"start {name}") for name in ("rewrite", "cleanup", "bounce", "qmgr", "pickup", "25")]
        self.assertEqual(order, sorted(order))
        self.assertEqual(self.story[-1], "open")

    def test_refused(self) -> None:
        """SD-22: settings with which a room cannot run; nothing listens."""
        self.broken["25"] = Fatal("open relay")
        self.assertRaises(Fatal, self.made().startService)
        self.assertNotIn("open", self.story)

    def test_throttled(self) -> None:
        """MA-6: beside others, what serves clients alone is left alone for service_throttle_time; the rest runs."""
        self.broken["25"] = Fatal("open relay")
        made = self.made(patient=True)
        made.startService()
        self.assertIn("start pickup", self.story)
        self.assertIn("warning: smtpd: bad command startup -- throttling", self.lines.lines[-1])
        self.clock.advance(60)
        self.assertEqual(self.story.count("start 25"), 2)
        self.room(made, "25/inet").broken = None
        made.reload(made.plan)
        self.assertEqual((self.story.count("start 25"), self.story[-1]), (3, "open"))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_not_throttled(self) -> None:
        """Without these there is no mail system."""
        self.broken["qmgr"] = Fatal("no")
        self.assertRaises(Fatal, self.made(patient=True).startService)


class Stopping(RoomsCase):
    """HOUSE 3: ports, clients, the queue, then what they lean on."""

    def setUp(self) -> None:
        super().setUp()
        self.rooms = self.made()
        self.rooms.startService()
        self.story.clear()

    def test_order(self) -> None:
        self.successResultOf(self.rooms.stopService())
        self.assertEqual(self.story[0], "close")
        self.assertEqual(set(self.story[1:3]), {"stop 25", "stop pickup"})
        self.assertEqual(self.story[3], "stop qmgr")
        self.assertEqual(self.story[-1], "stop rewrite")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_waits(self) -> None:
        """For a client, then for the others' questions, then for work under way."""
        client = self.room(self.rooms, "25/inet").waits = Deferred()
        others: Deferred[None] = Deferred()
        work: Deferred[None] = Deferred()
        self.rooms.before_last = lambda: others
        self.process.work.add(work)
        done = self.rooms.stopService()
        self.assertNotIn("stop qmgr", self.story)
        client.callback(None)
        self.assertIn("stop qmgr", self.story)
        self.assertNotIn("stop cleanup", self.story)
        others.callback(None)
        self.assertIn("stop cleanup", self.story)
        self.assertNoResult(done)
        work.callback(None)
        self.successResultOf(done)

    def test_patience(self) -> None:
        """A client that does not go, and one that fails, hold nobody for longer than ten seconds."""
        self.room(self.rooms, "25/inet").waits = Deferred()
        failing = self.room(self.rooms, "pickup/unix").waits = Deferred()
        done = self.rooms.stopService()
        failing.errback(OSError("no"))
        self.clock.advance(PATIENCE - 0.1)
        self.assertNoResult(done)
        self.clock.advance(0.1)
        self.successResultOf(done)
        self.assertIn("stop cleanup", self.story)
        self.assertIn("error: stop: OSError: no ", "\n".join(self.lines.lines))


class Reloading(RoomsCase):
    """MA-5."""

    def setUp(self) -> None:
        super().setUp()
        self.rooms = self.made()
        self.rooms.startService()
        self.story.clear()

    def test_settings(self) -> None:
        """All get them, rooms that want to know are told, nothing starts or stops."""
        plan = self.plan(MASTER.replace("- 3 smtp", "- 5 smtp"))
        self.rooms.reload(plan)
        self.assertEqual(self.story, [])
        self.assertTrue(all(host.plan is plan for host in self.rooms.hosts.values()))
        self.assertEqual(self.rooms.board.agents.limit("smtp"), 5)
        self.assertEqual(self.room(self.rooms, "qmgr/unix").reloads, 1)

    def test_added(self) -> None:
        """A new service starts."""
        self.rooms.reload(self.plan(MASTER + "relay unix - - n - - smtp\n26 inet n - n - - smtpd\n"))
        self.assertEqual(sorted(self.story), ["start 26", "start relay"])
        self.assertIs(self.rooms.board.agents.agent("relay"), self.rooms.made["relay/unix"])

    def test_removed(self) -> None:
        """One that is gone stops, and nobody finds it any more."""
        self.rooms.reload(self.plan(MASTER.replace("smtp unix - - n - 3 smtp\n", "")))
        self.assertEqual(self.story, ["stop smtp"])
        self.assertIsNone(self.rooms.board.agents.agent("smtp"))
        self.assertNotIn("smtp/unix", self.rooms.hosts)

    def test_renamed(self) -> None:
        """What keeps a contract goes: its successor does from now on."""
        self.rooms.reload(self.plan(MASTER.replace("qmgr unix", "queue unix")))
        self.assertEqual(self.story, ["stop qmgr", "start queue"])
        self.assertIs(self.rooms.board.one["queue"], self.rooms.made["queue/unix"])

    def test_mistakes(self) -> None:
        """SD-22: a room that cannot run with its settings is logged, and does not keep the others from theirs."""
        self.broken["26"] = Fatal("open relay")
        self.room(self.rooms, "cleanup/unix").broken = Fatal("no such table")
        self.rooms.reload(self.plan("26 inet n - n - - smtpd\n" + MASTER + "relay unix - - n - - smtp\n"))
        self.assertIn("start relay", self.story)
        self.assertIn("fatal: open relay", self.lines.lines)
        self.assertIn("fatal: no such table", self.lines.lines)
        self.assertEqual(self.room(self.rooms, "25/inet").reloads, 1)

    def test_stopping(self) -> None:
        """A removed service that takes its time does not hold the reload."""
        self.room(self.rooms, "smtp/unix").waits = Deferred()
        self.rooms.reload(self.plan(MASTER.replace("smtp unix - - n - 3 smtp\n", "")))
        self.assertEqual(self.story, ["stop smtp"])
        self.assertEqual(len(self.process.work), 1)
