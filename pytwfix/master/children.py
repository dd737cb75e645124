"""The master's children: what it knows of each, how one is made, what its end means (MA-6)."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet import process

if TYPE_CHECKING:
    from pytwfix.contracts.host import ILog
    from pytwfix.ipc.channel import Channel

KEEPER = "keeper"


class Child:
    """`ready` when it has said that it serves; the keeper has no channel and is ready from the start."""

    def __init__(self, kind: str, index: int, started: float) -> None:
        self.kind = kind
        self.index = index
        self.started = started
        self.pid = 0
        self.channel: Channel | None = None
        self.ready = kind == KEEPER

    @property
    def place(self) -> tuple[str, int]:
        """The same for the one that takes its place."""
        return self.kind, self.index

    def close_here(self) -> None:
        """In another child: what the master has of this one is not for it."""
        if self.channel is not None and self.channel.transport is not None:
            self.channel.transport.getHandle().close()

    def kill(self) -> None:
        """At once."""
        try:
            os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # it has ended, and will be reaped


class Reaper:
    """What Twisted calls when a child has ended."""

    def __init__(self, child: Child, ended: Callable[[Child, int], None]) -> None:
        self._child = child
        self._ended = ended

    def watch(self) -> None:
        process.registerReapProcessHandler(self._child.pid, self)

    def reapProcess(self) -> None:
        try:
            pid, status = os.waitpid(self._child.pid, os.WNOHANG)
        except ChildProcessError:
            pid, status = self._child.pid, 0
        if pid:
            process.unregisterReapProcessHandler(pid, self)
            self.processEnded(status)

    def processEnded(self, status: int) -> None:
        self._ended(self._child, status)


def log_end(log: ILog, child: Child, status: int) -> None:
    """Postfix's warning for an end that was not a good one."""
    code = os.waitstatus_to_exitcode(status)
    if code > 0:
        log.warning(f"process {child.kind} pid {child.pid} exit status {code}")
    elif code < 0:
        log.warning(f"process {child.kind} pid {child.pid} killed by signal {-code}")


def pair() -> tuple[socket.socket, socket.socket]:
    """Two ends that do not block."""
    ends = socket.socketpair()
    for end in ends:
        end.setblocking(False)
    return ends


def connect(hub: Any, child: Any) -> None:
    """A way from one process to another, both of which get their end from the master."""
    from pytwfix.ipc import methods

    for_hub, for_child = pair()
    hub.channel.give(for_hub.fileno(), methods.PEER, child.kind)
    child.channel.give(for_child.fileno(), methods.PEER, hub.kind)
    for_hub.close()
    for_child.close()
