"""Drives the mechanisms of dialogs/sasl_server: for the implementations that know passwords themselves (SD-41)."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any, Protocol

from pytwfix.accept.smtpd.sasl import CHALLENGE, DONE, REFUSED, UNAVAILABLE, Step
from pytwfix.dialogs import sasl_server

if TYPE_CHECKING:
    from pytwfix.dialogs.sasl_server import ScramKeys


class Unavailable(Exception):
    """Whoever knows passwords does not answer; the text is for the client and the log."""


class Passwords(Protocol):
    """Both raise Unavailable."""

    def verifies(self, user: bytes, password: bytes) -> Awaitable[bool]: ...
    def keys(self, user: bytes) -> Awaitable[ScramKeys]: ...


class Exchange:
    """One client's. `realm` is added to users without one for the log and for whoever asks who it is."""

    __slots__ = ("_dialog", "_mechanism", "_nonce", "_passwords", "_realm", "_user")

    def __init__(self, passwords: Passwords, mechanism: str, nonce: bytes, realm: str) -> None:
        self._passwords = passwords
        self._mechanism = mechanism
        self._nonce = nonce
        self._realm = realm
        self._dialog: Any = None
        self._user = ""

    async def start(self, initial: bytes | None) -> Step:
        starter, _ = sasl_server.MECHANISMS[self._mechanism]
        self._dialog = starter(initial, self._nonce)
        return await self._go_on(None)

    async def respond(self, data: bytes) -> Step:
        return await self._go_on(data)

    async def _go_on(self, answer: Any) -> Step:
        try:
            while True:
                want = self._dialog.send(answer)
                if isinstance(want, sasl_server.Challenge):
                    return Step(CHALLENGE, want.data)
                answer = await self._answered(want)
        except StopIteration as end:
            self._note(end.value)
            return Step(DONE, user=self._user)
        except sasl_server.Refused as error:
            return Step(REFUSED, text=str(error), user=self._user)
        except Unavailable as error:
            return Step(UNAVAILABLE, text=str(error), user=self._user)

    async def _answered(self, want: Any) -> Any:
        self._note(want.user)
        if isinstance(want, sasl_server.Verify):
            return await self._passwords.verifies(self._user.encode(), want.password)
        return await self._passwords.keys(self._user.encode())

    def _note(self, user: bytes) -> None:
        self._user = user.decode("utf-8", "replace")
        if self._realm and "@" not in self._user:
            self._user += f"@{self._realm}"

    def abort(self) -> None:
        if self._dialog is not None:
            self._dialog.close()
