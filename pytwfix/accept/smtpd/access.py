"""Access tables: what is looked up, in which order (SD-35, SD-36). What the answers do is in `actions`.

A key is (bytes, partial): parts of an address or a name are asked of FIXED tables only (LK-2). The first entry counts.
Tables in memory answer at once, without a coroutine.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import chain
from typing import TYPE_CHECKING

from pytwfix.accept.smtpd import log
from pytwfix.accept.smtpd.actions import Actions
from pytwfix.accept.smtpd.restrictions import Complaint, Parser, Restriction
from pytwfix.accept.smtpd.state import DUNNO, ETRN, OK, REVERSE, Answer, State, Subject, Verdict
from pytwfix.contracts.rewriting import FAILED
from pytwfix.contracts.tables import TableError, TableMisconfigured
from pytwfix.mail.reply import Reply
from pytwfix.tables.adapter import Table
from pytwfix.tables.addresses import external_form, split_extension

if TYPE_CHECKING:
    from pytwfix.contracts.tables import ITable

# An address that resolves to itself: one @, no routing characters, a domain with a dot.
_PLAIN = re.compile(rb"[^@%!\"]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+\Z")
_NUMERIC_NAME = re.compile(rb"[0-9.]*\Z")

Keys = Iterator[tuple[bytes, bool]]


class AccessTable:
    """A table open for access lookups; `veto_permit`: the restriction that must not permit, if it is one."""

    __slots__ = ("_direct", "actions", "table", "veto_permit")

    def __init__(self, parser: Parser, name: str, veto_permit: str = "") -> None:
        self.actions = Actions(parser, name)
        self.table: ITable = parser.host.tables.open(name)
        self._direct = self.table if isinstance(self.table, Table) and not self.table.blocking else None
        self.veto_permit = veto_permit  # whoever controls the data may not permit himself (SD-36)

    def search(self, state: State, keys: Keys, subject: Subject) -> Answer:
        """The verdict of the first key that is found; DUNNO when none is."""
        direct = self._direct
        if direct is None:
            return self._search(state, keys, subject)
        fixed = direct.fixed
        try:
            for key, partial in keys:
                if partial and not fixed:
                    continue
                value = direct.get(key)
                if value is not None:
                    return self._act(state, value, key, subject)
        except TableError as error:
            return self._failed(state, error, subject)
        return DUNNO

    async def _search(self, state: State, keys: Keys, subject: Subject) -> Verdict:
        fixed = self.table.fixed
        try:
            for key, partial in keys:
                if partial and not fixed:
                    continue
                value = await self.table.lookup(key)
                if value is not None:
                    verdict = self._act(state, value, key, subject)
                    return verdict if isinstance(verdict, (int, Reply)) else await verdict
        except TableError as error:
            return self._failed(state, error, subject)
        return DUNNO

    def _failed(self, state: State, error: TableError, subject: Subject) -> Verdict:
        state.host.log.warning(str(error))
        if isinstance(error, TableMisconfigured):
            return state.refuse(subject, 451, "4.3.5", "Server configuration error")
        return state.lookup_failed(subject)

    def _act(self, state: State, value: bytes, key: bytes, subject: Subject) -> Answer:
        answer = self.actions.act(state, value.decode("utf-8", "replace"), key, subject)
        return self._vetoed(state, answer, subject) if self.veto_permit else answer

    async def _vetoed(self, state: State, answer: Answer, subject: Subject) -> Verdict:
        verdict = answer if isinstance(answer, (int, Reply)) else await answer
        if verdict != OK or state.discard:  # to throw mail away is no favour
            return verdict
        log.must_not_permit(state.host.log, self.veto_permit, subject.name)
        return state.misconfigured()


def parents(domain: bytes, matches_subdomains: bool) -> Keys:
    """`domain`, then its parents: as they are, or with a leading dot (parent_domain_matches_subdomains)."""
    yield domain, False
    if domain.startswith(b"[") or _NUMERIC_NAME.match(domain):
        return
    at = domain.find(b".", 1)
    while at >= 0:
        yield domain[at + 1 :] if matches_subdomains else domain[at:], True
        at = domain.find(b".", at + 1)


def networks(address: bytes) -> Keys:
    """An address, then ever shorter networks."""
    separator = b":" if b":" in address else b"."
    partial = False
    while True:
        yield address, partial
        partial = True
        at = address.rfind(separator)
        if at <= 0:
            return
        address = address[:at].rstrip(separator)


def address_keys(address: bytes, state: State) -> Keys:
    """user+ext@domain, user@domain, domain and parents, user+ext@, user@; the null sender has a key of its own."""
    config = state.config
    if not address:
        yield config.null_key, False
        return
    external = external_form(address)
    if external != address:
        yield external, False
    yield address, False
    local, at, domain = address.rpartition(b"@")
    if not at:
        local, domain = address, b""
    bare = split_extension(local, config.recipient_delimiter)[0] if config.recipient_delimiter else local
    if bare != local and at:
        yield bare + b"@" + domain, True
    if domain:
        for key, _ in parents(domain, config.access_parents):
            yield key, True
    yield local + b"@", True
    if bare != local:
        yield bare + b"@", True


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
        client = state.client
        keys = chain(domain_keys(client.name.encode(), state), networks(client.address.encode()))
        return self.access.search(state, keys, state.client_subject())


class CheckAddressMap(_Check):
    """check_address_map of local_header_rewrite_clients: a hit is enough."""

    __slots__ = ()

    def check(self, state: State) -> Answer:
        return self._check(state)

    async def _check(self, state: State) -> Verdict:
        table = self.access.table
        for key, partial in networks(state.client.address.encode()):
            if not (partial and not table.fixed) and await table.lookup(key) is not None:
                return OK
        return DUNNO


class CheckReverseClient(_Check):
    """check_reverse_client_hostname_access: must not permit."""

    __slots__ = ()

    def __init__(self, parser: Parser, name: str) -> None:
        self.access = AccessTable(parser, name, "check_reverse_client_hostname_access")

    def check(self, state: State) -> Answer:
        client = state.client
        keys = chain(domain_keys(client.reverse_name.encode(), state), networks(client.address.encode()))
        return self.access.search(state, keys, Subject(client.reverse_name, REVERSE))


class CheckHelo(_Check):
    __slots__ = ()

    def check(self, state: State) -> Answer:
        if not state.helo:
            return DUNNO
        return self.access.search(state, domain_keys(state.helo.encode(), state), state.helo_subject())


class _CheckAddress(_Check):
    """An address is looked up as it resolves: with a domain, without routes."""

    __slots__ = ()

    def _check(self, state: State, address: bytes, subject: Subject) -> Answer:
        if not address or _PLAIN.match(address):
            return self.access.search(state, address_keys(address, state), subject)
        return self._resolved(state, address, subject)

    async def _resolved(self, state: State, address: bytes, subject: Subject) -> Verdict:
        resolved = await state.resolve(address)
        if resolved.flags & FAILED:
            return state.lookup_failed(subject)
        answer = self.access.search(state, address_keys(resolved.recipient, state), subject)
        return answer if isinstance(answer, (int, Reply)) else await answer


class CheckSender(_CheckAddress):
    __slots__ = ()

    def check(self, state: State) -> Answer:
        return DUNNO if state.sender is None else self._check(state, state.sender, state.sender_subject())


class CheckRecipient(_CheckAddress):
    __slots__ = ()

    def check(self, state: State) -> Answer:
        return DUNNO if state.recipient is None else self._check(state, state.recipient, state.recipient_subject())


class CheckEtrn(_Check):
    __slots__ = ()

    def check(self, state: State) -> Answer:
        if not state.etrn:
            return DUNNO
        return self.access.search(state, domain_keys(state.etrn, state), Subject(state.text(state.etrn), ETRN))


def table_check(kind: type[_Check], word: str) -> Callable[[Parser, str], Restriction]:
    """A maker for the table of restrictions: the argument is `type:name`."""

    def make(parser: Parser, argument: str) -> Restriction:
        if ":" not in argument:
            return Complaint(f'restriction {word}: bad argument "{argument}": need maptype:mapname')
        return kind(parser, argument)

    return make
