"""Mail filters during an SMTP session: what they are told, and what their verdicts mean to it (MI-1 to MI-8, LG-4).

A filter that refuses the client at CONNECT or HELO refuses each of its commands from then on; HELO itself is answered
all the same. What is said of a complete mail is cleanup's, which is given the same filters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytwfix.accept.smtpd import client as clients
from pytwfix.accept.smtpd import log
from pytwfix.contracts.cleanup import MILTER
from pytwfix.contracts.milters import DISCARD, HOLD, IMilters, Verdict
from pytwfix.dialogs.milter import MAIL, RCPT
from pytwfix.dialogs.smtp_parameters import words
from pytwfix.mail.quoting import external_form
from pytwfix.mail.reply import Reply
from pytwfix.net.milter import log as filter_log
from pytwfix.net.milter.chain import Milters
from pytwfix.net.milter.filters import Filter, FilterError, parse_filters
from pytwfix.net.milter.macros import MacroLists
from pytwfix.tables.maps import Maps

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from pytwfix.accept.smtpd.settings import SmtpdSettings
    from pytwfix.accept.smtpd.state import State
    from pytwfix.contracts.host import IHost
    from pytwfix.contracts.rewriting import Resolved
    from pytwfix.dialogs import smtp_events as events

_RESOLVED = ("mailer", "host", "addr")


class FilterLists:
    """smtpd_milters and smtpd_milter_maps of one settings snapshot. Raises SettingsError."""

    def __init__(self, host: IHost, cfg: SmtpdSettings, wanted: bool) -> None:
        self._host = host
        self._cfg = cfg
        self._usual = parse_filters(cfg.smtpd_milters, cfg) if wanted else []
        self._maps = Maps(host.tables, cfg.smtpd_milter_maps if wanted else "", "smtpd_milter_maps")
        self.macros = MacroLists(cfg)
        self.any = bool(self._usual) or bool(self._maps)

    async def of(self, address: str) -> list[Filter]:
        """The filters for this client (MI-7). TableError, FilterError."""
        if self._maps:
            found = await self._maps.lookup(address.encode())
            if found is not None:
                text = found.decode("utf-8", "replace")
                return [] if text.strip().upper() == "DISABLE" else parse_filters(self._host.expand(text), self._cfg)
        return self._usual


def filter_lists(host: IHost, cfg: SmtpdSettings, cleanup_flags: int) -> FilterLists | None:
    """None: nobody filters (the usual case)."""
    lists = FilterLists(host, cfg, bool(cleanup_flags & MILTER))
    return lists if lists.any else None


class SessionMilters:
    """The filters of one session; every answer is a reply that refuses, or None."""

    __slots__ = ("_chain", "_macros", "_state")

    def __init__(self, state: State, chain: Milters, macros: SessionMacros) -> None:
        self._state = state
        self._chain = chain
        self._macros = macros

    @property
    def for_cleanup(self) -> IMilters | None:
        """Who will see the whole mail: nobody when it is to be thrown away."""
        return None if self._state.discard else self._chain

    async def connect(self) -> Reply | None:
        """What is said instead of the greeting."""
        client, hostname = self._state.client, self._state.config.hostname
        name = f"[{client.address}]" if client.name == clients.UNKNOWN else client.name
        refused = await self._told("CONNECT", self._chain.connect(name, client.address, client.port))
        if refused is None or (refused.code < 500 and not refused.hangup):
            return None
        if refused.hangup:
            return Reply(421, "", f"{hostname} Service unavailable - try again later", hangup=True)
        return Reply(554, "", f"{hostname} ESMTP not accepting connections")

    async def helo(self, event: events.Helo) -> Reply | None:
        refused = await self._told(event.verb, self._chain.helo(self._state.helo))
        return refused if refused is not None and refused.hangup else None

    async def mail(self, event: events.Mail) -> Reply | None:
        self._macros.sender = None
        if event.sender and self._chain.uses(MAIL, *_names("mail")):
            self._macros.sender = await self._state.resolve(event.sender)
        refused = await self._told("MAIL", self._chain.mail(_words(event.line, event.sender)))
        if refused is not None:
            self._chain.abort()
        return refused

    async def rcpt(self, event: events.Rcpt, refused: Reply | None) -> Reply | None:
        """`refused`: by our own checks; filters may want to hear of it, but then their verdict does not count."""
        chain, macros, state = self._chain, self._macros, self._state
        line = _words(event.line, event.recipient)
        macros.recipient = None
        macros.refused = refused
        if refused is not None:
            if chain.refused_recipients:
                await chain.rcpt(line, refused=True)
            return refused
        if chain.uses(RCPT, *_names("rcpt")):
            macros.recipient = await state.resolve(event.recipient)
        state.stage = "RCPT"
        return await self._told("RCPT", chain.rcpt(line))

    async def data(self, stage: str) -> Reply | None:
        return await self._told(stage, self._chain.data())

    async def unknown(self, line: bytes) -> Reply | None:
        return await self._told("UNKNOWN", self._chain.unknown(line))

    def abort(self) -> None:
        self._chain.abort()

    def close(self) -> None:
        self._chain.close()

    async def _told(self, stage: str, waiting: Deferred[Verdict | None]) -> Reply | None:
        verdict = await waiting
        if verdict is None:
            return None
        state = self._state
        state.stage = stage
        log.reject(state, f"milter-{verdict.kind}", verdict.text)
        if verdict.kind == DISCARD:
            state.discard = True
            state.actions.append(("discard", ""))
        elif verdict.kind == HOLD and not state.hold:
            state.hold = True
            state.actions.append(("hold", ""))
        return verdict.reply


async def session_milters(state: State) -> SessionMilters | None:
    """None: nobody filters this client. TableError."""
    lists = state.config.milters
    if lists is None:
        return None
    try:
        filters = await lists.of(state.client.address)
    except FilterError as error:
        filter_log.bad_definition(state.host.log, str(error))
        return None
    if not filters:
        return None
    macros = SessionMacros(state)
    return SessionMilters(state, Milters(state.host, filters, lists.macros, macros), macros)


def _names(kind: str) -> list[str]:
    return [f"{{{kind}_{part}}}" for part in _RESOLVED]


def _words(line: bytes, address: bytes) -> list[bytes]:
    """`<address>` and what follows it on the command line."""
    _, _, rest = line.partition(b":")
    return [b"<" + external_form(address) + b">", *words(rest)[1:]]


class SessionMacros:
    """IMacros of an SMTP session (MI-5)."""

    __slots__ = ("_state", "recipient", "refused", "sender")

    def __init__(self, state: State) -> None:
        self._state = state
        self.sender: Resolved | None = None
        self.recipient: Resolved | None = None
        self.refused: Reply | None = None  # the recipient under way was refused by us

    def macro(self, name: str) -> str | None:
        kind, underscore, part = name.partition("_")
        if underscore and kind in _KINDS:
            return _KINDS[kind](self, part)
        state, cfg = self._state, self._state.config.settings
        if name == "i":
            return state.queue_id
        if name == "j":
            return state.config.hostname
        if name == "v":
            return cfg.milter_macro_v
        if name == "_":
            return f"{state.client.name} [{state.client.address}]"
        if name.startswith("cipher"):
            return self._tls("bits" if name == "cipher_bits" else "cipher" if name == "cipher" else "")
        return None

    def _daemon(self, part: str) -> str | None:
        client = self._state.client
        if part == "name":
            return self._state.config.settings.milter_macro_daemon_name
        return {"addr": client.server_address, "port": client.server_port}.get(part)

    def _client(self, part: str) -> str | None:
        client = self._state.client
        if part == "resolve":
            return _resolve_status(client)
        if part == "connections":
            return str(self._state.connections)
        names = {"addr": client.address, "name": client.name, "port": client.port, "ptr": client.reverse_name}
        return names.get(part)

    def _tls_part(self, part: str) -> str | None:
        return self._tls({"version": "protocol", "sni": "sni"}.get(part, ""))

    def _cert(self, part: str) -> str | None:
        return self._tls(part if part in ("subject", "issuer") else "")

    def _tls(self, field: str) -> str | None:
        tls = self._state.tls
        return str(getattr(tls, field)) if tls is not None and field else None

    def _auth(self, part: str) -> str | None:
        client = self._state.client
        if not client.sasl_username:
            return None
        known = {"type": client.sasl_method, "authen": client.sasl_username, "author": self._state.sasl_sender}
        return known.get(part)

    def _mail(self, part: str) -> str | None:
        if part == "addr" and self.sender is None:
            return self._state.text(self._state.sender or b"")
        return _of(self.sender, part)

    def _rcpt(self, part: str) -> str | None:
        refused = self.refused
        if refused is not None:
            return {"mailer": "error", "host": refused.dsn, "addr": refused.text}.get(part)
        if part == "addr" and self.recipient is None:
            return self._state.text(self._state.recipient or b"")
        return _of(self.recipient, part)


_KINDS = {
    "daemon": SessionMacros._daemon,
    "client": SessionMacros._client,
    "tls": SessionMacros._tls_part,
    "cert": SessionMacros._cert,
    "auth": SessionMacros._auth,
    "mail": SessionMacros._mail,
    "rcpt": SessionMacros._rcpt,
}


def _of(resolved: Resolved | None, part: str) -> str | None:
    if resolved is None:
        return None
    if part == "addr":
        return resolved.recipient.decode("utf-8", "surrogateescape")
    return {"mailer": resolved.transport, "host": resolved.nexthop}.get(part)


def _resolve_status(client: clients.Connected) -> str:
    if client.name_status == clients.FINE:
        return "OK"
    if client.name_status == clients.TRY_AGAIN:
        return "TEMP"
    return "FORGED" if client.reverse_status == clients.FINE else "FAIL"
