"""A connection to the before-queue filter (SD-48): commands out, replies in, content with back pressure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from pytwfix.accept.smtpd.endpoints import limited
from pytwfix.dialogs.smtp_client import SmtpClient, Stage

if TYPE_CHECKING:
    from pytwfix.contracts.host import IHost
    from pytwfix.dialogs.smtp_client_replies import Answer


class LinkLost(Exception):
    """The filter has hung up; the text says so."""

    def __init__(self) -> None:
        super().__init__("lost connection")


@implementer(IPushProducer)
class ProxyLink(Protocol):
    """One command at a time; each wait ends after `seconds` with TimeoutError."""

    def __init__(self, host: IHost, seconds: float) -> None:
        self._host = host
        self._seconds = seconds
        self._client = SmtpClient()
        self._lost = False
        self._answered: Deferred[Answer] | None = None
        self._blocked: Deferred[None] | None = None

    def connectionMade(self) -> None:
        transport: Any = self.transport
        transport.registerProducer(self, True)

    def dataReceived(self, data: bytes) -> None:
        self._client.receive(data)
        self._look()

    def _look(self) -> None:
        waiting = self._answered
        if waiting is None:
            return
        found = self._client.next_reply()
        if found is not None:
            self._answered = None
            waiting.callback(found[1])

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._lost = True
        self.resumeProducing()
        waiting, self._answered = self._answered, None
        if waiting is not None and not waiting.called:
            waiting.errback(LinkLost())

    def pauseProducing(self) -> None:
        if self._blocked is None and not self._lost:
            self._blocked = Deferred()

    def resumeProducing(self) -> None:
        blocked, self._blocked = self._blocked, None
        if blocked is not None and not blocked.called:
            blocked.callback(None)

    def stopProducing(self) -> None:
        """connectionLost says it all."""

    # For a mail.

    def greeting(self) -> Deferred[Answer]:
        return self._answer()

    def command(self, line: bytes, stage: Stage) -> Deferred[Answer]:
        """Its answer. Errback: LinkLost, TimeoutError."""
        self._client.command(line, stage)
        self.write(self._client.data_to_send())
        return self._answer()

    def end(self) -> Deferred[Answer]:
        """The answer to the end of data, which was written."""
        self._client.end_of_data(1)
        return self._answer()

    def _answer(self) -> Deferred[Answer]:
        answered: Deferred[Answer] = Deferred()
        if self._lost:
            answered.errback(LinkLost())
            return answered
        self._answered = answered
        self._look()
        return limited(self._host, answered, self._seconds)

    def write(self, data: bytes) -> Deferred[None] | None:
        """Content. A Deferred: wait before the next piece (errback: TimeoutError)."""
        transport: Any = self.transport
        if not self._lost:
            transport.write(data)
        return None if self._blocked is None else limited(self._host, self._blocked, self._seconds)

    def quit(self) -> None:
        """The mail is through."""
        transport: Any = self.transport
        if not self._lost:
            transport.write(b"QUIT\r\n")
            transport.unregisterProducer()
            transport.loseConnection()

    def drop(self) -> None:
        transport: Any = self.transport
        if not self._lost:
            transport.abortConnection()
