"""The client's connection: bytes in, bytes out, time limits, TLS (SM-9, SM-11).

Whoever holds the connection listens to it: the callback comes when bytes have arrived, when the connection is lost
and when the time is up; `gone` says which. Replies can be awaited one by one (`answer`) as well.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IHandshakeListener, IPushProducer
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.tcp import Client
from twisted.python.failure import Failure
from zope.interface import implementer

from pytwfix.basics.sending import send_at_once
from pytwfix.basics.tasks import fired
from pytwfix.dialogs.smtp_client import SmtpClient
from pytwfix.dialogs.smtp_client_replies import LIMIT

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall

    from pytwfix.contracts.host import IHost
    from pytwfix.dialogs.smtp_client import Stage
    from pytwfix.dialogs.smtp_client_replies import Answer

LOST, TIMEOUT = "lost", "timeout"


class Gone(Exception):
    """The connection ended, or our patience did, while a reply to `stage` was due."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage.activity)
        self.stage = stage


class HandshakeFailed(Exception):
    """TLS did not come about; `library` is what OpenSSL says, or ""."""

    def __init__(self, library: str = "", timeout: bool = False) -> None:
        super().__init__(library)
        self.library = library
        self.timeout = timeout


@implementer(IHandshakeListener, IPushProducer)
class Wire(Protocol):
    """One connection, from the moment that it stands."""

    def __init__(
        self,
        host: IHost,
        opened: Callable[[Wire], None],
        per_request_deadline: bool = False,
        min_data_rate: int = 0,
        reply_limit: int = LIMIT,
    ) -> None:
        self.client = SmtpClient(reply_limit)
        self.gone = ""
        self.lost = False
        self.blocked: Deferred[None] | None = None  # fires when there is room for more bytes
        self._host = host
        self._opened = opened
        self._strict = per_request_deadline
        self._rate = min_data_rate
        self._listener: Callable[[], None] | None = None
        self._handshake: Deferred[None] | None = None
        self._timer: IDelayedCall | None = None
        self._due = 0.0  # when the timer fires
        self._deadline = 0.0  # when it should; 0 for never
        self._seconds = 0.0
        self._tcp: Any = None
        self._direct = False  # a plain TCP connection: bytes may go straight to its socket

    # From Twisted.

    def connectionMade(self) -> None:
        self._tcp = self.transport
        self._direct = type(self._tcp) is Client
        set_no_delay = getattr(self._tcp, "setTcpNoDelay", None)
        if set_no_delay is not None:
            set_no_delay(True)
        self._tcp.registerProducer(self, True)
        self._opened(self)

    def dataReceived(self, data: bytes) -> None:
        self.client.receive(data)
        if not self._strict:
            self._deadline = self._host.monotonic() + self._seconds
        if self._listener is not None:
            self._listener()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.lost = True
        self.gone = self.gone or LOST
        self._deadline = 0.0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._end_handshake(HandshakeFailed(_library_text(reason)))
        self.resumeProducing()
        if self._listener is not None:
            self._listener()

    def handshakeCompleted(self) -> None:
        handshake, self._handshake = self._handshake, None
        if handshake is not None:
            handshake.callback(None)

    # As the producer of what we send: a server that does not read is not written to.

    def pauseProducing(self) -> None:
        if self.blocked is None and not self.gone:
            self.blocked = Deferred()

    def resumeProducing(self) -> None:
        blocked, self.blocked = self.blocked, None
        if blocked is not None:
            blocked.callback(None)

    def stopProducing(self) -> None:
        """connectionLost says it all."""

    # For whoever holds it.

    def listen(self, listener: Callable[[], None] | None) -> None:
        self._listener = listener

    def limit(self, seconds: float) -> None:
        """The next reply, or the next progress, must come within so many seconds; 0 for no limit.

        The timer is left alone as long as it fires early enough: it looks at the clock then.
        """
        self._seconds = seconds
        if not seconds:
            self._deadline = 0.0
            return
        self._deadline = self._host.monotonic() + seconds
        if self._timer is None:
            self._due = self._deadline
            self._timer = self._host.call_later(seconds, self._tick)
        elif self._deadline < self._due:
            self._due = self._deadline
            self._timer.reset(seconds)

    def earn(self, size: int) -> None:
        """So many bytes have gone: another piece's time, or with deadlines what they are worth (SM-9)."""
        more = size / max(1, self._rate) if self._strict else self._seconds
        self._deadline = min(self._deadline + more, self._host.monotonic() + self._seconds)

    def flush(self) -> None:
        """Send the commands that are ready."""
        data = self.client.data_to_send()
        if data:
            self.write(data)

    def write(self, data: bytes) -> None:
        """Straight to the socket when nothing waits there."""
        if self.lost:
            return
        tcp = self._tcp
        if self._direct and self.blocked is None:
            data = send_at_once(tcp, data)
        if data:
            tcp.write(data)

    def answer(self, seconds: float) -> Deferred[Answer]:
        """Send what is ready; the next reply. Errback: Gone."""
        self.flush()
        self.limit(seconds)
        found = self.client.next_reply()
        if found is not None:
            return fired(found[1])
        waiting: Deferred[Answer] = Deferred()

        def look() -> None:
            stage = self.client.waiting
            found = self.client.next_reply()
            if found is not None:
                self._listener = None
                waiting.callback(found[1])
            elif self.gone and stage is not None:
                self._listener = None
                waiting.errback(Gone(stage))

        self._listener = look
        if self.gone:
            look()
        return waiting

    def _tick(self) -> None:
        self._timer = None
        if not self._deadline:
            return
        left = self._deadline - self._host.monotonic()
        if left > 0:
            self._due = self._deadline
            self._timer = self._host.call_later(left, self._tick)
            return
        self.gone = self.gone or TIMEOUT
        self._end_handshake(HandshakeFailed(timeout=True))
        self.resumeProducing()
        if self._listener is not None:
            self._listener()
        else:
            self.abort()

    def hang_up(self, seconds: float) -> None:
        """Close when all is sent; a server that does not take it is cut off."""
        self._listener = None
        if self.lost:
            return
        self._tcp.unregisterProducer()
        self._tcp.loseConnection()
        if not self.lost:
            self.limit(seconds)

    def abort(self) -> None:
        """Close at once."""
        self._listener = None
        self.gone = self.gone or LOST
        if not self.lost:
            self._tcp.abortConnection()

    # TLS.

    def start_tls(self, context: Any, seconds: float) -> Deferred[Any]:
        """Fires with the OpenSSL connection when the handshake is done. Errback: HandshakeFailed."""
        self.client.start_tls()
        self.limit(seconds)
        handshake: Deferred[None] = Deferred()
        self._handshake = handshake
        self._direct = False
        self._listener = None
        if self.gone:
            self._end_handshake(HandshakeFailed())
        else:
            self._tcp.unregisterProducer()
            self._tcp.startTLS(context)
            self._tcp.registerProducer(self, True)
        return handshake.addCallback(lambda _none: self._tcp.getHandle())

    def _end_handshake(self, error: HandshakeFailed) -> None:
        handshake, self._handshake = self._handshake, None
        if handshake is not None:
            handshake.errback(error)


def _library_text(reason: Failure) -> str:
    """OpenSSL's reasons; nothing for a connection that was simply lost."""
    error = reason.value
    parts = error.args[0] if error is not None and error.args and isinstance(error.args[0], list) else []
    return "; ".join("error:" + ":".join(str(item) for item in part) for part in parts if isinstance(part, tuple))
