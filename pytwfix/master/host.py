"""contracts/host.py's IHost: one for each service of master.cf.

A reload gives it a new snapshot; whoever has a group of the old one in hand keeps it. Sessions are counted against the
process limit: when it is reached the service's ports rest, which also spreads clients over processes, and Postfix's
warning is logged (MA-7).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

from twisted.internet.defer import Deferred

from pytwfix.basics.tasks import start
from pytwfix.master.plan import Plan, program
from pytwfix.master.process import Process
from pytwfix.settings.mastercf import Service

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall

    from pytwfix.contracts.tables import ITables
    from pytwfix.settings.group import Group
    from pytwfix.settings.snapshot import Snapshot

    G = TypeVar("G", bound=Group)
else:
    G = TypeVar("G")


class ServiceHost:
    """See the module. `full` is called with True when the limit is reached and with False when there is room again."""

    def __init__(self, process: Process, plan: Plan, service: Service, peers: Any) -> None:
        self.process = process
        self.service = service.name
        self.program = program(service)
        self.reactor = process.reactor
        self.disk = process.disk
        self.threads = process.threads
        self.random = process.random
        self.now = process.now
        self.monotonic = process.monotonic
        self.call_later: Callable[..., IDelayedCall] = process.reactor.callLater
        self.secret = process.secret
        self.peers = peers
        self.full: Callable[[bool], None] | None = None
        self.sessions = 0
        self.resting = False
        self.definition = service
        self.plan = plan
        self.stress = False
        self.adopt(plan, service)

    def adopt(self, plan: Plan, service: Service) -> None:
        """Settings as of now: at start and at each reload."""
        self.plan = plan
        self.definition = service
        self._views = {False: plan.view(service)}
        self.limit = self.process.share(plan.limit(service))
        self._see(self._views[False])
        self._tables: ITables | None = None
        self.log = self.process.log(self.snapshot.expand("$syslog_name") + "/" + self.program)
        if self.stress:
            self.set_stress(True)
        full = 0 < self.limit <= self.sessions
        if full != self.resting:  # the limit is another one now
            self._rest(full)

    def set_stress(self, stress: bool) -> None:
        """Switch between the two views (MA-7)."""
        self.stress = stress
        if stress not in self._views:
            self._views[stress] = self.plan.view(self.definition, stress)
        self._see(self._views[stress])

    def _see(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._groups = snapshot.groups

    @property
    def resolver(self) -> Any:
        return self.process.resolver

    @property
    def names(self) -> Any:
        return self.process.names

    @property
    def tables(self) -> ITables:
        """Opened on first use; others after a reload."""
        tables = self._tables
        if tables is None:
            from pytwfix.tables.registry import tables_for

            tables = self._tables = tables_for(self)
        return tables

    def settings(self, group: type[G]) -> G:
        found = self._groups.get(group)
        return self.snapshot.group(group) if found is None else found  # type: ignore[no-any-return]

    def expand(self, text: str) -> str:
        return self.snapshot.expand(text)

    def parameter(self, name: str) -> str | None:
        value = self.snapshot.get(name)
        return None if value is None else self.snapshot.expand(value)

    def background(self, work: Awaitable[Any], what: str) -> None:
        given: Any = work
        done: Deferred[Any] = given if isinstance(given, Deferred) else start(given)
        if done.called and not done.paused:
            done.addErrback(self._failed, what)
            return
        waiting = self.process.work
        waiting.add(done)
        done.addErrback(self._failed, what)
        done.addBoth(lambda _: waiting.discard(done))

    def _failed(self, failure: Any, what: str) -> None:
        self.log.failure(what, failure.value)

    def connected(self) -> bool:
        if self.limit and self.sessions >= self.limit:
            return False
        self.sessions += 1
        if self.sessions == self.limit:
            self._rest(True)
        return True

    def disconnected(self) -> None:
        self.sessions -= 1
        if self.resting and self.sessions < self.limit:
            self._rest(False)

    def _rest(self, yes: bool) -> None:
        self.resting = yes
        if self.full is not None:
            self.full(yes)
