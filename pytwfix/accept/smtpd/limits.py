"""How many at once and how often: anvil's counts for this client (SD-47); how big, and whether there is room (SD-6)."""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING

from pytwfix.accept.smtpd import log, replies
from pytwfix.contracts import counters
from pytwfix.contracts.tables import TableError
from pytwfix.mail.reply import Reply

if TYPE_CHECKING:
    from pytwfix.accept.smtpd.state import State


def client_prefix(address: str, ipv4: int, ipv6: int) -> str:
    """The network whose clients are counted together."""
    length, full = (ipv6, 128) if ":" in address else (ipv4, 32)
    if length >= full:
        return address
    try:
        return str(ip_network(f"{address}/{length}", strict=False))
    except ValueError:
        return address


class Limits:
    """The counts of one session; a client on the list of exceptions is not counted."""

    __slots__ = ("_connected", "_exempt", "_prefix", "_state")

    def __init__(self, state: State) -> None:
        self._state = state
        self._exempt = False
        self._connected = False
        config = state.config
        self._prefix = client_prefix(state.client.address, config.ipv4_prefix, config.ipv6_prefix)

    async def connect(self, exempt: bool) -> Reply | None:
        """Count this connection; the reply to send when it is one too many. `exempt`: it may speak for others."""
        state = self._state
        config = state.config
        self._exempt = exempt
        if exempt or not config.has_limits:
            return None
        try:
            self._exempt = await config.limit_exceptions.match(state.client.name, state.client.address)
        except TableError:  # which was logged
            self._exempt = False
        if self._exempt:
            return None
        at_once, rate = await state.host.peers.counters.connect(state.host.service, self._prefix)
        self._connected = True
        state.connections = at_once
        if config.connection_count_limit and at_once > config.connection_count_limit:
            return self._too_many("Connection concurrency", at_once)
        if config.connection_rate_limit and rate > config.connection_rate_limit:
            return self._too_many("Connection rate", rate)
        return None

    def _too_many(self, what: str, count: int) -> Reply:
        state = self._state
        log.limit_exceeded(state.host.log, what, count, state.namaddr, state.host.service)
        text = f"{state.config.hostname} Error: too many connections from {state.client.address}"
        return Reply(421, "4.7.0", text, hangup=True)

    async def message(self) -> Reply | None:
        limit = self._state.config.message_rate_limit
        over = await self._event(counters.MESSAGE, limit, "Message delivery request rate")
        return Reply(450, "4.7.1", f"Error: too much mail from {self._state.client.address}") if over else None

    async def recipient(self) -> Reply | None:
        over = await self._event(counters.RECIPIENT, self._state.config.recipient_rate_limit, "Recipient address rate")
        return Reply(450, "4.7.1", f"Error: too many recipients from {self._state.client.address}") if over else None

    async def starttls(self) -> Reply | None:
        """Whether the client may begin TLS at all; it may not when there were too many new sessions already."""
        state, limit = self._state, self._state.config.new_tls_rate_limit
        if self._exempt or not limit:
            return None
        count = await state.host.peers.counters.peek(state.host.service, self._prefix, counters.NEWTLS)
        if count <= limit:
            return None
        log.starttls_refused(state.host.log, state.namaddr, state.host.service)
        return Reply(454, "4.7.0", f"Error: too many new TLS sessions from {state.namaddr}")

    async def new_tls(self) -> Reply | None:
        """After the handshake, which tells whether an earlier session was taken up: that does not count."""
        state = self._state
        if state.tls is None or state.tls.resumed:
            return None
        over = await self._event(counters.NEWTLS, state.config.new_tls_rate_limit, "New TLS session rate")
        text = f"{state.config.hostname} Error: too many new TLS sessions from {state.namaddr}"
        return Reply(421, "4.7.0", text, hangup=True) if over else None

    async def auth(self) -> Reply | None:
        over = await self._event(counters.AUTH, self._state.config.auth_rate_limit, "AUTH command rate")
        return Reply(450, "4.7.1", f"Error: too many AUTH commands from {self._state.client.address}") if over else None

    async def _event(self, kind: str, limit: int, what: str) -> bool:
        state = self._state
        if self._exempt or not limit:
            return False
        count = await state.host.peers.counters.event(state.host.service, self._prefix, kind)
        if count <= limit:
            return False
        log.limit_exceeded(state.host.log, what, count, state.namaddr, state.host.service)
        return True

    def exempt(self) -> None:
        """An XCLIENT host speaks for others: do not count it."""
        self._exempt = True

    def disconnect(self) -> None:
        if self._connected:
            self._connected = False
            self._state.host.peers.counters.disconnect(self._state.host.service, self._prefix)


def size_refused(state: State, size: int) -> Reply | None:
    """What MAIL hears when its SIZE is too much for message_size_limit, or any mail for the disk."""
    config, host = state.config, state.host
    refused = None
    if config.size_limit and size > config.size_limit:
        refused = replies.TOO_BIG
    else:
        free = host.peers.store.free_space()
        need = max(config.queue_minfree, config.size_limit * 3 // 2, size)
        if free < need:
            log.no_space(host.log, free, need)
            refused = replies.NO_SPACE
    if refused:
        state.stage = "MAIL"
        log.reject(state, "reject", refused.line())
    return refused
