"""The system's own names: /etc/hosts and nss, by getnameinfo and getaddrinfo in threads (SM-3, SD-46).

A call that blocks cannot be ended, only given up: after `timeout` the answer is "try again", and at most `at_once`
calls occupy threads, so that a name service that hangs does not take all of them. The rest waits for its turn, within
the same time. Equal questions under way are one; answers are kept for seconds. `client` never fails; `addresses` errs
with DnsError, whose text is the system's reason.
"""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from twisted.internet.defer import Deferred, fail, succeed
from twisted.python.failure import Failure

from pytwfix.contracts.dns import Address, Answer, ClientNames, DnsError, NoData, NoSuchName, TryAgain
from pytwfix.mail.hostnames import valid_name

if TYPE_CHECKING:
    from pytwfix.contracts.host import IThreads

UNKNOWN = "unknown"
FINE, LATER, NONE = 2, 4, 5
_TEMPORARY = frozenset((socket.EAI_AGAIN, socket.EAI_MEMORY, socket.EAI_SYSTEM))
_KEEP = 60.0  # seconds that an answer is kept
_KEEP_FAILURE = 5.0
_MOST = 5000  # answers that are kept


class SystemNames:
    """The two calls, which block: socket.gaierror."""

    @staticmethod
    def name_of(address: str) -> str:
        return socket.getnameinfo((address, 0), socket.NI_NAMEREQD)[0]

    @staticmethod
    def addresses_of(name: str, family: int = 0) -> list[Address]:
        """Of one family, or of both."""
        found = socket.getaddrinfo(name, None, family, socket.SOCK_STREAM)
        families = (socket.AF_INET, socket.AF_INET6)
        out = (Address(int(item[0]), str(item[4][0]).partition("%")[0]) for item in found if item[0] in families)
        return list(dict.fromkeys(out))


class _Call:
    __slots__ = ("argument", "function", "key", "late", "timer", "waiting")

    def __init__(self, key: tuple[str, str], function: Callable[[str], Any], late: Any) -> None:
        self.key = key
        self.function = function
        self.late = late  # what to answer when the time is up
        self.waiting: list[Deferred[Any]] = []
        self.timer: Any = None


class Native:
    """INativeNames. `threads` may be a pool of its own, else `at_once` should be well below the pool's size."""

    def __init__(
        self,
        reactor: Any,
        threads: IThreads,
        monotonic: Callable[[], float],
        timeout: float = 30.0,
        at_once: int = 8,
        system: SystemNames | None = None,
    ) -> None:
        self._reactor = reactor
        self._threads = threads
        self._monotonic = monotonic
        self._timeout = timeout
        self._free = at_once
        self._system = system or SystemNames()
        self._queue: deque[_Call] = deque()
        self._calls: dict[tuple[str, str], _Call] = {}
        self._kept: dict[tuple[str, str], tuple[float, Any]] = {}

    # INativeNames.

    def client(self, address: str) -> Deferred[ClientNames]:
        """The client's name: confirmed by its addresses, or "unknown"."""
        late = ClientNames(UNKNOWN, UNKNOWN, LATER, LATER)
        return cast("Deferred[ClientNames]", self._ask(("client", address), self._client, late))

    def addresses(self, name: str) -> Deferred[Answer]:
        """All addresses of both families. Errback: NoSuchName, TryAgain."""
        late = TryAgain(name, "A", "timed out")
        return cast("Deferred[Answer]", self._ask(("addresses", name.lower()), self._addresses, late))

    def reload(self) -> None:
        """Forget all answers: /etc/hosts may say something else now."""
        self._kept.clear()

    # What is asked, in a thread.

    def _client(self, address: str) -> ClientNames:
        try:
            name = self._system.name_of(address)
        except socket.gaierror as error:
            status = _status(error)
            return ClientNames(UNKNOWN, UNKNOWN, status, status)
        except (OSError, UnicodeError):
            return ClientNames(UNKNOWN, UNKNOWN, NONE, NONE)
        if not valid_name(name.encode("utf-8", "surrogateescape")):
            return ClientNames(UNKNOWN, UNKNOWN, NONE, NONE)
        return self._confirmed(address, name)

    def _confirmed(self, address: str, name: str) -> ClientNames:
        warning = f"hostname {name} does not resolve to address {address}"
        try:
            wanted = _packed(address)
            found = self._system.addresses_of(name, socket.AF_INET if len(wanted) == 4 else socket.AF_INET6)
        except socket.gaierror as error:
            return ClientNames(UNKNOWN, name, _status(error), FINE, f"{warning}: {error.strerror}")
        except (OSError, UnicodeError) as error:
            return ClientNames(UNKNOWN, name, NONE, FINE, f"{warning}: {error}")
        if any(_packed(one.address) == wanted for one in found):
            return ClientNames(name, name, FINE, FINE)
        return ClientNames(UNKNOWN, name, NONE, FINE, warning)

    def _addresses(self, name: str) -> Answer | DnsError:
        try:
            found = self._system.addresses_of(name)
        except socket.gaierror as error:
            if _status(error) == LATER:
                return TryAgain(name, "A", error.strerror or str(error))
            kind = NoSuchName if error.errno == socket.EAI_NONAME else NoData
            return kind(name, "A", error.strerror or str(error))
        except (OSError, UnicodeError) as error:
            return NoSuchName(name, "A", str(error))
        if not found:
            return NoSuchName(name, "A", "Name or service not known")
        return Answer(tuple(found), False, 0, name)

    # How it is asked.

    def _ask(self, key: tuple[str, str], function: Callable[[str], Any], late: Any) -> Deferred[Any]:
        kept = self._kept.get(key)
        if kept is not None and kept[0] > self._monotonic():
            return _fired(kept[1])
        done: Deferred[Any] = Deferred()
        call = self._calls.get(key)
        if call is None:
            call = self._calls[key] = _Call(key, function, late)
            call.timer = self._reactor.callLater(self._timeout, self._expired, call)
            call.waiting.append(done)
            self._queue.append(call)
            self._next()
        else:
            call.waiting.append(done)
        return done

    def _next(self) -> None:
        while self._free and self._queue:
            call = self._queue.popleft()
            self._free -= 1
            self._threads.run(call.function, call.key[1]).addBoth(self._ended, call)

    def _ended(self, result: Any, call: _Call) -> None:
        self._free += 1
        if isinstance(result, Failure):  # the pool is closing
            result = call.late
        self._keep(call.key, result)
        self._settle(call, result)
        self._next()

    def _expired(self, call: _Call) -> None:
        call.timer = None
        if call in self._queue:
            self._queue.remove(call)
        self._settle(call, call.late)

    def _settle(self, call: _Call, result: Any) -> None:
        """Answer everyone who waits. After a timeout a new question is a new call."""
        if call.timer is not None:
            call.timer.cancel()
            call.timer = None
        if self._calls.get(call.key) is call:
            del self._calls[call.key]
        waiting, call.waiting = call.waiting, []
        for done in waiting:
            _fired(result).chainDeferred(done)

    def _keep(self, key: tuple[str, str], result: Any) -> None:
        now = self._monotonic()
        if len(self._kept) >= _MOST:
            self._kept = {key: item for key, item in self._kept.items() if item[0] > now}
            if len(self._kept) >= _MOST:
                self._kept.clear()
        good = result.name_status == FINE if isinstance(result, ClientNames) else isinstance(result, Answer)
        self._kept[key] = (now + (_KEEP if good else _KEEP_FAILURE), result)


def _status(error: socket.gaierror) -> int:
    return LATER if error.errno in _TEMPORARY else NONE


def _packed(address: str) -> bytes:
    """An address to compare: ::ffff:192.0.2.1 is 192.0.2.1."""
    try:
        packed = socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)
    except OSError:
        return address.encode()
    return packed[12:] if packed.startswith(b"\0" * 10 + b"\xff\xff") else packed


def _fired(result: Any) -> Deferred[Any]:
    if isinstance(result, DnsError):
        return fail(type(result)(result.name, result.rtype, result.text))
    return succeed(result)
