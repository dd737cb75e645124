"""The whole mail system in this process: what a laptop and most tests run (HOUSE 3, Inline)."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred

from pytwfix.keeper.inprocess import InProcess
from pytwfix.master.controlports import ControlPorts
from pytwfix.master.fullness import Fullness
from pytwfix.master.network import attach_network
from pytwfix.master.plan import Plan
from pytwfix.master.rooms import Rooms
from pytwfix.master.startup import Prepared
from pytwfix.master.whole import Whole


class Inline(Whole):
    """Made of what startup.prepare gave; starts when twistd does. `ready` is told when all listens."""

    def __init__(self, reactor: Any, prepared: Prepared, ready: Callable[[], None] | None = None) -> None:
        super().__init__(reactor, prepared, ready)
        self._asuser = InProcess(self._process.threads, reactor)
        self._control: ControlPorts | None = None
        self._fullness = Fullness(lambda service, full: self._report(self, service, full, lambda line: 1))
        self.rooms: Rooms | None = None

    def _begin(self) -> None:
        attach_network(self._process)
        remote = {"asuser": self._asuser}
        rooms = self.rooms = Rooms(self._process, self._plan, remote=remote, sockets=self._prepared.sockets)
        self._control = ControlPorts(rooms, self.reload, self._end, os.getpid())
        rooms.setServiceParent(self)  # which starts it
        self._fullness.watch(rooms.hosts)
        self._control.open()

    def _running(self) -> None:
        super()._running()
        if self._ready is not None:
            self._ready()

    def _give_up(self) -> None:
        """Threads that are left would keep the process."""
        self._asuser.stop()
        self._process.stop()

    def _adopt(self, old: Plan, plan: Plan) -> None:
        self._listeners.reopen_log(self._lines, old, plan)
        rooms = self.rooms
        assert rooms is not None
        self._listen(rooms, plan)
        rooms.reload(plan)
        rooms.ports.open(rooms.made)
        self._fullness.watch(rooms.hosts)

    def _listen(self, rooms: Rooms, plan: Plan) -> None:
        """Services that are new in master.cf get their sockets, and those that are gone lose them (MA-5)."""
        made = self._listeners.update(plan, self.log)
        for place in [one for one in rooms.ports.sockets if not self._listeners.has(one)]:
            rooms.ports.close_service(place.key)
            self._fullness.forget(place.key)
        rooms.ports.sockets.update(made)

    def _switch_stress(self, service: str, yes: bool) -> None:
        host = self.rooms.hosts.get(service) if self.rooms is not None else None
        if host is not None:
            host.set_stress(yes)

    def _abort(self) -> None:
        """What is under way is in the queue; commands that run are ended."""
        self._asuser.stop()
        self._lines.flush()
        self._prepared.release()
        os._exit(0)

    def stopService(self) -> Deferred[Any]:
        self._stopping = True
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        self._stress.stop()
        if self._control is not None:
            self._control.close()
        await super().stopService()
        self._asuser.stop()
        self._farewell()
        self._process.stop()
