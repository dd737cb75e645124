"""What a client's certificate is good for (SD-26): its fingerprint, or its public key's, is looked up."""

from __future__ import annotations

from pytwfix.accept.smtpd.access import AccessTable
from pytwfix.accept.smtpd.restrictions import Complaint, Parser, Restriction, split
from pytwfix.accept.smtpd.state import CERTIFICATE, DUNNO, OK, Answer, State, Subject, Verdict

_ORDER: tuple[str, ...] = ("cert_fingerprint", "pubkey_fingerprint")


def _prints(state: State, order: tuple[str, ...]) -> list[str]:
    tls = state.tls
    if tls is None:
        return []
    known = {"cert_fingerprint": tls.fingerprint, "pubkey_fingerprint": tls.key_fingerprint}
    found = [known[word] for word in order if known[word]]
    if found:
        state.config.old.fingerprints(state)
    return found


class CheckCertificate:
    """check_ccert_access."""

    __slots__ = ("_access", "_order")

    def __init__(self, parser: Parser, name: str, order: tuple[str, ...]) -> None:
        self._access = AccessTable(parser, name)
        self._order = order

    def check(self, state: State) -> Answer:
        keys = ((text.encode(), False) for text in _prints(state, self._order))
        name = state.tls.subject if state.tls is not None else ""
        return self._access.search(state, keys, Subject(name, CERTIFICATE))


def check_ccert_access(parser: Parser, argument: str) -> Restriction:
    """`type:name`, or `{ type:name, { search_order = cert_fingerprint, pubkey_fingerprint } }`."""
    name, *options = split(argument)
    if ":" not in name:
        return Complaint(f'restriction check_ccert_access: bad argument "{argument}": need maptype:mapname')
    order = _ORDER
    text = " ".join(options)
    if text:
        word, equals, value = text.partition("=")
        order = tuple(split(value))
        if word.strip() != "search_order" or not equals or not order or not set(order) <= set(_ORDER):
            return Complaint(f"restriction check_ccert_access: bad option {text!r}")
    return CheckCertificate(parser, name, order)


class PermitTlsClientcerts:
    """permit_tls_clientcerts: relay_clientcerts knows the certificate or its key."""

    __slots__ = ()

    def check(self, state: State) -> Answer:
        prints = _prints(state, _ORDER) if state.config.relay_certificates else []
        return self._check(state, prints) if prints else DUNNO

    async def _check(self, state: State, prints: list[str]) -> Verdict:
        for text in prints:
            if await state.config.relay_certificates.lookup(text.encode()) is not None:
                return OK
        return DUNNO
