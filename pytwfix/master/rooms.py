"""The services of one process, joined: a MultiService over what master.cf asks for and placement puts here.

`roles` says what kind of process this is; `remote` holds proxies, by contract (`queue`, `reports`, `verifier`,
`counters`, `tls_sessions`, `proxymap`, `flusher`, `asuser`, `control`), for what runs elsewhere, and `remote_agents`
the IDeliveryAgents of other processes. Rooms that Postfix cannot do without are there even if master.cf forgot them.

Stop: ports first, then clients and deliveries come to rest, for ten seconds at most, then what they lean on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from twisted.application.service import MultiService, Service
from twisted.internet.defer import Deferred, DeferredList, maybeDeferred
from twisted.python.failure import Failure

from pytwfix.master import placement
from pytwfix.master.catalogue import make
from pytwfix.master.host import ServiceHost
from pytwfix.master.peers import Peers, Switchboard
from pytwfix.master.plan import Plan, program
from pytwfix.master.ports import Ports
from pytwfix.master.sockets import Place, key
from pytwfix.settings.kinds import SettingsError
from pytwfix.settings.mastercf import Service as Line
from pytwfix.spool.store import QueueStore

if TYPE_CHECKING:
    import socket

    from pytwfix.master.process import Process

PATIENCE = 10.0  # seconds that clients and deliveries get at stop
# The contract that a process has one of -> the program that keeps it.
_CONTRACTS = {
    "reports": "bounce",
    "verifier": "verify",
    "counters": "anvil",
    "tls_sessions": "tlsmgr",
    "proxymap": "proxymap",
    "flusher": "flush",
    "queue": "qmgr",
}
# What serves clients alone: the others do without it.
_FRONT = ("smtpd", "qmqpd", "spawn")
# Started in this order: whoever may ask comes after whom it asks. Stopped the other way round.
_ORDER = (
    "trivial-rewrite", "cleanup", "anvil", "tlsmgr", "proxymap", "bounce", "flush", "verify", "error", "discard",
    "local", "virtual", "pipe", "smtp", "lmtp", "spawn", "oqmgr", "qmgr", "tlsrpt", "pickup", "qmqpd", "smtpd",
)  # fmt: skip


class Rooms(MultiService):
    """See the module."""

    def __init__(
        self,
        process: Process,
        plan: Plan,
        roles: frozenset[str] = placement.INLINE,
        remote: Mapping[str, Any] | None = None,
        remote_agents: Any = None,
        sockets: Mapping[Place, socket.socket] | None = None,
        patient: bool = False,
    ) -> None:
        super().__init__()
        self.patient = patient
        self.process = process
        self.plan = plan
        self.roles = roles
        self.board = Switchboard()
        self.board.one.update(remote or {})
        self.board.agents.remote = remote_agents
        self.hosts: dict[str, ServiceHost] = {}
        self.made: dict[str, Any] = {}
        self.ports = Ports(process.reactor, self.hosts, sockets or {})
        self._timers: dict[str, Any] = {}  # services that are left alone for a while
        self.before_last: Callable[[], Deferred[Any]] | None = None  # at stop, while others may still ask our rooms
        self._build()

    # -- making --------------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        store = self._host(_line("store", "store"))
        self.board.one["store"] = QueueStore(store)
        for line in self._lines(self.plan):
            self._make(line)
        self._limits()

    def _lines(self, plan: Plan) -> list[Line]:
        """What this process runs, in the order of starting, and what every mail system needs."""
        lines = [line for line in plan.services if placement.runs(program(line), self.roles)]
        there = {program(line) for line in lines}
        for name, contract_of in (("cleanup", "cleanup"), ("rewrite", "trivial-rewrite"), *_NEEDED):
            if contract_of not in there and placement.runs(contract_of, self.roles):
                lines.append(_line(name, contract_of))
        return sorted(lines, key=lambda line: _ORDER.index(program(line)) if program(line) in _ORDER else 0)

    def _host(self, line: Line) -> ServiceHost:
        peers = Peers(self.board)
        host = ServiceHost(self.process, self.plan, line, peers)
        peers.attach(host)
        self.hosts[key(line)] = host
        return host

    def _make(self, line: Line) -> None:
        name = program(line)
        if name == "bounce" and "reports" in self.board.one:  # bounce, defer and trace are one under three names
            self.board.services[line.name] = self.board.one["reports"]
            return
        host = self._host(line)
        if name not in _ORDER:
            return  # showq: only its socket is served
        made = self.made[key(line)] = make(host, line)
        self.addService(made)
        self.board.services[line.name] = made
        for contract, keeper in _CONTRACTS.items():
            if keeper == name or (keeper, name) == ("qmgr", "oqmgr"):
                self.board.one.setdefault(contract, made)
        if name in placement.DELIVERY:
            self.board.agents.local[line.name] = made

    def _limits(self) -> None:
        self.board.agents.limits = {
            line.name: self.plan.limit(line) for line in self.plan.services if program(line) in placement.DELIVERY
        }

    # -- life ----------------------------------------------------------------------------------------------------------

    def startService(self) -> None:
        """Raises what a room raises for settings with which it cannot run; with `patient` a room that only serves
        clients is tried again later, and meanwhile they wait (MA-6)."""
        Service.startService(self)
        waiting: dict[str, Any] = {}
        for at, service in self.made.items():
            try:
                service.startService()
            except Exception as error:
                if not self.patient or self.hosts[at].program not in _FRONT:
                    raise
                waiting[at] = service
                self._throttle(at, error)
        self.ports.open({at: one for at, one in self.made.items() if at not in waiting})

    def _throttle(self, at: str, error: Exception) -> None:
        host, cfg = self.hosts[at], self.plan.settings
        if not isinstance(error, SettingsError):
            host.log.failure("start", error)
        master = self.process.log(f"{cfg.syslog_name}/master")
        master.warning(f"{host.definition.command}: bad command startup -- throttling")
        self._timers[at] = self.process.reactor.callLater(cfg.service_throttle_time, self._again, at)

    def _again(self, at: str) -> None:
        """Try to start what could not be started."""
        timer = self._timers.pop(at, None)
        if timer is not None and timer.active():
            timer.cancel()
        service = self.made.get(at)
        if service is None or not self.running:
            return
        try:
            service.startService()
        except Exception as error:
            self._throttle(at, error)
        else:
            self.ports.open({at: service})

    def stopService(self) -> Deferred[Any]:
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        self.ports.close()
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        Service.stopService(self)
        groups = (("smtpd", "qmqpd", "pickup", "spawn"), ("qmgr", "oqmgr"), ())
        left = list(self.services)
        for group in groups:
            chosen = [one for one in left if not group or self._program(one) in group]
            left = [one for one in left if one not in chosen]
            if not group and self.before_last is not None:
                await self._rest([self.before_last()])
            await self._rest([self._ending(one) for one in reversed(chosen)])
        await self._rest(list(self.process.work))

    def _ending(self, service: Any) -> Deferred[Any]:
        """Its stop, whose failure is logged."""
        log = next(self.hosts[at].log for at, made in self.made.items() if made is service)

        def failed(failure: Failure) -> None:
            log.failure("stop", failure.value or RuntimeError())

        ended: Deferred[Any] = maybeDeferred(service.stopService)
        return ended.addErrback(failed)

    def _program(self, service: Any) -> str:
        """The program that a service stands for."""
        return next(self.hosts[at].program for at, made in self.made.items() if made is service)

    async def _rest(self, waiting: list[Deferred[Any]]) -> None:
        """Until all have ended, or our patience has."""
        pending = [_copy(one) for one in waiting if not one.called or one.paused]
        if not pending:
            return
        done: Deferred[Any] = Deferred()
        timer = self.process.reactor.callLater(PATIENCE, done.callback, None)
        every = DeferredList(pending, consumeErrors=True)
        every.addCallback(lambda _: None if done.called else done.callback(None))
        await done
        if timer.active():
            timer.cancel()

    # -- reload --------------------------------------------------------------------------------------------------------

    def reload(self, plan: Plan) -> None:
        """New settings for all that comes after now; sessions under way keep theirs. Services that are new in master.cf
        start, and those that are gone stop (MA-5)."""
        self.plan = plan
        lines = {key(line): line for line in self._lines(plan)}
        for at, host in list(self.hosts.items()):
            if at in lines:
                host.adopt(plan, lines[at])
            elif at == "store/unix":
                host.adopt(plan, host.definition)
            else:
                self._remove(at)
        for at, line in lines.items():
            if at not in self.hosts:
                self._attempt(at, self._make, line)
        self._limits()
        for at in list(self._timers):
            self._again(at)  # what was wrong may be right now
        for at, one in self.made.items():
            reloaded = getattr(one, "reloaded", None)
            if reloaded is not None:
                self._attempt(at, reloaded)

    def _attempt(self, at: str, action: Callable[..., None], *arguments: Any) -> None:
        """What one room cannot do with its settings is no reason to leave the others as they were."""
        try:
            action(*arguments)
        except Exception as error:
            self.hosts[at].log.fatal(str(error) or type(error).__name__)

    def _remove(self, at: str) -> None:
        host = self.hosts.pop(at)
        service = self.made.pop(at, None)
        self.board.services.pop(host.service, None)
        self.board.agents.local.pop(host.service, None)
        for contract in [one for one, keeper in self.board.one.items() if keeper is service]:
            del self.board.one[contract]  # another service is to keep it
        if service is not None:
            ended = maybeDeferred(self.removeService, service)
            host.background(ended, "stop")


_NEEDED = (
    ("bounce", "bounce"),
    ("verify", "verify"),
    ("anvil", "anvil"),
    ("tlsmgr", "tlsmgr"),
    ("tlsrpt", "tlsrpt"),
    ("proxymap", "proxymap"),
    ("flush", "flush"),
    ("error", "error"),
    ("qmgr", "qmgr"),
    ("pickup", "pickup"),
)


def _line(name: str, command: str) -> Line:
    """A service that master.cf does not name."""
    return Line(name, "unix", command)


def _copy(original: Deferred[Any]) -> Deferred[Any]:
    """Fires when the original does, which keeps its result."""
    copy: Deferred[Any] = Deferred()

    def tell(result: Any) -> Any:
        copy.callback(None)
        return result

    original.addBoth(tell)
    return copy
