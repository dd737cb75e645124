"""master/member.py: one process, as far as it can be seen without a fork."""

from __future__ import annotations

import os
import socket
from typing import Any, cast

from twisted.internet.defer import succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.ipc import methods
from pytwfix.logs.destinations import FileLog
from pytwfix.logs.switch import LogSwitch
from pytwfix.master import member, placement
from pytwfix.master.member import Birth, Member
from pytwfix.master.plancodec import pack_plan
from pytwfix.master.sockets import Place
from tests.unit.master.test_plan import plan_of
from tests.unit.master.test_supervisor import Lines

MASTER = "25 inet n - n - 7 smtpd\ncleanup unix n - n - 0 cleanup\n"


class Reactor(Clock):
    stopped = 0

    def stop(self) -> None:
        self.stopped += 1


class Host:
    """A service's host."""

    def __init__(self) -> None:
        self.stress: list[bool] = []
        self.fulls: list[bool] = []
        self.full: Any = self.fulls.append

    def set_stress(self, yes: bool) -> None:
        self.stress.append(yes)


class Rooms:
    """What a member made, without the rooms."""

    def __init__(
        self, process: Any, plan: Any, roles: Any, remote: Any, agents: Any, sockets: Any, patient: bool
    ) -> None:
        self.remote, self.plans, self.closed = remote, [plan], list[str]()
        self.hosts = {"25/inet": Host()}
        self.ports = self
        self.sockets = dict(sockets)
        self.made: dict[str, Any] = {}
        self.board = cast(Any, type("Board", (), {"agents": None}))
        self.started = self.opened = 0

    def startService(self) -> None:
        self.started += 1

    def stopService(self) -> Any:
        return succeed(None)

    def open(self, services: Any) -> None:
        self.opened += 1

    def close_service(self, key: str) -> None:
        self.closed.append(key)

    def reload(self, plan: Any) -> None:
        self.plans.append(plan)


class Broken(Rooms):
    def startService(self) -> None:
        raise ValueError("no such table")


class Master:
    """The channel to the master."""

    def __init__(self) -> None:
        self.casts: list[tuple[Any, ...]] = []
        self.descriptors: list[int] = []

    def cast(self, *message: Any) -> None:
        self.casts.append(message)

    def popleft(self) -> int:
        return self.descriptors.pop(0)


class MemberCase(SynchronousTestCase):
    rooms: type[Rooms] = Rooms

    def setUp(self) -> None:
        self.reactor, self.lines, self.master = Reactor(), Lines(), Master()
        self.plan = plan_of(self, "", MASTER)
        self.patch(member, "Rooms", self.rooms)
        self.patch(member, "attach_network", lambda process: None)
        self.patch(member, "adopt", lambda reactor, end, protocol: end.close())
        self.log = LogSwitch(cast(Any, self.lines))
        end, other = socket.socketpair()
        self.addCleanup(end.close)
        self.addCleanup(other.close)
        birth = Birth(
            "worker", frozenset((placement.WORKER,)), self.plan, self.log, {}, end, None, None, lambda limit: limit,
            ("25/inet",),
        )  # fmt: skip
        self.member = Member(self.reactor, birth)
        self.member._master.attach(cast(Any, self.master))
        receiver: Any = type("Receiver", (), {"descriptors": self.master})
        self.member._receiver = receiver

    def descriptor(self) -> int:
        one, other = socket.socketpair()
        self.addCleanup(other.close)
        return one.detach()

    def peer(self) -> Any:
        self.master.descriptors.append(self.descriptor())
        self.member._peer("queue")
        return self.member._rooms


class Beginning(MemberCase):
    def test_when_it_is_joined(self) -> None:
        """HOUSE 3: the rooms start when the way to the queue is there; the master hears of it. A second one is no new
        start."""
        rooms = self.peer()
        self.assertEqual((rooms.started, self.master.casts), (1, [(methods.READY,)]))
        self.assertIn("queue", rooms.remote)
        self.assertTrue(self.member._queue.channel is not None)
        self.assertIs(self.peer(), rooms)
        self.assertEqual(rooms.started, 1)

    def test_stress(self) -> None:
        """MA-7: who starts while a service is under stress gets it from the start; later by the master's word."""
        host = self.peer().hosts["25/inet"]
        self.assertEqual(host.stress, [True])
        self.member._stress("25/inet", False)
        self.member._stress("unknown/inet", True)
        self.assertEqual(host.stress, [True, False])

    def test_full(self) -> None:
        """MA-7: the master hears when a service has no room left."""
        host = self.peer().hosts["25/inet"]
        host.full(True)
        self.assertEqual(self.master.casts[-1], (methods.FULL, "25/inet", True))
        self.assertEqual(host.fulls, [True])


class BadBeginning(MemberCase):
    rooms = Broken

    def test_fatal(self) -> None:
        """MA-6: settings with which a room cannot run end the process with a status."""
        self.assertIsNone(self.peer())
        self.assertEqual(self.lines.lines, ["fatal: worker process: no such table"])
        self.assertEqual((self.reactor.stopped, self.member._status, self.master.casts), (1, 1, []))


class Hearing(MemberCase):
    """What the master says."""

    def test_reload(self) -> None:
        """MA-5: services that are gone from master.cf are closed, the others get their settings."""
        rooms = self.peer()
        plan = plan_of(self, "mail_name = New\n", "26 inet n - n - - smtpd\n")
        self.member._reload(pack_plan(plan), False)
        self.assertEqual(sorted(rooms.closed), ["25/inet", "cleanup/unix"])
        self.assertEqual(rooms.plans[-1].settings.mail_name, "New")
        self.assertEqual(self.lines.lines, ["(reopened)"])

    def test_another_log(self) -> None:
        """LG-17: a log file by the descriptor that the master has opened."""
        path = os.path.abspath(self.mktemp())
        plan = plan_of(self, f"maillog_file = {path}\n", MASTER)
        self.peer()
        self.master.descriptors.append(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND))
        self.member._reload(pack_plan(plan), True)
        self.log.write("tag: ", 6, "there")
        self.log.flush()
        with open(path) as file:
            self.assertIn("tag: there", file.read())
        assert isinstance(self.log.target, FileLog)
        os.close(self.log.fileno())

    def test_a_new_service(self) -> None:
        """MA-5: its socket comes along."""
        rooms = self.peer()
        self.master.descriptors.append(self.descriptor())
        self.member._listen("26/inet", int(socket.AF_INET), "", 26)
        place = Place("26/inet", socket.AF_INET, "", 26)
        self.assertEqual((list(rooms.sockets), rooms.opened), ([place], 1))
        rooms.sockets[place].close()

    def test_before_it_is_joined(self) -> None:
        """It is kept for the start."""
        self.master.descriptors.append(self.descriptor())
        self.member._listen("26/inet", int(socket.AF_INET), "", 26)
        self.member._reload(pack_plan(self.plan), False)
        self.member._stress("25/inet", True)
        rooms = self.peer()
        self.assertEqual(len(rooms.sockets), 1)
        next(iter(rooms.sockets.values())).close()

    def test_end(self) -> None:
        """Whatever comes first: SIGTERM, the master's word, the master's end."""
        self.peer()
        self.member._end()
        self.member._end(None)
        self.assertEqual(self.reactor.stopped, 1)
