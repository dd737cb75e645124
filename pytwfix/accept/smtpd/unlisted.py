"""Whether an address in one of our domains exists (SD-38, OB-13, AD-1)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytwfix.accept.smtpd.state import DUNNO, Answer, State, Subject, Verdict
from pytwfix.contracts.rewriting import (
    CLASS_ALIAS,
    CLASS_LOCAL,
    CLASS_RELAY,
    CLASS_VIRTUAL,
    ERROR,
    FAILED,
    Resolved,
)
from pytwfix.contracts.tables import TableError
from pytwfix.mail.probesender import is_probe_sender

if TYPE_CHECKING:
    from pytwfix.accept.smtpd.configuration import AddressMaps

_STATUS = re.compile(r"([245])(\.[0-9]{1,3}\.[0-9]{1,3})\s*")


class RejectUnlisted:
    """reject_unlisted_recipient, reject_unlisted_sender; also asked at the end of the lists unless told not to."""

    __slots__ = ("_of_sender",)

    def __init__(self, of_sender: bool = False) -> None:
        self._of_sender = of_sender

    def check(self, state: State) -> Answer:
        address = state.sender if self._of_sender else state.recipient
        return self._ask(state, address) if address else DUNNO

    async def _ask(self, state: State, address: bytes) -> Verdict:
        subject = state.sender_subject() if self._of_sender else state.recipient_subject()
        resolved = await state.resolve(address, self._of_sender)
        if resolved.flags & FAILED:
            return state.lookup_failed(subject)
        try:
            if await state.config.rewritten_maps.find(resolved.recipient, bool(resolved.flags & CLASS_LOCAL)):
                return DUNNO
            if resolved.flags & CLASS_ALIAS:  # resolves to the error transport, for when nothing has rewritten it
                code = state.config.codes.unknown_virtual_alias
                text = _STATUS.sub("", resolved.nexthop, count=1) or "User unknown"
                state.unlisted = True
                return state.refuse(subject, code, f"{code // 100}.1.1", text)
            if resolved.flags & ERROR or resolved.transport in ("error", "retry"):
                return _refused_by_route(state, subject, resolved, self._detail)
            return await self._in_class(state, subject, resolved)
        except TableError:  # which was logged
            return state.lookup_failed(subject)

    async def _in_class(self, state: State, subject: Subject, resolved: Resolved) -> Verdict:
        config, flags = state.config, resolved.flags
        codes = config.codes
        maps: AddressMaps
        if flags & CLASS_LOCAL:
            local = resolved.recipient.rpartition(b"@")[0].lower()
            if local in config.own_recipients or self._probes(state, local):
                return DUNNO
            maps, code, table = config.local_recipients, codes.unknown_local, "local recipient"
        elif flags & CLASS_VIRTUAL:
            maps, code, table = config.virtual_mailboxes, codes.unknown_virtual_mailbox, "virtual mailbox"
        elif flags & CLASS_RELAY:
            maps, code, table = config.relay_recipients, codes.unknown_relay, "relay recipient"
            if not self._of_sender:
                config.old.relayed(state, resolved, listed=True)
        else:
            return DUNNO
        if not maps or await maps.find(resolved.recipient):
            return DUNNO
        return self._unknown(state, subject, code, table, self._detail)

    @property
    def _detail(self) -> str:
        return "1.0" if self._of_sender else "1.1"

    @staticmethod
    def _probes(state: State, local: bytes) -> bool:
        """Whether our address probes have this sender now: who is probed may ask about it (VE-1)."""
        sender, ttl = state.config.probe_sender
        return is_probe_sender(local.decode("utf-8", "replace"), sender, ttl, state.host.now())

    def _unknown(self, state: State, subject: Subject, code: int, table: str, detail: str) -> Verdict:
        text = f"User unknown in {table} table" if state.config.show_table_name else "User unknown"
        state.unlisted = True
        return state.refuse(subject, code, f"{code // 100}.{detail}", text)


def _refused_by_route(state: State, subject: Subject, resolved: Resolved, usual: str) -> Verdict:
    """The error transport: its nexthop is the reason. `retry` would be a 4xx."""
    code = 450 if resolved.transport == "retry" else 550
    text = resolved.nexthop
    found = _STATUS.match(text)
    detail = f".{usual}"
    if found:
        detail, text = found.group(2), text[found.end() :]
    state.unlisted = True
    return state.refuse(subject, code, f"{code // 100}{detail}", text or "undeliverable address")
