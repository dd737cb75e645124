"""One SMTP session: events of the dialog are checked and answered (SD-5 to SD-19, SD-60). No parsing, no sockets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred

from pytwfix.accept.smtpd import client as clients
from pytwfix.accept.smtpd import ehlo, log, replies
from pytwfix.accept.smtpd.history import PROTOCOL, SOFTWARE, error_class
from pytwfix.accept.smtpd.limits import size_refused
from pytwfix.accept.smtpd.sidecommands import SideCommands
from pytwfix.accept.smtpd.transaction import Transaction
from pytwfix.accept.smtpd.wire import Wire
from pytwfix.contracts.tables import TableError
from pytwfix.dialogs import smtp_events as events
from pytwfix.dialogs.smtp_server import NEED_DATA
from pytwfix.mail.errors import MailError
from pytwfix.mail.reply import Reply

if TYPE_CHECKING:
    from pytwfix.accept.smtpd.configuration import Configuration
    from pytwfix.contracts.host import IHost


_AFTER_MAIL = "END-OF-MESSAGE"


class Session(SideCommands):
    """Lives as long as the connection. `wire` moves the bytes; everything else is handed in."""

    __slots__ = ("_mail", "_overshoot", "_where")

    def __init__(self, host: IHost, config: Configuration, wire: Wire, client: clients.Connected) -> None:
        super().__init__(host, config, wire, client)
        self._mail: Transaction | None = None
        self._overshoot = 0
        self._where = "CONNECT"

    # From the first byte to the last.

    async def run(self) -> None:
        """Serve the client until it or we hang up. Never raises."""
        try:
            if await self._connect():
                await self._serve()
        except Exception as error:
            self._log.failure(f"session with {self._state.namaddr}", error)
            self._core.close(Reply(421, "4.3.0", f"{self._config.hostname} Server error", hangup=True))
            if self._history is not None:
                self._history.went_wrong(SOFTWARE)
        finally:
            self._end()

    async def _connect(self) -> bool:
        """Greet, unless the client is not wanted."""
        state, config = self._state, self._config
        client = state.client
        await clients.look_up(self._host, client, config.peername_lookup)
        if config.client_port_logging:
            client.log_port()
        if self._wire.unintroduced:
            log.haproxy_failed(self._log, self._wire.unintroduced)
        log.connect(self._log, client.namaddr)
        self._history = await config.history(state)
        if self._wire.unintroduced:
            self._core.close(Reply(421, "4.3.0", f"{config.hostname} Server local error", hangup=True))
            return False
        if config.tls.wrapper and not await self._handshake():
            return False
        await config.bind(self._core, client)
        refused = await self._limits.connect(self._core.xclient)
        if config.tls.wrapper:
            refused = refused or await self._limits.new_tls()
        refused = refused or await self._checks.connect()
        instead = None if refused else await self._open_milters()
        if self._core.pending and not refused:
            log.improper_pipelining(self._log, "CONNECT", client.namaddr, self._core.peek())
            if config.rules.forbid_pipelining:
                refused = Reply(554, "5.5.0", "Error: SMTP protocol synchronization", hangup=True)
        if refused:
            self.counts.errors += 1
            refused = self._dressed(refused)
            self._core.greet(refused)
            self._denied = Reply(503, "5.7.0", f"Error: access denied for {client.namaddr}")
        else:
            self._core.greet(instead or config.greeting)
        self._greeted(refused or instead or config.greeting)
        return True

    async def _serve(self) -> None:
        core, wire = self._core, self._wire
        while not core.closed and not wire.gone:
            event = core.next_event()
            if event is NEED_DATA:
                wire.flush()
                if not core.closed:
                    await wire.more()
            elif isinstance(event, events.Body):
                waiting = self._body(event)
                if waiting is not None:
                    await wire.hold(waiting)
            elif isinstance(event, events.Event):
                await self._command(event)

    def _end(self) -> None:
        """Say goodbye, close, count and log."""
        wire, core, state = self._wire, self._core, self._state
        hostname = self._config.hostname
        if wire.gone == "timeout":
            core.close(Reply(421, "4.4.2", f"{hostname} Error: timeout exceeded", hangup=True))
        elif wire.gone == "stopping":
            core.close(Reply(421, "4.3.2", f"{hostname} Server is shutting down", hangup=True))
            wire.gone = ""
        if not state.hangup:
            wire.flush()
        gone = wire.gone or ("too many errors" if self.counts.too_many else "")
        if gone and (gone, self._where) != ("lost connection", _AFTER_MAIL):  # who has sent his mail may leave
            log.ended(self._log, gone, self._place(), state.namaddr, state.queue_id)
        self._drop_mail(gone)
        self._abandon_exchange()
        if self._history is not None:
            self._history.end(gone)
        self._close_milters()
        self._limits.disconnect()
        notes = " notes=bare_lf" if self._config.note_bare_lf and core.bare_lf else ""
        log.disconnect(self._log, state.namaddr, self.counts.line() + notes)
        wire.close()

    def _place(self) -> str:
        where = self._where
        counted = where == "BDAT" or (where == "DATA" and self._core.in_body)
        return f"{where} ({self._core.bytes_in} bytes)" if counted else where

    # Commands.

    async def _command(self, event: events.Event) -> None:
        if isinstance(event, events.RawLine):
            found = self._core.replace_line(await self._filtered(event.line))
            if not isinstance(found, events.Event):
                return
            event = found
        kind = type(event)
        if isinstance(event, events.EndOfData):
            self._where = _AFTER_MAIL if event.last else "BDAT"
        elif event.verb:
            self._where = event.verb
            self.counts.begin(event.verb)
        if self._core.improper and not self._state.improper:
            self._state.improper = True
            log.improper_pipelining(self._log, event.verb, self._state.namaddr, self._core.improper)
        if self._denied is not None and kind is not events.Quit:
            reply: Reply | None = self._denied
            if kind is events.Unknown and await self._not_smtp(event):
                reply = replies.GOODBYE
        else:
            try:
                reply = await _HANDLERS[kind](self, event)
            except MailError as error:
                if error.reason:
                    self._log.warning(error.reason)
                reply = error.reply
            except TableError as error:
                self._log.warning(str(error))
                reply = replies.LOOKUP_FAILED
        if reply is not None:
            await self._answer(event, reply)
        if isinstance(event, events.EndOfData) and event.last:
            self._mail_is_over()
        elif event.verb == "BDAT" and not self._core.mail:  # a last chunk that was refused
            self._drop_mail()
        elif kind is events.Bdat and reply is not None:  # replies go on to know the sender
            self._abort_mail()

    async def _answer(self, event: events.Event, reply: Reply) -> None:
        """Count errors, slow down who makes many, and reply (SD-14)."""
        counts = self.counts
        if counts.slow and self._config.error_sleep_time:
            await self._tarpit()
        counts.end(event, reply)
        if self._state.hangup:
            self._wire.abandon()
        if reply.code >= 400:
            reply = await self._refusal(event, reply)
        if self._history is not None:
            self._history.add(event, reply)
            self._state.unlisted = False
        self._core.reply(reply)
        if type(event) is events.StartTls and reply.code < 400:
            await self._start_tls()
        if counts.too_many and not (reply.hangup or self._core.closed):
            if counts.slow and self._config.error_sleep_time:
                await self._tarpit()
            self._dismiss()

    def _dismiss(self) -> None:
        """Too many errors."""
        reply = self._dressed(Reply(421, "4.7.0", f"{self._config.hostname} Error: too many errors", hangup=True))
        if self._history is not None:
            self._history.went_wrong(PROTOCOL)
            self._history.add(None, reply)
        self._core.dismiss(reply)

    async def _tarpit(self) -> None:
        self._wire.flush()
        await self._state.pause(self._config.error_sleep_time)

    async def _refusal(self, event: events.Event, reply: Reply) -> Reply:
        """What becomes of a 4xx or 5xx before it is sent."""
        config, history = self._config, self._history
        if history is not None:
            history.went_wrong(error_class(event, reply, self._state.unlisted))
        if config.reject_filter:
            reply = await replies.filtered(self._state, config.reject_filter, reply)
        return self._dressed(reply, await self._footer(reply) if config.footer_maps else None)

    async def _footer(self, reply: Reply) -> str | None:
        """smtpd_reject_footer_maps; None for the general footer."""
        try:
            found = await self._config.footer_maps.lookup(reply.line().encode("utf-8", "replace"))
        except TableError:
            return None
        return None if found is None else found.decode("utf-8", "replace")

    def _dressed(self, reply: Reply, footer: str | None = None) -> Reply:
        return replies.dressed(self._state, reply, self._config.reject_footer if footer is None else footer)

    async def _filtered(self, line: bytes) -> bytes:
        """smtpd_command_filter (SD-51)."""
        found = await self._config.command_filter.lookup(line)
        if found is None:
            return line
        namaddr = self._state.namaddr
        log.command_replaced(self._log, namaddr, line.decode("utf-8", "replace"), found.decode("utf-8", "replace"))
        return found

    async def _refused(self, event: events.Refused) -> Reply:
        if event.complaint:
            log.complaint(self._log, event.complaint, self._state.namaddr, self._state.queue_id)
        return event.reply

    async def _closed_by_policy(self, event: events.ClosedByPolicy) -> Reply:
        if event.what == "bare_lf":
            self._state.stage = event.verb or self._where
            log.reject(self._state, "reject", "bare <LF> received")
        return event.reply

    async def _not_smtp(self, event: events.Event) -> bool:
        """A message header, or a word of another protocol (SD-17): such a client is sent away."""
        line = event.line.decode("utf-8", "replace")
        header_like = isinstance(event, events.Unknown) and event.header_like
        if not header_like and not await self._config.forbidden_commands.match(line.split(None, 1)[0]):
            return False
        log.not_smtp(self._log, self._state.namaddr, line)
        return True

    async def _unknown(self, event: events.Unknown) -> Reply:
        if await self._not_smtp(event):
            return replies.GOODBYE
        refused = await self._milters.unknown(event.line) if self._milters is not None else None
        return refused or replies.UNKNOWN

    async def _helo(self, event: events.Helo) -> Reply:
        state = self._state
        before = state.helo, state.protocol
        state.helo = replies.printable(event.name.decode("utf-8", "replace"))
        refused = await self._checks.hello(event.verb)
        if refused:
            state.helo, state.protocol = before
            return refused
        self._drop_mail()
        state.client.helo = state.client.protocol = ""  # what XCLIENT said is over
        if event.verb == "EHLO":  # a HELO after it takes nothing back
            state.protocol = "ESMTP"
            if state.client.unsure:
                return self._unsure()
        if self._milters is not None and (refused := await self._milters.helo(event)):
            return refused
        if event.verb == "HELO":
            return Reply(250, "", self._config.hostname)
        gone = self._core.discarded
        if gone and ehlo.SILENT not in gone:
            log.ehlo_discarded(self._log, " ".join(word for word in ehlo.KEYWORDS if word in gone).upper())
        return ehlo.reply(self._config, self._core, await self._mechanisms())

    def _unsure(self) -> Reply:
        reply = Reply(421, "4.3.0", f"{self._config.hostname} Server local data error", hangup=True)
        log.unsure(self._state, self._state.client.unsure, reply.line())
        return reply

    async def _mail_from(self, event: events.Mail) -> Reply:
        state, config = self._state, self._config
        if refused := await self._limits.message():
            return refused
        if self._mail is not None:  # its last chunk was refused
            self._drop_mail()
        state.sender = event.sender
        state.smtputf8 = event.smtputf8
        if event.auth:
            state.sasl_sender = state.text(event.auth)
        state.size = event.size
        refused = size_refused(state, event.size) or await self._checks.mail()
        if refused is None and self._milters is not None:
            refused = await self._milters.mail(event)
        if refused:
            state.reset()
            return refused
        config.old.sender(state)
        state.instance = config.new_instance(self._host)
        self._overshoot = 0
        mail = Transaction(state, event, self._forwarded, self._milters)
        if not config.delay_open:
            await mail.open(self._context or await self._rewrite_context())
        self._mail = mail
        return replies.MAIL_OK

    async def _rcpt(self, event: events.Rcpt) -> Reply:
        state, config = self._state, self._config
        mail = self._mail
        assert mail is not None
        if refused := await self._limits.recipient():
            return refused
        if config.recipient_limit and state.recipients >= config.recipient_limit:
            self._overshoot += 1
            self.counts.forgive(self._overshoot <= config.recipient_overshoot_limit)
            return replies.TOO_MANY_RECIPIENTS
        state.recipient = event.recipient
        try:
            if event.recipient.lower() not in config.exempt_recipients:
                refused = await self._checks.recipient("RCPT", config.recipient_lists)
            if self._milters is not None:
                refused = await self._milters.rcpt(event, refused)
            if refused is None:
                config.old.recipient(state)
                await mail.recipient(event, self._context or await self._rewrite_context())
        finally:
            state.recipient = None
        return refused or replies.RCPT_OK

    async def _rewrite_context(self) -> str:
        """Whether header addresses of this client are ours to complete (SD-55)."""
        local = self._forwarded.local
        if local is None:
            local = await self._config.is_local_client(self._state)
        self._context = "local" if local else "remote"
        return self._context

    async def _data(self, event: events.Data) -> Reply:
        return await self._content_refused("DATA") or replies.GO_AHEAD

    async def _content_refused(self, stage: str) -> Reply | None:
        """The data list; then our own headers go first."""
        state, mail = self._state, self._mail
        assert mail is not None
        self._only_recipient(mail)
        refused = await self._checks.data(stage)
        if refused is None and self._milters is not None:
            refused = await self._milters.data(stage)
        state.recipient = None
        if refused is None:
            waiting = mail.start_content()
            if waiting is not None:
                await waiting
        return refused

    def _only_recipient(self, mail: Transaction) -> None:
        self._state.recipient = mail.only_recipient

    def _body(self, event: events.Body) -> Deferred[None] | None:
        return self._mail.body(event.data, event.tidy) if self._mail is not None else None

    async def _bdat(self, event: events.Bdat) -> Reply | None:
        mail, config = self._mail, self._config
        assert mail is not None
        if not mail.started:
            refused = await self._content_refused("BDAT")
            if refused:
                return refused
        if config.size_limit and event.size > config.size_limit - mail.size:
            log.bdat_too_big(self._log, self._state.queue_id, self._state.namaddr)
            return replies.CHUNK_TOO_BIG
        self.counts.chunk = event.size
        self._core.accept_chunk()
        return None

    async def _end_of_data(self, event: events.EndOfData) -> Reply:
        if event.verb == "BDAT" and not event.last:
            refused = self._bare_lf_refused(event)
            return refused or Reply(250, "2.0.0", f"Ok: {self.counts.chunk} bytes")
        return await self._commit(event)

    def _mail_is_over(self) -> None:
        """Its end was answered."""
        self._drop_mail()
        self._forwarded = clients.Forwarded()
        self._context = ""

    def _bare_lf_refused(self, event: events.EndOfData) -> Reply | None:
        if not (event.bare_lf and self._core.reject_lf):
            return None
        state = self._state
        state.stage = "END-OF-MESSAGE"
        if self._mail is not None:
            self._only_recipient(self._mail)
        log.reject(state, "reject", "bare <LF> received")
        self._drop_mail()
        return self._core.lf_reply._replace(hangup=self._core.lf_reply.code == 521)

    async def _commit(self, event: events.EndOfData) -> Reply:
        mail, state = self._mail, self._state
        if refused := self._bare_lf_refused(event):
            return refused
        assert mail is not None
        if mail.too_big:
            return replies.FILE_TOO_BIG
        state.size = mail.size
        self._only_recipient(mail)
        refused = await self._checks.data("END-OF-MESSAGE")
        if refused:
            return refused
        committed = await mail.commit()
        self.counts.mail()
        if self._history is not None:
            self._history.forgive()
        if mail.reply is not None:
            return mail.reply
        bytes_word = f"{mail.size} bytes " if event.verb == "BDAT" else ""
        return Reply(250, "2.0.0", f"Ok: {bytes_word}queued as {committed.queue_id}")

    def _drop_mail(self, reason: str = "") -> None:
        self._abort_mail(reason)
        self._state.reset()

    def _abort_mail(self, reason: str = "") -> None:
        mail, self._mail = self._mail, None
        if mail is not None:
            mail.abort(reason)
            if self._milters is not None:
                self._milters.abort()

    async def _rset(self, event: events.Rset) -> Reply:
        self._drop_mail()
        return replies.OK


_HANDLERS: dict[type[events.Event], Callable[[Session, Any], Awaitable[Reply | None]]] = {
    events.Refused: Session._refused,
    events.ClosedByPolicy: Session._closed_by_policy,
    events.Unknown: Session._unknown,
    events.Helo: Session._helo,
    events.Mail: Session._mail_from,
    events.Rcpt: Session._rcpt,
    events.Data: Session._data,
    events.Bdat: Session._bdat,
    events.EndOfData: Session._end_of_data,
    events.Rset: Session._rset,
    events.Noop: SideCommands._noop,
    events.Quit: SideCommands._quit,
    events.Help: SideCommands._help,
    events.Vrfy: SideCommands._vrfy,
    events.Etrn: SideCommands._etrn,
    events.StartTls: SideCommands._starttls,
    events.Attributes: SideCommands._xattributes,
    events.Auth: SideCommands._auth,
    events.Response: SideCommands._response,
}
