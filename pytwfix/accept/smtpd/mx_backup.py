"""permit_mx_backup: we are a mail exchanger of the recipient's domain, though not the first (SD-29; out of fashion)."""

from __future__ import annotations

import socket

from pytwfix.accept.smtpd import log
from pytwfix.accept.smtpd.destination import authorised
from pytwfix.accept.smtpd.state import DUNNO, OK, Answer, State, Verdict
from pytwfix.contracts.dns import MX, Address, DnsError, NoData, NoSuchName
from pytwfix.contracts.rewriting import FAILED, ROUTED


class PermitMxBackup:
    __slots__ = ()

    def check(self, state: State) -> Answer:
        return DUNNO if state.recipient is None else self._ask(state, state.recipient)

    async def _ask(self, state: State, recipient: bytes) -> Verdict:
        if "permit_mx_backup" not in state.told:
            state.told.add("permit_mx_backup")
            log.going_away(state.host.log, "permit_mx_backup", "relay_domains")
        good, resolved = await authorised(state, recipient)
        if resolved.flags & FAILED:
            return state.lookup_failed(state.recipient_subject())
        if good:
            return OK
        domain = state.text(resolved.recipient.rpartition(b"@")[2])
        if resolved.flags & ROUTED or domain.startswith("["):
            return DUNNO
        try:
            answer = await state.host.resolver.mx(domain)
            found = [record for record in answer.records if isinstance(record, MX) and record.host]
            return OK if await self._backup(state, sorted(found)) else DUNNO
        except (NoData, NoSuchName):
            return DUNNO
        except DnsError:
            subject = state.recipient_subject()
            text = f"<{subject.name}>: {subject.kind} rejected: Unable to look up mail exchanger information"
            return state.defer_if_permit(450, "4.4.4", text)

    async def _backup(self, state: State, exchangers: list[MX]) -> bool:
        """Whether we are among them, and the first ones are where permit_mx_backup_networks has them."""
        ours = False
        for record in exchangers:
            for address in await _addresses(state, record.host):
                mine = address in state.config.own_addresses
                ours = ours or mine
                if record.preference == exchangers[0].preference:
                    if mine:
                        return False
                    networks = state.config.mx_backup_networks
                    if networks and not await networks.match("", address):
                        return False
        return ours


async def _addresses(state: State, name: str) -> list[str]:
    found: list[str] = []
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            answer = await state.host.resolver.addresses(name, family)
        except (NoData, NoSuchName):
            continue
        found += [record.address for record in answer.records if isinstance(record, Address)]
    return found
