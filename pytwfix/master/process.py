"""What all services of one process share: reactor, threads, disk, log, resolver, files that only root may read."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, maybeDeferred

from pytwfix.basics.disk import Disk
from pytwfix.logs.destinations import Destination
from pytwfix.logs.service import ServiceLog
from pytwfix.master.threads import Threads

if TYPE_CHECKING:
    from pytwfix.contracts.dns import INativeNames, IResolver


class SystemRandom:
    """IRandom from the kernel where it matters, else from a fast generator seeded by it."""

    def __init__(self) -> None:
        self._fast = random.Random()

    def random(self) -> float:
        return self._fast.random()

    def randrange(self, stop: int) -> int:
        return self._fast.randrange(stop)

    def shuffle(self, items: list[Any]) -> None:
        self._fast.shuffle(items)

    def bytes(self, size: int) -> bytes:
        return random.SystemRandom().randbytes(size)


class Process:
    """`secret` reads a file with the rights that it needs; `share` gives this process's part of a service's limit."""

    def __init__(
        self,
        reactor: Any,
        destination: Destination,
        secret: Callable[[str], Deferred[bytes]] | None = None,
        share: Callable[[int], int] = lambda limit: limit,
    ) -> None:
        self.reactor = reactor
        self.destination = destination
        self.disk = Disk()
        self.threads = Threads(reactor)
        self.random = SystemRandom()
        self.share = share
        self.resolver: IResolver | Any = None
        self.names: INativeNames | Any = None
        self.now = time.time
        self.monotonic = reactor.seconds if hasattr(reactor, "seconds") else time.monotonic
        self.work: set[Deferred[Any]] = set()
        self._secret = secret
        self._flushing = False

    def secret(self, path: str) -> Deferred[bytes]:
        if self._secret is not None:
            return self._secret(path)
        return maybeDeferred(self.threads.run, _read, path)

    def log(self, name: str) -> ServiceLog:
        """The log of a service, `postfix/smtpd`."""
        return ServiceLog(self.destination, name, self._log_later)

    def _log_later(self) -> None:
        """One write for all lines of this turn of the reactor."""
        if not self._flushing:
            self._flushing = True
            self.reactor.callLater(0, self._flush)

    def _flush(self) -> None:
        self._flushing = False
        self.destination.flush()

    def stop(self) -> None:
        """After all services have stopped."""
        self.destination.flush()
        self.threads.stop()


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()
