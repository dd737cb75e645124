"""Restrictions on the client's names (SD-26, SD-46)."""

from __future__ import annotations

from pytwfix.accept.smtpd.client import TRY_AGAIN, UNKNOWN
from pytwfix.accept.smtpd.state import DUNNO, Answer, State


class RejectUnknownClientHostname:
    """No name, or one that does not lead back to the address."""

    __slots__ = ()

    def check(self, state: State) -> Answer:
        client = state.client
        if client.name != UNKNOWN:
            return DUNNO
        text = f"Client host rejected: cannot find your hostname, [{client.address}]"
        code = 450 if client.name_status == TRY_AGAIN else state.config.codes.unknown_client
        return state.reject(code, f"{code // 100}.7.25", text)


class RejectUnknownReverseClientHostname:
    """No PTR record at all."""

    __slots__ = ()

    def check(self, state: State) -> Answer:
        client = state.client
        if client.reverse_name != UNKNOWN:
            return DUNNO
        text = f"Client host rejected: cannot find your reverse hostname, [{client.address}]"
        code = 450 if client.reverse_status == TRY_AGAIN else state.config.codes.unknown_client
        return state.reject(code, f"{code // 100}.7.1", text)


class RejectUnknownForwardClientHostname:
    """The PTR name has no address."""

    __slots__ = ()

    def check(self, state: State) -> Answer:
        client = state.client
        if client.name != UNKNOWN or client.reverse_name == UNKNOWN:
            return DUNNO
        return RejectUnknownClientHostname().check(state)
