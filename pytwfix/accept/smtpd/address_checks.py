"""Restrictions on the form and the domain of sender and recipient (SD-28, SD-29)."""

from __future__ import annotations

from pytwfix.accept.smtpd.names import NAME_BAD, NAME_NULL_MX, NAME_TRY_AGAIN, name_exists
from pytwfix.accept.smtpd.state import DUNNO, SENDER, Answer, State, Subject, Verdict
from pytwfix.contracts.rewriting import CLASS_DEFAULT, CLASS_MASK
from pytwfix.mail.hostnames import valid_name


def _address(state: State, of_sender: bool) -> bytes | None:
    return state.sender if of_sender else state.recipient


def _subject(state: State, of_sender: bool) -> Subject:
    return state.sender_subject() if of_sender else state.recipient_subject()


class RejectNonFqdn:
    """reject_non_fqdn_sender, reject_non_fqdn_recipient. The null sender and address literals are fine."""

    __slots__ = ("_of_sender",)

    def __init__(self, of_sender: bool) -> None:
        self._of_sender = of_sender

    def check(self, state: State) -> Answer:
        address = _address(state, self._of_sender)
        if not address or (not self._of_sender and address.lower() == b"postmaster"):
            return DUNNO
        domain = address.rpartition(b"@")[2] if b"@" in address else b""
        if domain.startswith(b"[") or (b"." in domain.strip(b".") and valid_name(domain, utf8=True)):
            return DUNNO
        subject = _subject(state, self._of_sender)
        return state.refuse(subject, state.config.codes.non_fqdn, "5.5.2", "need fully-qualified address")


class RejectUnknownDomain:
    """reject_unknown_sender_domain, reject_unknown_recipient_domain: only for domains that are not ours."""

    __slots__ = ("_of_sender",)

    def __init__(self, of_sender: bool) -> None:
        self._of_sender = of_sender

    def check(self, state: State) -> Answer:
        address = _address(state, self._of_sender)
        if not address or b"@" not in address:
            return DUNNO
        return self._ask(state, address)

    async def _ask(self, state: State, address: bytes) -> Verdict:
        resolved = await state.resolve(address)
        if resolved.flags & CLASS_MASK != CLASS_DEFAULT:
            return DUNNO
        domain = resolved.recipient.rpartition(b"@")[2].decode("utf-8", "replace")
        if not domain or domain.startswith("["):
            return DUNNO
        outcome = await name_exists(state, domain, null_mx=True)
        return self._verdict(state, outcome, domain) if outcome else DUNNO

    def _verdict(self, state: State, outcome: int, domain: str) -> Verdict:
        subject = _subject(state, self._of_sender)
        codes = state.config.codes
        sender = subject.kind == SENDER
        if outcome == NAME_TRY_AGAIN:
            text = f"<{subject.name}>: {subject.kind} rejected: Domain not found"
            at_once = state.config.at_once.unknown_address
            return state.tempfail(at_once, 450, "4.1.8" if sender else "4.1.2", text)
        if outcome == NAME_NULL_MX:
            text = f"Domain {domain} does not accept mail (nullMX)"
            return state.refuse(subject, 550 if sender else 556, "5.7.27" if sender else "5.1.10", text)
        text = "Malformed DNS server reply" if outcome == NAME_BAD else "Domain not found"
        code = codes.unknown_address
        return state.refuse(subject, code, f"{code // 100}.1.{8 if sender else 2}", text)
