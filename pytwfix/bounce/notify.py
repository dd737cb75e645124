"""Who is told of what: the sender, the postmaster, nobody (BO-2, BO-3, DS-3, ST-3, SC-11).

NOTIFY of each recipient says whether the sender hears of it. The null sender hears of nothing; a failure of such mail,
mostly of a notice, is a double bounce: the postmaster may have it, whole. Mail from the double bounce address that
fails is the end of the matter. Errback: MailError of the sender's notice, or of the double bounce; a postmaster's copy
that fails is only logged.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pytwfix.bounce import log
from pytwfix.bounce.kinds import BOUNCED, DELAYING, DELIVERED, VERIFIED
from pytwfix.bounce.notice import Notice
from pytwfix.bounce.original import read_original
from pytwfix.bounce.sending import Post, double_bounce
from pytwfix.bounce.settings import BounceSettings
from pytwfix.bounce.texts import Texts
from pytwfix.mail.envelope import REQUIRETLS_ESMTP, TRACE_PROBE, TRACE_RECORD, TRACE_VERIFY_ONLY
from pytwfix.mail.status import NOTIFY_DELAY, NOTIFY_FAILURE, NOTIFY_SUCCESS, RET_FULL, RET_HDRS
from pytwfix.mail.verp import verp_sender
from pytwfix.tables.names import split_list

if TYPE_CHECKING:
    from pytwfix.bounce.kinds import Kind
    from pytwfix.contracts.host import IHost
    from pytwfix.contracts.reports import Report
    from pytwfix.mail.envelope import Envelope

Reports = Sequence["Report"]


class Notifier:
    def __init__(self, host: IHost) -> None:
        self._host = host
        self._texts = Texts(host)

    async def bounce(self, envelope: Envelope, reports: Reports, verp: bool = False) -> None:
        """Non-delivery: to the sender, in one notice or under VERP in one for each recipient, and a copy."""
        cfg = self._host.settings(BounceSettings)
        if not envelope.sender:
            await self._double_bounce(cfg, envelope, reports)
        elif envelope.sender.lower() == double_bounce(cfg).lower():
            log.discarded(self._host.log, envelope.queue_id)
        else:
            told, copied = wanted(reports, NOTIFY_FAILURE), "bounce" in split_list(cfg.notify_classes)
            if not told and not copied:
                return
            whole = self._whole(cfg, envelope)
            post = await self._post(cfg, envelope, BOUNCED, whole)
            if verp and envelope.verp and not cfg.disable_verp_bounces:
                await self._one_by_one(cfg, post, envelope, reports, whole, copied)
                return
            if told:
                await post.to_sender(envelope.sender, told, whole)
            if copied:
                await post.to_postmaster(cfg.bounce_notice_recipient.encode(), reports, False)

    async def delay(self, envelope: Envelope, reports: Reports) -> None:
        """It takes longer: the sender is warned once."""
        cfg = self._host.settings(BounceSettings)
        if not envelope.sender:
            return
        if envelope.sender.lower() == double_bounce(cfg).lower():
            log.discarded(self._host.log, envelope.queue_id)
            return
        told, copied = wanted(reports, NOTIFY_DELAY), "delay" in split_list(cfg.notify_classes)
        if not told and not copied:
            return
        post = await self._post(cfg, envelope, DELAYING, False)
        if told:
            await post.to_sender(envelope.sender, told, False)
        if copied:
            await post.to_postmaster(cfg.delay_notice_recipient.encode(), reports, False)

    async def trace(self, envelope: Envelope, reports: Reports) -> None:
        """What the sender asked to hear: of each recipient (sendmail -v, -bv), or of success (NOTIFY=SUCCESS)."""
        if envelope.trace_flags & TRACE_PROBE:
            return
        if not envelope.sender:
            log.no_trace(self._host.log, envelope.queue_id)
            return
        asked = envelope.trace_flags & (TRACE_RECORD | TRACE_VERIFY_ONLY)
        told = reports if asked else wanted(reports, NOTIFY_SUCCESS)
        if told:
            cfg = self._host.settings(BounceSettings)
            post = await self._post(cfg, envelope, VERIFIED if asked else DELIVERED, False)
            await post.to_sender(envelope.sender, told, False)

    # How it is done.

    async def _one_by_one(
        self, cfg: BounceSettings, post: Post, envelope: Envelope, reports: Reports, whole: bool, copied: bool
    ) -> None:
        """VERP: a notice, and a copy, for each recipient."""
        for report in reports:
            if wanted([report], NOTIFY_FAILURE):
                to = verp_sender(envelope.sender, envelope.verp, report.recipient)
                await post.to_sender(to, [report], whole)
            if copied:
                await post.to_postmaster(cfg.bounce_notice_recipient.encode(), [report], False)

    async def _double_bounce(self, cfg: BounceSettings, envelope: Envelope, reports: Reports) -> None:
        if "2bounce" in split_list(cfg.notify_classes):
            whole = self._whole(cfg, envelope, RET_FULL)  # the postmaster has asked for nothing less
            post = await self._post(cfg, envelope, BOUNCED, whole)
            await post.to_postmaster(cfg.double_bounce_notice_recipient.encode(), reports, whole, must=True)

    async def _post(self, cfg: BounceSettings, envelope: Envelope, kind: Kind, whole: bool) -> Post:
        template, text = await self._texts.of(kind, cfg)
        original = await read_original(self._host, envelope.queue_id, whole)
        notice = Notice(cfg, envelope, kind, template, text, original, self._host.now())
        return Post(self._host, cfg, envelope, notice, kind.what)

    @staticmethod
    def _whole(cfg: BounceSettings, envelope: Envelope, ret: int = 0) -> bool:
        """Whether the body goes along: unless it is large, secret, or not wanted (RET=HDRS)."""
        secret = envelope.sendopts & REQUIRETLS_ESMTP and cfg.requiretls_redact_dsn
        return not secret and (ret or envelope.dsn_ret) != RET_HDRS and envelope.size <= cfg.bounce_size_limit


def wanted(reports: Reports, notify: int) -> list[Report]:
    """Those of which the sender wants to hear. Who did not say hears of failure and delay (RFC 3461 section 4.1)."""
    silent = notify != NOTIFY_SUCCESS
    return [
        report for report in reports if report.recipient.notify & notify or (silent and not report.recipient.notify)
    ]
