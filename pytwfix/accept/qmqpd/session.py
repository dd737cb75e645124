"""One QMQP connection: one mail, and one answer: K (it is queued), Z (later, perhaps), D (never). QD-1."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from pytwfix.accept.qmqpd import log
from pytwfix.contracts.cleanup import FILTER, MAP, MILTER, Origin
from pytwfix.dialogs import qmqp
from pytwfix.mail.dates import mail_date
from pytwfix.mail.envelope import Client, Recipient
from pytwfix.mail.errors import MailError, queue_file_write_error
from pytwfix.spool.scratch import Scratch
from pytwfix.tables.addresses import external_form
from pytwfix.tables.names import split_list

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IDelayedCall

    from pytwfix.accept.qmqpd.settings import QmqpdSettings
    from pytwfix.contracts.cleanup import ITransaction
    from pytwfix.contracts.host import IHost
    from pytwfix.tables.matchlists import AddressList

# A sender that wants VERP, as qmail's clients write it: user-@host-@[].
_VERP = re.compile(rb"(.+)-(@.+)-@\[\]", re.DOTALL)
_OVERRIDES = {"no_address_mappings": MAP, "no_header_body_checks": FILTER, "no_milters": MILTER}


class QmqpConnection(Protocol):
    """The socket's side: bytes in, a time limit on each wait."""

    def __init__(self, host: IHost, cfg: QmqpdSettings, start: Callable[[QmqpConnection], None]) -> None:
        self.host = host
        self.cfg = cfg
        self.gone = ""
        self._start = start
        self._data: list[bytes] = []
        self._waiting: Deferred[None] | None = None
        self._timer: IDelayedCall | None = None

    def connectionMade(self) -> None:
        self._start(self)

    def dataReceived(self, data: bytes) -> None:
        self._data.append(data)
        transport: Any = self.transport
        transport.pauseProducing()
        self._wake()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.gone = self.gone or "lost connection"
        self._wake()

    def stop(self) -> None:
        self.gone = self.gone or "server is shutting down"
        self._wake()

    def _wake(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.callback(None)

    def _timeout(self) -> None:
        self.gone = self.gone or "read/write timeout"
        self._wake()

    async def more(self) -> bytes:
        """The next bytes; b"" when there will be no more."""
        if not self._data and not self.gone:
            self._waiting = Deferred()
            self._timer = self.host.call_later(self.cfg.qmqpd_timeout, self._timeout)
            transport: Any = self.transport
            transport.resumeProducing()
            await self._waiting
        data = b"".join(self._data)
        self._data.clear()
        return data

    def finish(self, answer: bytes) -> None:
        transport: Any = self.transport
        if answer and self.gone != "lost connection":
            transport.write(b"%d:%b," % (len(answer), answer))
        transport.loseConnection()


class Session:
    """The mail's side."""

    def __init__(self, wire: QmqpConnection, authorised: AddressList) -> None:
        self._wire = wire
        self._host = wire.host
        self._cfg = wire.cfg
        self._authorised = authorised
        self._client = Client(protocol="QMQP", name="unknown", reverse_name="unknown")
        self._namaddr = ""
        self._mail: ITransaction | None = None

    async def run(self) -> None:
        """Never raises."""
        await self._identify()
        log.connect(self._host.log, self._namaddr)
        answer = b""
        try:
            answer = await self._serve()
        except Exception as error:
            self._host.log.failure(f"QMQP session with {self._namaddr}", error)
            answer = b"ZError: internal error"
        if answer[:1] in (b"D", b"Z") and self._cfg.qmqpd_error_delay and not self._wire.gone:
            await self._pause(self._cfg.qmqpd_error_delay)
        self._abort()
        self._wire.finish(answer)
        log.disconnect(self._host.log, self._namaddr)

    async def _identify(self) -> None:
        transport: Any = self._wire.transport
        peer = transport.getPeer()
        client = self._client
        client.address, client.port = getattr(peer, "host", "localhost"), str(getattr(peer, "port", ""))
        client.helo = client.address
        names = await self._host.names.client(client.address)
        if names.warning:
            self._host.log.warning(names.warning)
        client.name, client.reverse_name = names.name, names.reverse
        port = f":{client.port}" if self._cfg.qmqpd_client_port_logging else ""
        self._namaddr = f"{client.name}[{client.address}]{port}"

    async def _serve(self) -> bytes:
        if not await self._authorised.match(self._client.name, self._client.address):
            return f"DError: {self._namaddr} is not authorized to use this service".encode()
        scratch = Scratch(self._host, f"{self._cfg.queue_directory}/incoming")
        dialog = qmqp.QmqpServer(self._cfg.message_size_limit)
        try:
            mail = self._mail = await self._host.peers.cleanup.begin(self._origin())
            log.client(self._host.log, mail.queue_id, self._namaddr)
            sender, recipients = await self._received(dialog, scratch)
            if not recipients:
                text = "Error: no recipients specified"
                log.refused(self._host.log, mail.queue_id, self._namaddr, text)
                return b"D" + text.encode()
            await self._fill(mail, sender, recipients, scratch)
            committed = await mail.commit()
            self._mail = None
            return f"KOk: queued as {committed.queue_id}".encode()
        except qmqp.QmqpError as error:
            return self._broken(str(error), dialog.activity)
        except MailError as error:
            if error.reason:
                self._host.log.warning(error.reason)
            return (("Z" if error.temporary else "D") + error.reply.text).encode("utf-8", "replace")
        finally:
            scratch.close()

    async def _received(self, dialog: qmqp.QmqpServer, scratch: Scratch) -> tuple[bytes, list[bytes]]:
        """Sender and recipients; the content is in `scratch`. QmqpError when there is not all of it."""
        sender, recipients = b"", []
        while not dialog.ended:
            data = await self._wire.more()
            if not data:
                raise qmqp.QmqpError(self._wire.gone)
            for event in dialog.receive(data):
                if isinstance(event, qmqp.Content):
                    await self._kept(scratch.write(event.data))
                elif isinstance(event, qmqp.Sender):
                    sender = event.address
                elif isinstance(event, qmqp.Recipient):
                    recipients.append(event.address)
        return sender, recipients

    @staticmethod
    async def _kept(waiting: Deferred[None] | None) -> None:
        if waiting is not None:
            try:
                await waiting
            except OSError as error:
                raise queue_file_write_error(f"temporary file: {error}") from error

    def _broken(self, what: str, activity: str) -> bytes:
        queue_id = self._mail.queue_id if self._mail is not None else "NOQUEUE"
        log.broken(self._host.log, queue_id, self._namaddr, what, activity)
        return b"" if self._wire.gone else f"D{what} while {activity}".encode()

    def _origin(self) -> Origin:
        flags = FILTER | MAP | MILTER
        for word in split_list(self._cfg.receive_override_options):
            flags &= ~_OVERRIDES.get(word, 0)
        return Origin(
            flags, self._client, rewrite_context="local", source=self._namaddr, service="qmqpd",
            arrival=self._host.now(),
        )  # fmt: skip

    async def _fill(self, mail: ITransaction, sender: bytes, recipients: list[bytes], scratch: Scratch) -> None:
        mail.envelope.content_filter = self._cfg.content_filter
        verp = _VERP.fullmatch(sender)
        if verp:
            sender = verp.group(1) + verp.group(2)
            mail.envelope.verp = "-="
        await mail.sender(sender)
        for recipient in recipients:
            await mail.recipient(Recipient(recipient, recipient))
        waiting = mail.body(self._header(mail.queue_id, recipients))
        if waiting is not None:
            await waiting
        async for piece in scratch.pieces():
            waiting = mail.body(piece)
            if waiting is not None:
                await waiting

    def _header(self, queue_id: str, recipients: list[bytes]) -> bytes:
        client, cfg = self._client, self._cfg
        address = f"IPv6:{client.address}" if ":" in client.address else client.address
        start = f"Received: from {client.name} ({client.reverse_name} [{address}])"
        by, when = f"\tby {cfg.myhostname} ({cfg.mail_name}) with QMQP", mail_date(self._host.now())
        if len(recipients) == 1:
            whom = external_form(recipients[0]).decode("utf-8", "replace")
            return f"{start}\r\n{by} id {queue_id}\r\n\tfor <{whom}>; {when}\r\n".encode("utf-8", "replace")
        return f"{start}\r\n{by}\r\n\tid {queue_id}; {when}\r\n".encode("utf-8", "replace")

    async def _pause(self, seconds: float) -> None:
        done: Deferred[None] = Deferred()
        self._host.call_later(seconds, done.callback, None)
        await done

    def _abort(self) -> None:
        mail, self._mail = self._mail, None
        if mail is not None:
            mail.abort("")
