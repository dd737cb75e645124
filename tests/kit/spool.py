"""A queue on disk for a test: its directories under a temporary one, and a store on a MemoryHost."""

from __future__ import annotations

import os
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from pytwfix.contracts.queue import INCOMING
from pytwfix.mail.envelope import Client, Envelope, Recipient
from pytwfix.spool.store import QueueStore
from tests.kit.host import MemoryHost

T = TypeVar("T")
DIRECTORIES = (
    "maildrop", "incoming", "active", "deferred", "hold", "corrupt", "bounce", "defer", "trace", "submit", "private",
)  # fmt: skip
CLIENT = Client("client.example", "192.0.2.1", "1234", "helo.example", "ESMTP", "rev.example", "2", "192.0.2.2", "25")


def result(deferred: Deferred[T]) -> T:
    """What a Deferred has fired with already; its failure is raised."""
    out: list[Any] = []
    deferred.addBoth(out.append)
    if not out:
        raise AssertionError("not fired yet")
    if isinstance(out[0], Failure):
        out[0].raiseException()
    found: T = out[0]
    return found


def collected(pieces: Any) -> list[Any]:
    """All of an asynchronous iterator that never waits."""

    async def collect() -> list[Any]:
        return [piece async for piece in pieces]

    return result(Deferred.fromCoroutine(collect()))


class Spool:
    """`store` on the directory `path`; what a test does with both."""

    def __init__(self, path: str, **main: str) -> None:
        self.path = os.path.abspath(path)
        for name in DIRECTORIES:
            os.makedirs(f"{self.path}/{name}", exist_ok=True)
        self.host = MemoryHost({"queue_directory": self.path, **main})
        self.store = QueueStore(self.host)

    def put(self, content: bytes, *to: bytes, queue: str = INCOMING, piece: int = 1 << 16, **more: Any) -> Envelope:
        """A message in a queue."""
        new = result(self.store.create())
        for at in range(0, len(content), piece):
            new.content(content[at : at + piece])
        envelope = Envelope(
            sender=b"sender@example.org",
            recipients=[Recipient(address, address) for address in to],
            arrival=self.host.now(),
            log_ident=new.queue_id,
            client=CLIENT,
            **more,
        )
        return result(new.commit(envelope, queue))

    def file(self, queue: str, queue_id: str) -> bytes:
        with open(self.store.paths.path(queue, queue_id), "rb") as file:
            return file.read()

    def again(self) -> QueueStore:
        """A store of another process on the same files: nothing is in its memory."""
        return QueueStore(self.host)

    def turn(self) -> None:
        """The end of this turn of the reactor."""
        self.host.clock.advance(0)
