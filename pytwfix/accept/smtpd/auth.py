"""AUTH: base64, mechanisms, limits and log lines around a SASL exchange (RFC 4954; SD-41, SD-47, LG-5)."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from pytwfix.accept.smtpd import log
from pytwfix.accept.smtpd.sasl import CHALLENGE, DONE, REFUSED, Step
from pytwfix.mail.reply import Reply

if TYPE_CHECKING:
    from pytwfix.accept.smtpd.sasl import Exchange
    from pytwfix.accept.smtpd.state import State

_NO_REASON = "(reason unavailable)"
_ABORTED = Reply(501, "5.7.0", "Authentication aborted")
_SUCCESS = Reply(235, "2.7.0", "Authentication successful")
_TOO_LONG = Reply(500, "5.5.6", "SASL response limit exceeded")
_ALREADY = Reply(503, "5.5.1", "Error: already authenticated")
_UNKNOWN_MECHANISM = "Invalid authentication mechanism"


def already(state: State) -> Reply | None:
    return _ALREADY if state.client.sasl_username else None


class Authentication:
    """One AUTH command, from its first word to 235 or what else comes of it."""

    __slots__ = ("_exchange", "_mechanism", "_state")

    def __init__(self, state: State, mechanism: str) -> None:
        self._state = state
        self._mechanism = mechanism
        self._exchange: Exchange | None = None

    async def start(self, offered: list[str], initial: bytes | None) -> Reply:
        """334 and the exchange goes on, or the end of it."""
        state = self._state
        sasl = state.config.sasl
        assert sasl is not None
        if self._mechanism not in offered:
            return self._ended(Step(REFUSED, text=_UNKNOWN_MECHANISM))
        data = None
        if initial is not None:
            data = _decoded(initial)
            if data is None:
                return self._ended(Step(REFUSED, text="Invalid base64 data in initial response"))
        self._exchange = sasl.begin(state, self._mechanism)
        return self._stepped(await self._exchange.start(data))

    async def respond(self, line: bytes) -> Reply:
        """The client's answer to a challenge."""
        exchange = self._exchange
        assert exchange is not None
        if line == b"*":
            self.abort()
            log.sasl_aborted(self._state.host.log, self._state.namaddr, self._mechanism)
            return _ABORTED
        data = _decoded(line)
        if data is None:
            self.abort()
            return self._ended(Step(REFUSED, text="Invalid base64 data in continued response"))
        return self._stepped(await exchange.respond(data))

    def too_long(self, line: bytes) -> Reply:
        self.abort()
        limit = self._state.config.settings.smtpd_sasl_response_limit
        log.sasl_too_long(self._state.host.log, self._state.namaddr, limit, line)
        return _TOO_LONG

    def abort(self) -> None:
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.abort()

    def _stepped(self, step: Step) -> Reply:
        if step.kind == CHALLENGE:
            return Reply(334, "", base64.b64encode(step.data).decode("ascii"))
        self._exchange = None
        if step.kind != DONE:
            return self._ended(step)
        client = self._state.client
        client.sasl_method, client.sasl_username = self._mechanism, step.user
        return _SUCCESS

    def _ended(self, step: Step) -> Reply:
        state = self._state
        reason = _printable(step.text) or _NO_REASON
        log.sasl_failed(state.host.log, state.namaddr, self._mechanism, reason, _printable(step.user))
        if step.kind == REFUSED:
            return Reply(535, "5.7.8", f"Error: authentication failed: {reason}")
        return Reply(454, "4.7.0", f"Temporary authentication failure: {reason}")


def _decoded(text: bytes) -> bytes | None:
    """None for what is no base64; "=" stands for nothing at all (RFC 4954 section 4)."""
    if text == b"=":
        return b""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return None


def _printable(text: str) -> str:
    return text if text.isprintable() else "".join(char if char.isprintable() else "?" for char in text)
