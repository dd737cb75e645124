"""The process that has the queue, as the others see it: a channel to each of them, answered by its rooms (HOUSE 3)."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

from pytwfix.ipc import servers
from pytwfix.ipc.channel import Channel, adopt
from pytwfix.ipc.servers import Counted
from pytwfix.master.placement import WORKER
from pytwfix.master.spread import Spread

if TYPE_CHECKING:
    from pytwfix.contracts.host import ILog
    from pytwfix.master.rooms import Rooms


class Hub:
    """`spread` is what the rooms use for deliveries elsewhere."""

    def __init__(self, rooms: Rooms, log: ILog) -> None:
        self._rooms = rooms
        self._log = log
        host = next(one for one in rooms.hosts.values() if one.program in ("qmgr", "oqmgr"))
        self.spread = Spread(host, rooms.roles)
        rooms.board.agents.remote = self.spread
        self._workers: set[Channel] = set()
        self._alone: Deferred[None] | None = None

    def connect(self, kind: str, end: socket.socket) -> None:
        """Another process is there, at the other end of this socket."""
        board = self._rooms.board
        counted = Counted(board.one["counters"])
        group = self.spread.groups[kind]
        served = {
            **servers.queue(board.one["queue"], lambda queue_id: group.brought(queue_id, channel)),
            **servers.reports(board.one["reports"]),
            **servers.verifier(board.one["verifier"]),
            **servers.tls_sessions(board.one["tls_sessions"]),
            **servers.proxymap(board.one["proxymap"]),
            **servers.flusher(board.one["flusher"]),
            **servers.agents(board.agents),
            **counted.handlers(),
        }

        def gone(channel: Channel) -> None:
            group.detach(channel)
            counted.release()
            self._workers.discard(channel)
            if not self._workers and self._alone is not None:
                alone, self._alone = self._alone, None
                alone.callback(None)

        patience = self._rooms.plan.settings.ipc_timeout
        reactor = self._rooms.process.reactor
        channel = Channel(reactor, self._log, kind, served, patience, gone)
        if kind == WORKER:
            self._workers.add(channel)
        adopt(reactor, end, channel)
        group.attach(channel)

    def alone(self) -> Deferred[None]:
        """Fires when the last worker has gone: until then they may have something to say."""
        alone: Deferred[None] = Deferred()
        if self._workers:
            self._alone = alone
        else:
            alone.callback(None)
        return alone
