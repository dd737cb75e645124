"""smtpd_proxy_filter: mail goes through a filter before it is queued, and its replies go to the client (SD-48).

To the rest of smtpd a `ProxiedMail` is a mail that cleanup takes in, without a queue file or a queue ID. With
smtpd_proxy_options = speed_adjust the content is stored first, and the filter sees the whole mail at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from pytwfix.accept.smtpd import log
from pytwfix.accept.smtpd.endpoints import Endpoint, because
from pytwfix.accept.smtpd.proxylink import LinkLost, ProxyLink
from pytwfix.accept.smtpd.restrictions import split
from pytwfix.accept.smtpd.safety import Fatal
from pytwfix.basics.tasks import start
from pytwfix.contracts.cleanup import Committed
from pytwfix.dialogs.smtp_client import Stage
from pytwfix.dialogs.smtp_client_content import Stuffer
from pytwfix.dialogs.smtp_client_hello import Features, parse_features
from pytwfix.mail import xtext
from pytwfix.mail.envelope import REQUIRETLS_ESMTP, Client, Envelope
from pytwfix.mail.errors import MailError, queue_file_write_error
from pytwfix.mail.reply import Reply
from pytwfix.spool.scratch import Scratch

if TYPE_CHECKING:
    from pytwfix.accept.smtpd.settings import SmtpdSettings
    from pytwfix.accept.smtpd.state import State
    from pytwfix.contracts.cleanup import Origin
    from pytwfix.contracts.host import IHost
    from pytwfix.dialogs.smtp_client_replies import Answer
    from pytwfix.mail.envelope import Recipient

_LONGEST = 490  # of a command line
_GOOD = {Stage.GREETING: 2, Stage.EHLO: 2, Stage.XFORWARD: 2, Stage.MAIL: 2, Stage.RCPT: 2, Stage.DATA: 3, Stage.END: 2}


class ProxyFilter:
    """The filter of a snapshot. Raises Fatal for what is no endpoint."""

    def __init__(self, host: IHost, cfg: SmtpdSettings) -> None:
        self.host = host
        self.text = cfg.smtpd_proxy_filter
        try:
            self.end = Endpoint(host, self.text)
        except ValueError as error:
            raise Fatal(f"smtpd_proxy_filter: {error}") from error
        self.timeout = cfg.smtpd_proxy_timeout
        self.ehlo = cfg.smtpd_proxy_ehlo
        options = split(cfg.smtpd_proxy_options)
        for word in options:
            if word != "speed_adjust":
                raise Fatal(f'smtpd_proxy_options: unknown option "{word}"')
        self.stores = "speed_adjust" in options
        self.folder = f"{cfg.queue_directory}/incoming"

    def begin(self, state: State, origin: Origin, mail_line: bytes) -> ProxiedMail:
        return ProxiedMail(self, state, origin, mail_line)


class ProxiedMail:
    """ITransaction; `reply` is what the filter said in the end."""

    __slots__ = (
        "_commands", "_content", "_failed", "_filter", "_first", "_link", "_origin", "_started", "_state", "_stuffer",
        "envelope", "queue_id", "reply",
    )  # fmt: skip

    def __init__(self, filter: ProxyFilter, state: State, origin: Origin, mail_line: bytes) -> None:
        self._filter = filter
        self._state = state
        self._origin = origin
        self._link: ProxyLink | None = None
        self._commands: list[tuple[bytes, Stage]] = [(mail_line, Stage.MAIL)]
        self._content: Scratch | None = None
        self._started = False
        self._failed: Exception | None = None  # what happened to a piece of content
        self._stuffer = Stuffer()
        self._first: bytes | None = None  # the recipient that log lines name
        self.queue_id = ""
        self.envelope = Envelope()
        self.reply: Reply | None = None

    # ITransaction.

    def sender(self, address: bytes) -> Deferred[None]:
        if self._filter.stores:
            return _done()
        return start(self._open())

    def recipient(self, recipient: Recipient) -> Deferred[None]:
        self._first = self._first or recipient.address
        return _done()

    def command(self, rcpt_line: bytes) -> Deferred[None]:
        """RCPT, in the client's own words."""
        if self._filter.stores:
            self._commands.append((rcpt_line, Stage.RCPT))
            return _done()
        return start(self._rcpt(rcpt_line))

    async def _rcpt(self, line: bytes) -> None:
        await self._ask(line, Stage.RCPT)

    def action(self, name: str, argument: str = "") -> None:
        """There is no queue file that could be held or sent elsewhere."""

    def extract_recipients(self, resent: bool = False) -> None:
        """Not for SMTP."""

    def body(self, data: bytes, tidy: bool = False) -> Deferred[None] | None:
        if self._filter.stores:
            self._content = self._content or Scratch(self._filter.host, self._filter.folder)
            waiting = self._content.write(data)
        elif not self._started:
            return self._passed_on(data)
        else:
            waiting = self._passed_on(data)
        return None if waiting is None else waiting.addErrback(self._note)

    def _note(self, failure: Failure) -> None:
        """The client is told after the dot."""
        error = failure.value
        self._failed = self._failed or (error if isinstance(error, Exception) else LinkLost())

    def commit(self) -> Deferred[Committed]:
        return start(self._commit())

    def abort(self, reason: str = "") -> None:
        link, self._link = self._link, None
        if link is not None:
            link.drop()
        if self._content is not None:
            self._content.close()

    # The dialog with the filter.

    async def _open(self) -> None:
        where, host = self._filter, self._filter.host
        try:
            link = await where.end.connect(lambda: ProxyLink(host, where.timeout), where.timeout)
        except Exception as error:
            raise queue_file_write_error(f"connect to proxy filter {where.text}: {because(error)}") from error
        self._link = link
        self._judge("connection", await self._waited(link.greeting()), Stage.GREETING)
        features = parse_features(await self._ask(b"EHLO " + where.ehlo.encode(), Stage.EHLO))
        for line in xforward(features, self._origin, self._state):
            await self._ask(line, Stage.XFORWARD)
        for line, stage in self._commands:
            await self._ask(line, stage)

    async def _start(self, data: bytes) -> None:
        self._started = True
        await self._ask(b"DATA", Stage.DATA)
        link = self._link
        assert link is not None
        if self.envelope.sendopts & REQUIRETLS_ESMTP:
            data = b"Require-TLS-ESMTP: yes\r\n" + data
        await self._written(link.write(self._stuffer.feed(data)))

    async def _commit(self) -> Committed:
        if self._failed is not None:
            raise self._why(self._failed)
        if self._content is not None:
            await self._open()
            async for piece in self._content.pieces():
                await self._written(self._passed_on(piece))
        link = self._link
        assert link is not None
        await self._written(link.write(self._stuffer.end()))
        answer = await self._waited(link.end())
        self._judge("END-OF-MESSAGE", answer, Stage.END)
        self.reply = _reply(answer)
        self._state.recipient = self._first
        log.proxied(self._state, "proxy-accept", self.reply.line())
        self._link = None
        link.quit()
        if self._content is not None:
            self._content.close()
        return Committed("", 0)

    def _passed_on(self, data: bytes) -> Deferred[None] | None:
        """DATA goes before the first piece."""
        if not self._started:
            return start(self._start(data))
        assert self._link is not None
        return self._link.write(self._stuffer.feed(data))

    async def _ask(self, line: bytes, stage: Stage) -> Answer:
        link = self._link
        if link is None:
            raise queue_file_write_error(f"lost connection with proxy filter {self._filter.text}")
        answer = await self._waited(link.command(line, stage))
        self._judge(line.decode("utf-8", "replace"), answer, stage)
        return answer

    async def _waited(self, waiting: Deferred[Answer]) -> Answer:
        try:
            return await waiting
        except (LinkLost, TimeoutError) as error:
            raise self._lost(error) from error

    async def _written(self, waiting: Deferred[None] | None) -> None:
        try:
            if waiting is not None:
                await waiting
        except TimeoutError as error:
            raise self._lost(error) from error

    def _why(self, error: Exception) -> MailError:
        if isinstance(error, MailError):
            return error
        if isinstance(error, OSError) and not isinstance(error, TimeoutError):
            return queue_file_write_error(f"temporary file for the proxy filter: {error}")
        return self._lost(error)

    def _lost(self, error: Exception) -> MailError:
        self.abort()
        what = "timeout talking to" if isinstance(error, TimeoutError) else "lost connection with"
        return queue_file_write_error(f"{what} proxy filter {self._filter.text}")

    def _judge(self, line: str, answer: Answer, stage: Stage) -> None:
        """Raises MailError with the filter's own words when they are a refusal of this mail."""
        if answer.kind == _GOOD[stage] or (stage is Stage.XFORWARD and answer.kind == 5):
            return
        reason = f'proxy {self._filter.text} rejected "{line}": "{answer.text}"'
        if stage in (Stage.GREETING, Stage.EHLO) or answer.kind not in (4, 5):
            self.abort()
            raise queue_file_write_error(reason)
        reply = _reply(answer)
        if self._state.recipient is None:
            self._state.recipient = self._first
        log.proxied(self._state, "proxy-reject", reply.line())
        raise MailError(reply)


def xforward(features: Features, origin: Origin, state: State) -> list[bytes]:
    """Who the client is: what was forwarded to us, else what we know ourselves (SD-44)."""
    offered = features.words("XFORWARD")
    client: Client = origin.origin if origin.origin.address else origin.client
    address = f"IPV6:{client.address}" if ":" in client.address else client.address
    source = "LOCAL" if origin.rewrite_context == "local" else "REMOTE"
    values = (
        {"NAME": client.name, "ADDR": address, "PORT": client.port},
        {"PROTO": client.protocol, "HELO": client.helo, "IDENT": origin.origin_ident, "SOURCE": source},
    )
    lines: list[bytes] = []
    for group in values:
        words = [
            name.encode() + b"=" + (b"[UNAVAILABLE]" if text in ("", "unknown") else xtext.encode(text.encode()))
            for name, text in group.items()
            if name in offered
        ]
        if words:
            lines.append(b" ".join(words))
    if sum(map(len, lines)) < _LONGEST:
        lines = [b" ".join(lines)] if lines else []
    return [b"XFORWARD " + line for line in lines]


def _reply(answer: Answer) -> Reply:
    """The same reply for the client. Its enhanced status stays a part of the text."""
    text = "\n".join(line[4:].decode("utf-8", "replace") for line in answer.lines)
    return Reply(answer.code, "", text, hangup=answer.code in (421, 521))


def _done() -> Deferred[None]:
    done: Deferred[None] = Deferred()
    done.callback(None)
    return done
