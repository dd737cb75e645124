"""IAsUser in the agents' process: requests over the socket to the keeper (HOUSE 3).

Requests carry numbers, so that many can be under way. Each has a time limit, after which it fails with AsUserError
"temporary"; when the keeper goes away, all that wait fail so.
"""

from __future__ import annotations

import os
import socket
from typing import Any

from twisted.internet.defer import Deferred, fail
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from pytwfix.contracts.asuser import AsUserError, CommandResult, CommandRun, FileRead, Identity, MailboxWrite
from pytwfix.keeper import wire
from pytwfix.keeper.attempts import Attempts

_GRACE = 10.0


class KeeperClient(Protocol):
    """One socket, many requests. `patience` is the time limit of file requests in seconds (ipc_timeout)."""

    transport: Any = None  # ITransport and IUNIXTransport
    one_user = False

    def __init__(self, reactor: Any, patience: float = 3600.0) -> None:
        self._reactor = reactor
        self._patience = patience
        self._frames = wire.Frames()
        self._number = 0
        self._waiting: dict[int, tuple[int, Deferred[Any], Any]] = {}
        self._up = False
        self._attempts = Attempts(reactor.callLater)

    def connectionMade(self) -> None:
        self._up = True

    def dataReceived(self, data: bytes) -> None:
        for frame in self._frames.feed(data):
            verb, done, timer = self._waiting.pop(frame.number, (0, None, None))
            if done is None or timer is None:
                continue  # it came after its time limit
            timer.cancel()
            if frame.verb == wire.DONE:
                done.callback(wire.unpack_answer(verb, frame.body))
            else:
                done.errback(wire.unpack_error(frame.body))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._up = False
        waiting, self._waiting = self._waiting, {}
        for _, done, timer in waiting.values():
            timer.cancel()
            done.errback(_gone())

    # --- IAsUser

    def write(self, who: Identity, request: MailboxWrite) -> Deferred[int]:
        body = wire.pack_write(request)

        def once() -> Deferred[int]:
            return self._ask(wire.WRITE, who, body, self._patience)

        return self._attempts.write(once, request)

    def read(self, who: Identity, request: FileRead) -> Deferred[bytes | None]:
        return self._ask(wire.READ, who, wire.pack_read(request), self._patience)

    def run(self, who: Identity, request: CommandRun) -> Deferred[CommandResult]:
        return self._ask(wire.RUN, who, wire.pack_run(request), self._patience + request.time_limit + _GRACE)

    def spawn(self, who: Identity, request: CommandRun, connection: int) -> Deferred[CommandResult]:
        if not self._up or self.transport is None:
            return fail(_gone())
        copy = os.dup(connection)  # it is sent in a later turn, when the caller may have closed his
        self.transport.sendFileDescriptor(copy)
        done = self._ask(wire.SPAWN, who, wire.pack_run(request), self._patience + request.time_limit + _GRACE)
        return done.addBoth(_closing, copy)

    def stop(self) -> None:
        """Close the socket, which ends the keeper and what it has started."""
        if self.transport is not None:
            self.transport.loseConnection()

    def _ask(self, verb: int, who: Identity, body: bytes, limit: float) -> Deferred[Any]:
        if not self._up or self.transport is None:
            return fail(_gone())
        self._number = self._number % 0xFFFFFFFF + 1
        number = self._number
        done: Deferred[Any] = Deferred()
        timer = self._reactor.callLater(limit, self._too_late, number)
        self._waiting[number] = (verb, done, timer)
        self.transport.write(wire.Frame(number, verb, who.uid, who.gid, body).encode())
        return done

    def _too_late(self, number: int) -> None:
        _, done, _ = self._waiting.pop(number)
        done.errback(AsUserError("temporary", "the keeper process did not answer in time"))


def _gone() -> AsUserError:
    return AsUserError("temporary", "the keeper process is gone")


def _closing(result: Any, fd: int) -> Any:
    os.close(fd)
    return result


def adopt(reactor: Any, socket_fd: int, patience: float = 3600.0) -> KeeperClient:
    """The client over our end of the socket pair that the master made. The descriptor is copied."""
    client = KeeperClient(reactor, patience)
    factory = Factory.forProtocol(lambda: client)  # type: ignore[arg-type]
    reactor.adoptStreamConnection(socket_fd, socket.AF_UNIX, factory)
    return client
