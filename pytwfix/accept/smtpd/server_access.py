"""check_*_{a,ns,mx}_access: access tables over the servers of a domain, by name and by address (SD-36)."""

from __future__ import annotations

import socket
from collections.abc import Callable

from pytwfix.accept.smtpd.access import AccessTable, networks, parents
from pytwfix.accept.smtpd.client import UNKNOWN
from pytwfix.accept.smtpd.restrictions import Complaint, Parser, Restriction
from pytwfix.accept.smtpd.state import DUNNO, REVERSE, Answer, State, Subject, Verdict, awaited
from pytwfix.contracts.dns import MX, Address, DnsError, NoData, NoSuchName
from pytwfix.mail.hostnames import literal_address

# What a list is about: its domain and how the reply calls it, or None when there is nothing to look at.
About = Callable[[State], "tuple[str, Subject] | None"]


def about_client(state: State) -> tuple[str, Subject] | None:
    name = state.client.name
    return None if name == UNKNOWN else (name, state.client_subject())


def about_reverse_client(state: State) -> tuple[str, Subject] | None:
    name = state.client.reverse_name
    return None if name == UNKNOWN else (name, Subject(name, REVERSE))


def about_helo(state: State) -> tuple[str, Subject] | None:
    return (state.helo, state.helo_subject()) if state.helo else None


def about_sender(state: State) -> tuple[str, Subject] | None:
    domain = (state.sender or b"").rpartition(b"@")[2] if b"@" in (state.sender or b"") else b""
    return (state.text(domain), state.sender_subject()) if domain else None


def about_recipient(state: State) -> tuple[str, Subject] | None:
    domain = (state.recipient or b"").rpartition(b"@")[2] if b"@" in (state.recipient or b"") else b""
    return (state.text(domain), state.recipient_subject()) if domain else None


class CheckServers:
    """One list; `record` is "a", "ns" or "mx". Such a table must not permit."""

    __slots__ = ("_about", "_access", "_record")

    def __init__(self, parser: Parser, name: str, record: str, about: About) -> None:
        self._access = AccessTable(parser, name, veto_permit=True)
        self._record = record
        self._about = about

    def check(self, state: State) -> Answer:
        about = self._about(state)
        return self._check(state, *about) if about is not None else DUNNO

    async def _check(self, state: State, domain: str, subject: Subject) -> Verdict:
        literal = literal_address(domain.encode())
        if literal:
            return await self._address(state, literal.decode(), subject)
        try:
            servers = await self._servers(state, domain.rstrip("."))
        except DnsError as error:
            state.host.log.warning(f"Unable to look up {self._record.upper()} host for {domain}: {error.text}")
            return DUNNO
        for server in servers[: state.config.dns_rr_list_limit]:
            verdict = await self._server(state, server, subject)
            if verdict != DUNNO:
                return verdict
        return DUNNO

    async def _servers(self, state: State, domain: str) -> list[str]:
        resolver = state.host.resolver
        if self._record == "a":
            return [domain]
        if self._record == "mx":
            try:
                answer = await resolver.mx(domain)
            except NoData:
                return [domain]
            except NoSuchName:
                return []
            return [record.host for record in answer.records if isinstance(record, MX) and record.host]
        while domain:
            try:
                return [str(record) for record in (await resolver.ns(domain)).records]
            except (NoData, NoSuchName):
                domain = domain.partition(".")[2]
        return []

    async def _server(self, state: State, name: str, subject: Subject) -> Verdict:
        keys = parents(name.encode(), state.config.access_parents)
        verdict = await awaited(self._access.search(state, keys, subject))
        if verdict != DUNNO:
            return verdict
        for family in (socket.AF_INET, socket.AF_INET6):
            try:
                answer = await state.host.resolver.addresses(name, family)
            except DnsError:
                continue
            for record in answer.records[: state.config.dns_rr_list_limit]:
                if isinstance(record, Address):
                    verdict = await self._address(state, record.address, subject)
                    if verdict != DUNNO:
                        return verdict
        return DUNNO

    async def _address(self, state: State, address: str, subject: Subject) -> Verdict:
        return await awaited(self._access.search(state, networks(address.encode()), subject))


def maker(record: str, about: About) -> Callable[[Parser, str], Restriction]:
    """For the table of restrictions."""

    def make(parser: Parser, argument: str) -> Restriction:
        if ":" not in argument:
            return Complaint(f"bad argument {argument!r}: need maptype:mapname")
        return CheckServers(parser, argument, record, about)

    return make


SUBJECTS: dict[str, About] = {
    "client": about_client,
    "reverse_client_hostname": about_reverse_client,
    "helo": about_helo,
    "sender": about_sender,
    "recipient": about_recipient,
}
RECORDS = ("a", "ns", "mx")
