"""check_*_{a,ns,mx}_access: access tables over the servers of a domain, by name and by address (SD-36)."""

from __future__ import annotations

import socket
from collections.abc import Callable

from pytwfix.accept.smtpd import log
from pytwfix.accept.smtpd.access import AccessTable, networks, parents
from pytwfix.accept.smtpd.client import UNKNOWN
from pytwfix.accept.smtpd.restrictions import Complaint, Parser, Restriction
from pytwfix.accept.smtpd.state import DUNNO, REVERSE, Answer, State, Subject, Verdict, awaited
from pytwfix.contracts.dns import MX, Address, DnsError, NoData, NoSuchName, TryAgain
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

    def __init__(self, parser: Parser, name: str, record: str, about: About, restriction: str) -> None:
        self._access = AccessTable(parser, name, restriction)
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
        except (NoData, NoSuchName) as error:  # name servers, of no parent either
            self._unknown(state, f"for {subject.name}", _because(error))
            return DUNNO
        except DnsError as error:
            self._unknown(state, f"for {domain}", _because(error))
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
            except (NoData, NoSuchName):
                return [domain]
            return [record.host for record in answer.records if isinstance(record, MX) and record.host]
        while True:
            try:
                return [str(record) for record in (await resolver.ns(domain)).records]
            except (NoData, NoSuchName):
                domain = domain.partition(".")[2]
                if not domain:
                    raise

    def _unknown(self, state: State, what: str, reason: str) -> None:
        log.server_unknown(state.host.log, self._record.upper(), what, reason)

    async def _server(self, state: State, name: str, subject: Subject) -> Verdict:
        keys = parents(name.encode(), state.config.access_parents)
        verdict = await awaited(self._access.search(state, keys, subject))
        if verdict != DUNNO:
            return verdict
        failure: DnsError | None = None
        found = False
        for family in (socket.AF_INET, socket.AF_INET6):
            try:
                answer = await state.host.resolver.addresses(name, family)
            except DnsError as error:
                failure = failure or error
                continue
            found = True
            for record in answer.records[: state.config.dns_rr_list_limit]:
                if isinstance(record, Address):
                    verdict = await self._address(state, record.address, subject)
                    if verdict != DUNNO:
                        return verdict
        if failure is not None and not found and self._record != "a":
            self._unknown(state, f"{name} for {subject.kind} {subject.name}", _no_address(failure))
        return DUNNO

    async def _address(self, state: State, address: str, subject: Subject) -> Verdict:
        return await awaited(self._access.search(state, networks(address.encode()), subject))


def _because(error: DnsError) -> str:
    """In the words of the C library, which log readers know."""
    if isinstance(error, NoSuchName):
        return "Host not found"
    if isinstance(error, NoData):
        return "Host found but no data record of requested type"
    return "Host not found, try again" if isinstance(error, TryAgain) else "Malformed or unexpected name server reply"


def _no_address(error: DnsError) -> str:
    if isinstance(error, NoSuchName):
        return "Name or service not known"
    if isinstance(error, NoData):
        return "No address associated with hostname"
    return "Temporary failure in name resolution"


def maker(restriction: str, record: str, about: About) -> Callable[[Parser, str], Restriction]:
    """For the table of restrictions."""

    def make(parser: Parser, argument: str) -> Restriction:
        if ":" not in argument:
            return Complaint(f'restriction {restriction}: bad argument "{argument}": need maptype:mapname')
        return CheckServers(parser, argument, record, about, restriction)

    return make


SUBJECTS: dict[str, About] = {
    "client": about_client,
    "reverse_client_hostname": about_reverse_client,
    "helo": about_helo,
    "sender": about_sender,
    "recipient": about_recipient,
}
RECORDS = ("a", "ns", "mx")
