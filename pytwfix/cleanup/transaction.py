"""One mail: its state, and the order in which things happen to it (INVENTORY CL-1, CL-11, CL-14, SD-9, OB-11).

Envelope first, then content, then what headers and checks added to the envelope, then the queue file. The first thing
that is wrong is remembered: the rest of the content is thrown away and `commit` says so. What gets through is written
by `_write`, the queue file's `content`: who wants to see or change a whole mail stands in its place.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

from pytwfix.basics.tasks import start
from pytwfix.cleanup import log
from pytwfix.cleanup.checks import Checks
from pytwfix.cleanup.content import Content
from pytwfix.cleanup.envelope import EnvelopeWriter
from pytwfix.cleanup.headers import Headers
from pytwfix.cleanup.held import Held
from pytwfix.cleanup.inspection import Inspection
from pytwfix.cleanup.milters import filtered
from pytwfix.cleanup.refusal import bounce
from pytwfix.cleanup.sequence import Waiting, settled
from pytwfix.contracts.cleanup import (
    BOUNCE,
    DISCARD,
    FILTER,
    HOLD,
    INTERNAL,
    MAP,
    MILTER,
    SMTPUTF8_AUTODETECT,
    Committed,
    Origin,
)
from pytwfix.contracts.queue import ACTIVE, INCOMING, QueueError
from pytwfix.contracts.queue import HOLD as HOLD_QUEUE
from pytwfix.contracts.reports import TRACE
from pytwfix.contracts.verification import OK
from pytwfix.mail.envelope import SMTPUTF8_ANY, SMTPUTF8_REQUESTED, TRACE_PROBE, Envelope, Recipient
from pytwfix.mail.errors import MailError, queue_file_write_error
from pytwfix.mail.mime import has_parts
from pytwfix.mail.quoting import external_form
from pytwfix.mail.reply import Reply

if TYPE_CHECKING:
    from pytwfix.cleanup.configuration import Configuration
    from pytwfix.contracts.host import IHost, ILog
    from pytwfix.contracts.queue import INewMessage

_8BIT = re.compile(
    rb"^content-transfer-encoding[ \t]*:[ \t]*(?:8bit|binary)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE
)
_8BIT_WORDS = (b"8bit", b"8BIT", b"8Bit", b"binary", b"Binary", b"BINARY")
_KEEP = 1 << 16
TOO_BIG = MailError(Reply(552, "5.3.4", "Error: message file too big"))
BAD_CHARACTERS = MailError(Reply(550, "5.7.1", "disallowed character"))
NO_RECIPIENTS = MailError(Reply(550, "5.1.0", "Error: no recipients specified"))


class Transaction:
    """contracts/cleanup.py's ITransaction. What it offers beside is for this room."""

    def __init__(self, host: IHost, config: Configuration, origin: Origin, message: INewMessage) -> None:
        self.host = host
        self.config = config
        self.log: ILog = host.log
        self.queue_id = message.queue_id
        self._origin = origin
        self._message = message
        self._write = message.content
        flags = origin.flags
        self.mapped = bool(flags & MAP)
        self.held = bool(flags & HOLD)
        self.discarded = bool(flags & DISCARD)
        self.envelope = self._envelope(origin, message.queue_id)
        self._copied = self.mapped and not flags & INTERNAL and origin.service != "local"
        self.addresses = EnvelopeWriter(host, config, self.envelope, self.mapped, self._copied)
        self.headers = Headers(self)
        self.checks = Checks(self)
        own = bool(flags & INTERNAL) and origin.service in config.filters_internal
        inspected = bool(flags & FILTER) or own
        self.checked = inspected and config.checks
        self.strict = inspected and config.strict  # our own notices may hold what others may not send
        self.rewrites = origin.rewrite_context == "local" or config.rewrite_remote
        self.adds = self.rewrites or config.add_missing
        self.extracts = False
        self._resent_only = False
        self._characters = inspected and bool(config.strip_characters or config.reject_characters)
        self._content: Content | None = None
        self._inspection: Inspection | None = None
        self._pending: list[bytes] = []  # header lines to go first
        self._head = b""  # the header, until the body begins
        self._copies: list[bytes] = []
        self.last = b""  # the recipient that log lines name
        self._held = Held(host) if self._filtered(own) else None
        if self._held is not None:
            self._write = self._held.write
            self.addresses.named = None if self.by_smtp else []
        self._error: MailError | None = None
        self.refusal: MailError | None = None  # what to bounce the mail for, once all of it is there
        self._size = 0
        self._open = True

    @staticmethod
    def _envelope(origin: Origin, queue_id: str) -> Envelope:
        return Envelope(
            queue_id=queue_id,
            arrival=origin.arrival,
            rewrite_context=origin.rewrite_context,
            log_ident=origin.origin_ident or queue_id,
            client=origin.client,
            origin=origin.origin,
            origin_ident=origin.origin_ident,
        )

    def _filtered(self, own: bool) -> bool:
        """Whether filters see the mail: those of its SMTP session, or for other mail non_smtpd_milters (MI-6)."""
        if self.by_smtp:
            return self._origin.milters is not None
        return bool(self.config.milters) and (own or bool(self._origin.flags & MILTER))

    @property
    def by_smtp(self) -> bool:
        """There is a client that hears what is said of the mail."""
        return self._origin.service == "smtpd"

    # -- envelope --------------------------------------------------------------------------------------------------

    def sender(self, address: bytes) -> Deferred[None]:
        return self._noted(self.addresses.sender(address))

    def recipient(self, recipient: Recipient) -> Deferred[None]:
        self.last = recipient.address
        return self._noted(self.addresses.recipient(recipient))

    def _noted(self, waiting: Deferred[None]) -> Deferred[None]:
        """What is wrong with an address is told at the end, as all else is (CL-11)."""
        return waiting if getattr(waiting, "result", waiting) is None else waiting.addErrback(self._failed)

    def action(self, name: str, argument: str = "") -> None:
        if name == "filter":
            self.envelope.content_filter = argument
        elif name == "hold":
            self.held = True
        elif name == "redirect":
            self.envelope.redirect = argument.encode()
        elif name == "bcc":
            self._copies.append(argument.encode())
        elif name == "prepend":
            self._pending.append(argument.encode("utf-8", "replace") + b"\r\n")
        elif name == "discard":
            self.discarded = True

    def extract_recipients(self, resent: bool = False) -> None:
        self.extracts = True
        self._resent_only = resent

    @property
    def repaired(self) -> bool:
        """Whether the header ended without an empty line, which was then put in."""
        return self._content is not None and self._content.repaired

    def context(self, session: bool = True) -> str:
        """Where a mail comes from, as the log lines of checks say it (LG-7)."""
        return f"from {self.named_source('local')};{self.addressed(session)}"

    def named_source(self, otherwise: str) -> str:
        """Who brought the mail: `otherwise` when it did not come over a network."""
        source = self._origin.source
        return otherwise if source in ("", "local") else source

    def addressed(self, session: bool = True) -> str:
        """Its addresses, for the log, and what the client called itself."""
        origin = self._origin
        client = origin.origin if origin.origin.address else origin.client
        text = f" from=<{log.text(external_form(self.envelope.sender))}>"
        recipient = self.addresses.latest or self.last
        if recipient:
            text += f" to=<{log.text(external_form(recipient))}>"
        if client.protocol and session:
            text += f" proto={client.protocol}"
        if client.helo and session:
            text += f" helo=<{client.helo}>"
        return text

    # -- content ---------------------------------------------------------------------------------------------------

    def body(self, data: bytes, tidy: bool = False) -> Deferred[None] | None:
        if self._error is not None or self.discarded:
            return None
        content = self._content
        if content is None:
            content = self._start()
        self._size += len(data)
        limit = self.config.size_limit
        if limit and self._size + self.addresses.size > limit:
            log.size(self.log, self.queue_id)
            self._error = TOO_BIG
            return None
        if self._characters:
            data, tidy = self._cleaned(data), False
        return self._guard(content.write, data, tidy)

    def _cleaned(self, data: bytes) -> bytes:
        """message_strip_characters and message_reject_characters."""
        config = self.config
        if config.reject_characters and len(data.translate(None, config.reject_characters)) != len(data):
            place = min(at for char in config.reject_characters if (at := data.find(bytes((char,)))) >= 0)
            line = data[data.rfind(b"\n", 0, place) + 1 :].partition(b"\n")[0].removesuffix(b"\r")
            log.characters(self.log, self.queue_id, line, self.context())
            self._error = BAD_CHARACTERS
            return b""
        return data.translate(None, config.strip_characters)

    def _start(self) -> Content:
        config = self.config
        if self.checked or self.strict or config.convert or self._must_look():
            self._inspection = Inspection(self)
        content = self._content = Content(self._inspection or self, config.fix_stray)
        if self._pending:
            self._guard(content.write, b"".join(self._pending))
            self._pending.clear()
        return content

    def _must_look(self) -> bool:
        """Whether fields have to be looked at one by one even when nothing is checked."""
        return self.extracts or self.adds

    def _guard(self, write: object, *args: object) -> Waiting:
        """Remember what is wrong; the caller hears of it at the end."""
        try:
            waiting: Waiting = write(*args)  # type: ignore[operator]
        except MailError as error:
            self._error = error
            return None
        if waiting is not None:
            waiting.addErrback(self._failed)
            return settled(waiting)
        return None

    def refuse(self, error: MailError) -> None:
        """The content is not wanted. A mail that is to be bounced is taken to its end, for the notice."""
        if not self._origin.flags & BOUNCE:
            raise error
        self.refusal = self.refusal or error

    def _failed(self, failure: object) -> None:
        error = getattr(failure, "value", None)
        if isinstance(error, QueueError):
            error = queue_file_write_error(str(error))
        if not isinstance(error, MailError):
            self.log.failure("cleanup", error if isinstance(error, BaseException) else Exception(str(failure)))
            error = queue_file_write_error("internal error")
        self._error = self._error or error

    # The short way: IParts for a mail of which nothing is inspected.

    def header(self, block: bytes) -> Waiting:
        return self.keep(self.headers.block(block))

    def end_of_header(self, empty_line: bytes) -> Waiting:
        return self.keep(self.headers.end() + empty_line)

    def text(self, data: bytes) -> Waiting:
        if self.headers.content_type and self.config.detect_8bit:
            self.detect_8bit(data)
        return self.write(data)

    def keep(self, header: bytes) -> Waiting:
        """Part of the header: it goes to the queue file with what follows, so that a small mail is one write."""
        self._head += header
        return self.write(b"") if len(self._head) > _KEEP else None

    def write(self, data: bytes) -> Waiting:
        """To the queue file."""
        if self._head:
            data, self._head = self._head + data, b""
        return self._write(data) if data else None

    def detect_8bit(self, data: bytes) -> None:
        """A part that is said to be 8bit or binary makes the whole mail 8bit (detect_8bit_encoding_header)."""
        if self.envelope.encoding == "8bit" or not any(word in data for word in _8BIT_WORDS):
            return
        if self.config.mime and has_parts(self.headers.content_type) and _8BIT.search(data):
            self.envelope.encoding = "8bit"

    # -- the end ---------------------------------------------------------------------------------------------------

    def commit(self) -> Deferred[Committed]:
        return start(self._commit())

    async def _commit(self) -> Committed:
        try:
            await self._complete()
            if self.discarded:
                self._message.abort()
                log.discarded(self.log, self.queue_id)
                return Committed(self.queue_id, self._size, True)
            if self.envelope.trace_flags & TRACE_PROBE and len(self.envelope.recipients) > 1:
                return await self._list_probed()
            envelope = await self._store()
        except MailError as error:
            return await self._refused(error)
        except QueueError as error:
            self.log.warning(f"{self.queue_id}: {error}")
            return await self._refused(queue_file_write_error(str(error)))
        finally:
            self._open = False
            self._let_go()
        return Committed(self.queue_id, envelope.size)

    async def _complete(self) -> None:
        """The end of the content, and the recipients that it brought. MailError: refused."""
        content = self._content or self._start()
        if self._error is None and not self.discarded:
            await self._written(self._guard(content.finish))
        if self._inspection is not None and self._error is None and not self.discarded:
            await self._inspection.finish()
        if self._error is not None:
            raise self._error
        if self.discarded:
            return
        await self._written(self.write(b""))
        if self.refusal is not None:
            raise self.refusal
        if self.extracts:
            await self._extract()
        for address in self._copies:
            await self.addresses.copy(address)
        self._copies.clear()
        if self.config.always_bcc and self._copied:
            await self.addresses.copy(self.config.always_bcc)
        if not self.envelope.recipients:
            raise NO_RECIPIENTS
        if len(self.envelope.attributes) > self.config.attribute_limit:
            log.attributes(self.log, self.queue_id)
            raise queue_file_write_error("too many attributes")
        if self._held is not None:
            await self._filter(self._held)
        self._flags()

    async def _filter(self, held: Held) -> None:
        """Filters decide (CL-10); then what was held back goes to the queue file. MailError: refused."""
        await self._written(held.finish())
        header = await filtered(self, held, self._origin.milters)
        for address in self._copies:
            await self.addresses.added(Recipient(address, address))
        if self.refusal is not None:
            raise self.refusal
        self.discarded = self.discarded or not self.envelope.recipients
        if not self.discarded:
            await self._release(header)

    async def _release(self, header: bytes) -> None:
        held, self._held = self._held, None
        if held is None:
            return
        try:
            await self._written(self._message.content(header))
            async for piece in held.body.pieces(_KEEP):
                await self._written(self._message.content(piece))
        finally:
            held.close()

    def _let_go(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            held.close()

    @staticmethod
    async def _written(waiting: Waiting) -> None:
        if waiting is not None:
            await waiting

    async def _extract(self) -> None:
        """`sendmail -t`: the resent headers' recipients if there are any such headers, else those of To, Cc, Bcc."""
        plain, resent = self.headers.recipients
        for address in resent if self._resent_only or self.headers.resent else plain:
            self.last = address
            await self.addresses.recipient(Recipient(address, address))

    def _flags(self) -> None:
        """Who needs no SMTPUTF8 shall not be bothered with it, and who does but did not say so is helped (CL-12)."""
        envelope = self.envelope
        if envelope.sendopts & SMTPUTF8_ANY and self._origin.flags & SMTPUTF8_AUTODETECT:
            envelope.sendopts |= SMTPUTF8_REQUESTED

    async def _store(self) -> Envelope:
        queue = self.host.peers.queue
        self.envelope.warn_time = self.config.warn_time(self.envelope.arrival)
        admitted = not self.held and queue.admits()
        where = HOLD_QUEUE if self.held else ACTIVE if admitted else INCOMING
        envelope = await self._message.commit(self.envelope, where)
        if self.addresses.traced:
            await self._report(envelope)
        if admitted:
            queue.wake_active(None, envelope)
        elif not self.held:
            queue.wake(self.queue_id, envelope)
        return envelope

    async def _list_probed(self) -> Committed:
        """A probe of an address that stands for several goes no further: there is such a list (VE-1)."""
        self._message.abort()
        first = self.envelope.recipients[0]
        await self.host.peers.verifier.update(first.original or first.address, OK, "aliased to multiple recipients")
        return Committed(self.queue_id, self._size, True)

    async def _report(self, envelope: Envelope) -> None:
        """Tell who asked for it that an alias was expanded. The mail itself is safe: a failure is only logged."""
        try:
            await self.host.peers.reports.notify_trace(envelope)
        except Exception as error:
            self.log.failure("notice of an expanded alias", error)

    async def _refused(self, error: MailError) -> Committed:
        """Tell the client, or the sender when nobody waits for an answer."""
        if self._origin.flags & BOUNCE and error.reply.code >= 500:
            if self._held is not None:
                await self._release(self._held.header + b"\r\n" * self._held.separated)
            return await bounce(self, self._message, error)
        self._cancel()
        raise error

    def abort(self, reason: str = "") -> None:
        if self._open:
            self._open = False
            self._cancel()

    def _cancel(self) -> None:
        self._message.abort()
        self._let_go()
        log.canceled(self.log, self.queue_id)
        if self.addresses.traced:
            self.host.background(self._forget_report(), f"{self.queue_id}: report of an alias")

    async def _forget_report(self) -> None:
        await self.host.peers.reports.forget(TRACE, self.queue_id)
