"""Who may relay where (SD-29): authorised destinations are ours, or those that we relay for."""

from __future__ import annotations

from pytwfix.accept.smtpd.state import DUNNO, OK, Answer, State, Verdict
from pytwfix.contracts.rewriting import CLASS_FINAL, CLASS_RELAY, FAILED, ROUTED, Resolved


async def authorised(state: State, recipient: bytes) -> tuple[bool, Resolved]:
    """Whether mail for `recipient` is ours to take; sender-specified routing (user%elsewhere@us) is not (TR-6)."""
    resolved = await state.resolve(recipient)
    if resolved.flags & FAILED:
        return False, resolved
    routed = resolved.flags & ROUTED and not state.config.allow_untrusted_routing
    return bool(resolved.flags & (CLASS_FINAL | CLASS_RELAY)) and not routed, resolved


class RejectUnauthDestination:
    __slots__ = ("_defer",)

    def __init__(self, defer: bool = False) -> None:
        self._defer = defer

    def check(self, state: State) -> Answer:
        return DUNNO if state.recipient is None else self._ask(state, state.recipient)

    async def _ask(self, state: State, recipient: bytes) -> Verdict:
        good, resolved = await authorised(state, recipient)
        if good:
            state.config.old.relayed(state, resolved)
            return DUNNO
        subject = state.recipient_subject()
        if resolved.flags & FAILED:
            return state.lookup_failed(subject)
        text = f"<{subject.name}>: Relay access denied"
        if self._defer:
            return state.reject(454, "4.7.1", text)
        code = state.config.codes.relay_domains
        return state.reject(code, f"{code // 100}.7.1", text)


class PermitAuthDestination:
    __slots__ = ()

    def check(self, state: State) -> Answer:
        return DUNNO if state.recipient is None else self._ask(state, state.recipient)

    async def _ask(self, state: State, recipient: bytes) -> Verdict:
        good, resolved = await authorised(state, recipient)
        if resolved.flags & FAILED:
            return state.lookup_failed(state.recipient_subject())
        if good:
            state.config.old.relayed(state, resolved)
        return OK if good else DUNNO
