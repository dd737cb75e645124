"""Who may use which sender, and access by login (SD-26, SD-28, SD-59)."""

from __future__ import annotations

from pytwfix.accept.smtpd.access import _Check
from pytwfix.accept.smtpd.state import DUNNO, LOGIN, Answer, State, Subject, Verdict
from pytwfix.contracts.rewriting import FAILED


class CheckSasl(_Check):
    """check_sasl_access: the login as it stands."""

    __slots__ = ()

    def check(self, state: State) -> Answer:
        login = state.client.sasl_username
        if not login or not state.config.sasl_enabled:
            return DUNNO
        return self.access.search(state, iter(((login.encode(), False),)), Subject(login, LOGIN))


class RejectLoginMismatch:
    """smtpd_sender_login_maps says which logins own a sender: a list of names.

    `authenticated`: who has logged in must own it (`strangers`: or nobody does); `anonymous`: who has not may use no
    sender that has an owner.
    """

    __slots__ = ("_anonymous", "_authenticated", "_strangers")

    def __init__(self, authenticated: bool = False, anonymous: bool = False, strangers: bool = False) -> None:
        self._authenticated = authenticated
        self._anonymous = anonymous
        self._strangers = strangers

    def check(self, state: State) -> Answer:
        if not state.sender or not state.config.sasl_enabled:
            return DUNNO
        wanted = self._authenticated if state.client.sasl_username else self._anonymous
        return self._check(state, state.sender) if wanted else DUNNO

    async def _check(self, state: State, sender: bytes) -> Verdict:
        resolved = await state.resolve(sender)
        subject, login = state.sender_subject(), state.client.sasl_username
        if resolved.flags & FAILED:
            return state.lookup_failed(subject)
        found = await state.config.sender_logins.find(resolved.recipient)
        if not login:
            return state.refuse(subject, 553, "5.7.1", "not logged in") if found else DUNNO
        if found is None:
            owned = self._strangers
        else:
            owners = found.value.decode("utf-8", "replace").replace(",", " ").lower().split()
            owned = login.lower() in owners
        return DUNNO if owned else state.refuse(subject, 553, "5.7.1", f"not owned by user {login}")
