"""Connections of an ldap: table: which server, TLS, and who we say we are (MT-11, NP-5; RFC 4511, RFC 4513).

server_host, server_port, timeout, start_tls, tls_*, bind, bind_dn, bind_pw, and sasl_* in `ldapsasl`. Servers are tried
in their order; one that fails goes to the end, so that the next connection does not wait for it again. All wait for
`timeout` seconds at most for each answer. Connections are the package ldap3's, blocking.
"""

from __future__ import annotations

import re
import ssl
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import ldap3
from ldap3.core.exceptions import LDAPException, LDAPStartTLSError

from pytwfix.contracts.tables import TableMisconfigured, TableUnavailable
from pytwfix.tables.clientconfig import ClientConfig
from pytwfix.tables.clienttls import client_tls
from pytwfix.tables.driver import TableContext

_BINDS = {"yes": "simple", "simple": "simple", "no": "", "none": "", "sasl": "sasl"}
_SCHEMES = ("ldap", "ldaps", "ldapi")
# Result codes whose words are not those of RFC 4511.
_WORDS = {
    "authMethodNotSupported": "Authentication method not supported",
    "busy": "Server is busy",
    "insufficientAccessRights": "Insufficient access",
    "other": "Internal (implementation specific) error",
    "unavailable": "Server is unavailable",
    "unwillingToPerform": "Server is unwilling to perform",
}


class Link(NamedTuple):
    """A connection, and the server that it leads to."""

    url: str
    wire: Any


class Failure(NamedTuple):
    """A result that is no success, as OpenLDAP's library says it; codes below zero are the client's own."""

    code: int
    words: str

    @classmethod
    def of_result(cls, result: dict[str, Any]) -> Failure:
        description = str(result["description"])
        words = _WORDS.get(description) or " ".join(
            word if word.isupper() else word.lower()
            for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", description)
        )
        return cls(result["result"], words[:1].upper() + words[1:])

    @classmethod
    def of_error(cls, error: Exception) -> Failure:
        if isinstance(error, TimeoutError):
            return cls(-5, "Timed out")
        return cls(-1, f"Can't contact LDAP server: {reason_of(error)}")


class Servers:
    """The servers of one table."""

    def __init__(self, context: TableContext, table: str, config: ClientConfig) -> None:
        self._context = context
        self._table = table
        self._config = config
        self._timeout = config.number("timeout", 10)
        self._bind = self._way_to_bind()
        port = config.number("server_port", 389)
        self._urls = [
            self._url(host, port) for host in config.get("server_host", "localhost").replace(",", " ").split()
        ]
        self._contexts: list[ssl.SSLContext] = []

    def _way_to_bind(self) -> str:
        word = self._config.get("bind", "yes")
        if word.lower() not in _BINDS:
            reason = f"{self._config.path}: unsupported parameter value: bind = {word}"
            raise TableMisconfigured(self._table, reason)
        return _BINDS[word.lower()]

    def _url(self, host: str, port: int) -> str:
        if "://" not in host:
            return f"ldap://{host}" if re.search(r"(^[^:]*|\]):\d+$", host) else f"ldap://{host}:{port}"
        if host.partition(":")[0].lower() not in _SCHEMES:
            raise TableMisconfigured(self._table, f"{self._config.path}: unsupported scheme: {host}")
        return host

    def connect(self, without: list[str]) -> Link:
        """A connection to the first server that takes one, bound; not to those that have failed already, whose list
        becomes longer. TableUnavailable."""
        reason = "dict_ldap_connect: no server is left"
        for url in [url for url in self._urls if url not in without]:
            try:
                return Link(url, self._bound(url))
            except TableUnavailable as error:
                reason = error.reason
            except (LDAPException, OSError, ValueError) as error:
                reason = f"dict_ldap_connect: Unable to connect to server {url}: {reason_of(error)}"
                self._context.log.warning(reason)
            without.append(url)
            self.defer(url)
        raise TableUnavailable(self._table, reason)

    def others(self, without: list[str]) -> bool:
        """Whether there are servers that have not failed."""
        return any(url not in without for url in self._urls)

    def defer(self, url: str) -> None:
        """Let a server that has failed be the last; this may happen in several threads at once."""
        self._urls = [*(one for one in self._urls if one != url), url]

    def referred(self, url: str) -> Any:
        """A connection to where a server has sent us, without a name: it is not to see our password. LDAPException."""
        parts = urlsplit(url)
        return self._open(f"{parts.scheme}://{parts.netloc}")

    def _bound(self, url: str) -> Any:
        connection = self._open(url)
        who = self._config.get("bind_dn")
        try:
            failure = self._identified(connection, who)
        except BaseException:
            forget(connection)
            raise
        if failure is None:
            return connection
        forget(connection)
        name = who or "empty or implicit"
        reason = f"dict_ldap_connect: Unable to bind to server {url} with dn {name}: {failure.code} ({failure.words})"
        self._context.log.warning(reason)
        raise TableUnavailable(self._table, reason)

    def _open(self, url: str) -> Any:
        server = ldap3.Server(url, connect_timeout=self._timeout or None, get_info=ldap3.NONE, tls=_Tls(self))
        connection: Any = ldap3.Connection(
            server, client_strategy=ldap3.SYNC, read_only=True, check_names=False, auto_referrals=False,
            receive_timeout=self._timeout or None,
        )  # fmt: skip
        connection.open()
        if self._config.boolean("start_tls", False) and not server.ssl:
            try:
                if not connection.start_tls():
                    raise LDAPStartTLSError(connection.last_error)
            except BaseException:
                forget(connection)
                raise
        return connection

    def _identified(self, connection: Any, who: str) -> Failure | None:
        """Bind, if there is anything to bind with; why that has failed."""
        if self._bind == "sasl":
            from pytwfix.tables import ldapsasl

            try:
                result = ldapsasl.bind(connection, self._config, self._context.random)
            except ldapsasl.NoMechanism as error:
                return Failure(-6, f"Unknown authentication method: {error}")
        elif self._bind == "simple":
            connection.user, connection.password = who or None, self._config.get("bind_pw") or None
            connection.authentication = ldap3.SIMPLE if who else ldap3.ANONYMOUS
            connection.bind()
            result = connection.result
        else:
            return None
        return Failure.of_result(result) if result["result"] else None

    def tls_context(self) -> ssl.SSLContext:
        """Made once: it takes milliseconds. OSError, ValueError."""
        if not self._contexts:
            self._contexts.append(self._new_context())
        return self._contexts[0]

    def _new_context(self) -> ssl.SSLContext:
        get = self._config.get
        return client_tls(
            get("tls_ca_cert_file"), get("tls_ca_cert_dir"), self._config.boolean("tls_require_cert", False),
            get("tls_cert"), get("tls_key"), get("tls_cipher_suite"),
        )  # fmt: skip


class _Tls(ldap3.Tls):
    """The package's own sends no server name, and passes over ciphers that are none."""

    def __init__(self, servers: Servers) -> None:
        super().__init__()
        self._servers = servers

    def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:
        context = self._servers.tls_context()
        name = None if connection.server.ipc else connection.server.host.strip("[]")
        connection.socket = context.wrap_socket(connection.socket, server_hostname=name)


def forget(connection: Any) -> None:
    """Close a connection."""
    try:
        connection.unbind()
    except (LDAPException, OSError):
        pass  # it is given up anyway


def reason_of(error: Exception) -> str:
    """The package's words, in one line, out of the tuples that it puts them in."""
    while error.args and isinstance(error.args[0], tuple):
        error = Exception(*error.args[0])
    text = " ".join(str(error.args[0] if len(error.args) == 1 else error).split())
    return text.removeprefix("('").removesuffix("',)").removeprefix('("').removesuffix('",)') or type(error).__name__
