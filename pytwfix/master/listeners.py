"""The master's listening sockets and its log file: what children get of them at fork and at a reload (MA-1, MA-11)."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

from pytwfix.logs.destinations import destination
from pytwfix.logs.switch import LogSwitch
from pytwfix.master import placement
from pytwfix.master.plan import program
from pytwfix.master.sockets import Place, bind, key, places, unlink
from pytwfix.settings.kinds import SettingsError

if TYPE_CHECKING:
    from pytwfix.contracts.host import ILog
    from pytwfix.master.permissions import Account
    from pytwfix.master.plan import Plan


class Listeners:
    """`sockets` by place; those in the file system are given to `owner`, as whose user they are served."""

    def __init__(self, sockets: dict[Place, socket.socket], owner: Account | None) -> None:
        self._sockets = sockets
        self._owner = owner
        for place in sockets:
            self._give(place)

    def _give(self, place: Place) -> None:
        if place.family == socket.AF_UNIX and self._owner is not None:
            os.chown(place.address, self._owner.uid, self._owner.gid, follow_symlinks=False)

    @staticmethod
    def belongs(plan: Plan, place: Place, roles: frozenset[str]) -> bool:
        """Whether a process with these roles serves this place."""
        return any(key(line) == place.key and placement.runs(program(line), roles) for line in plan.services)

    def take(self, plan: Plan, roles: frozenset[str]) -> dict[Place, socket.socket]:
        """In a child: its own; the others are closed."""
        own: dict[Place, socket.socket] = {}
        for place, bound in self._sockets.items():
            if self.belongs(plan, place, roles):
                own[place] = bound
            else:
                bound.close()
        return own

    def close(self) -> None:
        for bound in self._sockets.values():
            bound.close()

    def has(self, place: Place) -> bool:
        return place in self._sockets

    def update(self, plan: Plan, log: ILog) -> dict[Place, socket.socket]:
        """At a reload: what is no longer wanted is closed, what is new is bound and returned."""
        try:
            wanted = places(plan)
        except SettingsError as error:
            log.warning(str(error))
            return {}
        for place in [one for one in self._sockets if one not in wanted]:
            self._sockets.pop(place).close()
            unlink(place)
        made: dict[Place, socket.socket] = {}
        for place in wanted:
            if place not in self._sockets:
                try:
                    made[place] = self._sockets[place] = bind(place, plan.settings.tcp_windowsize)
                    self._give(place)
                except SettingsError as error:
                    log.warning(str(error))
        return made

    @staticmethod
    def reopen_log(log: LogSwitch, old: Plan, plan: Plan) -> int:
        """Open the log file anew, which may have been renamed; its descriptor, -1 when the log is no file."""
        if log_of(old) == log_of(plan):
            log.reopen()
        else:
            try:
                log.point(destination(*log_of(plan)))
            except OSError:
                log.reopen()  # the new place cannot be opened: the old one stays
        return log.fileno()


def log_of(plan: Plan) -> tuple[str, str, str, str]:
    """What decides where the log goes."""
    cfg = plan.settings
    return cfg.maillog_file, cfg.syslog_facility, cfg.maillog_file_permissions, cfg.myhostname
