"""Access tables: what is looked up, in which order (SD-35, SD-36). What the answers do is in `actions`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from pytwfix.accept.smtpd.actions import Actions
from pytwfix.accept.smtpd.restrictions import Complaint, Parser, Restriction
from pytwfix.accept.smtpd.state import DUNNO, OK, Answer, State, Subject, Verdict
from pytwfix.contracts.tables import TableError
from pytwfix.mail.reply import Reply
from pytwfix.tables.addresses import external_form, split_extension

if TYPE_CHECKING:
    from pytwfix.contracts.tables import ITable

_NUMERIC_NAME = re.compile(rb"[0-9.]*\Z")

Keys = Iterator[bytes]


class AccessTable:
    """A table open for access lookups."""

    __slots__ = ("actions", "table", "veto_permit")

    def __init__(self, parser: Parser, name: str, veto_permit: bool = False) -> None:
        self.actions = Actions(parser, name)
        self.table: ITable = parser.host.tables.open(name)
        self.veto_permit = veto_permit  # whoever controls the data may not permit himself (SD-36)

    async def search(self, state: State, keys: Keys, subject: Subject, permit_name: str = "") -> tuple[Verdict, bool]:
        """The verdict of the first key that is found, and whether one was. Pattern tables see the first key only."""
        try:
            for key in keys:
                value = await self.table.lookup(key)
                if value is not None:
                    verdict = self.actions.act(state, value.decode("utf-8", "replace"), key, subject)
                    if not isinstance(verdict, (int, Reply)):
                        verdict = await verdict
                    return self._vetoed(state, verdict), True
                if not self.table.fixed:
                    break
        except TableError as error:
            state.host.log.warning(f"{error}")
            return state.lookup_failed(subject), True
        return DUNNO, False

    def _vetoed(self, state: State, verdict: Verdict) -> Verdict:
        if verdict != OK or not self.veto_permit:
            return verdict
        state.host.log.warning(f"{self.actions.name}: must not permit: who is looked up decides what it says")
        return state.misconfigured()


# What is looked up (SD-35).


def parents(domain: bytes, matches_subdomains: bool) -> Keys:
    """`domain`, then its parents: as they are, or with a leading dot (parent_domain_matches_subdomains)."""
    yield domain
    if domain.startswith(b"[") or _NUMERIC_NAME.match(domain):
        return
    at = domain.find(b".", 1)
    while at >= 0:
        yield domain[at + 1 :] if matches_subdomains else domain[at:]
        at = domain.find(b".", at + 1)


def networks(address: bytes) -> Keys:
    """An address, then ever shorter networks."""
    separator = b":" if b":" in address else b"."
    while True:
        yield address
        at = address.rfind(separator)
        if at <= 0:
            return
        address = address[:at].rstrip(separator)


def address_keys(address: bytes, state: State) -> Keys:
    """user+ext@domain, user@domain, domain and parents, user+ext@, user@; the null sender has a key of its own."""
    config = state.config
    if not address:
        yield config.null_key
        return
    external = external_form(address)
    if external != address:
        yield external
    yield address
    local, at, domain = address.rpartition(b"@")
    if not at:
        local, domain = address, b""
    bare = split_extension(local, config.recipient_delimiter)[0] if config.recipient_delimiter else local
    if bare != local and at:
        yield bare + b"@" + domain
    if domain:
        yield from parents(domain, config.access_parents)
    yield local + b"@"
    if bare != local:
        yield bare + b"@"


def domain_keys(name: bytes, state: State) -> Keys:
    return parents(name, state.config.access_parents)


class _Check:
    """A restriction that looks something up in an access table."""

    __slots__ = ("access",)

    def __init__(self, parser: Parser, name: str) -> None:
        self.access = AccessTable(parser, name)

    def check(self, state: State) -> Answer:
        raise NotImplementedError


class CheckClient(_Check):
    """check_client_access: the name and its parents, then the address and its networks."""

    __slots__ = ()

    def check(self, state: State) -> Answer:
        return self._check(state)

    async def _check(self, state: State) -> Verdict:
        client = state.client
        subject = state.client_subject()
        verdict, found = await self.access.search(state, domain_keys(client.name.encode(), state), subject)
        if not found:
            verdict, _ = await self.access.search(state, networks(client.address.encode()), subject)
        return verdict


class CheckAddressMap(_Check):
    """check_address_map of local_header_rewrite_clients: a hit is enough."""

    __slots__ = ()

    def check(self, state: State) -> Answer:
        return self._check(state)

    async def _check(self, state: State) -> Verdict:
        for key in networks(state.client.address.encode()):
            if await self.access.table.lookup(key) is not None:
                return OK
            if not self.access.table.fixed:
                break
        return DUNNO


class CheckReverseClient(_Check):
    """check_reverse_client_hostname_access: must not permit."""

    __slots__ = ()

    def __init__(self, parser: Parser, name: str) -> None:
        self.access = AccessTable(parser, name, veto_permit=True)

    def check(self, state: State) -> Answer:
        return self._check(state)

    async def _check(self, state: State) -> Verdict:
        subject = Subject(state.client.reverse_name, "Unverified Client host")
        keys = domain_keys(state.client.reverse_name.encode(), state)
        return (await self.access.search(state, keys, subject))[0]


class CheckHelo(_Check):
    __slots__ = ()

    def check(self, state: State) -> Answer:
        return self._check(state) if state.helo else DUNNO

    async def _check(self, state: State) -> Verdict:
        keys = domain_keys(state.helo.encode(), state)
        return (await self.access.search(state, keys, state.helo_subject()))[0]


class CheckSender(_Check):
    __slots__ = ()

    def check(self, state: State) -> Answer:
        return DUNNO if state.sender is None else self._check(state, state.sender)

    async def _check(self, state: State, sender: bytes) -> Verdict:
        return (await self.access.search(state, address_keys(sender, state), state.sender_subject()))[0]


class CheckRecipient(_Check):
    __slots__ = ()

    def check(self, state: State) -> Answer:
        return DUNNO if state.recipient is None else self._check(state, state.recipient)

    async def _check(self, state: State, recipient: bytes) -> Verdict:
        return (await self.access.search(state, address_keys(recipient, state), state.recipient_subject()))[0]


class CheckEtrn(_Check):
    __slots__ = ()

    def check(self, state: State) -> Answer:
        return self._check(state) if state.etrn else DUNNO

    async def _check(self, state: State) -> Verdict:
        subject = Subject(state.text(state.etrn), "Etrn command")
        return (await self.access.search(state, domain_keys(state.etrn, state), subject))[0]


def table_check(kind: type[_Check], word: str) -> Callable[[Parser, str], Restriction]:
    """A maker for the table of restrictions: the argument is `type:name`."""

    def make(parser: Parser, argument: str) -> Restriction:
        if ":" not in argument:
            return Complaint(f"restriction {word}: bad argument {argument!r}: need maptype:mapname")
        return kind(parser, argument)

    return make
