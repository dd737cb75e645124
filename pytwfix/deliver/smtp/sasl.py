"""Logging in at a server: who we are there, by which mechanism, and how it ends (SM-14; RFC 4954).

A server that offers no AUTH, or for which there is no password, is used without. Trouble: it does not let us in.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from pytwfix.contracts.tables import TableError
from pytwfix.deliver.smtp import log
from pytwfix.deliver.smtp.failures import Trouble
from pytwfix.deliver.smtp.saslcache import FailedLogins
from pytwfix.dialogs.sasl_client import MECHANISMS, Mechanism, SaslError, begin
from pytwfix.dialogs.smtp_client import Stage
from pytwfix.mail.status import Dsn
from pytwfix.tables.addresses import DOMAIN, find_address
from pytwfix.tables.matchlists import StringList

if TYPE_CHECKING:
    from pytwfix.deliver.smtp.configuration import Configuration
    from pytwfix.deliver.smtp.nexthop import Destination
    from pytwfix.deliver.smtp.session import Session
    from pytwfix.dialogs.smtp_client_replies import Answer

_ROUNDS = 10


class LoginRefused(Trouble):
    """The server does not know the user, or not by this password."""


class Passwords:
    """The names and passwords of one service."""

    def __init__(self, config: Configuration) -> None:
        self._config = config
        self._cfg = cfg = config.cfg
        self._maps = config.maps(cfg.smtp_sasl_password_maps, "smtp_sasl_password_maps")
        self._filter = StringList(config.host.tables, cfg.smtp_sasl_mechanism_filter, "smtp_sasl_mechanism_filter")
        self._failed = FailedLogins(config)
        self._known = cfg.smtp_sasl_type == "cyrus"  # what a Postfix calls a client of its own mechanisms
        if not self._known:
            log.sasl_type(config.host.log, cfg.smtp_sasl_type)
        self.by_sender = cfg.smtp_sender_dependent_authentication

    async def log_in(self, session: Session, destination: Destination, sender: bytes) -> None:
        """AUTH, if the server offers it and there is a password. Trouble: no."""
        if not self._known:
            raise Trouble(Dsn("4.3.5", "SASL library initialization"))
        if "AUTH" not in session.features:
            return
        names = session.features.words("AUTH")
        if not names:
            log.sasl_null(self._config.host.log, session.relay)
            return
        found = await self._look_up(session, destination, sender)
        if found is None:
            return
        user, password = found
        names = [name for name in names if not self._filter or await self._filter.match(name)]
        if not names:
            text = (
                f"SASL authentication failed: server {session.namaddr} offered no compatible authentication "
                "mechanisms for this type of connection security"
            )
            raise Trouble(Dsn("4.7.0", text), session.relay)
        allowed = self._permitted(session, names)
        authzid = user if self._cfg.send_cyrus_sasl_authzid else b""
        mechanism = begin(allowed, user, password, authzid, self._config.host.random.bytes)
        if mechanism is None:
            log.sasl_failure(self._config.host.log, "No worthy mechs found")
            raise self._cannot(session, "no mechanism available")
        await self._check_failed(session, user, password)
        try:
            await _Exchange(session, mechanism).run()
        except LoginRefused as refused:
            dsn = refused.dsn
            await self._failed.add(session.host, user, password, dsn.status, dsn.dtext)
            raise Trouble(self._softened(dsn), session.relay) from None
        session.authenticated = True

    async def _check_failed(self, session: Session, user: bytes, password: bytes) -> None:
        """A login that failed before is not tried again. Trouble: it was one."""
        known = await self._failed.find(session.host, user, password) if self._failed else None
        if known is not None:
            text = f"SASL [CACHED] authentication failed; server {session.namaddr} said: {known[1]}"
            raise Trouble(self._softened(Dsn(known[0], text)), session.relay)

    def _softened(self, dsn: Dsn) -> Dsn:
        return dsn.softened() if self._cfg.smtp_sasl_auth_soft_bounce else dsn

    async def _look_up(self, session: Session, destination: Destination, sender: bytes) -> tuple[bytes, bytes] | None:
        try:
            value: bytes | None = None
            if self.by_sender and sender:
                delimiter = self._cfg.recipient_delimiter.encode()
                hit = await find_address(self._maps, sender, strategy=DOMAIN, delimiter=delimiter)
                value = None if hit is None else hit.value
            for key in (session.host, destination.text):
                if value is None:
                    value = await self._maps.lookup(key.encode("utf-8", "surrogateescape"))
        except TableError:
            log.table_problem(self._config.host.log, self._maps.title, session.host)
            raise Trouble(Dsn("4.3.0", "Temporary lookup error"), session.relay) from None
        if value is None:
            return None
        user, _, password = value.partition(self._cfg.smtp_sasl_password_result_delimiter.encode())
        return user, password

    def _cannot(self, session: Session, why: str) -> Trouble:
        text = f"SASL authentication failed; cannot authenticate to server {session.namaddr}: {why}"
        return Trouble(Dsn("4.7.0", text), session.relay)

    def _permitted(self, session: Session, names: list[str]) -> list[str]:
        """The mechanisms that we know and that our security options permit."""
        cfg = self._cfg
        options = cfg.smtp_sasl_security_options
        if session.tls is not None:
            verified = session.tls.trust == "Verified"
            options = cfg.smtp_sasl_tls_verified_security_options if verified else cfg.smtp_sasl_tls_security_options
        words = options.replace(",", " ").lower().split()
        allowed = []
        for name in names:
            kind = MECHANISMS.get(name)
            if kind is None or (kind.plaintext and "noplaintext" in words) or "mutual_auth" in words:
                continue
            allowed.append(name)
        return allowed


class _Exchange:
    """One AUTH command and the challenges after it."""

    def __init__(self, session: Session, mechanism: Mechanism) -> None:
        self._session = session
        self._mechanism = mechanism

    async def run(self) -> None:
        session, mechanism = self._session, self._mechanism
        line = b"AUTH " + mechanism.name.encode("ascii")
        if mechanism.first is not None:
            line += b" " + (base64.b64encode(mechanism.first) or b"=")
        answer = await session.ask(line, Stage.AUTH)
        for _ in range(_ROUNDS):
            if answer.kind != 3:
                break
            try:
                response = mechanism.respond(self._challenge(answer))
            except SaslError as error:
                log.sasl_failure(session.config.host.log, str(error))
                text = f"SASL authentication failed; cannot authenticate to server {session.namaddr}: {error}"
                session.wire.abort()
                raise Trouble(Dsn("4.7.0", text), session.relay) from None
            answer = await session.ask(base64.b64encode(response), Stage.AUTH)
        if answer.kind == 3:
            text = f"SASL authentication failed; authentication protocol loop with server {session.namaddr}"
            raise Trouble(Dsn("4.7.0", text), session.relay)
        if answer.kind != 2:
            raise self._refused(answer)

    def _challenge(self, answer: Answer) -> bytes:
        try:
            return base64.b64decode(answer.lines[-1][4:].strip(), validate=False)
        except (binascii.Error, ValueError):
            raise SaslError("malformed challenge") from None

    def _refused(self, answer: Answer) -> Trouble:
        session = self._session
        text = f"SASL authentication failed; server {session.namaddr} said: {answer.text}"
        dsn = Dsn(answer.failure, text, "", "smtp", answer.text, "dns", session.host)
        return (LoginRefused if answer.kind == 5 else Trouble)(dsn, session.relay)
