"""Restrictions about no particular thing: permit, reject, defer and their kin (SD-25)."""

from __future__ import annotations

from pytwfix.accept.smtpd.restrictions import Complaint, Parser, Restriction
from pytwfix.accept.smtpd.state import DUNNO, OK, Answer, State, Subject, Verdict


class Permit:
    __slots__ = ()

    def check(self, state: State) -> Answer:
        return OK


class Reject:
    __slots__ = ()

    def check(self, state: State) -> Answer:
        return state.refuse(state.subject, state.config.codes.reject, "5.7.1", "Access denied")


class Defer:
    __slots__ = ()

    def check(self, state: State) -> Answer:
        return state.refuse(state.subject, state.config.codes.defer, "4.3.2", "Try again later")


class DeferIfPermit:
    __slots__ = ()

    def check(self, state: State) -> Answer:
        subject = state.subject
        text = f"<{subject.name}>: {subject.kind} rejected: defer_if_permit requested"
        return state.defer_if_permit(450, "4.7.0", text)


class DeferIfReject:
    __slots__ = ()

    def check(self, state: State) -> Answer:
        subject = state.subject
        text = f"<{subject.name}>: {subject.kind} rejected: defer_if_reject requested"
        return state.defer_if_reject(450, "4.7.0", text)


class RejectPlaintextSession:
    __slots__ = ()

    def check(self, state: State) -> Answer:
        if state.tls is not None:
            return DUNNO
        code = state.config.codes.plaintext
        return state.reject(code, f"{code // 100}.7.1", "Session encryption is required")


class RejectUnauthPipelining:
    __slots__ = ()

    def check(self, state: State) -> Answer:
        if not state.improper:
            return DUNNO
        return state.refuse(state.subject, 503, "5.5.0", "Improper use of SMTP command pipelining")


class RejectMultiRecipientBounce:
    """Only a null sender with more than one recipient; useful at DATA and after it (SD-29)."""

    __slots__ = ()

    def check(self, state: State) -> Answer:
        coming = state.stage == "RCPT"  # that recipient is one more
        if state.sender != b"" or state.recipients + coming < 2:
            return DUNNO
        return state.refuse(state.subject, state.config.codes.multi_recipient_bounce, "5.5.3", "Multi-recipient bounce")


class Sleep:
    __slots__ = ("_seconds",)

    def __init__(self, seconds: int) -> None:
        self._seconds = seconds

    def check(self, state: State) -> Answer:
        return self._sleep(state)

    async def _sleep(self, state: State) -> Verdict:
        await state.pause(self._seconds)
        return DUNNO


def sleep(parser: Parser, argument: str) -> Restriction:
    return Sleep(int(argument)) if argument.isdecimal() else Complaint("restriction sleep must be followed by number")


class PermitMynetworks:
    __slots__ = ()

    def check(self, state: State) -> Answer:
        client = state.client
        if client.trusted is None:
            client.trusted = state.config.mynetworks.match_now(client.name, client.address)
            if client.trusted is None:
                return self._ask(state)
        return self._verdict(state)

    async def _ask(self, state: State) -> Verdict:
        client = state.client
        client.trusted = await state.config.mynetworks.match(client.name, client.address)
        return self._verdict(state)

    @staticmethod
    def _verdict(state: State) -> Verdict:
        if not state.client.trusted:
            return DUNNO
        state.config.old.trusted(state)
        return OK


class PermitInetInterfaces:
    __slots__ = ()

    def check(self, state: State) -> Answer:
        return OK if state.client.address in state.config.own_addresses else DUNNO


class PermitSaslAuthenticated:
    __slots__ = ()

    def check(self, state: State) -> Answer:
        return OK if state.client.sasl_username and state.config.sasl_enabled else DUNNO


class PermitTlsAllClientcerts:
    """A client certificate that our CAs vouch for."""

    __slots__ = ()

    def check(self, state: State) -> Answer:
        return OK if state.tls is not None and state.tls.peer == "Trusted" else DUNNO


def command_subject(stage: str) -> Subject:
    """What the DATA and end-of-data lists speak of."""
    return Subject("DATA", "Data command") if stage in ("DATA", "BDAT") else Subject("END-OF-MESSAGE", "End-of-data")
