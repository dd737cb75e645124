"""DNS lists of clients and domains that are refused, or permitted (SD-37)."""

from __future__ import annotations

import socket
from collections.abc import Callable
from ipaddress import ip_address
from typing import TYPE_CHECKING

from pytwfix.accept.smtpd import log
from pytwfix.accept.smtpd.client import UNKNOWN
from pytwfix.accept.smtpd.destination import authorised
from pytwfix.accept.smtpd.replies import expanded
from pytwfix.accept.smtpd.restrictions import Complaint, Parser, Restriction
from pytwfix.accept.smtpd.state import (
    CLIENT,
    DUNNO,
    HELO,
    OK,
    RECIPIENT,
    REVERSE,
    SENDER,
    Answer,
    State,
    Verdict,
)
from pytwfix.basics.octets import OctetPattern
from pytwfix.contracts.dns import Address, DnsError, NoData, NoSuchName

if TYPE_CHECKING:
    from pytwfix.contracts.dns import IResolver

_MAX_REASON = 500


def reversed_address(address: str) -> str:
    """`192.0.2.1` as `1.2.0.192`, IPv6 by nibbles; "" for what is no address."""
    octets = address.split(".")
    if len(octets) == 4 and "".join(octets).isdecimal():  # a client's: it is in its usual form
        return ".".join(reversed(octets))
    try:
        pointer = ip_address(address).reverse_pointer
    except ValueError:
        return ""
    return pointer.rsplit(".", 2)[0]


class DnsList:
    """One `domain[=filter]`."""

    __slots__ = ("_filter", "domain")

    def __init__(self, text: str) -> None:
        self.domain, equals, pattern = text.partition("=")
        self._filter = OctetPattern(pattern) if equals else None

    async def listed(self, resolver: IResolver, name: str) -> bool:
        """Errback: DnsError when it cannot be told."""
        query = f"{name}.{self.domain}"
        try:
            answer = await resolver.addresses(query, socket.AF_INET)
        except (NoSuchName, NoData):
            return False
        pattern = self._filter
        if pattern is None:
            return bool(answer.records)
        return any(isinstance(record, Address) and pattern.matches(record.address) for record in answer.records)

    async def reason(self, resolver: IResolver, name: str) -> str:
        try:
            answer = await resolver.txt(f"{name}.{self.domain}")
        except DnsError:
            return ""
        return " / ".join(_text(record) for record in answer.records)[:_MAX_REASON]


def _text(record: object) -> str:
    return record.decode("utf-8", "replace") if isinstance(record, bytes) else str(record)


# What is looked up, and what the reply calls it: (query prefix, name in the reply, class), or None for nothing to ask.
What = Callable[[State], "tuple[str, str, str] | None"]


def client_address(state: State) -> tuple[str, str, str] | None:
    reverse = reversed_address(state.client.address)
    return (reverse, state.client.address, CLIENT) if reverse else None


def client_name(state: State) -> tuple[str, str, str] | None:
    name = state.client.name
    return None if name == UNKNOWN else (name, name, CLIENT)


def reverse_client_name(state: State) -> tuple[str, str, str] | None:
    name = state.client.reverse_name
    return None if name == UNKNOWN else (name, name, REVERSE)


def helo_name(state: State) -> tuple[str, str, str] | None:
    name = state.helo.rstrip(".")
    return (name, state.helo, HELO) if name and not name.startswith("[") else None


def sender_domain(state: State) -> tuple[str, str, str] | None:
    return _domain(state, state.sender, SENDER)


def recipient_domain(state: State) -> tuple[str, str, str] | None:
    return _domain(state, state.recipient, RECIPIENT)


def _domain(state: State, address: bytes | None, kind: str) -> tuple[str, str, str] | None:
    domain = state.text((address or b"").rpartition(b"@")[2]) if b"@" in (address or b"") else ""
    return (domain, state.text(address or b""), kind) if domain and not domain.startswith("[") else None


class RejectListed:
    """reject_rbl_client and the reject_rhsbl_* family. A list that does not answer lists nobody."""

    __slots__ = ("_list", "_what")

    def __init__(self, dns_list: DnsList, what: What) -> None:
        self._list = dns_list
        self._what = what

    def check(self, state: State) -> Answer:
        what = self._what(state)
        return self._ask(state, *what) if what is not None else DUNNO

    async def _ask(self, state: State, name: str, shown: str, kind: str) -> Verdict:
        resolver = state.host.resolver
        try:
            if not await self._list.listed(resolver, name):
                return DUNNO
        except DnsError as error:
            _failed(state, f"{name}.{self._list.domain}", error)
            return DUNNO
        reason = await self._list.reason(resolver, name)
        template = await self._template(state)
        return _refuse(state, template, self._values(state, shown, kind, reason))

    async def _template(self, state: State) -> str:
        found = await state.config.rbl_reply_maps.lookup(self._list.domain.encode())
        return state.config.default_rbl_reply if found is None else found.decode("utf-8", "replace")

    def _values(self, state: State, shown: str, kind: str, reason: str) -> dict[str, str]:
        client = state.client
        sender, recipient = state.text(state.sender or b""), state.text(state.recipient or b"")
        if state.sender == b"":
            sender = "<>"
        return {
            "rbl_code": str(state.config.codes.maps_rbl),
            "rbl_domain": self._list.domain,
            "rbl_reason": reason,
            "rbl_txt": reason,
            "rbl_what": shown,
            "rbl_class": kind,
            "client": client.namaddr,
            "client_address": client.address,
            "client_name": client.name,
            "reverse_client_name": client.reverse_name,
            "helo_name": state.helo,
            "sender": sender,
            "sender_name": sender.rpartition("@")[0],
            "sender_domain": sender.rpartition("@")[2],
            "recipient": recipient,
            "recipient_name": recipient.rpartition("@")[0],
            "recipient_domain": recipient.rpartition("@")[2],
        }


def _failed(state: State, query: str, error: DnsError) -> None:
    """Said once a session, not for every recipient."""
    if query not in state.told:
        state.told.add(query)
        log.list_failed(state.host.log, query, error.text)


def _refuse(state: State, template: str, values: dict[str, str]) -> Verdict:
    """A template is `code [status] text`."""
    text = expanded(template, values, state.config.expansion_filter)
    word, _, rest = text.partition(" ")
    if not (word.isdecimal() and len(word) == 3 and word[0] in "45"):
        log.bad_list_reply(state.host.log, text)
        return state.reject(450, "4.7.1", "Service unavailable")
    code = int(word)
    status, _, after = rest.partition(" ")
    if status.count(".") == 2 and status.replace(".", "").isdecimal():
        return state.reject(code, f"{word[0]}{status[1:]}", after)
    return state.reject(code, f"{word[0]}.7.1", rest)


class PermitListed:
    """permit_dnswl_client, permit_rhswl_client: never a way around reject_unauth_destination."""

    __slots__ = ("_list", "_what")

    def __init__(self, dns_list: DnsList, what: What) -> None:
        self._list = dns_list
        self._what = what

    def check(self, state: State) -> Answer:
        what = self._what(state)
        return self._ask(state, *what) if what is not None else DUNNO

    async def _ask(self, state: State, name: str, shown: str, kind: str) -> Verdict:
        if state.recipient is not None and not (await authorised(state, state.recipient))[0]:
            return DUNNO
        try:
            return OK if await self._list.listed(state.host.resolver, name) else DUNNO
        except DnsError as error:
            _failed(state, f"{name}.{self._list.domain}", error)
            return state.defer_if_reject(450, "4.7.1", f"<{shown}>: {kind} rejected: Service unavailable")


def maker(kind: type[RejectListed] | type[PermitListed], what: What) -> Callable[[Parser, str], Restriction]:
    """For the table of restrictions: the argument is `domain[=filter]`."""

    def make(parser: Parser, argument: str) -> Restriction:
        try:
            return kind(DnsList(argument), what)
        except ValueError as error:
            return Complaint(f"bad DNS list filter in {argument}: {error}")

    return make
