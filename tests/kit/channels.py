"""Two processes in memory: a pair of ipc channels, back to back, on one Clock."""

from __future__ import annotations

from typing import Any

from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from pytwfix.ipc.channel import Channel, Handler
from tests.kit.host import MemoryLog


class Wire:
    """One end's transport. What is written waits until `Pair.pump`."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.closed = False
        self.producer: Any = None

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        self.producer = producer

    def unregisterProducer(self) -> None:
        self.producer = None

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def loseConnection(self) -> None:
        self.closed = True

    abortConnection = loseConnection


class Pair:
    """`near` asks, `far` answers with `served`, or the reverse. `piece` is how much arrives at once; 0 for all."""

    def __init__(
        self,
        served: dict[int, Handler] | None = None,
        asked: dict[int, Handler] | None = None,
        clock: Clock | None = None,
        piece: int = 0,
        patience: float = 100.0,
    ) -> None:
        self.clock = clock or Clock()
        self.log = MemoryLog()
        self.piece = piece
        self.gone: list[Channel] = []
        self.near = Channel(self.clock, self.log, "far", asked or {}, patience, self.gone.append)
        self.far = Channel(self.clock, self.log, "near", served or {}, patience, self.gone.append)
        self.wires = (Wire(), Wire())
        for end, wire in zip((self.near, self.far), self.wires, strict=True):
            end.makeConnection(wire)  # type: ignore[arg-type]

    def pump(self) -> int:
        """Carry all that is ready to the other side, until nothing is; how many writes there were."""
        count = 0
        while True:
            self.clock.advance(0)
            moved = 0
            for wire, end in zip(self.wires, (self.far, self.near), strict=True):
                pieces, wire.written = wire.written, []
                moved += len(pieces)
                for data in pieces:
                    self._deliver(end, data)
            if not moved:
                return count
            count += moved

    def _deliver(self, end: Channel, data: bytes) -> None:
        size = self.piece or len(data)
        for at in range(0, len(data), size):
            end.dataReceived(data[at : at + size])

    def lose(self) -> None:
        """The connection ends."""
        for end in (self.near, self.far):
            end.connectionLost(Failure(ConnectionDone()))
