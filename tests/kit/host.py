"""A host in memory (contracts/host.py): a Clock for time, a list for the log, a dict for main.cf, threads that run at
once."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import Clock

from pytwfix.basics.disk import Disk
from pytwfix.settings.group import Group
from pytwfix.settings.snapshot import Snapshot

G = TypeVar("G", bound=Group)
T = TypeVar("T")


class MemoryLog:
    """ILog: `lines` as text with the level's word in front."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def info(self, text: str) -> None:
        self.lines.append(text)

    def warning(self, text: str) -> None:
        self.lines.append("warning: " + text)

    def error(self, text: str) -> None:
        self.lines.append("error: " + text)

    def fatal(self, text: str) -> None:
        self.lines.append("fatal: " + text)

    def failure(self, what: str, reason: BaseException) -> None:
        self.lines.append(f"error: {what}: {type(reason).__name__}: {reason}")


class InstantThreads:
    """IThreads: the call is made at once, in this thread."""

    def run(self, function: Callable[..., T], *args: Any) -> Deferred[T]:
        return maybeDeferred(function, *args)


class SeededRandom:
    """IRandom that gives the same numbers in every run."""

    def __init__(self, seed: int = 1) -> None:
        self._random = random.Random(seed)

    def random(self) -> float:
        return self._random.random()

    def randrange(self, stop: int) -> int:
        return self._random.randrange(stop)

    def shuffle(self, items: list[Any]) -> None:
        self._random.shuffle(items)

    def bytes(self, size: int) -> bytes:
        return self._random.randbytes(size)


class Peers:
    """IPeers: what a test puts in. Asking for a peer that it did not put in is an AttributeError."""

    cleanup: Any
    queue: Any
    store: Any
    rewriter: Any
    reports: Any
    agents: Any
    verifier: Any
    counters: Any
    tls_sessions: Any
    proxymap: Any = None
    flusher: Any
    asuser: Any
    control: Any

    def __init__(self, **peers: Any) -> None:
        for name, peer in peers.items():
            setattr(self, name, peer)


class MemoryHost:
    """IHost. `main` is main.cf; `start` the wall time at which the Clock stands at 0."""

    def __init__(
        self,
        main: dict[str, str] | None = None,
        service: str = "smtp",
        program: str = "smtpd",
        start: float = 1_700_000_000.0,
        clock: Clock | None = None,
        **peers: Any,
    ) -> None:
        values = {"myhostname": "mx.example.com", "mydomain": "example.com", "mynetworks": "127.0.0.0/8"}
        values.update(main or {})
        self.service = service
        self.program = program
        self.clock = clock or Clock()
        self.reactor: Any = self.clock
        self.log = MemoryLog()
        self.disk = Disk()
        self.threads = InstantThreads()
        self.random = SeededRandom()
        self.peers: Any = Peers(**peers)
        self.resolver: Any = None
        self.names: Any = None
        self.stress = False
        self.secrets: dict[str, bytes] = {}
        self.work: list[Deferred[Any]] = []
        self._start = start
        self.snapshot = Snapshot(values).with_service(service, program)
        self._tables: Any = None

    @property
    def tables(self) -> Any:
        """The real tables of this main.cf, unless a test set others."""
        if self._tables is None:
            from pytwfix.tables.registry import tables_for

            self._tables = tables_for(self)
        return self._tables

    @tables.setter
    def tables(self, value: Any) -> None:
        self._tables = value

    def settings(self, group: type[G]) -> G:
        return self.snapshot.group(group)

    def expand(self, text: str) -> str:
        return self.snapshot.expand(text)

    def parameter(self, name: str) -> str | None:
        value = self.snapshot.get(name)
        return None if value is None else self.snapshot.expand(value)

    def now(self) -> float:
        return self._start + self.clock.seconds()

    def monotonic(self) -> float:
        return self.clock.seconds()

    def call_later(self, seconds: float, function: Callable[..., Any], *args: Any) -> IDelayedCall:
        return self.clock.callLater(seconds, function, *args)

    def background(self, work: Awaitable[Any], what: str) -> None:
        given: Any = work
        done: Deferred[Any] = given if isinstance(given, Deferred) else Deferred.fromCoroutine(given)
        done.addErrback(self._failed, what)
        self.work.append(done)

    def _failed(self, failure: Any, what: str) -> None:
        self.log.failure(what, failure.value)

    def secret(self, path: str) -> Deferred[bytes]:
        if path in self.secrets:
            return succeed(self.secrets[path])
        return maybeDeferred(_read, path)

    def connected(self) -> bool:
        return True

    def disconnected(self) -> None:
        """No limit, nothing to count."""


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()
