"""The whole mail system in this process: what a laptop and most tests run (HOUSE 3, Inline)."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

from twisted.application.service import MultiService
from twisted.internet.defer import Deferred

from pytwfix.keeper.inprocess import InProcess
from pytwfix.master.controlports import ControlPorts
from pytwfix.master.host import ServiceHost
from pytwfix.master.listeners import Listeners
from pytwfix.master.network import attach_network
from pytwfix.master.plan import Plan, read_plan
from pytwfix.master.ports import Ports
from pytwfix.master.process import Process
from pytwfix.master.rooms import Rooms
from pytwfix.master.startup import Prepared, complaints
from pytwfix.master.tablefiles import make_ready
from pytwfix.settings.kinds import SettingsError
from pytwfix.settings.mastercf import Service


class Inline(MultiService):
    """Made of what startup.prepare gave; starts when twistd does. `ready` is told when all listens."""

    def __init__(self, reactor: Any, prepared: Prepared, ready: Callable[[], None] | None = None) -> None:
        super().__init__()
        self._reactor = reactor
        self._prepared = prepared
        self._ready = ready
        self.process = Process(reactor, prepared.log)
        self._listeners = Listeners(prepared.sockets, None)
        self._asuser = InProcess(self.process.threads, reactor)
        self.rooms: Rooms | None = None
        self._control: ControlPorts | None = None

    def startService(self) -> None:
        prepared = self._prepared
        # Not before: twistd may have forked since, and the lock and log lines have the process ID.
        prepared.lock.write_pid()
        self._host = ServiceHost(self.process, prepared.plan, Service("master", "unix", "master"), None)
        self.log = self._host.log
        self.process.start()
        attach_network(self.process)
        make_ready(self._host, prepared.plan)
        remote = {"asuser": self._asuser}
        self.rooms = Rooms(self.process, prepared.plan, remote=remote, sockets=prepared.sockets)
        self.rooms.setServiceParent(self)
        self._control = ControlPorts(self.rooms, self.reload, self._reactor.stop)
        for text in complaints(prepared.plan):
            self.log.warning(text)
        super().startService()
        self._control.open()
        cfg = prepared.plan.settings
        self.log.info(f"daemon started -- version {cfg.mail_version}, configuration {prepared.plan.directory}")
        self._reactor.callWhenRunning(self._running)

    def _running(self) -> None:
        if self._prepared.hangup is not None:
            self._prepared.hangup.attach(self._reactor, self.reload)
        if self._ready is not None:
            self._ready()

    def _listen(self, ports: Ports, plan: Plan) -> None:
        """Services that are new in master.cf get their sockets, and those that are gone lose them (MA-5)."""
        made = self._listeners.update(plan, self.log)
        for place in [one for one in ports.sockets if not self._listeners.has(one)]:
            ports.close_service(place.key)
        ports.sockets.update(made)

    def reload(self) -> None:
        """Read the configuration anew; what is wrong with it leaves everything as it was."""
        plan = self._prepared.plan
        try:
            plan = read_plan(plan.directory)
            plan.settings.validate()
        except SettingsError as error:
            self.log.fatal(f"{error}; the configuration of before stays in force")
            return
        self.log.info(f"reload -- version {plan.settings.mail_version}, configuration {plan.directory}")
        self._prepared.plan = plan
        for text in complaints(plan):
            self.log.warning(text)
        self.process.destination.reopen()
        self._host.adopt(plan, self._host.definition)
        make_ready(self._host, plan)
        assert self.rooms is not None
        self._listen(self.rooms.ports, plan)
        self.rooms.reload(plan)
        self.rooms.ports.open(self.rooms.made)

    def stopService(self) -> Deferred[Any]:
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        if self._control is not None:
            self._control.close()
        await super().stopService()
        self._asuser.stop()
        self.log.info(f"terminating on signal {int(signal.SIGTERM)}")
        self.process.stop()
        self._prepared.release()

