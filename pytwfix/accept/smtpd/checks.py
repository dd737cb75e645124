"""Which lists are asked when, and what sticks (SD-20 to SD-23).

    at once (smtpd_delay_reject = no): client list at CONNECT, helo list at HELO, sender list at MAIL
    at RCPT, VRFY, ETRN (yes, the default): client, helo, sender, then relay and recipient (or etrn)
    after DATA: data list; after the dot: end-of-data list

OK in one list does not skip the next list. DEFER_IF_PERMIT of an earlier list holds for the later ones, DEFER_IF_REJECT
for its own step alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytwfix.accept.smtpd.general import command_subject
from pytwfix.accept.smtpd.state import DUNNO, Deferral, State, Subject, Verdict, awaited
from pytwfix.accept.smtpd.unlisted import RejectUnlisted
from pytwfix.contracts.tables import TableError
from pytwfix.mail.reply import Reply

if TYPE_CHECKING:
    from pytwfix.accept.smtpd.restrictions import RestrictionList

_LEVELS = _CONNECT, _HELO, _MAIL = 0, 1, 2
_UNLISTED_SENDER = RejectUnlisted(of_sender=True)
_UNLISTED_RECIPIENT = RejectUnlisted()


class Checks:
    """The checks of one session."""

    __slots__ = ("_sticky", "state")

    def __init__(self, state: State) -> None:
        self.state = state
        # What DEFER_IF_PERMIT left behind at CONNECT, HELO and MAIL: each begins with what the one before it left.
        self._sticky: list[Deferral | None] = [None] * len(_LEVELS)

    async def connect(self, stage: str = "CONNECT") -> Reply | None:
        state = self.state
        if state.config.delay_reject:
            return None
        return await self._at_once(_CONNECT, stage, state.config.client_list, state.client_subject())

    async def hello(self, verb: str) -> Reply | None:
        state = self.state
        if state.config.delay_reject:
            return None
        return await self._at_once(_HELO, verb, state.config.helo_list, state.helo_subject())

    async def mail(self) -> Reply | None:
        state = self.state
        if state.config.delay_reject:
            return None
        refused = await self._at_once(_MAIL, "MAIL", state.config.sender_list, state.sender_subject())
        return refused or await self._unlisted_sender()

    async def _at_once(self, level: int, stage: str, restrictions: RestrictionList, subject: Subject) -> Reply | None:
        """A list at its own command: what it defers sticks for the later ones."""
        state = self.state
        state.stage = stage
        self._unstick(level - 1)
        verdict: Verdict = DUNNO
        if restrictions.items:
            verdict = await self._run(restrictions, subject)
        self._sticky[level:] = [state.deferred_if_permit] * (len(_LEVELS) - level)
        return verdict if isinstance(verdict, Reply) else None

    async def recipient(self, stage: str, lists: tuple[RestrictionList, ...]) -> Reply | None:
        """RCPT and VRFY: all that was delayed, then `lists`, then whether the address exists."""
        state = self.state
        state.stage = stage
        if state.discard:
            return None
        self._unstick(_MAIL)
        refused = await self._delayed()
        if state.sender is None:
            state.deferred_if_permit = None  # VRFY without a mail: what the client or HELO left is forgotten
        subject = state.recipient_subject()
        for restrictions in lists:
            if refused is not None or state.discard:
                break
            verdict = await self._run(restrictions, subject)
            refused = verdict if isinstance(verdict, Reply) else None
            if refused is not None and restrictions is lists[0] and stage == "RCPT":
                state.config.old.refused_early(state)
        if stage == "RCPT" and refused is None and state.config.old and not state.discard:
            await state.config.old.accepted(state)
        return await self._verdict(refused, unlisted=state.config.reject_unlisted_recipient)

    async def etrn(self) -> Reply | None:
        state = self.state
        state.stage = "ETRN"
        self._unstick(_MAIL)
        refused = await self._delayed()
        if refused is None:
            verdict = await self._run(state.config.etrn_list, Subject(state.text(state.etrn), "Etrn command"))
            refused = verdict if isinstance(verdict, Reply) else None
        return await self._verdict(refused, unlisted=False)

    async def data(self, stage: str) -> Reply | None:
        """After DATA (or the first BDAT), and after the dot ("END-OF-MESSAGE")."""
        state = self.state
        state.stage = stage
        config = state.config
        restrictions = config.end_of_data_list if stage == "END-OF-MESSAGE" else config.data_list
        if not restrictions.items or state.discard:
            return None
        state.deferred_if_permit = state.deferred_if_reject = None
        verdict = await self._run(restrictions, command_subject(stage))
        return await self._verdict(verdict if isinstance(verdict, Reply) else None, unlisted=False)

    async def _delayed(self) -> Reply | None:
        state = self.state
        config = state.config
        if not config.delay_reject:
            return None
        for restrictions, subject in (
            (config.client_list, state.client_subject),
            (config.helo_list if state.helo else None, state.helo_subject),
            (config.sender_list if state.sender is not None else None, state.sender_subject),
        ):
            if restrictions is None or not restrictions.items:
                continue
            state.deferred_if_reject = None
            verdict = await self._run(restrictions, subject())
            if isinstance(verdict, Reply):
                return verdict
            if state.discard:
                return None
        state.deferred_if_reject = None
        return await self._unlisted_sender()

    async def _unlisted_sender(self) -> Reply | None:
        state = self.state
        if not state.config.reject_unlisted_sender or state.discard:
            return None
        verdict = await awaited(_UNLISTED_SENDER.check(state))
        return verdict if isinstance(verdict, Reply) else None

    async def _run(self, restrictions: RestrictionList, subject: Subject) -> Verdict:
        self.state.subject = subject
        self.state.depth = 0
        try:
            answer = restrictions.check(self.state)
            return answer if isinstance(answer, (int, Reply)) else await answer
        except TableError:  # which was logged
            return self.state.lookup_failed(subject)

    def _unstick(self, level: int) -> None:
        """Begin with what this command left."""
        state = self.state
        state.warn = False
        state.deferred_if_permit = self._sticky[level] if level >= 0 else None
        state.deferred_if_reject = None

    async def _verdict(self, refused: Reply | None, unlisted: bool) -> Reply | None:
        state = self.state
        if refused is not None:
            return refused
        deferral = state.deferred_if_permit  # DISCARD is a permit too
        if deferral is not None:
            state.deferred_if_reject = None
            verdict = state.reject(*deferral)
            return verdict if isinstance(verdict, Reply) else None
        if not unlisted or state.discard:
            return None
        verdict = await awaited(_UNLISTED_RECIPIENT.check(state))
        return verdict if isinstance(verdict, Reply) else None
