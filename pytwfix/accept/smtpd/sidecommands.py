"""Commands that bring no mail: VRFY, ETRN, HELP, XCLIENT, XFORWARD, STARTTLS, AUTH (SD-11 to SD-13, SD-41 to SD-44).

`Session` is one of these: what both use is declared here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytwfix.accept.smtpd import client as clients
from pytwfix.accept.smtpd import log, replies
from pytwfix.accept.smtpd.auth import Authentication, already
from pytwfix.accept.smtpd.checks import Checks
from pytwfix.accept.smtpd.counts import Counts
from pytwfix.accept.smtpd.history import POLICY, History
from pytwfix.accept.smtpd.limits import Limits
from pytwfix.accept.smtpd.milters import SessionMilters, session_milters
from pytwfix.accept.smtpd.state import State
from pytwfix.accept.smtpd.tls import handshake
from pytwfix.dialogs import smtp_events as events
from pytwfix.dialogs.smtp_server import SmtpServer
from pytwfix.mail.reply import Reply

if TYPE_CHECKING:
    from pytwfix.accept.smtpd.configuration import Configuration
    from pytwfix.accept.smtpd.wire import Wire
    from pytwfix.contracts.host import IHost


class SideCommands:
    """Handlers of events; each gives the reply."""

    __slots__ = (
        "_checks",
        "_config",
        "_context",
        "_core",
        "_denied",
        "_exchange",
        "_forwarded",
        "_history",
        "_host",
        "_limits",
        "_log",
        "_milters",
        "_state",
        "_wire",
        "counts",
    )

    def __init__(self, host: IHost, config: Configuration, wire: Wire, client: clients.Connected) -> None:
        self._host = host
        self._config = config
        self._log = host.log
        self._wire = wire
        self._core: SmtpServer = wire.core
        self._state = State(host, config, client)
        self._checks = Checks(self._state)
        self._limits = Limits(self._state)
        self._forwarded = clients.Forwarded()
        self._denied: Reply | None = None
        self._context = ""
        self._history: History | None = None
        self._exchange: Authentication | None = None
        self._milters: SessionMilters | None = None
        self.counts = Counts(config.soft_error_limit, config.hard_error_limit, config.junk_command_limit)

    def _greeted(self, reply: Reply) -> None:
        """With a welcome, or with a refusal."""
        history = self._history
        if history is not None:
            history.reset()
            history.add(None, reply)
            if reply.code >= 400:
                history.went_wrong(POLICY)

    def _drop_mail(self, reason: str = "") -> None:
        raise NotImplementedError

    async def _open_milters(self) -> Reply | None:
        """Tell filters of the client; what is said instead of the greeting when they refuse it."""
        if self._config.milters is None:
            return None
        self._close_milters()
        milters = self._milters = await session_milters(self._state)
        return await milters.connect() if milters is not None else None

    def _close_milters(self) -> None:
        milters, self._milters = self._milters, None
        if milters is not None:
            milters.close()

    async def _noop(self, event: events.Noop) -> Reply:
        return replies.OK

    async def _quit(self, event: events.Quit) -> Reply:
        return replies.BYE

    async def _help(self, event: events.Help) -> Reply:
        return replies.HELP

    async def _vrfy(self, event: events.Vrfy) -> Reply:
        state = self._state
        if refused := await self._limits.recipient():
            return refused
        state.recipient = event.recipient
        try:
            if event.recipient.lower() != b"postmaster":
                refused = await self._checks.recipient("VRFY", self._config.recipient_lists)
        finally:
            state.recipient = None
        return refused or Reply(252, "2.0.0", event.text.decode("utf-8", "replace"))

    async def _etrn(self, event: events.Etrn) -> Reply:
        state = self._state
        state.etrn = event.domain
        refused = await self._checks.etrn()
        state.etrn = b""
        if refused:
            return refused
        domain = event.domain.decode("utf-8", "replace")
        if not await self._config.fast_flush_domains.match(domain):
            log.etrn_refused(self._log, domain, state.namaddr)
            return Reply(459, "", f"<{domain}>: service unavailable")
        try:
            await self._host.peers.queue.flush([domain])
        except Exception as error:
            self._log.failure(f"ETRN {domain}", error)
            return Reply(458, "", "Unable to queue messages")
        return Reply(250, "", "Queuing started")

    async def _xattributes(self, event: events.Attributes) -> Reply | None:
        if event.verb == "XFORWARD":
            self.counts.good("XFORWARD")
            self._forwarded.update(event.values)
            self._context = ""
            return replies.OK
        return await self._xclient(event)

    async def _xclient(self, event: events.Attributes) -> Reply | None:
        """The session starts again as that of another client, with a greeting (SD-43)."""
        state = self._state
        client = state.client
        client.replace(event.values)
        self._limits.exempt()
        state.helo, state.protocol = client.helo, client.protocol or "SMTP"
        self._drop_mail()
        self._context = ""
        self._denied = None
        self._checks = Checks(state)
        xforward = self._core.xforward
        await self._config.bind(self._core, client)
        self._core.xforward = xforward
        refused = await self._checks.connect("XCLIENT")
        if refused:
            self._denied = Reply(503, "5.7.0", f"Error: access denied for {client.namaddr}")
        instead = None if refused else await self._open_milters()
        self._core.restart()
        return refused or instead or self._config.greeting

    # TLS.

    async def _starttls(self, event: events.StartTls) -> Reply:
        if refused := await self._limits.starttls():
            return refused
        if not await self._config.tls.context(self._host):
            return replies.TLS_UNAVAILABLE
        return replies.READY_FOR_TLS

    async def _start_tls(self) -> None:
        self._wire.flush()
        if await self._handshake():
            if refused := await self._limits.new_tls():
                self._core.close(refused)
                return
            self.counts.good("STARTTLS")
            self._drop_mail()
            state, client = self._state, self._state.client
            state.helo, state.protocol = "", "SMTP"
            client.sasl_method = client.sasl_username = ""
            await self._config.bind(self._core, client)
            self._core.tls_started()

    async def _handshake(self) -> bool:
        """False: the connection is of no use any more."""
        done = await handshake(self._config.tls, self._state, self._wire)
        self._core.tls_active = done
        return done

    # AUTH.

    async def _mechanisms(self) -> list[str]:
        sasl = self._config.sasl
        if sasl is None or not self._core.auth_offered or "auth" in self._core.discarded:
            return []
        return await sasl.mechanisms(self._core.tls_active)

    async def _auth(self, event: events.Auth) -> Reply:
        refused = already(self._state) or await self._limits.auth()
        if refused:
            return refused
        mechanism, *initial = event.arguments
        exchange = Authentication(self._state, replies.printable(mechanism.decode("utf-8", "replace")).upper())
        self._exchange = exchange
        first = initial[0] if initial else None
        return self._authenticated(await exchange.start(await self._mechanisms(), first))

    async def _response(self, event: events.Response) -> Reply:
        exchange = self._exchange
        assert exchange is not None
        reply = exchange.too_long(event.line) if event.too_long else await exchange.respond(event.line)
        return self._authenticated(reply)

    def _authenticated(self, reply: Reply) -> Reply:
        if reply.code != 334:
            self._exchange = None
        if reply.code == 235:
            self.counts.good("AUTH")
        return reply

    def _abandon_exchange(self) -> None:
        """The client is gone in the middle of AUTH."""
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.abort()
