"""ldap:/file.cf: a directory by the package ldap3, `pip install 'pytwfix[ldap]'` (MT-11, NP-5; RFC 4511, RFC 4515).

search_base, scope, query_filter, result_attribute, result_format, domain, special_result_attribute (DNs and URLs to
follow), leaf_result_attribute (of entries with nothing to follow), terminal_result_attribute (if an entry has it, the
only one that counts), recursion_limit, expansion_limit, size_limit, dereference, chase_referrals; who is asked, and as
whom, is in `ldapservers`. `version` is read and 3 is used; `cache*` and `debuglevel` mean nothing.

Connections are kept, one for each lookup under way; in threads, because the package blocks. Log lines are Postfix's.
"""

from __future__ import annotations

import threading
from typing import Any, NamedTuple

import ldap3
from ldap3.core.exceptions import LDAPException, LDAPInvalidFilterError

from pytwfix.contracts.tables import TableMisconfigured, TableUnavailable
from pytwfix.tables.clientconfig import ClientConfig, DomainFilter
from pytwfix.tables.driver import Driver, TableContext
from pytwfix.tables.expansion import BadTemplate, Template
from pytwfix.tables.ldapservers import Failure, Link, Servers, forget
from pytwfix.tables.ldapurl import SCOPES, LdapUrl, is_url
from pytwfix.tables.textsource import shown

_DEREFERENCE = (ldap3.DEREF_NEVER, ldap3.DEREF_SEARCH, ldap3.DEREF_BASE, ldap3.DEREF_ALWAYS)
_SUCCESS, _REFERRAL, _NO_SUCH_OBJECT = 0, 10, 32
_DEFAULT_FILTER = "(mailacceptinggeneralid=%s)"
_ANYTHING = "(objectclass=*)"
_HOPS = 5  # referrals one after the other


class _Request(NamedTuple):
    base: str
    query: str
    scope: Any
    attributes: list[str]


class _Entry(NamedTuple):
    """What the server says of one object: attributes in lower case, in its order."""

    attributes: list[tuple[str, list[bytes]]]

    def having(self, names: list[str]) -> list[tuple[str, list[bytes]]]:
        """The attributes of these names; one with an option (`mail;lang-en`) goes by the name without it too."""
        return [
            pair for pair in self.attributes if any(pair[0] == name or pair[0].startswith(f"{name};") for name in names)
        ]


class _Failed(Exception):
    """A search that is no success."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.words)
        self.failure = failure


class _Search:
    """The state of one lookup."""

    def __init__(self, key: bytes, connection: Any) -> None:
        self.key = key
        self.connection = connection
        self.results: list[bytes] = []


class Ldap(Driver):
    blocking = True

    def __init__(self, context: TableContext, kind: str, rest: str, flags: int) -> None:
        super().__init__(context, kind, rest, flags)
        config = self.config = ClientConfig(context, self.name, rest)
        query = config.get("query_filter", _DEFAULT_FILTER)
        try:
            self._filter = Template(query)
            self._base = Template(config.get("search_base"))
            self._format = Template(config.get("result_format") or config.get("result_filter") or "%s")
        except BadTemplate as error:
            raise TableMisconfigured(self.name, f"{config.path}: {error}") from None
        if not self._filter.letters:
            self._warn(f"dict_ldap_open: {config.path}: Fixed query_filter {query} is probably useless")
        self._read_attributes()
        self._read_scope()
        self._read_limits()
        self._servers = Servers(context, self.name, config)
        self._domains = DomainFilter(context, config.get("domain"), flags)
        self.fixed = not any((self._filter.partial, self._base.partial, self._format.letters & set("UD123456789")))
        self._idle: list[Link] = []
        self._mutex = threading.Lock()

    def _read_attributes(self) -> None:
        get = self.config.get
        self._special = _words(get("special_result_attribute"))
        self._leaf = _words(get("leaf_result_attribute"))
        self._terminal = _words(get("terminal_result_attribute"))
        plain = _words(get("result_attribute", "maildrop"))
        self._wanted = list(dict.fromkeys([*plain, *self._special, *self._leaf, *self._terminal]))
        self._plain = [name for name in plain if name not in self._leaf]

    def _read_scope(self) -> None:
        scope = self.config.get("scope", "sub")
        if scope.lower() not in SCOPES:
            self._warn(f"dict_ldap_open: {self.config.path}: Unrecognized value {scope} specified for scope; using sub")
        self._scope = SCOPES.get(scope.lower(), ldap3.SUBTREE)

    def _read_limits(self) -> None:
        number, path = self.config.number, self.config.path
        self._timeout = number("timeout", 10)
        self._recursion = number("recursion_limit", 1000)
        if self._recursion < 1:
            reason = f"{path}: invalid recursion_limit parameter value {self._recursion} < 1"
            raise TableMisconfigured(self.name, reason)
        self._limit = number("expansion_limit", 0)
        self._size = number("size_limit", self._limit)
        self._chase = self.config.boolean("chase_referrals", False)
        way = number("dereference", 0)
        if not 0 <= way < len(_DEREFERENCE):
            self._warn(f"dict_ldap_open: {path} Unrecognized value {way} specified for dereference; using 0")
            way = 0
        self._dereference = _DEREFERENCE[way]

    # -- the lookup ------------------------------------------------------------------------------------------------

    def find(self, key: bytes) -> bytes | None:
        if not key:
            self._warn(f'table "{self.name}": empty query string -- ignored')
            return None
        if not self._domains.admits(key):
            return None
        base = self._base.query(key, escape_dn)
        query = self._filter.query(key, escape_filter)
        if base is None or query is None:
            return None
        place, question = base.decode("utf-8", "replace"), query.decode("utf-8", "replace")
        return self._with_connection(key, _Request(place, question, self._scope, self._wanted))

    def _with_connection(self, key: bytes, request: _Request) -> bytes | None:
        """Ask on a kept connection; if that has gone away, on a new one; a server that is slow is not asked again."""
        failed: list[str] = []
        with self._mutex:
            kept = self._idle.pop() if self._idle else None
        if kept is not None:
            try:
                return self._asked(kept, key, request)
            except TimeoutError as error:
                self._give_up(kept.url, failed, error)
            except LDAPException:
                pass  # the server may have closed it: that is no failure
        while True:
            link = self._servers.connect(failed)
            try:
                return self._asked(link, key, request)
            except LDAPException as error:
                self._give_up(link.url, failed, error)

    def _give_up(self, url: str, failed: list[str], error: Exception) -> None:
        """A server does not answer: TableUnavailable, unless there are others."""
        failed.append(url)
        self._servers.defer(url)
        unavailable = self._unavailable(_error_text(Failure.of_error(error)))
        if not self._servers.others(failed):
            raise unavailable

    def _asked(self, link: Link, key: bytes, request: _Request) -> bytes | None:
        search = _Search(key, link.wire)
        try:
            self._start(search, request)
        except BaseException:
            forget(link.wire)
            raise
        with self._mutex:
            self._idle.append(link)
        return b",".join(search.results) if search.results else None

    def _start(self, search: _Search, request: _Request) -> None:
        try:
            entries = self._entries(search.connection, request)
        except _Failed as error:
            if error.failure.code != _NO_SUCH_OBJECT:
                raise self._unavailable(_error_text(error.failure)) from None
            if self._base.letters:
                return  # a base that depends on the key need not be there
            reason = f"{self.config.path}: Search base '{request.base}' not found: {_NO_SUCH_OBJECT}: No such object"
            raise self._unavailable(f"dict_ldap_lookup: {reason}") from None
        self._take_entries(search, entries, 1)

    def _take_entries(self, search: _Search, entries: list[_Entry], depth: int) -> None:
        """The results of entries, then of what these point at; `depth` is 1 for what the lookup itself has found."""
        for entry in entries:
            terminal = entry.having(self._terminal)
            if terminal:
                self._take(search, terminal, depth)
                continue
            pointers = entry.having(self._special)
            self._take(search, entry.having(self._plain if pointers else [*self._plain, *self._leaf]), depth)
            for name, values in pointers:
                for value in values:
                    pointer = value.decode("utf-8", "replace")
                    if depth >= self._recursion:
                        reason = f"Recursion limit exceeded for special attribute {name}={pointer}"
                        raise self._unavailable(f"dict_ldap_get_values[{depth}]: {self.config.path}: {reason}")
                    self._follow(search, pointer, depth)

    def _follow(self, search: _Search, pointer: str, depth: int) -> None:
        request = self._request_for(pointer, depth)
        if request is None:
            return
        try:
            entries = self._entries(search.connection, request)
        except _Failed as error:
            if error.failure.code != _NO_SUCH_OBJECT:
                text = f"search error {error.failure.code}: {error.failure.words}"
                raise self._unavailable(f"dict_ldap_get_values[{depth}]: {text}") from None
            self._warn(f"dict_ldap_get_values[{depth}]: DN {pointer} not found, skipping")
            return
        self._take_entries(search, entries, depth + 1)

    def _request_for(self, pointer: str, depth: int) -> _Request | None:
        """The search that a DN or an ldap URL stands for; its host counts for nothing. None: nothing to search for."""
        if not is_url(pointer):
            return _Request(pointer, _ANYTHING, ldap3.BASE, self._wanted)
        try:
            url = LdapUrl.parse(pointer)
        except ValueError:
            self._warn(f"dict_ldap_get_values[{depth}]: malformed URL {pointer}, skipping")
            return None
        attributes = url.select(self._wanted)
        return _Request(url.base, url.filter or _ANYTHING, url.scope, attributes) if attributes else None

    def _take(self, search: _Search, attributes: list[tuple[str, list[bytes]]], depth: int) -> None:
        for _, values in attributes:
            for value in values:
                result = self._format.result(search.key, value) if value else None
                if result is None:
                    continue
                search.results.append(result)
                if self._limit and len(search.results) > self._limit:
                    reason = f"{self.config.path}: Expansion limit exceeded for key: '{shown(search.key)}'"
                    raise self._unavailable(f"dict_ldap_get_values[{depth}]: {reason}")

    # -- searches --------------------------------------------------------------------------------------------------

    def _entries(self, connection: Any, request: _Request, hops: int = 0) -> list[_Entry]:
        """What a search finds, on other servers too if referrals are to be followed. _Failed; LDAPException."""
        query = request.query.strip()
        try:
            connection.search(
                request.base,
                query if query.startswith("(") else f"({query})",
                request.scope,
                dereference_aliases=self._dereference,
                attributes=request.attributes or [ldap3.NO_ATTRIBUTES],
                size_limit=self._size,
                time_limit=self._timeout,
            )
        except LDAPInvalidFilterError:
            raise _Failed(Failure(-7, "Bad search filter")) from None
        result, found = connection.result, list(connection.response or ())
        code = result["result"]
        if code not in (_SUCCESS, _REFERRAL) or (code == _REFERRAL and not self._chase):
            raise _Failed(Failure.of_result(result))
        entries = [_entry(item) for item in found if item.get("type") == "searchResEntry"]
        if self._chase:
            elsewhere = [item["uri"] for item in found if item.get("type") == "searchResRef"]
            if code == _REFERRAL:
                elsewhere.append(result["referrals"] or [])
            for urls in elsewhere:
                entries += self._referred(urls, request, hops + 1)
        return entries

    def _referred(self, urls: list[str], request: _Request, hops: int) -> list[_Entry]:
        """The entries that another server has; one of these places will do. Where none answers there is no knowing."""
        if hops > _HOPS:
            raise _Failed(Failure(-17, "Referral Limit Exceeded"))
        failed = _Failed(Failure(_REFERRAL, "Referral"))
        for text in urls:
            connection = None
            try:
                url = LdapUrl.parse(text)
                scope = url.scope if url.scoped else request.scope
                there = request._replace(base=url.base or request.base, query=url.filter or request.query, scope=scope)
                connection = self._servers.referred(text)
                return self._entries(connection, there, hops)
            except _Failed as error:
                failed = error
            except (LDAPException, OSError, ValueError) as error:
                failed = _Failed(Failure.of_error(error))
            finally:
                if connection is not None:
                    forget(connection)
        raise failed

    # -- the log, and the end --------------------------------------------------------------------------------------

    def _warn(self, text: str) -> None:
        self.context.log.warning(text)

    def _unavailable(self, reason: str) -> TableUnavailable:
        text = " ".join(reason.split())
        self._warn(text)
        return TableUnavailable(self.name, text)

    def close(self) -> None:
        with self._mutex:
            for link in self._idle:
                forget(link.wire)
            self._idle.clear()


def _error_text(failure: Failure) -> str:
    return f"dict_ldap_lookup: Search error {failure.code}: {failure.words}"


def _entry(item: dict[str, Any]) -> _Entry:
    return _Entry([(name.lower(), list(values)) for name, values in item["raw_attributes"].items() if values])


def _words(text: str) -> list[str]:
    return text.lower().replace(",", " ").split()


def escape_filter(text: bytes) -> bytes:
    """What means something in a filter, as \\HH (RFC 4515 section 3)."""
    return b"".join(b"\\%02X" % octet if octet in b"*()\\\0" else bytes([octet]) for octet in text)


def escape_dn(text: bytes) -> bytes:
    """What means something in a distinguished name, behind a backslash (RFC 4514 section 2.4)."""
    return b"".join(b"\\" + bytes([octet]) if octet in b' \t"#+,;<>\\' else bytes([octet]) for octet in text)
