"""smtpd_sasl_type = dovecot: Dovecot's auth server decides (SD-41).

Connections are kept and used again, one exchange at a time on each: what one client sends can only end its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from pytwfix.accept.smtpd import log
from pytwfix.accept.smtpd.endpoints import Endpoint, limited
from pytwfix.accept.smtpd.safety import Fatal
from pytwfix.accept.smtpd.sasl import CHALLENGE, DONE, REFUSED, UNAVAILABLE, Step
from pytwfix.dialogs.dovecot_auth import Answer, DovecotAuth, DovecotError

if TYPE_CHECKING:
    from pytwfix.accept.smtpd.settings import SmtpdSettings
    from pytwfix.accept.smtpd.state import State
    from pytwfix.contracts.host import IHost
    from pytwfix.dialogs.dovecot_auth import Mechanism

_LOST = "Connection lost to authentication server"
_MOST_IDLE = 10


class _Lost(Exception):
    """The connection has ended."""


class _Connection(Protocol):
    """One connection; `introduced` fires when the server has said what it can do."""

    def __init__(self, number: int) -> None:
        self.dialog = DovecotAuth()
        self.introduced: Deferred[None] = Deferred()
        self.lost = False
        self.used = 0
        self._number = number
        self._waiting: Deferred[Answer] | None = None

    def connectionMade(self) -> None:
        self._write(self.dialog.hello(self._number))

    def _write(self, data: bytes) -> None:
        transport: Any = self.transport
        transport.write(data)

    def ask(self, data: bytes) -> Deferred[Answer]:
        waiting: Deferred[Answer] = Deferred()
        if self.lost:
            waiting.errback(_Lost())
            return waiting
        self._waiting = waiting
        self._write(data)
        return waiting

    def dataReceived(self, data: bytes) -> None:
        was_ready = self.dialog.ready
        try:
            answers = self.dialog.receive(data)
        except DovecotError as error:
            self._end(error)
            return
        if self.dialog.ready and not was_ready:
            self.introduced.callback(None)
        for answer in answers:
            waiting, self._waiting = self._waiting, None
            if waiting is not None and answer.number == self.used:
                waiting.callback(answer)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._end(_Lost())

    def _end(self, error: Exception) -> None:
        self.drop()
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.errback(error)
        if not self.introduced.called:
            self.introduced.errback(error)

    def drop(self) -> None:
        transport: Any = self.transport
        if not self.lost and transport is not None:
            transport.abortConnection()
        self.lost = True


class DovecotSasl:
    """See the module."""

    def __init__(self, host: IHost, cfg: SmtpdSettings) -> None:
        self.host = host
        self.service = cfg.smtpd_sasl_service
        self.timeout = cfg.pytwfix_sasl_timeout
        try:
            self._end = Endpoint(host, cfg.smtpd_sasl_path, local=True)
        except ValueError as error:
            raise Fatal(f"smtpd_sasl_path: {error}") from error
        self._idle: list[_Connection] = []
        self._mechanisms: list[Mechanism] = []

    async def mechanisms(self) -> list[Mechanism]:
        if not self._mechanisms:
            connection = await self.connection()
            if connection is not None:
                self.keep(connection)
        return self._mechanisms

    async def connection(self) -> _Connection | None:
        """One that is free; None, and a warning, when there is none to be had."""
        while self._idle:
            connection = self._idle.pop()
            if not connection.lost:
                return connection
        try:
            number = self.host.random.randrange(1 << 31)
            connection = await self._end.connect(lambda: _Connection(number), self.timeout)
            try:
                await limited(self.host, connection.introduced, self.timeout)
            except BaseException:
                connection.drop()
                raise
        except Exception as error:
            log.sasl_unreachable(self.host.log, self._end.text, str(error) or _LOST)
            return None
        self._mechanisms = connection.dialog.mechanisms
        return connection

    def keep(self, connection: _Connection) -> None:
        if not connection.lost and len(self._idle) < _MOST_IDLE:
            self._idle.append(connection)
        else:
            connection.drop()

    def begin(self, state: State, mechanism: str) -> _Exchange:
        return _Exchange(self, state, mechanism)

    def stop(self) -> None:
        while self._idle:
            self._idle.pop().drop()


class _Exchange:
    __slots__ = ("_connection", "_mechanism", "_owner", "_parameters", "_user")

    def __init__(self, owner: DovecotSasl, state: State, mechanism: str) -> None:
        self._owner = owner
        self._mechanism = mechanism
        self._parameters = _parameters(owner.service, state)
        self._connection: _Connection | None = None
        self._user = ""

    async def start(self, initial: bytes | None) -> Step:
        for _ in range(2):  # an idle connection may have been closed by the other side
            connection = await self._owner.connection()
            if connection is None:
                break
            fresh = not connection.used
            self._connection = connection
            connection.used += 1
            data = connection.dialog.auth(connection.used, self._mechanism, self._parameters, initial)
            step = await self._asked(data)
            if step.kind != UNAVAILABLE or fresh:
                return step
        return Step(UNAVAILABLE, text=_LOST)

    async def respond(self, data: bytes) -> Step:
        connection = self._connection
        if connection is None:
            return Step(UNAVAILABLE, text=_LOST, user=self._user)
        return await self._asked(connection.dialog.cont(connection.used, data))

    async def _asked(self, data: bytes) -> Step:
        connection = self._connection
        assert connection is not None
        try:
            answer = await limited(self._owner.host, connection.ask(data), self._owner.timeout)
        except Exception as error:
            if isinstance(error, DovecotError):
                self._owner.host.log.warning(f"SASL: {error}")
            self.abort()
            return Step(UNAVAILABLE, text=_LOST, user=self._user)
        self._user = answer.values.get("user", self._user)
        if answer.kind == "CONT":
            return Step(CHALLENGE, answer.data)
        self._connection = None
        self._owner.keep(connection)
        if answer.kind == "OK":
            return Step(DONE, user=self._user)
        temporary = "temp" in answer.values or answer.values.get("code") == "temp_fail"
        return Step(UNAVAILABLE if temporary else REFUSED, text=answer.values.get("reason", ""), user=self._user)

    def abort(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.drop()


def _parameters(service: str, state: State) -> list[str]:
    client = state.client
    words = [f"service={service}", "nologin"]
    for name, value in (
        ("lip", client.server_address),
        ("lport", client.server_port),
        ("rip", client.address),
        ("rport", client.port),
    ):
        if value and value != "unknown":
            words.append(f"{name}={value}")
    if state.tls is not None:
        words.append("secured")
    return words
