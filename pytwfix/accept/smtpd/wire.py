"""Between a socket and a session: bytes in, bytes out, time limits, TLS (SD-15, SD-42)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IHandshakeListener, IPushProducer
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.tcp import Server
from twisted.python.failure import Failure
from zope.interface import implementer

from pytwfix.accept.smtpd.log import Tls
from pytwfix.basics.sending import send_at_once, unsent
from pytwfix.basics.tasks import start
from pytwfix.dialogs.haproxy import Endpoints, HaproxyError, HeaderReader
from pytwfix.dialogs.smtp_server import SmtpServer

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IDelayedCall

    from pytwfix.accept.smtpd.configuration import Configuration
    from pytwfix.contracts.host import IHost

# More than this from a client that does not wait for its replies, and reading stops until it is used up.
_MAX_PENDING = 131072


class HandshakeFailure(NamedTuple):
    """`why` for the line `SSL_accept error`, `library` for what OpenSSL says."""

    why: str
    library: str = ""


@implementer(IHandshakeListener, IPushProducer)
class Wire(Protocol):
    """One connection. The session awaits `more`, and `gone` tells it why there will be no more."""

    def __init__(self, host: IHost, config: Configuration, start: Callable[[Wire], None]) -> None:
        self.core = SmtpServer(config.rules)
        self.gone = ""
        self.proxied: Endpoints | None = None  # who a load balancer speaks for (SD-45)
        self.unintroduced = ""  # what was wrong with its header
        self._header: HeaderReader | None = None
        self._early = b""  # of TLS, behind the header
        self._host = host
        self.configuration = self._config = config
        self._start = start
        self._waiting: Deferred[None] | None = None
        self._blocked: Deferred[None] | None = None
        self._handshake: Deferred[HandshakeFailure | None] | None = None
        self._timer: IDelayedCall | None = None
        self._since = 0.0
        self._new_request = True  # the time limit starts anew (SD-15)
        self._paused = False
        self._abandoned = False
        self._shaking = False
        self._lost = False
        self._tcp: Any = None
        self._direct = False  # a plain TCP connection: replies may go straight to its socket

    # From Twisted.

    def connectionMade(self) -> None:
        self._tcp = self.transport
        self._direct = type(self._tcp) is Server
        set_no_delay = getattr(self._tcp, "setTcpNoDelay", None)
        if set_no_delay is not None:
            set_no_delay(True)
        self._tcp.registerProducer(self, True)
        if self._config.tls.wrapper:
            self._tcp.pauseProducing()  # what comes is for TLS, which may not be ready at once
        if self._config.upstream is None:
            self._begin()
            return
        self._header = self._config.upstream.reader()
        self._timer = self._host.call_later(self._config.upstream.timeout, self._introduced_badly, "timeout error")
        self._tcp.resumeProducing()

    def _begin(self) -> None:
        self._timer = self._host.call_later(self._config.timeout, self._tick)
        self._start(self)

    def _introduced(self, header: HeaderReader, data: bytes) -> None:
        """Bytes of a load balancer's header, and what follows it."""
        try:
            found = header.receive(data)
        except HaproxyError as error:
            self._introduced_badly(str(error))
            return
        if found is None:
            return
        self.proxied = found.endpoints
        self._end_header()
        if self._config.tls.wrapper:
            self._early = found.rest
            self._tcp.pauseProducing()
        else:
            self.core.receive(found.rest)
        self._begin()

    def _introduced_badly(self, reason: str) -> None:
        self.unintroduced = reason
        self._end_header()
        self._begin()

    def _end_header(self) -> None:
        self._header = None
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    def dataReceived(self, data: bytes) -> None:
        if self._header is not None:
            self._introduced(self._header, data)
            return
        core = self.core
        core.receive(data)
        if self._waiting is not None:
            if self._config.per_request_deadline and core.in_body:
                earned = self._since + len(data) / max(1, self._config.min_data_rate)
                self._since = min(earned, self._host.monotonic())
            self._wake()
        elif core.pending > _MAX_PENDING and not self._paused:
            self._paused = True
            self._tcp.pauseProducing()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._lost = True
        self.gone = self.gone or "lost connection"
        if self._header is not None:
            self._introduced_badly("lost connection")
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None
        if self._handshake is not None:
            self._handshake_failed(reason)
        blocked, self._blocked = self._blocked, None
        if blocked is not None:
            blocked.callback(None)
        self._wake()

    def handshakeCompleted(self) -> None:
        self._shaking = False
        handshake, self._handshake = self._handshake, None
        if handshake is not None:
            handshake.callback(None)

    # As the producer of replies: a client that does not read them is not read either.

    def pauseProducing(self) -> None:
        if self._blocked is None and not self.gone:
            self._blocked = Deferred()
            self._since = self._host.monotonic()

    def resumeProducing(self) -> None:
        blocked, self._blocked = self._blocked, None
        if blocked is not None:
            blocked.callback(None)

    def stopProducing(self) -> None:
        """connectionLost says it all."""

    # For the session.

    def flush(self) -> None:
        """Send the replies that are ready: in one write, straight to the socket when nothing waits there."""
        data = self.core.data_to_send()
        if not data or self._abandoned or self._lost:
            return
        self._new_request = True
        if self._direct and self._blocked is None:
            data = send_at_once(self._tcp, data)
        if data:
            self._tcp.write(data)

    def more(self) -> Deferred[None]:
        """Fires when there are bytes, or when the connection or our patience has ended."""
        if self._blocked is not None or self._paused or self.gone:
            return start(self._more())
        return self._wait()

    async def _more(self) -> None:
        if self._blocked is not None:
            await self._blocked
        if self._paused and not self.gone:
            self._paused = False
            self._tcp.resumeProducing()
        if not self.gone:
            await self._wait()

    def _wait(self) -> Deferred[None]:
        if self._new_request:
            self._since = self._host.monotonic()
            self._new_request = not self._config.per_request_deadline
        waiting: Deferred[None] = Deferred()
        self._waiting = waiting
        return waiting

    async def hold(self, waiting: Deferred[None]) -> None:
        """Read nothing until the mail's file has caught up."""
        if self._paused or self.gone:
            await waiting
            return
        self._paused = True
        self._tcp.pauseProducing()
        await waiting

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.callback(None)

    def _tick(self) -> None:
        """One timer a session: it looks at the clock when it fires, and is not touched for each command."""
        limit = self._config.starttls_timeout if self._shaking else self._config.timeout
        left: float = limit
        if self._waiting is not None or self._shaking or self._blocked is not None:
            left = self._since + limit - self._host.monotonic()
        if left > 0:
            self._timer = self._host.call_later(left, self._tick)
            return
        self._timer = None
        self.gone = "timeout"
        if self._handshake is not None:
            self._handshake_failed(Failure(ConnectionLost()))
        self.resumeProducing()
        self._wake()

    def stop(self) -> None:
        """The service ends: say so when the session comes to rest."""
        if not self.gone:
            self.gone = "stopping"
            self._wake()

    def abandon(self) -> None:
        """Send nothing more (the access action HANGUP)."""
        self._abandoned = True

    def close(self) -> None:
        """Hang up when all is sent; a client that does not take it is cut off after the time limit."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None
        if not self._lost:
            self._tcp.unregisterProducer()
            self._tcp.loseConnection()
        if not self._lost and not (self._direct and not unsent(self._tcp)):
            self._timer = self._host.call_later(self._config.timeout, self._cut)

    def _cut(self) -> None:
        self._timer = None
        if not self._lost:
            self._tcp.abortConnection()

    # TLS.

    async def start_tls(self, context: Any) -> HandshakeFailure | None:
        """None when the handshake is done."""
        if self.gone:
            return HandshakeFailure("lost connection")
        self._since = self._host.monotonic()
        self._shaking = True
        handshake: Deferred[HandshakeFailure | None] = Deferred()
        self._handshake = handshake
        self._direct = False
        self._tcp.unregisterProducer()
        self._tcp.startTLS(context)
        self._tcp.registerProducer(self, True)
        if self._config.tls.wrapper:
            self._tcp.resumeProducing()
            early, self._early = self._early, b""
            if early:
                self._tcp.protocol.dataReceived(early)
        return await handshake

    def _handshake_failed(self, reason: Failure) -> None:
        self._shaking = False
        handshake, self._handshake = self._handshake, None
        if handshake is None:
            return
        error = reason.value
        if isinstance(error, (ConnectionDone, ConnectionLost)):
            handshake.callback(HandshakeFailure("lost connection"))
        else:
            handshake.callback(HandshakeFailure("-1", _library_text(error)))

    def tls_details(self, digest: str, asked: bool, by_name: bool) -> Tls:
        """What was negotiated; fingerprints as smtpd_tls_fingerprint_digest has them. `by_name`: certificates are
        chosen by the name that the client asks for."""
        from pytwfix.net.tls.contexts import describe
        from pytwfix.net.tls.fingerprints import fingerprints
        from pytwfix.net.tls.sessions import reused

        connection = self._tcp.getHandle()
        info = describe(connection)
        certificate = connection.get_peer_certificate()
        own, key = fingerprints(certificate.to_cryptography(), digest) if certificate is not None else ("", "")
        sni = (connection.get_servername() or b"").decode("ascii", "replace") if by_name else ""
        bits, algorithm_bits = info.bits, info.algorithm_bits
        facts = (info.protocol, info.cipher, bits, algorithm_bits, info.trust, info.detail, asked)
        return Tls(*facts, info.subject, info.issuer, own, key, sni, reused(connection))


def _library_text(error: BaseException | None) -> str:
    parts = error.args[0] if error is not None and error.args and isinstance(error.args[0], list) else []
    texts = [":".join(str(item) for item in part) for part in parts if isinstance(part, tuple)]
    return "error:" + "; ".join(texts) if texts else f"{error}"
