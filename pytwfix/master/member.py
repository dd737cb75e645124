"""One process of the mail system, from its fork to its end (HOUSE 3).

It has given up root before its reactor runs. The process that has the queue starts its rooms at once; the others when
the master has connected them with it, and again with a new one should it have died. It ends on SIGTERM, on the master's
word, when the master is gone, and, in the agents' process, when the keeper is.
"""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from twisted.internet.defer import Deferred, succeed

from pytwfix.ipc import methods, servers
from pytwfix.ipc.channel import Channel, Receiver, adopt
from pytwfix.ipc.link import Link
from pytwfix.keeper.client import KeeperClient
from pytwfix.keeper.inprocess import InProcess
from pytwfix.logs.destinations import destination
from pytwfix.logs.switch import LogSwitch
from pytwfix.master import placement
from pytwfix.master.controlports import ControlPorts
from pytwfix.master.elsewhere import Elsewhere, contracts
from pytwfix.master.fullness import Fullness
from pytwfix.master.garbage import settle
from pytwfix.master.hub import Hub
from pytwfix.master.listeners import log_of
from pytwfix.master.network import attach_network
from pytwfix.master.permissions import Account, become
from pytwfix.master.plancodec import unpack_plan
from pytwfix.master.polling import streamline
from pytwfix.master.process import Process
from pytwfix.master.rooms import Rooms
from pytwfix.master.secrets import reader
from pytwfix.master.sockets import Place, key

if TYPE_CHECKING:
    from pytwfix.master.plan import Plan


class Birth(NamedTuple):
    """What a process is given at its fork. `who` is None when it keeps the user that it has; `keeper` is the socket to
    the keeper, in the agents' process of root."""

    kind: str
    roles: frozenset[str]
    plan: Plan
    log: LogSwitch
    sockets: dict[Place, socket.socket]
    master: socket.socket
    who: Account | None
    keeper: socket.socket | None
    share: Callable[[int], int]
    stressed: tuple[str, ...] = ()


class Member:
    """See the module. `run` gives the exit status."""

    def __init__(self, reactor: Any, birth: Birth) -> None:
        self._reactor = reactor
        self._birth = birth
        self._plan = birth.plan
        self._is_hub = placement.QUEUE in birth.roles
        self._master = Link("master")
        self._queue = Link("queue")
        self._process = Process(reactor, birth.log, lambda path: self._secret(path), birth.share)
        self._secret = reader(self._process.threads, self._master)
        self._log = self._process.log(birth.plan.snapshot.expand("$syslog_name") + "/" + birth.kind)
        self._rooms: Rooms | None = None
        self._hub: Hub | None = None
        self._control: ControlPorts | None = None
        self._asuser: Any = None
        self._fullness = Fullness(lambda service, full: self._master.cast(methods.FULL, service, full))
        self._receiver: Receiver | None = None
        self._ending = False
        self._status = 0

    def run(self) -> int:
        birth = self._birth
        if birth.who is not None:
            become(birth.who)
        os.umask(0o077)
        os.chdir(birth.plan.settings.queue_directory)
        self._reactor.addSystemEventTrigger("before", "shutdown", self._stop)
        self._reactor.callWhenRunning(self._begin)
        streamline(self._reactor)
        self._reactor.run()
        birth.log.flush()
        return self._status

    # -- beginning -----------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        signal.signal(signal.SIGTERM, lambda *_: self._reactor.callFromThread(self._end))
        served = {
            methods.PEER: self._peer,
            methods.RELOAD: self._reload,
            methods.STRESS: self._stress,
            methods.LISTEN: self._listen,
            methods.STOP: self._end,
        }
        patience = self._plan.settings.ipc_timeout
        receiver = self._receiver = Receiver(self._reactor, self._log, "master", served, patience, self._end)
        adopt(self._reactor, self._birth.master, receiver)
        self._master.attach(receiver)
        if self._is_hub:
            self._start_rooms()

    def _start_rooms(self) -> None:
        birth, process = self._birth, self._process
        attach_network(process)
        remote = {} if self._is_hub else contracts(self._queue)
        agents = None if self._is_hub else Elsewhere(self._queue, lambda: self._plan)
        if placement.AGENTS in birth.roles:
            self._asuser = remote["asuser"] = self._act_as_users()
        try:
            rooms = self._rooms = Rooms(process, self._plan, birth.roles, remote, agents, birth.sockets, patient=True)
            if self._is_hub:
                self._be_hub(rooms)
            rooms.startService()
            if self._control is not None:
                self._control.open()
        except Exception as error:
            self._log.fatal(f"{birth.kind} process: {error}")
            self._rooms, self._status = None, 1
            self._end()
            return
        for service in birth.stressed:
            self._stress(service, True)
        self._fullness.watch(rooms.hosts)
        settle()
        self._master.cast(methods.READY)

    def _be_hub(self, rooms: Rooms) -> None:
        self._hub = Hub(rooms, self._log)
        rooms.before_last = self._hub.alone
        self._control = ControlPorts(
            rooms,
            lambda: self._master.cast(methods.WANT_RELOAD),
            lambda: self._master.cast(methods.WANT_STOP),
            os.getppid(),
        )

    def _act_as_users(self) -> Any:
        """By the keeper, or with our own rights when we are not root's."""
        end = self._birth.keeper
        if end is None:
            return InProcess(self._process.threads, self._reactor)
        client = _Keeper(self._reactor, self._plan.settings.ipc_timeout, self._end)
        adopt(self._reactor, end, client)
        return client

    # -- what the master says ------------------------------------------------------------------------------------------

    def _peer(self, kind: str) -> None:
        """A descriptor came along: the way to the queue's process, or from one of the others to us."""
        assert self._receiver is not None
        end = socket.socket(fileno=self._receiver.descriptors.popleft())
        if self._hub is not None:
            self._hub.connect(kind, end)
            return
        if self._rooms is None:
            self._start_rooms()
        if self._rooms is None:
            end.close()
            return
        served = servers.agents(self._rooms.board.agents)
        patience = self._plan.settings.ipc_timeout
        channel = Channel(self._reactor, self._log, kind, served, patience, self._queue.detach)
        adopt(self._reactor, end, channel)
        self._queue.attach(channel)

    def _reload(self, packed: Any, with_log: bool) -> None:
        assert self._receiver is not None
        fd = self._receiver.descriptors.popleft() if with_log else -1
        plan = unpack_plan(packed)
        old, self._plan = self._plan, plan
        self._reopen(old, plan, fd)
        rooms = self._rooms
        if rooms is None:
            return
        for gone in _keys(old) - _keys(plan):
            rooms.ports.close_service(gone)
            self._fullness.forget(gone)
        rooms.reload(plan)

    def _reopen(self, old: Plan, plan: Plan, fd: int) -> None:
        """A log file by the master's descriptor; another destination when the parameters say so."""
        log = self._birth.log
        if log_of(old) == log_of(plan):
            log.reopen(fd)
        else:
            log.point(destination(*log_of(plan), fd))

    def _stress(self, service: str, yes: bool) -> None:
        host = self._rooms.hosts.get(service) if self._rooms is not None else None
        if host is not None:
            host.set_stress(yes)

    def _listen(self, service: str, family: int, address: str, port: int) -> None:
        """A new service of master.cf: its socket came along."""
        assert self._receiver is not None
        bound = socket.socket(fileno=self._receiver.descriptors.popleft())
        if self._rooms is None:
            self._birth.sockets[Place(service, family, address, port)] = bound
            return
        self._rooms.ports.sockets[Place(service, family, address, port)] = bound
        self._rooms.ports.open(self._rooms.made)
        self._fullness.watch(self._rooms.hosts)

    # -- ending --------------------------------------------------------------------------------------------------------

    def _end(self, channel: Any = None) -> None:
        if not self._ending:
            self._ending = True
            self._reactor.stop()

    def _stop(self) -> Deferred[Any]:
        """Whatever made the reactor stop."""
        self._ending = True
        return Deferred.fromCoroutine(self._stopping()) if self._rooms is not None else succeed(None)

    async def _stopping(self) -> None:
        assert self._rooms is not None
        if self._hub is not None:
            self._hub.spread.rest()
        if self._control is not None:
            self._control.close()
        await self._rooms.stopService()
        if self._asuser is not None:
            self._asuser.stop()
        self._process.stop()


def _keys(plan: Plan) -> set[str]:
    return {key(service) for service in plan.services}


class _Keeper(KeeperClient):
    """Without the keeper this process is of no use: the master starts both anew."""

    def __init__(self, reactor: Any, patience: float, gone: Callable[[], None]) -> None:
        super().__init__(reactor, patience)
        self._gone = gone

    def connectionLost(self, reason: Any = None) -> None:
        super().connectionLost(reason)
        self._gone()
