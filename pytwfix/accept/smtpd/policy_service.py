"""check_policy_service: another program decides (SD-40). Connections are kept and used again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, UNIXClientEndpoint
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from pytwfix.accept.smtpd import log
from pytwfix.accept.smtpd.actions import Actions
from pytwfix.accept.smtpd.endpoints import because
from pytwfix.accept.smtpd.restrictions import Complaint, Parser, Restriction, split
from pytwfix.accept.smtpd.settings import SmtpdSettings
from pytwfix.accept.smtpd.state import Answer, State, Verdict
from pytwfix.dialogs.policy import PolicyAnswer, request
from pytwfix.mail.reply import Reply

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall

    from pytwfix.contracts.host import IHost

_TIMES = ("max_idle", "max_ttl", "retry_delay", "timeout")
_OPTIONS = ("default_action", "policy_context", "request_limit", "try_limit", *_TIMES)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


class PolicyError(Exception):
    """The service did not answer, or nonsense."""


class _Connection(Protocol):
    """One request at a time."""

    def __init__(self, born: float) -> None:
        self.born = born
        self.used = 0
        self.idle_since = born
        self.lost = False
        self._answer: PolicyAnswer | None = None
        self._waiting: Deferred[PolicyAnswer] | None = None

    def ask(self, data: bytes) -> Deferred[PolicyAnswer]:
        self.used += 1
        self._answer = PolicyAnswer()
        waiting: Deferred[PolicyAnswer] = Deferred()
        self._waiting = waiting
        transport: Any = self.transport
        transport.write(data)
        return waiting

    def dataReceived(self, data: bytes) -> None:
        if self._answer is None:
            self.drop()
            return
        self._answer.receive(data)
        if self._answer.done:
            answer, waiting, self._answer, self._waiting = self._answer, self._waiting, None, None
            if waiting is not None:
                waiting.callback(answer)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.lost = True
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.errback(PolicyError("Application error"))

    def drop(self) -> None:
        self.lost = True
        transport: Any = self.transport
        if transport is not None:
            transport.abortConnection()


class PolicyService:
    """A client of one service, shared by all sessions of a snapshot."""

    def __init__(self, host: IHost, where: str, options: dict[str, str]) -> None:
        cfg = host.settings(SmtpdSettings)
        self._host = host
        self.where = where
        self._idle: list[_Connection] = []
        self._timeout = _seconds(options, "timeout", cfg.smtpd_policy_service_timeout)
        self._max_idle = _seconds(options, "max_idle", cfg.smtpd_policy_service_max_idle)
        self._max_ttl = _seconds(options, "max_ttl", cfg.smtpd_policy_service_max_ttl)
        self._retry_delay = _seconds(options, "retry_delay", cfg.smtpd_policy_service_retry_delay)
        self._try_limit = int(options.get("try_limit", cfg.smtpd_policy_service_try_limit))
        self._request_limit = int(options.get("request_limit", cfg.smtpd_policy_service_request_limit))
        self.default_action = options.get("default_action", cfg.smtpd_policy_service_default_action)
        self.context = options.get("policy_context", cfg.smtpd_policy_service_policy_context)

    async def ask(self, state: State, data: bytes) -> str:
        """The action; the default one when the service cannot be made to answer."""
        for attempt in range(max(1, self._try_limit)):
            if attempt:
                await state.pause(self._retry_delay)
            try:
                return await self._try(data)
            except Exception as error:
                log.policy_failed(self._host.log, self.where.partition(":")[2], because(error))
        return self.default_action

    async def _try(self, data: bytes) -> str:
        timeouts: list[Deferred[object]] = []
        timer: IDelayedCall = self._host.call_later(self._timeout, _cancel, timeouts)
        connection: _Connection | None = None
        try:
            connection = self._reusable()
            if connection is None:
                connection = await self._connected(timeouts)
            waiting = connection.ask(data)
            timeouts[:] = [waiting]  # type: ignore[list-item]
            answer = await waiting
        except BaseException:
            if connection is not None:
                connection.drop()
            raise
        finally:
            if timer.active():
                timer.cancel()
        if answer.error:
            connection.drop()
            raise PolicyError(answer.error)
        self._keep(connection)
        return answer.action

    async def _connected(self, timeouts: list[Deferred[object]]) -> _Connection:
        connecting = self._connect()
        timeouts.append(connecting)  # type: ignore[arg-type]
        try:
            return await connecting
        except Exception as error:
            log.not_connected(self._host.log, self.where.partition(":")[2], because(error))
            raise

    def _reusable(self) -> _Connection | None:
        now = self._host.monotonic()
        while self._idle:
            connection = self._idle.pop()
            if connection.lost:
                continue
            if now - connection.idle_since < self._max_idle and now - connection.born < self._max_ttl:
                return connection
            connection.drop()
        return None

    def _keep(self, connection: _Connection) -> None:
        if self._request_limit and connection.used >= self._request_limit:
            connection.drop()
            return
        connection.idle_since = self._host.monotonic()
        self._idle.append(connection)

    def _connect(self) -> Deferred[_Connection]:
        factory: Any = Factory.forProtocol(lambda: _Connection(self._host.monotonic()))  # type: ignore[arg-type]
        factory.noisy = False
        connecting: Any
        kind, _, rest = self.where.partition(":")
        reactor = self._host.reactor
        if kind == "unix":
            directory = self._host.parameter("queue_directory") or ""
            path = rest if rest.startswith("/") else f"{directory}/{rest}"
            connecting = UNIXClientEndpoint(reactor, path).connect(factory)
        else:
            host, _, port = rest.rpartition(":")
            connecting = HostnameEndpoint(reactor, host.strip("[]") or "localhost", int(port)).connect(factory)
        return cast("Deferred[_Connection]", connecting)


def _cancel(waiting: list[Deferred[object]]) -> None:
    for one in waiting:
        one.cancel()


def _seconds(options: dict[str, str], name: str, default: int) -> int:
    text = options.get(name, "")
    if not text:
        return default
    return int(text[:-1]) * _UNITS[text[-1]] if text[-1] in _UNITS else int(text)


def attributes(state: State, context: str) -> list[tuple[str, str]]:
    """What the service is told, in Postfix's order."""
    client, host, tls = state.client, state.host, state.tls
    trusted = tls if tls is not None and tls.peer == "Trusted" else None
    late = state.stage in ("DATA", "BDAT", "END-OF-MESSAGE")
    return [
        ("request", "smtpd_access_policy"),
        ("protocol_state", "DATA" if state.stage == "BDAT" else state.stage),
        ("protocol_name", state.protocol),
        ("client_address", client.address),
        ("client_name", client.name),
        ("client_port", client.port),
        ("reverse_client_name", client.reverse_name),
        ("server_address", client.server_address),
        ("server_port", client.server_port),
        ("helo_name", state.helo),
        ("sender", state.text(state.sender or b"")),
        ("recipient", state.text(state.recipient or b"")),
        ("recipient_count", str(state.recipients if late else 0)),
        ("queue_id", state.queue_id),
        ("instance", state.instance),
        ("size", str(state.size)),
        ("etrn_domain", state.text(state.etrn)),
        ("stress", host.parameter("stress") or ""),
        ("sasl_method", client.sasl_method),
        ("sasl_username", client.sasl_username),
        ("sasl_sender", state.sasl_sender),
        ("ccert_subject", trusted.subject if trusted else ""),
        ("ccert_issuer", trusted.issuer if trusted else ""),
        ("ccert_fingerprint", tls.fingerprint if tls else ""),
        ("ccert_pubkey_fingerprint", tls.key_fingerprint if tls else ""),
        ("encryption_protocol", tls.protocol if tls else ""),
        ("encryption_cipher", tls.cipher if tls else ""),
        ("encryption_keysize", str(tls.bits) if tls else "0"),
        ("tls_sni", tls.sni if tls else ""),
        ("policy_context", context),
        ("compatibility_level", host.parameter("compatibility_level") or ""),
        ("mail_version", host.parameter("mail_version") or ""),
    ]


class CheckPolicyService:
    __slots__ = ("_actions", "_service")

    def __init__(self, parser: Parser, service: PolicyService) -> None:
        self._service = service
        self._actions = Actions(parser, service.where)

    def check(self, state: State) -> Answer:
        return self._ask(state)

    async def _ask(self, state: State) -> Verdict:
        action = await self._service.ask(state, request(attributes(state, self._service.context)))
        verdict = self._actions.act(state, action, b"", state.subject)
        return verdict if isinstance(verdict, (int, Reply)) else await verdict


def make(parser: Parser, argument: str) -> Restriction:
    """`inet:host:port`, `unix:path`, or `{ endpoint, name = value, ... }`."""
    where, *rest = split(argument)
    kind, _, address = where.partition(":")
    port = address.rpartition(":")[2]
    if kind not in ("inet", "unix") or not address or (kind == "inet" and not port.isdecimal()):
        return Complaint(f"bad policy service endpoint: {where}")
    options: dict[str, str] = {}
    for item in _joined(rest):
        name, _, value = item.partition("=")
        options[name.strip()] = value.strip()
    wrong = [name for name in options if name not in _OPTIONS]
    if wrong:
        return Complaint(f"bad policy service option: {wrong[0]}")
    try:
        return CheckPolicyService(parser, PolicyService(parser.host, where, options))
    except ValueError as error:
        return Complaint(f"policy service {where}: {error}")


def _joined(words: list[str]) -> list[str]:
    """`name = value` is three words when it stands without braces."""
    text = "\n".join(words)
    return [line for line in text.replace("\n=\n", "=").replace("=\n", "=").replace("\n=", "=").split("\n") if line]
