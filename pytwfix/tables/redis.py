"""redis:/file.cf: a key-value server that speaks Redis's protocol (ours: Postfix has no such type).

hosts (name, inet:host:port, unix:/path; asked in random order, one that fails rests for retry_interval), database,
user, password, key_format (%s %u %d ...), domain, timeout, idle_interval, ttl (seconds for what is written; 0: for
ever), data_size_limit, result_format; tls, tls_CAfile, tls_cert_file, tls_key_file, tls_verify_cert.
"""

from __future__ import annotations

import socket
import ssl
import time

from pytwfix.contracts.tables import TableMisconfigured, TableUnavailable
from pytwfix.dialogs import resp
from pytwfix.tables.clientconfig import ClientConfig, DomainFilter
from pytwfix.tables.clienttls import client_tls
from pytwfix.tables.driver import Driver, TableContext
from pytwfix.tables.expansion import BadTemplate, Template
from pytwfix.tables.serverpool import Pool, host_port

PORT = 6379


class Redis(Driver):
    blocking = True

    def __init__(self, context: TableContext, kind: str, rest: str, flags: int) -> None:
        super().__init__(context, kind, rest, flags)
        config = self._config = ClientConfig(context, self.name, rest)
        try:
            self._format = Template(config.get("key_format", "%s"))
            self._result = Template(config.get("result_format", "%s"))
            self._pools = self._make_pools()
        except (BadTemplate, ValueError, OSError) as error:
            raise TableMisconfigured(self.name, f"{config.path}: {error}") from None
        self.fixed = not (self._format.partial or self._result.letters & set("UD123456789"))
        self._domains = DomainFilter(context, config.get("domain"), flags)
        self._ttl = config.number("ttl", 0)
        self._limit = config.number("data_size_limit", 10240)
        self._retry = config.number("retry_interval", 60)
        self._failed: dict[str, float] = {}

    def _make_pools(self) -> dict[str, Pool]:
        config = self._config
        timeout, keep = float(config.number("timeout", 5)), float(config.number("idle_interval", 60))
        tls = self._tls()
        pools = {}
        for name in config.get("hosts", "localhost").replace(",", " ").split():
            address = _address(name)
            pools[name] = Pool(address, timeout, keep, self._greeter(tls, address))
        return pools

    def _tls(self) -> ssl.SSLContext | None:
        config = self._config
        if not config.boolean("tls", False):
            return None
        return client_tls(
            config.get("tls_CAfile"), "", config.boolean("tls_verify_cert", True),
            config.get("tls_cert_file"), config.get("tls_key_file"), "",
        )  # fmt: skip

    def _greeter(self, tls: ssl.SSLContext | None, address: tuple[str, int] | str) -> Greeter:
        words: list[tuple[bytes, ...]] = []
        get = self._config.get
        if get("password"):
            names = [name for name in (get("user"), get("password")) if name]
            words.append((b"AUTH", *(name.encode("utf-8", "surrogateescape") for name in names)))
        if self._config.number("database", 0):
            words.append((b"SELECT", b"%d" % self._config.number("database", 0)))
        return Greeter(tls, address[0] if isinstance(address, tuple) else "", words)

    # -- lookups and changes ---------------------------------------------------------------------------------------

    def find(self, key: bytes) -> bytes | None:
        if not key or not self._domains.admits(key):
            return None
        name = self._format.query(key, _as_it_is)
        if name is None:
            return None
        value = self._ask(b"GET", name)
        if value is None or isinstance(value, int):
            return None
        if len(value) > self._limit:
            raise self._unavailable("the value is too big")
        return self._result.result(key, value)

    def update(self, key: bytes, value: bytes) -> None:
        name = self._format.query(key, _as_it_is)
        if name is not None:
            self._ask(b"SET", name, value, *((b"EX", b"%d" % self._ttl) if self._ttl > 0 else ()))

    def delete(self, key: bytes) -> bool:
        name = self._format.query(key, _as_it_is)
        return name is not None and bool(self._ask(b"DEL", name))

    def _ask(self, *words: bytes) -> resp.Reply:
        reason = "all hosts have failed lately"
        for host in self._candidates():
            try:
                return self._pools[host].exchange(lambda connection: talk(connection, words)[0])
            except resp.RespError as error:
                raise self._unavailable(str(error)) from None
            except (OSError, resp.RespMalformed) as error:
                reason = str(error)
                self.context.log.warning(f"{self.name}: host {host}: {reason}")
                self._failed[host] = time.monotonic()
        raise self._unavailable(reason)

    def _candidates(self) -> list[str]:
        hosts = list(self._pools)
        if len(hosts) > 1:
            self.context.random.shuffle(hosts)
            now = time.monotonic()
            hosts = [host for host in hosts if now - self._failed.get(host, -self._retry) >= self._retry]
        return hosts

    def _unavailable(self, reason: str) -> TableUnavailable:
        self.context.log.warning(f"{self.name}: {reason}")
        return TableUnavailable(self.name, reason)

    def close(self) -> None:
        for pool in self._pools.values():
            pool.close()


class Greeter:
    """What is done on each new connection: TLS, who we are, which database."""

    def __init__(self, tls: ssl.SSLContext | None, host: str, words: list[tuple[bytes, ...]]) -> None:
        self._tls = tls
        self._host = host
        self._words = words

    def __call__(self, connection: socket.socket) -> socket.socket:
        if self._tls is not None:
            connection = self._tls.wrap_socket(connection, server_hostname=self._host or None)
        if self._words:
            talk(connection, *self._words)
        return connection


def talk(connection: socket.socket, *requests: tuple[bytes, ...]) -> list[resp.Reply]:
    """The replies. OSError; RespError for the first reply that is one; RespMalformed."""
    connection.sendall(b"".join(resp.request(*words) for words in requests))
    reader = resp.ReplyReader(len(requests))
    while True:
        received = connection.recv(65536)
        if not received:
            raise ConnectionError("lost connection")
        replies = reader.receive(received)
        if replies is not None:
            break
    good: list[resp.Reply] = []
    for reply in replies:
        if isinstance(reply, resp.RespError):
            raise reply
        good.append(reply)
    return good


def _address(name: str) -> tuple[str, int] | str:
    if name.startswith("unix:"):
        return name[5:]
    name = name.removeprefix("inet:")
    return host_port(name) if ":" in name.rpartition("]")[2] or name.count(":") == 1 else (name.strip("[]"), PORT)


def _as_it_is(text: bytes) -> bytes:
    return text
