"""ldap:/file.cf: a directory by the package ldap3, `pip install 'pytwfix[ldap]'` (MT-11, NP-5; RFC 4511, RFC 4515).

server_host, server_port, version, timeout, search_base, scope, query_filter, result_attribute, result_format, domain,
special_result_attribute (DNs and URLs to follow), leaf_result_attribute (of entries with nothing to follow),
terminal_result_attribute (if an entry has it, the only one that counts), recursion_limit, expansion_limit, size_limit,
dereference, chase_referrals, bind, bind_dn, bind_pw, sasl_*, start_tls, tls_*.

Connections are kept, one for each lookup under way; in threads, because the package blocks.
"""

from __future__ import annotations

import re
import ssl
import threading
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import ldap3
from ldap3.core.exceptions import LDAPException

from pytwfix.contracts.tables import TableMisconfigured, TableUnavailable
from pytwfix.tables.clientconfig import ClientConfig, DomainFilter
from pytwfix.tables.driver import Driver, TableContext
from pytwfix.tables.expansion import BadTemplate, Template
from pytwfix.tables.textsource import shown

_SCOPES = {"sub": ldap3.SUBTREE, "one": ldap3.LEVEL, "base": ldap3.BASE}
_DEREFERENCE = (ldap3.DEREF_NEVER, ldap3.DEREF_SEARCH, ldap3.DEREF_BASE, ldap3.DEREF_ALWAYS)
_SUCCESS, _NO_SUCH_OBJECT = 0, 32
_DEFAULT_FILTER = "(mailacceptinggeneralid=%s)"


class _Entry(NamedTuple):
    """What the server says of one object: attributes in lower case, in its order."""

    attributes: list[tuple[str, list[bytes]]]


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
            context.log.warning(f"{self.name}: Fixed query_filter {query} is probably useless")
        scope = config.get("scope", "sub").lower()
        if scope not in _SCOPES:
            raise TableMisconfigured(self.name, f"{config.path}: unknown scope: {scope}")
        self._scope = _SCOPES[scope]
        self._read_attributes()
        self._read_limits()
        self._domains = DomainFilter(context, config.get("domain"), flags)
        self.fixed = not any((self._filter.partial, self._base.partial, self._format.letters & set("UD123456789")))
        self._idle: list[Any] = []
        self._mutex = threading.Lock()

    def _read_attributes(self) -> None:
        get = self.config.get
        self._plain = _words(get("result_attribute", "maildrop"))
        self._special = _words(get("special_result_attribute"))
        self._leaf = _words(get("leaf_result_attribute"))
        self._terminal = _words(get("terminal_result_attribute"))
        self._wanted = list(dict.fromkeys([*self._plain, *self._special, *self._leaf, *self._terminal]))

    def _read_limits(self) -> None:
        number = self.config.number
        self._timeout = number("timeout", 10)
        self._recursion = number("recursion_limit", 1000)
        self._limit = number("expansion_limit", 0)
        self._size = number("size_limit", self._limit)
        self._dereference = _DEREFERENCE[min(3, max(0, number("dereference", 0)))]

    # -- the lookup ------------------------------------------------------------------------------------------------

    def find(self, key: bytes) -> bytes | None:
        if not key:
            self.context.log.warning(f'table "{self.name}": empty query string -- ignored')
            return None
        if not self._domains.admits(key):
            return None
        base = self._base.query(key, escape_dn)
        query = self._filter.query(key, escape_filter)
        if base is None or query is None:
            return None
        return self._with_connection(key, base.decode("utf-8", "replace"), query.decode("utf-8", "replace"))

    def _with_connection(self, key: bytes, base: str, query: str) -> bytes | None:
        """Ask on a kept connection; if that has gone away, on a new one."""
        with self._mutex:
            kept = self._idle.pop() if self._idle else None
        if kept is not None:
            try:
                return self._asked(kept, key, base, query)
            except LDAPException:
                _forget(kept)
        connection = self._connect()
        try:
            return self._asked(connection, key, base, query)
        except LDAPException as error:
            _forget(connection)
            raise self._unavailable(str(error)) from None

    def _asked(self, connection: Any, key: bytes, base: str, query: str) -> bytes | None:
        search = _Search(key, connection)
        try:
            self._follow(search, base, query, self._scope, 0)
        except TableUnavailable:
            _forget(connection)
            raise
        with self._mutex:
            self._idle.append(connection)
        return b",".join(search.results) if search.results else None

    def _follow(self, search: _Search, base: str, query: str, scope: Any, depth: int) -> None:
        """Take the results of a search, then of what its entries point at."""
        if depth > self._recursion:
            raise self._unavailable(f"recursion limit exceeded for key: '{shown(search.key)}'")
        for entry in self._entries(search.connection, base, query, scope):
            terminal = [pair for pair in entry.attributes if pair[0] in self._terminal]
            if terminal:
                self._take(search, terminal)
                continue
            pointers = [pair for pair in entry.attributes if pair[0] in self._special]
            leaf = self._leaf if not pointers else []
            self._take(search, [pair for pair in entry.attributes if pair[0] in self._plain or pair[0] in leaf])
            for _, values in pointers:
                for value in values:
                    self._follow_pointer(search, value.decode("utf-8", "replace"), query, depth + 1)

    def _follow_pointer(self, search: _Search, pointer: str, query: str, depth: int) -> None:
        """A DN, or an ldap URL of this server: `ldap:///base?attributes?scope?filter`."""
        if not pointer.lower().startswith(("ldap://", "ldaps://", "ldapi://")):
            self._follow(search, pointer, "(objectclass=*)", ldap3.BASE, depth)
            return
        url = urlsplit(pointer)
        parts = (url.query.split("?") + ["", "", ""])[:3]
        scope = _SCOPES.get(parts[1].lower() or "base", ldap3.BASE)
        self._follow(search, unquote(url.path.lstrip("/")), unquote(parts[2]) or "(objectclass=*)", scope, depth)

    def _take(self, search: _Search, attributes: list[tuple[str, list[bytes]]]) -> None:
        for _, values in attributes:
            for value in values:
                result = self._format.result(search.key, value) if value else None
                if result is None:
                    continue
                search.results.append(result)
                if self._limit and len(search.results) > self._limit:
                    raise self._unavailable(f"expansion limit exceeded for key: '{shown(search.key)}'")

    def _entries(self, connection: Any, base: str, query: str, scope: Any) -> list[_Entry]:
        connection.search(
            base,
            query,
            scope,
            dereference_aliases=self._dereference,
            attributes=self._wanted or [ldap3.NO_ATTRIBUTES],
            size_limit=self._size,
            time_limit=self._timeout,
        )
        code = connection.result["result"]
        if code == _NO_SUCH_OBJECT:
            self.context.log.warning(f"{self.name}: Search base '{base}' not found")
            return []
        if code != _SUCCESS:
            raise self._unavailable(f"Search error {code}: {connection.result['description']}")
        return [_entry(item) for item in connection.response or () if item.get("type") == "searchResEntry"]

    def _unavailable(self, reason: str) -> TableUnavailable:
        text = " ".join(reason.split())
        self.context.log.warning(f"{self.name}: {text}")
        return TableUnavailable(self.name, text)

    # -- connections -----------------------------------------------------------------------------------------------

    def _connect(self) -> Any:
        """A bound connection to the first server that takes one. TableUnavailable."""
        reason = "no server_host"
        for host in self.config.get("server_host", "localhost").replace(",", " ").split():
            try:
                return self._bound(self._server(host))
            except (LDAPException, OSError) as error:
                reason = f"Unable to connect to server {host}: {error}"
                self.context.log.warning(f"{self.name}: {' '.join(reason.split())}")
        raise TableUnavailable(self.name, " ".join(reason.split()))

    def _server(self, host: str) -> Any:
        url = host if "://" in host else "ldap://" + host
        if "://" not in host and not re.search(r"(^[^:]*|\]):\d+$", host):
            url += f":{self.config.number('server_port', 389)}"
        return ldap3.Server(url, connect_timeout=self._timeout, get_info=ldap3.NONE, tls=self._tls())

    def _tls(self) -> Any:
        get = self.config.get
        needed = ssl.CERT_REQUIRED if self.config.boolean("tls_require_cert", False) else ssl.CERT_NONE
        return ldap3.Tls(
            local_private_key_file=get("tls_key") or None,
            local_certificate_file=get("tls_cert") or None,
            validate=needed,
            ca_certs_file=get("tls_ca_cert_file") or None,
            ca_certs_path=get("tls_ca_cert_dir") or None,
            ciphers=get("tls_cipher_suite") or None,
        )

    def _bound(self, server: Any) -> Any:
        connection = ldap3.Connection(server, **self._credentials(), **self._manners())
        connection.open()
        if self.config.boolean("start_tls", False) and not connection.start_tls():
            raise TableUnavailable(self.name, f"STARTTLS: {connection.last_error}")
        if not connection.bind():
            raise self._unavailable(f"Unable to bind to server: {connection.result['description']}")
        return connection

    def _manners(self) -> dict[str, Any]:
        return {
            "client_strategy": ldap3.SYNC,
            "read_only": True,
            "check_names": False,
            "auto_referrals": self.config.boolean("chase_referrals", False),
            "receive_timeout": self._timeout or None,
        }

    def _credentials(self) -> dict[str, Any]:
        bind = self.config.get("bind", "yes").lower()
        name, password = self.config.get("bind_dn"), self.config.get("bind_pw")
        if bind == "sasl":
            mechanism = self.config.get("sasl_mechs", "EXTERNAL").replace(",", " ").split()[0].upper()
            words = (self.config.get("sasl_realm") or None, name, password, self.config.get("sasl_authz_id") or None)
            credentials = words if mechanism == "DIGEST-MD5" else None
            return {"authentication": ldap3.SASL, "sasl_mechanism": mechanism, "sasl_credentials": credentials}
        if bind in ("yes", "simple") and name:
            return {"authentication": ldap3.SIMPLE, "user": name, "password": password}
        return {"authentication": ldap3.ANONYMOUS}

    def close(self) -> None:
        with self._mutex:
            for connection in self._idle:
                _forget(connection)
            self._idle.clear()


def _entry(item: dict[str, Any]) -> _Entry:
    return _Entry([(name.lower(), list(values)) for name, values in item["raw_attributes"].items() if values])


def _words(text: str) -> list[str]:
    return text.lower().replace(",", " ").split()


def _forget(connection: Any) -> None:
    try:
        connection.unbind()
    except (LDAPException, OSError):
        pass  # it is given up anyway


def escape_filter(text: bytes) -> bytes:
    """What means something in a filter, as \\HH (RFC 4515 section 3)."""
    return b"".join(b"\\%02X" % octet if octet in b"*()\\\0" else bytes([octet]) for octet in text)


def escape_dn(text: bytes) -> bytes:
    """What means something in a distinguished name, behind a backslash (RFC 4514 section 2.4)."""
    return b"".join(b"\\" + bytes([octet]) if octet in b' \t"#+,;<>\\' else bytes([octet]) for octet in text)
