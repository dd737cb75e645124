"""reject_unverified_sender, reject_unverified_recipient: ask the verify service, for a while (SD-39)."""

from __future__ import annotations

from pytwfix.accept.smtpd.state import DUNNO, Answer, State, Verdict
from pytwfix.contracts import verification


class RejectUnverified:
    __slots__ = ("_of_sender",)

    def __init__(self, of_sender: bool) -> None:
        self._of_sender = of_sender

    def check(self, state: State) -> Answer:
        address = state.sender if self._of_sender else state.recipient
        return self._ask(state, address) if address else DUNNO

    async def _ask(self, state: State, address: bytes) -> Verdict:
        verified = await self._poll(state, address)
        if verified.status == verification.OK:
            return DUNNO
        config = state.config
        subject = state.sender_subject() if self._of_sender else state.recipient_subject()
        detail = "1.7" if self._of_sender else "1.1"
        policy = config.unverified_sender if self._of_sender else config.unverified_recipient
        if verified.status == verification.BOUNCE:
            word = "undeliverable" if policy.reject_code >= 500 else "unverified"
            text = f"{word} address: {policy.reason or verified.text}"
            return state.refuse(subject, policy.reject_code, f"{policy.reject_code // 100}.{detail}", text)
        text = f"unverified address: {policy.reason or verified.text or 'Address verification in progress'}"
        code = policy.defer_code
        text = f"<{subject.name}>: {subject.kind} rejected: {text}"
        return state.tempfail(policy.at_once, code, f"{code // 100}.{detail}", text)

    async def _poll(self, state: State, address: bytes) -> verification.Verified:
        config = state.config
        count = max(1, config.verify_poll_count)
        for attempt in range(count):
            verified = await state.host.peers.verifier.query(address)
            if verified.status != verification.TODO or attempt + 1 == count:
                break
            await state.pause(config.verify_poll_delay)
        return verified
