"""Restrictions on what the client calls itself in HELO (SD-27)."""

from __future__ import annotations

from pytwfix.accept.smtpd.names import NAME_UNKNOWN, name_exists
from pytwfix.accept.smtpd.state import DUNNO, Answer, State, Verdict
from pytwfix.mail.hostnames import literal_address, valid_address, valid_name

_STATUS = "5.5.2"


def _bare(name: str) -> bytes:
    """Without one trailing dot."""
    encoded = name.encode()
    return encoded[:-1] if encoded.endswith(b".") and len(encoded) > 1 else encoded


class RejectInvalidHeloHostname:
    __slots__ = ()

    def check(self, state: State) -> Answer:
        name = _bare(state.helo)
        if not name:
            return DUNNO
        if name.startswith(b"["):
            good = bool(literal_address(name))
            text = "invalid ip address"
        else:
            good = valid_name(name, state.config.smtputf8) or valid_address(name)
            text = "Invalid name"
        return DUNNO if good else state.refuse(state.helo_subject(), state.config.codes.invalid_hostname, _STATUS, text)


class RejectNonFqdnHeloHostname:
    __slots__ = ()

    def check(self, state: State) -> Answer:
        name = _bare(state.helo)
        if not name:
            return DUNNO
        if name.startswith(b"["):
            if literal_address(name):
                return DUNNO
            code = state.config.codes.invalid_hostname
            return state.refuse(state.helo_subject(), code, _STATUS, "invalid ip address")
        if b"." in name.strip(b".") and valid_name(name, state.config.smtputf8):
            return DUNNO
        text = "need fully-qualified hostname"
        return state.refuse(state.helo_subject(), state.config.codes.non_fqdn, _STATUS, text)


class RejectUnknownHeloHostname:
    """The name has neither MX nor address; an address literal is only looked at."""

    __slots__ = ()

    def check(self, state: State) -> Answer:
        name = _bare(state.helo)
        if not name:
            return DUNNO
        if name.startswith(b"["):
            return RejectInvalidHeloHostname().check(state)
        return self._ask(state, name)

    async def _ask(self, state: State, name: bytes) -> Verdict:
        outcome = await name_exists(state, name.decode("utf-8", "replace"))
        if not outcome:
            return DUNNO
        subject = state.helo_subject()
        code = state.config.codes.unknown_hostname
        if outcome == NAME_UNKNOWN:
            return state.refuse(subject, code, f"{code // 100}.7.1", "Host not found")
        text = f"<{subject.name}>: {subject.kind} rejected: Host not found"
        return state.tempfail(state.config.at_once.unknown_helo_hostname, 450, "4.7.1", text)
