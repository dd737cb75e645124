"""Sender and recipients on their way into the envelope (INVENTORY CL-2, CL-3, CA-1 to CA-9).

An address is rewritten in local context, then canonical tables and masquerading apply; a recipient is then expanded by
virtual_alias_maps, its results are filtered for duplicates, and bcc tables add copies. Without any table all of it is
done at once, else in a coroutine. Errors: MailError (queue file write error) for a table that fails, and for an
expansion that has no end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

from pytwfix.basics.tasks import fired, start
from pytwfix.cleanup import log
from pytwfix.contracts.reports import TRACE, Report
from pytwfix.contracts.tables import TableError
from pytwfix.mail.address import lower_domain
from pytwfix.mail.envelope import SMTPUTF8_RECIPIENT, SMTPUTF8_SENDER, Recipient
from pytwfix.mail.errors import MailError, queue_file_write_error
from pytwfix.mail.hostnames import literal_address
from pytwfix.mail.reply import Reply
from pytwfix.mail.status import EXPANDED, NOTIFY_NEVER, NOTIFY_SUCCESS, Dsn
from pytwfix.tables.addresses import find_address, map_address, map_to_list
from pytwfix.tables.results import split_addresses

if TYPE_CHECKING:
    from pytwfix.cleanup.configuration import Canonical, Configuration
    from pytwfix.contracts.host import IHost
    from pytwfix.mail.envelope import Envelope
    from pytwfix.tables.maps import Maps

_MAILER_DAEMON = b"mailer-daemon"
_EXPANDED = Dsn("2.0.0", "alias expanded", EXPANDED)
_EXPANSION_ERROR = MailError(Reply(451, "4.6.0", "Alias expansion error"))


class EnvelopeWriter:
    """Fills an Envelope. `mapped` says whether tables apply (contracts.cleanup.MAP), `copied` whether bcc tables do:
    not to mail that we make or forward ourselves, which would give copies of copies."""

    __slots__ = (
        "_config", "_copied", "_envelope", "_host", "_mapped", "_plain", "_rewriter", "_seen", "latest", "named",
        "size", "traced",
    )  # fmt: skip

    def __init__(self, host: IHost, config: Configuration, envelope: Envelope, mapped: bool, copied: bool) -> None:
        self._host = host
        self._config = config
        self._envelope = envelope
        self._mapped = mapped
        self._copied = copied
        copies = copied and config.recipient_bcc
        self._plain = not mapped or not (config.envelope_recipient or config.aliases or copies)
        self._seen: set[object] = set()
        self._rewriter = host.peers.rewriter
        self.latest = b""  # the recipient that log lines name: before aliases
        self.named: list[bytes] | None = None  # recipients before aliases, if somebody asks for them
        self.traced = False  # there is a report for the sender
        self.size = 0  # bytes that the addresses take, roughly as the queue file has them (OB-11)

    # -- sender ----------------------------------------------------------------------------------------------------

    def sender(self, address: bytes) -> Deferred[None]:
        """CA-2."""
        config = self._config
        if not address or not self._mapped:
            mapped = False
        else:
            mapped = bool(config.envelope_sender or (self._copied and config.sender_bcc))
        if not mapped and address[:13].lower() != _MAILER_DAEMON:
            answer = getattr(self._rewriter.rewrite("local", address), "result", None)
            if isinstance(answer, bytes):
                self._set_sender(answer)
                return fired(None)
        return start(self._sender(address, mapped))

    async def _sender(self, address: bytes, mapped: bool) -> None:
        address = await self._rewriter.rewrite("local", address)
        local, _, domain = address.rpartition(b"@")
        if local.lower() == _MAILER_DAEMON and await self.is_local(domain):
            address = b""
        if address and mapped:
            address = await self.canonical(address, self._config.envelope_sender)
        self._set_sender(address)
        if address and mapped and self._copied and self._config.sender_bcc:
            await self._copy(self._config.sender_bcc, address)

    def _set_sender(self, address: bytes) -> None:
        envelope = self._envelope
        envelope.sender = address
        self.size += len(address) + 2
        if self._config.utf8 and not address.isascii():
            envelope.sendopts |= SMTPUTF8_SENDER

    # -- recipients ------------------------------------------------------------------------------------------------

    def recipient(self, recipient: Recipient) -> Deferred[None]:
        """CA-3."""
        if self._plain and recipient.address:
            answer = getattr(self._rewriter.rewrite("local", recipient.address), "result", None)
            if isinstance(answer, bytes):
                self.latest = answer
                if self.named is not None:
                    self.named.append(answer)
                self._add(self._named(recipient, answer), answer)
                return fired(None)
        return start(self._recipient(recipient, True))

    async def _recipient(self, recipient: Recipient, copies: bool) -> None:
        config = self._config
        address = recipient.address or config.empty_recipient
        address = await self._rewriter.rewrite("local", address)
        if self._mapped and config.envelope_recipient:
            address = await self.canonical(address, config.envelope_recipient)
        recipient = self._named(recipient, address)
        if copies:
            self.latest = address
            if self.named is not None:
                self.named.append(address)
        if not self._mapped:
            self._add(recipient, address)
            return
        results = await self._expand(address) if config.aliases else [address]
        if results != [address]:
            recipient = await self._expanded(recipient, address)
        for result in results:
            self._add(recipient, result)
        if copies and self._copied and config.recipient_bcc:
            await self._copy(config.recipient_bcc, address)

    def _named(self, recipient: Recipient, address: bytes) -> Recipient:
        """The recipient with the names that reports use: as it was given, and the original recipient of RFC 3461,
        which is the rewritten address unless the sender said otherwise (CA-7)."""
        if not recipient.original:
            recipient.original = recipient.address or address
        if not recipient.orcpt:
            recipient.orcpt = (b"rfc822;" if address.isascii() or not self._config.utf8 else b"utf-8;") + address
        return recipient

    async def _expanded(self, recipient: Recipient, address: bytes) -> Recipient:
        """What a recipient's alias results inherit. Who asked for a report of success is told of the expansion now,
        and not of what becomes of the results (CA-9, RFC 3461 section 5.2.7.3)."""
        original, orcpt, notify = recipient.original, recipient.orcpt, recipient.notify
        if notify & NOTIFY_SUCCESS:
            notify = (notify & ~NOTIFY_SUCCESS) or NOTIFY_NEVER
            report = Report(Recipient(address, original, orcpt, recipient.notify), _EXPANDED, "none", self._host.now())
            await self._host.peers.reports.record(TRACE, self._envelope.queue_id, report)
            self.traced = True
        return Recipient(address, original, orcpt, notify)

    def _add(self, recipient: Recipient, address: bytes) -> None:
        """An R record, unless there is one (CA-9)."""
        config = self._config
        original, orcpt = recipient.original, recipient.orcpt
        limit = config.duplicate_limit
        if limit:
            key: object = address.lower()
            if config.keep_original:
                key = (orcpt.lower(), recipient.notify, original.lower(), key)
            if key in self._seen:
                return
            if len(self._seen) < limit:
                self._seen.add(key)
        if config.utf8 and not address.isascii():
            self._envelope.sendopts |= SMTPUTF8_RECIPIENT
        self._envelope.recipients.append(Recipient(address, original, orcpt, recipient.notify))
        self.size += len(address) + len(original) + len(orcpt) + 6

    async def _copy(self, maps: Maps, address: bytes) -> None:
        """sender_bcc_maps and recipient_bcc_maps; copies ask for no notice."""
        try:
            found = await find_address(maps, address, delimiter=self._config.delimiter, local=self.is_local)
        except TableError as error:
            raise self._failed(maps, address, error) from error
        if found is not None:
            for copy in split_addresses(found.value)[:1]:
                await self.copy(copy)

    async def copy(self, address: bytes) -> None:
        """A recipient that nobody named: bcc, always_bcc, the action BCC."""
        address = await self._rewriter.rewrite("local", address)  # there is no other name that it was given
        await self._recipient(Recipient(address, address, b"", NOTIFY_NEVER), False)

    async def added(self, recipient: Recipient) -> None:
        """A recipient that a filter adds: no copy follows from it."""
        await self._recipient(recipient, False)

    def remove(self, address: bytes) -> None:
        """Take back a recipient, or all that it was expanded to, by the name that it was given: what an alias led to
        is nobody's to name."""
        envelope, wanted = self._envelope, lower_domain(address)
        kept = [one for one in envelope.recipients if lower_domain(one.original or one.address) != wanted]
        if len(kept) != len(envelope.recipients):
            envelope.recipients = kept
            self._seen.clear()  # it may be named again
            for one in kept:
                whole = (one.orcpt.lower(), one.notify, one.original.lower(), one.address.lower())
                self._seen.add(whole if self._config.keep_original else one.address.lower())

    # -- tables ----------------------------------------------------------------------------------------------------

    async def canonical(self, address: bytes, tables: Canonical) -> bytes:
        """CA-4, then CA-6. MailError when a table fails."""
        config = self._config
        for maps in tables.maps:
            try:
                address = await map_address(
                    maps,
                    address,
                    delimiter=config.delimiter,
                    propagate=config.propagate_canonical,
                    local=self.is_local,
                    rewrite=self._complete,
                    queue_id=self._envelope.queue_id,
                )
            except TableError as error:
                raise self._failed(maps, address, error) from error
        return tables.masquerade(address) if tables.masquerade is not None else address

    async def _complete(self, address: bytes) -> bytes:
        return await self._rewriter.rewrite("local", address)

    async def _expand(self, address: bytes) -> list[bytes]:
        """All that virtual_alias_maps make of an address, in order. A name that is in its own expansion stays; names
        that lead back to each other have no end."""
        config = self._config
        maps = config.aliases
        done: list[bytes] = []
        waiting: list[tuple[bytes, tuple[bytes, ...]]] = [(address, ())]
        while waiting:
            current, above = waiting.pop()
            key = current.lower()
            results = None if above[-1:] == (key,) else await self._alias(maps, current)
            if results is None:
                done.append(current)
                continue
            if key in above or len(above) >= config.recursion_limit:
                log.nesting(self._host.log, self._envelope.queue_id, maps.title, address)
                raise _EXPANSION_ERROR
            if len(done) + len(waiting) + len(results) > config.expansion_limit:
                log.expansion(self._host.log, self._envelope.queue_id, maps.title, address)
                raise _EXPANSION_ERROR
            below = (*above, key)
            waiting.extend((result, below) for result in reversed(results))
        return done

    async def _alias(self, maps: Maps, address: bytes) -> list[bytes] | None:
        config = self._config
        try:
            results = await map_to_list(
                maps,
                address,
                delimiter=config.delimiter,
                propagate=config.propagate_virtual,
                local=self.is_local,
                rewrite=self._complete,
            )
        except TableError as error:
            raise self._failed(maps, address, error) from error
        for result in results or ():
            if len(result) > config.address_limit:
                log.length(self._host.log, self._envelope.queue_id, maps.title, result)
                raise _EXPANSION_ERROR
        return results or None

    async def is_local(self, domain: bytes) -> bool:
        """Whether tables are asked for the bare local part too (LK-4): myorigin, mydestination, our own literals."""
        config = self._config
        if domain.lower() == config.origin:
            return True
        if domain[:1] == b"[":
            return literal_address(domain) in config.literals
        now = config.destinations.match_now(domain)
        return await config.destinations.match(domain) if now is None else now

    def _failed(self, maps: Maps, address: bytes, error: TableError) -> MailError:
        log.map_problem(self._host.log, self._envelope.queue_id, maps.title, address)
        return queue_file_write_error(str(error))
