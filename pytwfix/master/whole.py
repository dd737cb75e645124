"""What a mail system does however many processes it has: start or say why not, reload, stop (MA-5, MA-7, MA-10).

A start that fails is in the log and on standard error, and ends the process: startService raises StartFailed.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable
from typing import Any

from twisted.application.service import MultiService

from pytwfix.logs.switch import LogSwitch
from pytwfix.master.frozen import read_again
from pytwfix.master.garbage import settle
from pytwfix.master.host import ServiceHost
from pytwfix.master.listeners import Listeners
from pytwfix.master.permissions import Account
from pytwfix.master.plan import Plan, old_chroots
from pytwfix.master.process import Process
from pytwfix.master.startup import Prepared, complaints
from pytwfix.master.stress import Stress
from pytwfix.master.tablefiles import make_ready
from pytwfix.settings.kinds import SettingsError
from pytwfix.settings.mastercf import Service


class Whole(MultiService):
    """Made of what startup.prepare gave. `ready` is told when all serves, the first time."""

    def __init__(
        self, reactor: Any, prepared: Prepared, ready: Callable[[], None] | None, owner: Account | None = None
    ) -> None:
        super().__init__()
        self._reactor = reactor
        self._prepared = prepared
        self._plan = prepared.plan
        self._ready = ready
        self._lines = LogSwitch(prepared.log)
        self._process = Process(reactor, self._lines)
        self._listeners = Listeners(prepared.sockets, owner)
        self._stopping = False
        self._ending = 0  # the signal that ends us

    # -- for the two kinds of it ---------------------------------------------------------------------------------------

    def _begin(self) -> None:
        """Serve. Whatever it raises, the system does not start."""

    def _give_up(self) -> None:
        """End what has begun, at once."""

    def _adopt(self, old: Plan, plan: Plan) -> None:
        """A new plan, after a reload."""

    def _switch_stress(self, service: str, yes: bool) -> None:
        """Give a service its settings with stress, or those without."""

    def _abort(self) -> None:
        """`postfix abort`: nobody gets time."""

    # -- start ---------------------------------------------------------------------------------------------------------

    def startService(self) -> None:
        super().startService()
        if self._prepared.signals is not None:
            self._prepared.signals.hold()
        # Not before: twistd may have forked since, and the lock and log lines have the process ID.
        self._host = ServiceHost(self._process, self._plan, Service("master", "unix", "master"), None)
        self.log = self._host.log
        self._stress = Stress(self._reactor, self.log, self._switch_stress)
        try:
            self._prepared.lock.write_pid()
            self._tell_oddities(self._plan)
            make_ready(self._host, self._plan)
            self._begin()
        except Exception as error:
            raise self._failed(error) from error
        self._prepared.started()
        cfg = self._plan.settings
        self.log.info(f"daemon started -- version {cfg.mail_version}, configuration {self._plan.directory}")
        self._reactor.callWhenRunning(self._running)

    def _tell_oddities(self, plan: Plan, warnings: Iterable[str] = ()) -> None:
        """What is odd in a configuration, and which old defaults it relies on."""
        for text in old_chroots(plan):
            self.log.info(text)
        for text in (*warnings, *complaints(plan)):
            self.log.warning(text)

    def _failed(self, error: Exception) -> Exception:
        failed = self._prepared.failed(error)
        if str(failed) != str(error):
            self.log.failure("start", error)  # where it happened
        self.log.fatal(str(failed))
        self._lines.flush()
        self._stopping = True
        self._give_up()
        return failed

    def _running(self) -> None:
        settle()
        if self._prepared.signals is not None:
            self._prepared.signals.attach(self._reactor, self.reload, self._end, self._abort)

    # -- reload --------------------------------------------------------------------------------------------------------

    def reload(self) -> None:
        """Read the configuration anew; what is wrong with it leaves everything as it was."""
        if self._stopping:
            return
        old = self._plan
        try:
            plan, warnings = read_again(old)
        except SettingsError as error:
            self.log.fatal(f"{error}; the configuration of before stays in force")
            return
        self.log.info(f"reload -- version {plan.settings.mail_version}, configuration {plan.directory}")
        self._tell_oddities(plan, warnings)
        self._plan = self._prepared.plan = plan
        self._host.adopt(plan, self._host.definition)
        make_ready(self._host, plan)
        self._adopt(old, plan)

    # -- stress --------------------------------------------------------------------------------------------------------

    def _report(self, who: object, service: str, full: bool, serving: Callable[[Service], int]) -> None:
        """A process has no room left for a service, or has some again; `serving` counts those that have the service."""
        line = next((one for one in self._plan.services if f"{one.name}/inet" == service and one.type == "inet"), None)
        if line is not None:
            self._stress.report(who, service, full, serving(line), (line.name, line.name, self._plan.limit(line)))

    # -- stop ----------------------------------------------------------------------------------------------------------

    def _end(self, number: int = signal.SIGTERM) -> None:
        """Whoever asks for it: a signal, a command on the control socket. Who repeats it gets no more than that."""
        if not self._ending:
            self._ending = int(number)
            self._reactor.stop()

    def _farewell(self) -> None:
        """The last line."""
        self.log.info(f"terminating on signal {self._ending or int(signal.SIGTERM)}")
        self._lines.flush()
        self._prepared.release()
        if self._prepared.signals is not None:
            self._prepared.signals.ignore()
