"""What a service is given to live with: clock, disk, threads, log, settings, tables, resolver, and its peers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IDelayedCall

    from pytwfix.contracts.asuser import IAsUser
    from pytwfix.contracts.cleanup import ICleanup
    from pytwfix.contracts.control import IControl
    from pytwfix.contracts.counters import ICounters
    from pytwfix.contracts.delivery import IDeliveryAgents
    from pytwfix.contracts.dns import INativeNames, IResolver
    from pytwfix.contracts.flushing import IFlusher
    from pytwfix.contracts.proxying import ITableProxy
    from pytwfix.contracts.queue import IQueue, IQueueStore
    from pytwfix.contracts.reports import IReports
    from pytwfix.contracts.rewriting import IRewriter
    from pytwfix.contracts.tables import ITables
    from pytwfix.contracts.tlssessions import ITlsSessions
    from pytwfix.contracts.verification import IVerifier
    from pytwfix.settings.group import Group

    G = TypeVar("G", bound=Group)
else:
    G = TypeVar("G")
T = TypeVar("T")


class ILog(Protocol):
    """Where a service's log lines go. The text has no prefix and no line end; the tag is `postfix/smtpd[pid]`."""

    def info(self, text: str) -> None: ...
    def warning(self, text: str) -> None:
        """Logged as `warning: text`."""

    def error(self, text: str) -> None: ...
    def fatal(self, text: str) -> None:
        """Logged as `fatal: text`; does not end the process."""

    def failure(self, what: str, reason: BaseException) -> None:
        """An exception that nobody expected: logged as an error with its traceback folded into one line."""


class IThreads(Protocol):
    """The one pool for calls that block."""

    def run(self, function: Callable[..., T], *args: Any) -> Deferred[T]: ...


class IDisk(Protocol):
    """Every disk call that a room makes, so that tests can stand in for all of them. All block: they are `os` calls.

    Same arguments, results and OSError as the `os` functions of these names.
    """

    def open(self, path: str, flags: int, mode: int = 0o600) -> int: ...
    def close(self, fd: int) -> None: ...
    def read(self, fd: int, size: int) -> bytes: ...
    def pread(self, fd: int, size: int, offset: int) -> bytes: ...
    def write(self, fd: int, data: bytes) -> int: ...
    def writev(self, fd: int, data: Sequence[bytes]) -> int: ...
    def pwrite(self, fd: int, data: bytes, offset: int) -> int: ...
    def fsync(self, fd: int) -> None: ...
    def fdatasync(self, fd: int) -> None: ...
    def ftruncate(self, fd: int, size: int) -> None: ...
    def fstat(self, fd: int) -> Any: ...
    def fchmod(self, fd: int, mode: int) -> None: ...
    def fchown(self, fd: int, uid: int, gid: int) -> None: ...
    def stat(self, path: str) -> Any: ...
    def lstat(self, path: str) -> Any: ...
    def link(self, source: str, target: str) -> None:
        """Follows a symbolic source, so that /proc/self/fd/N can be given a name."""

    def rename(self, source: str, target: str) -> None: ...
    def unlink(self, path: str) -> None: ...
    def mkdir(self, path: str, mode: int = 0o700) -> None: ...
    def chmod(self, path: str, mode: int) -> None: ...
    def utime(self, path: str, when: float) -> None: ...
    def listdir(self, path: str) -> list[str]: ...
    def statvfs(self, path: str) -> Any: ...
    def lock(self, fd: int, exclusive: bool = True, wait: bool = False) -> bool:
        """flock; False when another holds it and `wait` is not set."""


class IRandom(Protocol):
    def random(self) -> float: ...
    def randrange(self, stop: int) -> int: ...
    def shuffle(self, items: list[Any]) -> None: ...
    def bytes(self, size: int) -> bytes: ...


class IPeers(Protocol):
    """The other rooms, by contract. In one process the object itself, else a proxy with the same interface."""

    @property
    def cleanup(self) -> ICleanup: ...
    @property
    def queue(self) -> IQueue: ...
    @property
    def store(self) -> IQueueStore: ...
    @property
    def rewriter(self) -> IRewriter: ...
    @property
    def reports(self) -> IReports: ...
    @property
    def agents(self) -> IDeliveryAgents: ...
    @property
    def verifier(self) -> IVerifier: ...
    @property
    def counters(self) -> ICounters: ...
    @property
    def tls_sessions(self) -> ITlsSessions: ...
    @property
    def proxymap(self) -> ITableProxy | None: ...
    @property
    def flusher(self) -> IFlusher: ...
    @property
    def asuser(self) -> IAsUser: ...
    @property
    def control(self) -> IControl: ...


class IHost(Protocol):
    """What a room's constructor takes. One host a service: `log` and `settings` are the service's own."""

    @property
    def service(self) -> str:
        """The name in master.cf, such as "smtp", "127.0.0.1:10025" or "relay"."""

    @property
    def program(self) -> str:
        """The command in master.cf, such as "smtpd"."""

    @property
    def reactor(self) -> Any:
        """IReactorTime, IReactorTCP, IReactorUNIX, IReactorFDSet, IReactorProcess."""

    @property
    def log(self) -> ILog: ...
    @property
    def disk(self) -> IDisk: ...
    @property
    def threads(self) -> IThreads: ...
    @property
    def random(self) -> IRandom: ...
    @property
    def tables(self) -> ITables: ...
    @property
    def resolver(self) -> IResolver: ...
    @property
    def names(self) -> INativeNames: ...
    @property
    def peers(self) -> IPeers: ...
    @property
    def stress(self) -> bool: ...

    def settings(self, group: type[G]) -> G:
        """This service's view of a group of parameters, as of the last reload. Cheap: ask once a session."""

    def expand(self, text: str) -> str:
        """`text` with $name expanded by this service's parameters."""

    def parameter(self, name: str) -> str | None:
        """A parameter by a name that is only known at run time (restriction classes, map names), expanded."""

    def now(self) -> float:
        """Wall time, seconds since the epoch."""

    def monotonic(self) -> float: ...
    def call_later(self, seconds: float, function: Callable[..., Any], *args: Any) -> IDelayedCall: ...
    def background(self, work: Awaitable[Any], what: str) -> None:
        """Run a coroutine that nobody waits for: a failure is logged as `what`, and stop waits for it."""

    def secret(self, path: str) -> Deferred[bytes]:
        """The bytes of a file that perhaps only root may read, named by main.cf or master.cf (OSError)."""

    def connected(self) -> bool:
        """Count one session more against the service's process limit; False when it is full."""

    def disconnected(self) -> None: ...
