"""Access tables: what is looked up and what the answers do (access(5); SD-32, SD-33, SD-35)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from pytwfix.accept.smtpd import log
from pytwfix.accept.smtpd.restrictions import Complaint, Parser, Restriction, with_subject
from pytwfix.accept.smtpd.state import DUNNO, OK, Answer, State, Subject, Verdict
from pytwfix.contracts.tables import TableError
from pytwfix.mail.reply import Reply
from pytwfix.tables.addresses import external_form, split_extension

if TYPE_CHECKING:
    from pytwfix.contracts.tables import ITable

_STATUS = re.compile(r"([245])(\.[0-9]{1,3}\.[0-9]{1,3})(?:\s+|\Z)")
_NUMERIC_NAME = re.compile(rb"[0-9.]*\Z")

Keys = Iterator[bytes]


class AccessTable:
    """A table open for access lookups."""

    __slots__ = ("name", "parser", "table", "veto_permit")

    def __init__(self, parser: Parser, name: str, veto_permit: bool = False) -> None:
        self.name = name
        self.parser = parser
        self.table: ITable = parser.host.tables.open(name)
        self.veto_permit = veto_permit  # whoever controls the data may not permit himself (SD-36)

    async def search(self, state: State, keys: Keys, subject: Subject, permit_name: str = "") -> tuple[Verdict, bool]:
        """The verdict of the first key that is found, and whether one was. Pattern tables see the first key only."""
        try:
            for key in keys:
                value = await self.table.lookup(key)
                if value is not None:
                    verdict = self.act(state, value.decode("utf-8", "replace"), key, subject)
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
        state.host.log.warning(f"{self.name}: the table must not permit: whoever is looked up decides what it says")
        return state.misconfigured()

    def act(self, state: State, value: str, key: bytes, subject: Subject) -> Answer:
        """What a right-hand side does."""
        word, _, text = value.strip().partition(" ")
        text = text.strip()
        action = _ACTIONS.get(word.upper())
        if action is not None:
            return action(Match(self, state, key, subject, text))
        if word.isdecimal():
            return _numbered(state, word, text, subject)
        if not word:
            return DUNNO
        restrictions = self.parser.nested(value)
        return with_subject(state, subject, restrictions.check)


class Match:
    """An entry that was found, for the actions below."""

    __slots__ = ("key", "state", "subject", "table", "text")

    def __init__(self, table: AccessTable, state: State, key: bytes, subject: Subject, text: str) -> None:
        self.table = table
        self.state = state
        self.key = key
        self.subject = subject
        self.text = text

    def note(self, action: str, default: str) -> None:
        log.reject(self.state, action, f"<{self.subject.name}>: {self.subject.kind} {self.text or default}")

    def complain(self, need: str) -> Verdict:
        key = self.key.decode("utf-8", "replace")
        self.state.host.log.warning(f'access table {self.table.name} entry "{key}" requires {need}')
        return DUNNO


def status_and_text(code: int, default_detail: str, text: str, default: str) -> tuple[str, str]:
    """An enhanced status at the start of `text` counts, but its class is that of `code` (SD-33)."""
    found = _STATUS.match(text)
    detail = found.group(2) if found else default_detail
    if found:
        text = text[found.end() :]
    return f"{code // 100}{detail}", text or default


def _refusal(state: State, code: int, text: str, subject: Subject, default: str = "Access denied") -> Verdict:
    found = _STATUS.match(text)
    if found:
        text = text[found.end() :]
    dsn = state.adapted(found.group(1) + found.group(2), subject.kind) if found else "0.7.1"
    dsn = f"{code // 100}{dsn[1:]}"
    return state.reject(code, dsn, f"<{subject.name}>: {subject.kind} rejected: {text or default}")


def _numbered(state: State, word: str, text: str, subject: Subject) -> Answer:
    if not text:
        return OK
    code = int(word)
    if len(word) == 3 and 400 <= code < 600:
        return _refusal(state, code, text, subject)
    log.unknown_restriction(state.host.log, word)
    return state.misconfigured()


def _reject(match: Match) -> Answer:
    return _refusal(match.state, match.state.config.codes.access_map_reject, match.text, match.subject)


def _defer(match: Match) -> Answer:
    return _refusal(match.state, match.state.config.codes.access_map_defer, match.text, match.subject)


def _conditional(match: Match) -> tuple[int, str, str]:
    code = match.state.config.codes.access_map_defer
    dsn, text = status_and_text(code, ".7.1", match.text, "Service unavailable")
    return code, dsn, f"<{match.subject.name}>: {match.subject.kind} rejected: {text}"


def _defer_if_reject(match: Match) -> Answer:
    return match.state.defer_if_reject(*_conditional(match))


def _defer_if_permit(match: Match) -> Answer:
    return match.state.defer_if_permit(*_conditional(match))


def _hangup(match: Match) -> Answer:
    log.reject(match.state, "hangup", match.text)
    match.state.hangup = True
    return Reply(421, "4.7.0", "", hangup=True)


def _info(match: Match) -> Answer:
    log.reject(match.state, "info", match.text)
    return DUNNO


def _warn(match: Match) -> Answer:
    log.reject(match.state, "warn", match.text)
    return DUNNO


def _filter(match: Match) -> Answer:
    transport, colon, _ = match.text.partition(":")
    if not colon or not transport:
        return match.complain("transport:destination")
    target, match.text = match.text, f"triggers FILTER {match.text}"
    match.note("filter", "")
    match.state.actions.append(("filter", target))
    return DUNNO


def _hold(match: Match) -> Answer:
    if not match.state.hold:
        match.note("hold", "triggers HOLD action")
        match.state.hold = True
        match.state.actions.append(("hold", match.text))
    return DUNNO


def _discard(match: Match) -> Answer:
    match.note("discard", "triggers DISCARD action")
    match.state.discard = True
    match.state.actions.append(("discard", match.text))
    return OK


def _address_action(name: str) -> Callable[[Match], Answer]:
    def act(match: Match) -> Answer:
        if "@" not in match.text:
            return match.complain("user@domain target")
        target, match.text = match.text, f"triggers {name.upper()} {match.text}"
        match.note(name, "")
        match.state.actions.append((name, target))
        return DUNNO

    return act


def _prepend(match: Match) -> Answer:
    if match.state.stage == "END-OF-MESSAGE":
        match.state.host.log.warning(f"access table {match.table.name}: action PREPEND must be used before DATA ends")
        return DUNNO
    name, colon, _ = match.text.partition(":")
    if not colon or not name.strip() or " " in name.strip():
        return match.complain("header: text argument")
    match.state.actions.append(("prepend", match.text))
    return DUNNO


def _ok(match: Match) -> Answer:
    return OK


def _dunno(match: Match) -> Answer:
    return DUNNO


_ACTIONS: dict[str, Callable[[Match], Answer]] = {
    "OK": _ok,
    "RELAY": _ok,
    "DUNNO": _dunno,
    "REJECT": _reject,
    "DEFER": _defer,
    "DEFER_IF_REJECT": _defer_if_reject,
    "DEFER_IF_PERMIT": _defer_if_permit,
    "HANGUP": _hangup,
    "INFO": _info,
    "WARN": _warn,
    "FILTER": _filter,
    "HOLD": _hold,
    "DISCARD": _discard,
    "REDIRECT": _address_action("redirect"),
    "BCC": _address_action("bcc"),
    "PREPEND": _prepend,
}


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
