"""The master: starts the processes, starts them anew, tells them of reloads, ends them (MA-1, MA-5, MA-6, MA-7, MA-10).

As root it is what keeps root's rights, beside the keeper: it has no threads, speaks to no network, and reads nothing
but the configuration and, for its children, files that the configuration names. The others are forks of it with
everything imported, so that they share memory. With one worker that worker has the queue, with more the queue is a
process of its own; the agents' process and the keeper are there when master.cf has local, virtual, pipe or spawn.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred

from pytwfix.ipc import methods
from pytwfix.ipc.channel import Channel, adopt
from pytwfix.master import placement
from pytwfix.master.catalogue import preload
from pytwfix.master.children import KEEPER, Child, Reaper, connect, log_end, pair
from pytwfix.master.forked import fork
from pytwfix.master.garbage import settle
from pytwfix.master.member import Birth, Member
from pytwfix.master.permissions import Account, account, check
from pytwfix.master.plan import Plan, program
from pytwfix.master.plancodec import pack_plan
from pytwfix.master.secrets import Vault
from pytwfix.master.startup import Prepared, StartError
from pytwfix.master.whole import Whole
from pytwfix.settings.mastercf import Service

PATIENCE = 12.0  # seconds: the ten that sessions get at stop, and what it takes to tell of them
STEADY = 10.0  # a process that lived shorter than this is not started again at once


class Supervisor(Whole):
    """Made of what startup.prepare gave. `ready` is told when all processes serve, the first time."""

    def __init__(self, reactor: Any, prepared: Prepared, workers: int, ready: Callable[[], None] | None = None) -> None:
        self._owner = _checked_owner(prepared)
        super().__init__(reactor, prepared, ready, self._owner)
        self._workers = workers
        self._vault = Vault(prepared.plan)
        self._children: dict[tuple[str, int], Child] = {}
        self._keepers: set[Child] = set()
        self._timers: dict[tuple[str, int], Any] = {}
        self._stopped: Deferred[None] | None = None

    # -- which processes -----------------------------------------------------------------------------------------------

    @property
    def _hub(self) -> tuple[str, int]:
        return (placement.WORKER if self._workers == 1 else placement.QUEUE, 0)

    def _wanted(self) -> list[tuple[str, int]]:
        """Their places; whoever has the queue first."""
        found = [self._hub]
        if self._workers > 1:
            found += [(placement.WORKER, index) for index in range(self._workers)]
        if any(placement.runs(program(line), frozenset((placement.AGENTS,))) for line in _special(self._plan)):
            found.append((placement.AGENTS, 0))
        return found

    def _roles(self, kind: str) -> frozenset[str]:
        if self._workers == 1 and kind == placement.WORKER:
            return frozenset((placement.WORKER, placement.QUEUE))
        return frozenset((kind,))

    def _share(self, kind: str) -> Callable[[int], int]:
        workers = self._workers if kind == placement.WORKER else 1
        return lambda limit: -(-limit // workers)

    # -- starting ------------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        preload()
        self._prepared.started()  # the children need not hold it
        settle()
        for place in self._wanted():
            self._start(place)

    def _give_up(self) -> None:
        self._kill()

    def _start(self, place: tuple[str, int]) -> None:
        """Fork one process, with its keeper if it is the agents', and join it to the queue's."""
        timer = self._timers.pop(place, None)
        if timer is not None and timer.active():
            timer.cancel()
        self._lines.flush()
        child = Child(*place, self._reactor.seconds())
        try:
            self._fork(child)
        except OSError as error:
            self.log.warning(f"fork: {error.strerror}")
            self._later(place, self._plan.settings.fork_delay)
            return
        self._children[place] = child
        hub = self._children.get(self._hub)
        if hub is not None and hub is not child:
            connect(hub, child)
        elif hub is child:
            for other in self._children.values():
                if other is not child:
                    connect(child, other)
        Reaper(child, self._ended).watch()

    def _fork(self, child: Child) -> None:
        keeper = self._fork_keeper() if child.kind == placement.AGENTS and self._owner is not None else None
        ours, theirs = pair()
        try:
            child.pid = fork(self._reactor, self._life(child, ours, theirs, keeper), f"pytwfix {child.kind}")
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
            if keeper is not None:
                keeper.close()
        patience = self._plan.settings.ipc_timeout
        child.channel = Channel(self._reactor, self.log, child.kind, self._served(child), patience)
        adopt(self._reactor, ours, child.channel)

    def _life(
        self, child: Child, ours: socket.socket, theirs: socket.socket, keeper: socket.socket | None
    ) -> Callable[[Any], int]:
        """What the fork does in the new process."""
        roles = self._roles(child.kind)

        def life(reactor: Any) -> int:
            ours.close()
            self._leave()
            sockets = self._listeners.take(self._plan, roles)
            stressed = tuple(self._stress.stressed())
            share = self._share(child.kind)
            birth = Birth(
                child.kind, roles, self._plan, self._lines, sockets, theirs, self._owner, keeper, share, stressed
            )
            return Member(reactor, birth).run()

        return life

    def _leave(self) -> None:
        """In a child: what only the master shall have."""
        for other in self._children.values():
            other.close_here()

    def _fork_keeper(self) -> socket.socket:
        """The agents' end of its socket."""
        assert self._owner is not None
        child = Child(KEEPER, 0, self._reactor.seconds())
        agents, end = pair()
        owner, spool = self._owner.uid, self._plan.settings.mail_spool_directory

        def life(reactor: Any) -> int:
            from pytwfix.keeper import keeper

            agents.close()
            self._leave()
            self._listeners.close()
            os.chdir(self._plan.settings.queue_directory)  # where commands of local and pipe are run
            keeper.main(end.fileno(), owner, [spool] if spool else [])
            return 0

        try:
            child.pid = fork(self._reactor, life, "pytwfix keeper")
        finally:
            end.close()
        self._keepers.add(child)
        Reaper(child, self._ended).watch()
        return agents

    # -- what children ask ---------------------------------------------------------------------------------------------

    def _served(self, child: Child) -> dict[int, Callable[..., Any]]:
        return {
            methods.READY: lambda: self._is_ready(child),
            methods.SECRET: self._vault_read,
            methods.FULL: lambda service, full: self._full(child, str(service), full is True),
            methods.WANT_RELOAD: self.reload,
            methods.WANT_STOP: lambda: self._reactor.callLater(0, self._end),
        }

    def _is_ready(self, child: Child) -> None:
        child.ready = True
        if self._ready is not None and all(one.ready for one in self._children.values()) and not self._timers:
            ready, self._ready = self._ready, None
            ready()

    def _vault_read(self, path: object) -> bytes:
        return self._vault.read(str(path))

    def _full(self, child: Child, service: str, full: bool) -> None:
        self._report(child, service, full, self._serving)

    def _serving(self, line: Service) -> int:
        return sum(placement.runs(program(line), self._roles(kind)) for kind, _ in self._children)

    def _switch_stress(self, service: str, yes: bool) -> None:
        for child in self._children.values():
            if child.channel is not None:
                child.channel.cast(methods.STRESS, service, yes)

    # -- ends ----------------------------------------------------------------------------------------------------------

    def _ended(self, child: Child, status: int) -> None:
        """Twisted has reaped it."""
        log_end(self.log, child, status)
        self._stress.gone(child)
        if child.channel is not None:
            child.channel.stop()
        if child in self._keepers:
            self._keepers.discard(child)
        elif self._children.get(child.place) is child:
            del self._children[child.place]
        if self._stopped is not None:
            self._one_less(child)
        elif child.kind != KEEPER and child.place in self._wanted():
            self._again(child)

    def _again(self, child: Child) -> None:
        """Start it anew: at once if it had served for a while."""
        cfg = self._plan.settings
        if not child.ready:
            self.log.warning(f"{child.kind}: bad command startup -- throttling")
            self._later(child.place, cfg.service_throttle_time)
        elif self._reactor.seconds() - child.started < STEADY:
            self._later(child.place, cfg.fork_delay)
        else:
            self._start(child.place)

    def _later(self, place: tuple[str, int], seconds: float) -> None:
        self._timers[place] = self._reactor.callLater(seconds, self._start, place)

    # -- reload --------------------------------------------------------------------------------------------------------

    def _adopt(self, old: Plan, plan: Plan) -> None:
        self._vault = Vault(plan)
        self._tell(plan, self._listeners.reopen_log(self._lines, old, plan))
        if old.settings.mail_spool_directory != plan.settings.mail_spool_directory and self._owner is not None:
            self._cast(placement.AGENTS, methods.STOP)  # the keeper that knows the new one comes with new agents
        for place in self._wanted():
            if place not in self._children:
                self._start(place)  # also one that is throttled: what was wrong may be right now

    def _tell(self, plan: Plan, log_fd: int) -> None:
        """Settings first, then what is new to listen on."""
        packed = pack_plan(plan)
        for child in self._children.values():
            assert child.channel is not None
            if log_fd >= 0:
                child.channel.give(log_fd, methods.RELOAD, packed, True)
            else:
                child.channel.cast(methods.RELOAD, packed, False)
        for place, bound in self._listeners.update(plan, self.log).items():
            for child in self._children.values():
                if child.channel is not None and self._listeners.belongs(plan, place, self._roles(child.kind)):
                    child.channel.give(bound.fileno(), methods.LISTEN, *place)

    def _cast(self, kind: str, method: int) -> None:
        for child in self._children.values():
            if child.kind == kind and child.channel is not None:
                child.channel.cast(method)

    # -- stop ----------------------------------------------------------------------------------------------------------

    def stopService(self) -> Deferred[Any]:
        """Those that serve the network and the queue first; the agents when nobody gives them work any more."""
        super().stopService()
        self._stopping = True
        self._stopped = Deferred()
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._stress.stop()
        limit = self._reactor.callLater(PATIENCE, self._kill)
        self._cast(placement.WORKER, methods.STOP)
        self._cast(placement.QUEUE, methods.STOP)
        stopped = self._stopped
        self._one_less(None)
        return stopped.addCallback(self._finish, limit)

    def _one_less(self, child: Child | None) -> None:
        """Another process has ended."""
        kinds = {kind for kind, _ in self._children}
        if kinds == {placement.AGENTS}:
            self._cast(placement.AGENTS, methods.STOP)
        if not kinds and not self._keepers and self._stopped is not None and not self._stopped.called:
            self._stopped.callback(None)

    def _abort(self) -> None:
        self._end()
        self._reactor.callLater(0, self._kill)

    def _kill(self) -> None:
        for child in (*self._children.values(), *self._keepers):
            child.kill()

    def _finish(self, result: None, limit: Any) -> None:
        if limit.active():
            limit.cancel()
        self._farewell()


def _checked_owner(prepared: Prepared) -> Account | None:
    """Whose rights the processes take on; None when we are not root. StartError."""
    if os.geteuid() != 0:
        return None
    cfg = prepared.plan.settings
    try:
        owner = account(cfg.mail_owner, cfg.setgid_group)
        check(prepared.plan.directory, owner)
    except StartError:
        prepared.release()
        raise
    return owner


def _special(plan: Plan) -> list[Any]:
    """Lines of master.cf that are not run by every process."""
    return [line for line in plan.services if placement.PLACES.get(program(line)) != placement.INLINE]
