"""One mail on its way from the client to cleanup (SD-8, SD-9, SD-49, SD-52, SD-54, SD-55).

The queue file is opened at the first recipient that is accepted, so that refused mail costs nothing, or at MAIL when
smtpd_delay_open_until_valid_rcpt is no, so that refusals are logged with its ID.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

from pytwfix.accept.smtpd import log, received
from pytwfix.accept.smtpd.proxy import ProxiedMail
from pytwfix.basics.tasks import fired
from pytwfix.contracts.cleanup import FILTER, MAP, MILTER, SMTP_REPLY, Committed, ITransaction, Origin
from pytwfix.mail.envelope import REQUIRETLS_ESMTP, SMTPUTF8_REQUESTED, Client, Recipient
from pytwfix.mail.firstlines import FirstLines

if TYPE_CHECKING:
    from pytwfix.accept.smtpd.client import Forwarded
    from pytwfix.accept.smtpd.milters import SessionMilters
    from pytwfix.accept.smtpd.state import State
    from pytwfix.dialogs.smtp_events import Mail, Rcpt
    from pytwfix.mail.reply import Reply

_OVERRIDES = {"no_address_mappings": MAP, "no_header_body_checks": FILTER, "no_milters": MILTER}


def cleanup_flags(overrides: list[str]) -> int:
    """What cleanup is to do with mail that comes by SMTP: all but what receive_override_options leave out."""
    flags = FILTER | MAP | MILTER | SMTP_REPLY
    for word in overrides:
        flags &= ~_OVERRIDES.get(word, 0)
    return flags


def original(typed: bytes) -> bytes:
    """The original recipient of RFC 3461, for a client that names none: the address as it was written (CA-7)."""
    return (b"rfc822;" if typed.isascii() else b"utf-8;") + typed


class Transaction:
    """From MAIL to the dot. `failed` is set when the content cannot be taken any more."""

    __slots__ = (
        "_first", "_forwarded", "_mail", "_milters", "_open", "_sent_actions", "_single", "_started", "_state", "reply",
        "size", "too_big",
    )  # fmt: skip

    def __init__(self, state: State, mail: Mail, forwarded: Forwarded, milters: SessionMilters | None = None) -> None:
        self._state = state
        self._milters = milters
        self._mail = mail
        self._forwarded = forwarded
        self._open: ITransaction | None = None
        self._sent_actions = 0
        self._single = b""
        self._started = False
        self._first = FirstLines()
        self.size = 0
        self.too_big = False
        self.reply: Reply | None = None  # of a filter that the mail went through

    async def recipient(self, event: Rcpt, context: str) -> None:
        """An accepted recipient. MailError: cleanup cannot take it."""
        state = self._state
        opened = self._open or await self.open(context)
        self._send_actions(opened)
        if isinstance(opened, ProxiedMail):
            await opened.command(event.line)
        address = event.recipient
        await opened.recipient(Recipient(address, address, event.orcpt or original(event.typed), event.notify))
        state.recipients += 1
        if state.recipients == 1:
            self._single = event.recipient

    async def open(self, context: str) -> ITransaction:
        """Make the queue file. MailError: cleanup cannot."""
        state, mail = self._state, self._mail
        origin = self._origin(context)
        proxy = state.config.proxy
        if proxy is None:
            opened = await state.host.peers.cleanup.begin(origin)
        else:
            opened = proxy.begin(state, origin, mail.line)
        self._open = opened
        state.queue_id = opened.queue_id
        envelope = opened.envelope
        envelope.encoding = mail.encoding
        envelope.dsn_envid = mail.envid
        envelope.dsn_ret = mail.ret
        envelope.sendopts |= SMTPUTF8_REQUESTED * mail.smtputf8 | REQUIRETLS_ESMTP * mail.requiretls
        envelope.content_filter = state.config.content_filter
        if mail.xverp:
            envelope.verp = mail.verp or state.config.verp_delimiters
        await opened.sender(mail.sender)
        forwarded = self._forwarded
        log.client(state, opened.queue_id, forwarded.client if forwarded.used else None, forwarded.ident)
        return opened

    def _origin(self, context: str) -> Origin:
        state = self._state
        helo, protocol = state.client.helo or state.helo, state.client.protocol or state.protocol
        client = state.client.envelope(helo, protocol)
        client.sasl_sender = state.sasl_sender
        forwarded = self._forwarded
        return Origin(
            flags=state.config.cleanup_flags,
            client=client,
            origin=forwarded.client if forwarded.client.address else Client(),
            origin_ident=forwarded.ident,
            rewrite_context=context,
            source=state.namaddr,
            service="smtpd",
            arrival=state.host.now(),
            milters=self._milters.for_cleanup if self._milters is not None else None,
        )

    def _send_actions(self, opened: ITransaction) -> None:
        actions = self._state.actions
        for name, argument in actions[self._sent_actions :]:
            if name != "prepend":
                opened.action(name, argument)
        self._sent_actions = len(actions)

    def start_content(self) -> Deferred[None] | None:
        """Headers of our own come first: what PREPEND asked for, then Received."""
        state, opened = self._state, self._open
        assert opened is not None
        self._started = True
        self._send_actions(opened)
        lines = [text.encode("utf-8", "replace") + b"\r\n" for name, text in state.actions if name == "prepend"]
        lines.append(received.header(state, opened.queue_id, self.only_recipient, state.host.now()))
        return opened.body(b"".join(lines))

    @property
    def only_recipient(self) -> bytes | None:
        """The recipient when there is just one."""
        return self._single if self._state.recipients == 1 else None

    @property
    def started(self) -> bool:
        return self._started

    def body(self, data: bytes, tidy: bool = False) -> Deferred[None] | None:
        """A piece of the client's content; beyond message_size_limit nothing is passed on."""
        self.size += len(data)
        limit = self._state.config.size_limit
        if limit and self.size > limit:
            if not self.too_big:
                self.too_big = True
                log.size_limit(self._state.host.log, self._state.queue_id)
            return None
        assert self._open is not None
        if not self._first.done:
            tidy = tidy and not self._first.pending  # what it kept may not be
            data = self._first.feed(data)
        return self._open.body(data, tidy)

    async def commit(self) -> Committed:
        """Durable when done. MailError: the reply to give."""
        opened = self._open
        assert opened is not None
        self._send_actions(opened)
        if not self._first.done and (kept := self._first.finish()):
            await (opened.body(kept) or fired(None))
        self._open = None
        try:
            return await opened.commit()
        finally:
            if isinstance(opened, ProxiedMail):
                self.reply = opened.reply
                opened.abort()

    def abort(self, reason: str = "") -> None:
        """Forget the mail; nothing happens when it was committed or never opened."""
        opened, self._open = self._open, None
        if opened is not None:
            opened.abort(reason)
