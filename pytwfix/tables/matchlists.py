"""Lists of strings, domains, hosts and networks: mydestination, relay_domains, mynetworks (LK-8, LK-9, DL-1 to DL-3).

Elements: a pattern, `/file` (its content stands for it), `type:table` (a hit matches, its value does not count), each
perhaps with `!` in front. The first match decides. A list is parsed once. `match_now` answers without waiting, or None
when a table that may block must be asked; `match` always answers. Both raise TableError for a list that cannot be
evaluated (a file that is missing, a bad pattern, a failing table).
"""

from __future__ import annotations

from collections.abc import Iterable

from twisted.internet.defer import Deferred, fail

from pytwfix.basics.tasks import fired, start
from pytwfix.contracts.tables import DEFAULT_FLAGS, PARENT, ITable, ITables, TableError, TableMisconfigured
from pytwfix.tables.adapter import Table
from pytwfix.tables.addresses import parents
from pytwfix.tables.driver import TableBusy, TableContext
from pytwfix.tables.files import read_file
from pytwfix.tables.names import is_table, split_list
from pytwfix.tables.networks import Address, NetworkSet, parse_address, parse_network
from pytwfix.tables.textsource import logical_lines

Text = str | bytes
MAXIMUM_NESTING = 20


def fold(text: Text) -> str:
    """A name as lists compare it."""
    return (text if isinstance(text, str) else text.decode("utf-8", "surrogateescape")).casefold()


class _Rule:
    """Names, suffixes (`.domain`) and networks, or a table; a run of patterns of one sign is one rule."""

    __slots__ = ("error", "names", "networks", "suffixes", "table", "verdict")

    def __init__(self, verdict: bool) -> None:
        self.verdict = verdict
        self.names: set[str] = set()
        self.suffixes: set[str] = set()
        self.networks = NetworkSet()
        self.table: ITable | None = None
        self.error: TableError | None = None


class MatchList:
    """What the lists have in common: parsing, order, signs, tables."""

    def __init__(self, tables: ITables, text: str, title: str, flags: int = DEFAULT_FLAGS) -> None:
        self.title = title
        self._open = tables
        self._context: TableContext | None = getattr(tables, "context", None)
        self._flags = flags & ~PARENT
        self._subdomains = bool(flags & PARENT)
        self._rules: list[_Rule] = []
        self._parse(split_list(text), True, 0)
        self._waits = any(
            rule.table is not None and (not isinstance(rule.table, Table) or rule.table.blocking)
            for rule in self._rules
        )

    def __bool__(self) -> bool:
        return bool(self._rules)

    # -- parsing ---------------------------------------------------------------------------------------------------

    def _parse(self, words: Iterable[str], verdict: bool, depth: int) -> None:
        for word in words:
            sign = verdict
            while word.startswith("!"):
                sign, word = not sign, word[1:].lstrip()
            if word.startswith("/"):
                self._file(word, sign, depth)
            elif word and is_table(word):
                rule = self._new(sign)
                rule.table = self._open.open(word, self._flags)
            elif word:
                try:
                    self._pattern(self._rule(sign), word)
                except ValueError as error:
                    self._broken(str(error))

    def _rule(self, verdict: bool) -> _Rule:
        if self._rules:
            last = self._rules[-1]
            if last.verdict is verdict and last.table is None and last.error is None:
                return last
        return self._new(verdict)

    def _new(self, verdict: bool) -> _Rule:
        rule = _Rule(verdict)
        self._rules.append(rule)
        return rule

    def _broken(self, reason: str) -> None:
        self._new(True).error = TableMisconfigured(self.title, reason)

    def _failure(self, rule: _Rule, error: TableError | None = None) -> TableError:
        """The error of an element, which is logged each time that a match comes to it, as Postfix does."""
        if self._context is not None:
            if rule.table is not None:
                self._context.log.warning(f"{self.title}: {rule.table.name}: table lookup problem")
            elif rule.error is not None:
                self._context.log.warning(f"{self.title}: {rule.error.reason}")
        problem = error or rule.error
        assert problem is not None
        return problem.with_traceback(None)

    def _file(self, path: str, verdict: bool, depth: int) -> None:
        if depth > MAXIMUM_NESTING or self._context is None:
            self._broken(f"{path}: files are nested too deeply")
            return
        try:
            data = read_file(self._context, self.title, path, "open file")
        except TableError as error:
            self._context.log.error(error.reason)
            self._broken(error.reason)
            return
        text = b" ".join(line for _, line in logical_lines(data)).decode("utf-8", "surrogateescape")
        self._parse(split_list(text), verdict, depth + 1)

    def _pattern(self, rule: _Rule, word: str) -> None:
        rule.names.add(fold(word))

    # -- matching --------------------------------------------------------------------------------------------------

    def _match_now(self, name: str, address: Address | None, shown: str) -> bool | None:
        if self._waits:
            return None
        for rule in self._rules:
            if rule.error is not None:
                raise self._failure(rule)
            if rule.table is None:
                if self._in(rule, name, address):
                    return rule.verdict
            else:
                for key, partial in self._keys(name, shown):
                    if partial and not rule.table.fixed:
                        continue
                    try:
                        value = rule.table.get(key)  # type: ignore[attr-defined]
                    except TableBusy:
                        return None
                    except TableError as error:
                        raise self._failure(rule, error) from None
                    if value is not None:
                        return rule.verdict
        return False

    async def _match_waiting(self, name: str, address: Address | None, shown: str) -> bool:
        for rule in self._rules:
            if rule.error is not None:
                raise self._failure(rule)
            if rule.table is None:
                if self._in(rule, name, address):
                    return rule.verdict
                continue
            for key, partial in self._keys(name, shown):
                if partial and not rule.table.fixed:
                    continue
                try:
                    value = await rule.table.lookup(key)
                except TableError as error:
                    raise self._failure(rule, error) from None
                if value is not None:
                    return rule.verdict
        return False

    def _in(self, rule: _Rule, name: str, address: Address | None) -> bool:
        return name in rule.names

    def _keys(self, name: str, shown: str) -> list[tuple[bytes, bool]]:
        """What a table is asked: (key, is it a part of the name only)."""
        return [(name.encode("utf-8", "surrogateescape"), False)] if name else []

    def _answer(self, name: str, address: Address | None = None, shown: str = "") -> Deferred[bool]:
        try:
            now = self._match_now(name, address, shown)
        except TableError as error:
            return fail(error)
        if now is not None:
            return fired(now)
        return start(self._match_waiting(name, address, shown))


class StringList(MatchList):
    """Exact strings without regard to case: mydestination, virtual_alias_domains, authorized_*_users (DL-2)."""

    def match_now(self, name: Text) -> bool | None:
        return self._match_now(fold(name), None, "") if self._rules else False

    def match(self, name: Text) -> Deferred[bool]:
        return self._answer(fold(name))


class DomainList(StringList):
    """Domains: `dom` matches its subdomains under the flag PARENT, else `.dom` does (DL-3, LK-8)."""

    def _pattern(self, rule: _Rule, word: str) -> None:
        word = fold(word)
        if word.startswith("."):
            # With PARENT a leading dot is not needed, and matches what it matches without the flag.
            rule.suffixes.add(word)
        else:
            rule.names.add(word)
            if self._subdomains:
                rule.suffixes.add("." + word)

    def _in(self, rule: _Rule, name: str, address: Address | None) -> bool:
        if name in rule.names:
            return True
        if rule.suffixes:
            dot = name.find(".", 1)
            while dot != -1:
                if name[dot:] in rule.suffixes:
                    return True
                dot = name.find(".", dot + 1)
        return False

    def _keys(self, name: str, shown: str) -> list[tuple[bytes, bool]]:
        if not name:
            return []
        key = name.encode("utf-8", "surrogateescape")
        return [(key, False), *((parent, True) for parent in parents(key, self._subdomains))]


class AddressList(DomainList):
    """Host names, addresses and networks: mynetworks, smtpd_authorized_xforward_hosts (DL-1, LK-9).

    `match(name, address)`: either matches; "unknown" names match nothing but themselves.
    """

    def _pattern(self, rule: _Rule, word: str) -> None:
        if is_network(word):
            rule.networks.add(*parse_network(word))
        else:
            super()._pattern(rule, word)

    def _in(self, rule: _Rule, name: str, address: Address | None) -> bool:
        if address is not None and rule.networks and rule.networks.matches(address):
            return True
        return bool(name) and super()._in(rule, name, None)

    def _keys(self, name: str, shown: str) -> list[tuple[bytes, bool]]:
        keys = super()._keys(name, "")
        if shown:
            keys.append((shown.encode("ascii", "replace"), False))
        return keys

    def match_now(self, name: Text, address: Text = "") -> bool | None:
        """`address` is an IP address as text, without [] and IPv6: prefix."""
        if not self._rules:
            return False
        shown = fold(address)
        return self._match_now(fold(name), _number(shown), shown)

    def match(self, name: Text, address: Text = "") -> Deferred[bool]:
        shown = fold(address)
        return self._answer(fold(name), _number(shown), shown)


NameAddressList = AddressList


def is_network(word: str) -> bool:
    """Whether an element that is no table and no file stands for addresses, not for a name."""
    return word[:1] == "[" or ":" in word or "/" in word or _dotted(word)


def _dotted(word: str) -> bool:
    return word.count(".") == 3 and word.replace(".", "").isdigit()


def _number(address: str) -> Address | None:
    if not address:
        return None
    try:
        return parse_address(address)
    except ValueError:
        return None
