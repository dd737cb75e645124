"""Opens the control sockets where the queue is (contracts/control.py)."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import Any

from pytwfix.contracts.control import CONTROL_SOCKET, SUBMIT_SOCKET
from pytwfix.master import controlsocket
from pytwfix.master.control import Control
from pytwfix.master.plan import program
from pytwfix.master.rooms import Rooms
from pytwfix.master.sockets import Place, bind


class ControlPorts:
    """`submit/socket` for everyone, `private/control` for those who may enter that directory. `pid` is the master's."""

    def __init__(self, rooms: Rooms, reload: Callable[[], None], stop: Callable[[], None], pid: int) -> None:
        self._rooms = rooms
        self._pid = pid
        host = next(host for host in rooms.hosts.values() if host.program == "pickup")
        pickup = next(one for at, one in rooms.made.items() if rooms.hosts.get(at) is host)
        self._host = host
        self.control = Control(host, pickup, reload, stop, self._status)
        rooms.board.one["control"] = self.control
        self._ports: list[Any] = []

    def _status(self) -> dict[str, Any]:
        plan = self._rooms.plan
        services = [f"{service.name}/{service.type}" for service in plan.services]
        return {"pid": self._pid, "configuration": plan.directory, "services": services, "programs": _programs(plan)}

    def open(self) -> None:
        directory = self._rooms.plan.settings.queue_directory
        for name, mode in ((SUBMIT_SOCKET, 0o666), (CONTROL_SOCKET, 0o600)):
            path = f"{directory}/{name}"
            bound = bind(Place(name, socket.AF_UNIX, path))
            factory = controlsocket.factory(self._host, self.control, name == CONTROL_SOCKET)
            reactor = self._rooms.process.reactor
            port = reactor.adoptStreamPort(bound.fileno(), socket.AF_UNIX, factory)
            bound.close()
            os.chmod(path, mode)  # adoptStreamPort has opened it to everyone
            self._ports.append((port, path))

    def close(self) -> None:
        for port, path in self._ports:
            port.stopListening()
            try:
                os.unlink(path)
            except OSError:
                continue
        self._ports.clear()


def _programs(plan: Any) -> list[str]:
    return sorted({program(service) for service in plan.services})
