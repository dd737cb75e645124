"""Restriction lists: from the words in main.cf to objects (SD-20 to SD-31, DN-2).

A list is parsed once for a settings snapshot, not for a session. Each restriction is an object with `check(state)`,
which answers at once where it can and with an awaitable where it must ask someone. What cannot be understood becomes
a restriction that answers 451 4.3.5 when it is reached, as Postfix does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol, TypeAlias, cast

from pytwfix.accept.smtpd import log
from pytwfix.accept.smtpd.state import DUNNO, OK, Answer, State, Subject, Verdict
from pytwfix.mail.reply import Reply

if TYPE_CHECKING:
    from pytwfix.contracts.host import IHost

_MAX_DEPTH = 100
_MAX_MADE = 1000
_ASKED = ("client", "reverse_client_hostname", "helo", "sender", "recipient", "etrn")
_OF_RECIPIENT = ("permit_auth_destination", "permit_mx_backup")


class Restriction(Protocol):
    """One word of a list, with its argument."""

    def check(self, state: State) -> Answer: ...


class RestrictionList:
    """Restrictions in order: the first answer other than DUNNO counts."""

    __slots__ = ("items",)

    def __init__(self, items: list[Restriction]) -> None:
        self.items = items

    def check(self, state: State) -> Answer:
        state.depth += 1
        if state.depth > _MAX_DEPTH:
            return Complaint("restriction lists are nested too deeply").check(state)
        for index, item in enumerate(self.items):
            answer = item.check(state)
            if answer.__class__ is int:
                if answer:
                    return OK
            elif isinstance(answer, Reply):
                return answer
            else:
                return self._later(index + 1, cast("Awaitable[Verdict]", answer), state)
            if state.discard:
                return OK
            if state.deferred_anyway:
                break
        return DUNNO

    async def _later(self, index: int, waiting: Awaitable[Verdict], state: State) -> Verdict:
        verdict = await waiting
        while verdict == DUNNO and not state.discard and index < len(self.items):
            if state.deferred_anyway:
                break
            answer = self.items[index].check(state)
            verdict = answer if isinstance(answer, (int, Reply)) else await answer
            index += 1
        return OK if state.discard and isinstance(verdict, int) else verdict


class WarnIfReject:
    """warn_if_reject: the next restriction only logs what it would refuse."""

    __slots__ = ("inner",)

    def __init__(self, inner: Restriction) -> None:
        self.inner = inner

    def check(self, state: State) -> Answer:
        before, state.warn = state.warn, True
        answer = self.inner.check(state)
        if isinstance(answer, (int, Reply)):
            state.warn = before
            return answer
        return self._later(answer, state, before)

    async def _later(self, waiting: Awaitable[Verdict], state: State, before: bool) -> Verdict:
        try:
            return await waiting
        finally:
            state.warn = before


class LoggedPermit:
    """A permit that may have to be told of (SD-57): `smtpd_log_access_permit_actions` has its name, or has not."""

    __slots__ = ("_inner", "_name")

    def __init__(self, inner: Restriction, name: str) -> None:
        self._inner = inner
        self._name = name

    def check(self, state: State) -> Answer:
        return self._check(state, self._inner.check(state))

    async def _check(self, state: State, answer: Answer) -> Verdict:
        verdict = answer if isinstance(answer, (int, Reply)) else await answer
        if verdict == OK and state.config.tells_of(self._name):
            subject = state.subject if self._name == "permit" else state.client_subject()
            if self._name in _OF_RECIPIENT:
                subject = state.recipient_subject()
            log.permit(state, self._name, subject.kind, subject.name)
        return verdict


class Unknown:
    """A word that means nothing (SD-31)."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def check(self, state: State) -> Answer:
        log.unknown_restriction(state.host.log, self.name)
        return state.misconfigured()


class Complaint:
    """A mistake in a list that is reported when it is reached."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def check(self, state: State) -> Answer:
        state.host.log.warning(self.text)
        return state.misconfigured()


class BareTable:
    """A table where it is not clear what it should be asked (SD-31)."""

    __slots__ = ("_word",)

    def __init__(self, word: str) -> None:
        self._word = word

    def check(self, state: State) -> Answer:
        what = ", ".join(f"check_{name}_access" for name in _ASKED)
        state.host.log.warning(f'specify one of ({what}) before {state.subject.kind} restriction "{self._word}"')
        return state.misconfigured()


# Makes a restriction from its argument ("" where it takes none).
Maker: TypeAlias = "Callable[[Parser, str], Restriction]"


class Entry:
    """What a word stands for; `argument` says whether the next word belongs to it."""

    __slots__ = ("argument", "make")

    def __init__(self, make: Maker, argument: bool = False) -> None:
        self.make = make
        self.argument = argument


# Removed in Postfix 3.9, with what to write instead (SD-30).
REMOVED = {
    "permit_naked_ip_address": "permit_mynetworks or permit_sasl_authenticated",
    "reject_maps_rbl": "reject_rbl_client domain-name",
    "check_relay_domains": "permit_auth_destination, reject_unauth_destination",
}


def split(text: str) -> list[str]:
    """Words separated by commas and blanks; {...} protects them and is taken off (MC-8)."""
    words: list[str] = []
    word, depth = "", 0
    for char in text:
        if depth == 0 and (char.isspace() or char == ","):
            if word:
                words.append(word)
            word = ""
            continue
        depth += (char == "{") - (char == "}")
        word += char
    if word:
        words.append(word)
    return [item[1:-1].strip() if item.startswith("{") and item.endswith("}") else item for item in words]


class Parser:
    """Makes lists for one settings snapshot. `table_check` is what a bare type:name means in the list at hand."""

    def __init__(self, host: IHost, table: dict[str, Entry], classes: frozenset[str], tells: bool = False) -> None:
        self.host = host
        self._tells = tells  # of permits
        self._table = table
        self._classes = classes
        self._made: dict[tuple[str, str], RestrictionList] = {}
        self.table_check = ""

    def parse(self, text: str, table_check: str = "") -> RestrictionList:
        """`table_check` is the restriction for a bare table, such as check_sender_access; "" where none is allowed."""
        key = (text, table_check)
        if key not in self._made:
            if len(self._made) > _MAX_MADE:
                self._made.clear()
            before, self.table_check = self.table_check, table_check
            self._made[key] = RestrictionList(self._items(split(text)))
            self.table_check = before
        return self._made[key]

    def _items(self, words: list[str]) -> list[Restriction]:
        items: list[Restriction] = []
        warnings = 0
        at = 0
        while at < len(words):
            item, at = self._item(words, at)
            if item is None:
                warnings += 1
                continue
            items.append(WarnIfReject(item) if warnings else item)
            warnings = 0
        return items

    def _item(self, words: list[str], at: int) -> tuple[Restriction | None, int]:
        word = words[at]
        name = word.lower()
        at += 1
        if name == "warn_if_reject":
            return None, at
        if ":" in word and not name.startswith("check_"):
            return self._bare_table(word), at
        entry = self._table.get(name)
        if entry is None:
            return self._other(word), at
        argument = ""
        if entry.argument:
            argument = words[at] if at < len(words) else word  # as Postfix reads a list that ends too early
            at += 1
        made = entry.make(self, argument)
        return LoggedPermit(made, name) if self._tells and name.startswith("permit") else made, at

    def _bare_table(self, word: str) -> Restriction:
        entry = self._table.get(self.table_check)
        if entry is None:
            return BareTable(word)
        return entry.make(self, word)

    def _other(self, word: str) -> Restriction:
        if word in self._classes:
            text = self.host.parameter(word)
            if text is not None:
                return _Class(self, text)
        if word.lower() in REMOVED:
            instead = REMOVED[word.lower()]
            text = f'support for restriction "{word}" has been removed in Postfix 3.9'
            return Complaint(f'{text}; instead, specify "{instead}"')
        return Unknown(word)


class _Class:
    """A restriction class, parsed when it is first used: classes may name each other."""

    __slots__ = ("_list", "_parser", "_table_check", "_text")

    def __init__(self, parser: Parser, text: str) -> None:
        self._parser = parser
        self._text = text
        self._table_check = parser.table_check
        self._list: RestrictionList | None = None

    def check(self, state: State) -> Answer:
        if self._list is None:
            self._list = self._parser.parse(self._text, self._table_check)
        return self._list.check(state)


def with_subject(state: State, subject: Subject, run: Callable[[State], Answer]) -> Answer:
    """Run checks about another subject, then go back to the old one."""
    before, state.subject = state.subject, subject
    answer = run(state)
    if isinstance(answer, (int, Reply)):
        state.subject = before
        return answer
    return _restored(state, before, answer)


async def _restored(state: State, before: Subject, waiting: Awaitable[Verdict]) -> Verdict:
    try:
        return await waiting
    finally:
        state.subject = before
