"""The recipients of one mail who still have to be served, and what a session does for them (SM-6, SM-7, LG-10, DS-3).

`use` gives the mail to a session. Who was taken or refused for good is told so at once and is not `left` any more; of
the others the reason is kept, until another server is asked or there is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.task import deferLater

from pytwfix.contracts.delivery import BUSY, VERIFY_ONLY
from pytwfix.contracts.queue import QueueError
from pytwfix.contracts.tables import TableError
from pytwfix.deliver.outcome import FINISHED
from pytwfix.deliver.smtp import failures, log
from pytwfix.deliver.smtp.commands import mail_command, rcpt_command, xforward_commands
from pytwfix.deliver.smtp.failures import Trouble
from pytwfix.deliver.smtp.mailing import Mailing
from pytwfix.deliver.smtp.requirements import missing
from pytwfix.deliver.smtp.wire import LOST
from pytwfix.dialogs.smtp_client import Probe, Stage
from pytwfix.dialogs.smtp_client_content import Stuffer
from pytwfix.mail.status import Dsn

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from pytwfix.contracts.delivery import DeliveryRequest
    from pytwfix.deliver.outcome import Outcome
    from pytwfix.deliver.smtp.configuration import Configuration
    from pytwfix.deliver.smtp.content import Content
    from pytwfix.deliver.smtp.pool import Pool
    from pytwfix.deliver.smtp.session import Session
    from pytwfix.dialogs.smtp_client_replies import Answer
    from pytwfix.mail.envelope import Recipient

_UNREADABLE = Dsn("4.3.0", "queue file read error")
_UNHEARD = (Stage.XFORWARD, Stage.MAIL)
_LOOKUP = Dsn("4.3.0", "mail system configuration error")


class Sending:
    """One mail and who is `left`. `stale`: the session had gone before it saw anything of the mail."""

    def __init__(
        self, config: Configuration, pool: Pool, request: DeliveryRequest, outcome: Outcome, content: Content
    ) -> None:
        self.left: list[Recipient] = request.recipients
        self.stale = False
        self._config = config
        self._host = config.host
        self._pool = pool
        self._request = request
        self._outcome = outcome
        self._content = content
        self._kept: list[tuple[Dsn, str]] = []  # why those who are left are left, in their order, and who said so
        self._probe = Probe.NO
        if request.flags & VERIFY_ONLY:
            self._probe = Probe.DATA if config.cfg.smtp_address_verify_target == "data" else Probe.RCPT
        self._goal = {Probe.NO: Stage.END, Probe.RCPT: Stage.RCPT, Probe.DATA: Stage.DATA}[self._probe]

    async def use(self, session: Session) -> None:
        """Give the mail to a session, which is then idle again or closed."""
        request, times = self._request, self._request.times
        times.connected, times.reuse = self._host.now(), session.uses + 1
        self.stale = False
        if self._config.shows_tls:
            self._outcome.tls = session.tls_feature
        if session.tls is not None and session.uses and self._config.tls_loglevel >= 1:
            log.tls_established(self._host.log, session.relay, session.tls, reused=True)
        problem = missing(session, request)
        if problem is not None:
            self._keep_all(problem, session.relay)
            self._retire(session, None)
            return
        try:
            mailing = await self._mailing(session)
        except (QueueError, TableError) as error:
            log.unusable(self._host.log, request.queue_id, str(error))
            self._keep_all(_LOOKUP if isinstance(error, TableError) else _UNREADABLE, session.relay)
            self._retire(session, None)
            return
        await mailing.begin()
        while mailing.wants_content:
            if not await self._stream(session):
                session.wire.abort()
                self._keep_all(_UNREADABLE, session.relay)
                return
            await mailing.finish()
        await self._settle(session, mailing)

    async def _mailing(self, session: Session) -> Mailing:
        """The commands and the content for a session."""
        request, config = self._request, self._config
        content: bytes | None = None
        if self._probe is Probe.NO:
            content = self._content.at_hand(session)
            if content is None:
                content = await self._content.prepared(session, self.left[0])
        envelope, quote = request.envelope, config.quote
        sender = envelope.sender
        addresses = [recipient.address for recipient in self.left]
        if config.generic:
            from pytwfix.deliver.smtp.generic import Generic

            generic = Generic(config)
            sender = await generic.address(sender) if sender else sender
            addresses = [await generic.address(address) for address in addresses]
        mail = mail_command(
            envelope,
            sender,
            session.features,
            quote,
            -1 if self._content.may_convert(session) else envelope.size,
            session.eight_bit,
            config.dummy_auth and session.authenticated,
        )
        if session.passes_requiretls:
            mail += b" REQUIRETLS"
        takes_dsn = session.takes_dsn
        return Mailing(
            session,
            mail,
            [
                rcpt_command(recipient, address, takes_dsn, quote)
                for recipient, address in zip(self.left, addresses, strict=True)
            ],
            content,
            self._probe,
            xforward_commands(envelope, session.features, request.queue_id) if config.xforward else (),
        )

    async def _stream(self, session: Session) -> bool:
        """Content that is not at hand as a whole; False: the queue file cannot be read."""
        wire, stuffer = session.wire, Stuffer()
        try:
            async for piece in self._content.pieces():
                if wire.gone:
                    return True
                data = stuffer.feed(piece)
                wire.write(data)
                wire.earn(len(data))
                if wire.blocked is not None:
                    await wire.blocked
        except QueueError as error:
            log.unusable(self._host.log, self._request.queue_id, str(error))
            return False
        if "delay_dotcrlf" in session.pix and not wire.gone:
            wire.limit(0)
            await deferLater(self._host.reactor, self._config.cfg.smtp_pix_workaround_delay_time)
        wire.write(stuffer.end())
        return True

    # What became of it.

    async def _settle(self, session: Session, mailing: Mailing) -> None:
        """Tell those who are decided; keep the others."""
        self.stale = session.uses > 0 and self._unheard(session, mailing)
        for complaint in mailing.complaints:
            log.command_refused(self._host.log, session.said(Stage.XFORWARD, complaint).reason)
        if session.wire.client.skipped is not None:
            self._note_nonsense(session)
        recipients, relay = self.left, session.relay
        if self.stale:
            self._retire(session, mailing)
            return
        self.left, self._kept = [], []
        lost = session.gone(mailing.stage) if mailing.stage is not None else _UNREADABLE
        ends = [lost if answer is None else self._verdict(session, *answer) for answer in mailing.answers]
        session.uses += 1
        self._retire(session, mailing)
        for recipient, dsn in zip(recipients, ends, strict=True):
            if dsn.success or dsn.permanent:
                ended = self._tell(session, recipient, dsn, relay)
                if ended is not FINISHED:
                    await ended
            else:
                self.left.append(recipient)
                self._kept.append((dsn, relay))

    def _unheard(self, session: Session, mailing: Mailing) -> bool:
        """The server had gone, or was about to go, before it looked at the mail."""
        if mailing.stage is not None:
            return mailing.stage in _UNHEARD and session.wire.gone == LOST
        return bool(mailing.answers) and _closing(mailing.answers[0])

    def _verdict(self, session: Session, stage: Stage, answer: Answer) -> Dsn:
        """The answer to the end of data counts, or for a probe the one that it was after (OB-3)."""
        if stage is self._goal and answer.kind == (3 if stage is Stage.DATA else 2):
            return failures.sent(session.host, answer, self._config.action)
        return session.said(stage, answer)

    def _tell(self, session: Session, recipient: Recipient, dsn: Dsn, relay: str) -> Awaitable[None]:
        times = self._request.times
        if dsn.success:
            return self._outcome.sent(recipient, dsn, relay, times, session.takes_dsn)
        return self._outcome.bounced(recipient, dsn, relay, times)

    def _note_nonsense(self, session: Session) -> None:
        client, lmtp = session.wire.client, self._config.lmtp
        protocol = "LMTP" if lmtp else "ESMTP" if session.features.host else "SMTP"
        log.no_reply(self._host.log, self._request.queue_id, protocol, session.relay, client.skipped or b"")
        client.forget_skipped()
        if session.pipelining:
            name = "lmtp_discard_lhlo" if lmtp else "smtp_discard_ehlo"
            log.no_pipelining(self._host.log, session.server.address, f"{name}_keyword_address_maps")

    def _retire(self, session: Session, mailing: Mailing | None) -> None:
        """The session is kept for another mail, or ends."""
        if mailing is not None and (mailing.stage is not None or self._probe is Probe.DATA):
            session.wire.abort()
        elif not self._keeps(session, mailing):
            session.close()
        elif mailing is None or mailing.complete:
            self._pool.put(session)
        else:
            session.reset(self._pool.put)

    def _keeps(self, session: Session, mailing: Mailing | None) -> bool:
        """Whether the session may serve another mail, and whether one is to be expected."""
        if mailing is not None and any(map(_closing, mailing.answers)):
            return False
        return self._config.keeps(session, self._request.flags & BUSY)

    def _keep_all(self, dsn: Dsn, relay: str) -> None:
        self._kept = [(dsn, relay)] * len(self.left)

    def note_kept(self) -> None:
        """Another server is asked: say why those who are left are left."""
        for dsn, _relay in self._kept:
            log.next_server(self._host.log, self._request.queue_id, dsn.reason)
        self._kept = []

    def forget_kept(self) -> None:
        """There is a later reason, for all."""
        self._kept = []

    async def give_up(self, trouble: Trouble) -> None:
        """Nobody else can be asked."""
        times, outcome = self._request.times, self._outcome
        kept = self._kept or [(trouble.dsn, trouble.relay)] * len(self.left)
        for recipient, (dsn, relay) in zip(self.left, kept, strict=True):
            end = outcome.bounced if dsn.permanent else outcome.deferred
            await end(recipient, dsn, relay, times)


def _closing(answer: tuple[Stage, Answer] | None) -> bool:
    """Whether the server has said that it closes the connection."""
    return answer is not None and answer[1].code == 421
