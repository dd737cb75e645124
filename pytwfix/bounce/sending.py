"""A notice given to cleanup, like any other mail (BO-2, LG-12). Errback: MailError, with the failure logged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytwfix.bounce import log
from pytwfix.contracts.cleanup import INTERNAL, MAP, SMTPUTF8_AUTODETECT, Origin
from pytwfix.mail.envelope import REQUIRETLS_ESMTP, SMTPUTF8_ANY, Recipient
from pytwfix.mail.errors import MailError
from pytwfix.tables.names import split_list

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytwfix.bounce.notice import Notice
    from pytwfix.bounce.settings import BounceSettings
    from pytwfix.contracts.cleanup import ITransaction
    from pytwfix.contracts.host import IHost
    from pytwfix.contracts.reports import Report
    from pytwfix.mail.envelope import Envelope


class Post:
    """Sends the notices about one message. `what` is the word in log lines."""

    __slots__ = ("_cfg", "_envelope", "_host", "_notice", "_what")

    def __init__(self, host: IHost, cfg: BounceSettings, envelope: Envelope, notice: Notice, what: str) -> None:
        self._host = host
        self._cfg = cfg
        self._envelope = envelope
        self._notice = notice
        self._what = what

    async def to_sender(self, address: bytes, reports: Sequence[Report], whole: bool) -> None:
        await self._send(b"", address, reports, False, whole)

    async def to_postmaster(self, address: bytes, reports: Sequence[Report], whole: bool, must: bool = False) -> None:
        """From an address whose own failures end here. A copy that fails must not make the sender's notice go out
        twice; with `must` the failure is raised."""
        try:
            await self._send(double_bounce(self._cfg), address, reports, True, whole)
        except MailError:
            if must:
                raise

    async def _send(self, sender: bytes, to: bytes, reports: Sequence[Report], postmaster: bool, whole: bool) -> None:
        whom = "postmaster" if postmaster else "sender"
        old = self._envelope.queue_id
        try:
            transaction = await self._host.peers.cleanup.begin(self._origin())
            log.notice(self._host.log, old, whom, self._what, transaction.queue_id)
            try:
                await self._fill(transaction, sender, to, reports, postmaster, whole)
                await transaction.commit()
            except BaseException as error:
                transaction.abort(str(error))
                raise
        except MailError as error:
            log.failed(self._host.log, old, whom, to, error.reason or error.reply.line())
            raise

    def _origin(self) -> Origin:
        flags = INTERNAL | MAP
        if not {"all", "bounce"}.isdisjoint(split_list(self._cfg.smtputf8_autodetect_classes)):
            flags |= SMTPUTF8_AUTODETECT
        return Origin(flags, rewrite_context="local", source="local", service="bounce", arrival=self._host.now())

    async def _fill(
        self,
        transaction: ITransaction,
        sender: bytes,
        to: bytes,
        reports: Sequence[Report],
        postmaster: bool,
        whole: bool,
    ) -> None:
        notice, envelope = self._notice, transaction.envelope
        envelope.encoding = notice.encoding
        envelope.sendopts |= self._options()
        await transaction.sender(sender)
        await transaction.recipient(Recipient(to, to))
        content = notice.written(transaction.queue_id, to, reports, self._host.now(), postmaster, whole)
        waiting = transaction.body(content)
        if waiting is not None:
            await waiting

    def _options(self) -> int:
        """What next hops must be able to do: what they had to for the message, unless its secrets are left out."""
        kept = SMTPUTF8_ANY
        if not self._cfg.requiretls_redact_dsn:
            kept |= REQUIRETLS_ESMTP
        return self._envelope.sendopts & kept


def double_bounce(cfg: BounceSettings) -> bytes:
    """The sender of mail that must not bounce again (BO-2)."""
    sender = cfg.double_bounce_sender
    return (sender if "@" in sender else f"{sender}@{cfg.myhostname}").encode()
