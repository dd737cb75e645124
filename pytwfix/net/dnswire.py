"""DNS messages: questions to bytes, answers to typed records (RFC 1035, RFC 6891; SM-3). Nothing else knows dnspython.

Questions ask for the AD bit (RFC 6840 section 5.7) without the signatures themselves: the resolver validates, and we
trust it as Postfix does. `parse` raises Malformed for bytes that are no message; records that are wrong by themselves
are left out and named.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.reversename
import dns.rrset

from pytwfix.basics.printable import printable
from pytwfix.contracts.dns import MX, SRV, TLSA, Address, Answer
from pytwfix.mail.hostnames import valid_name
from pytwfix.net.dnsnegative import lifetime
from pytwfix.net.dnsplain import Plain, records

NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP = 0, 1, 2, 3, 4
NAMES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33, "TLSA": 52}
_PAYLOAD = 1232  # what passes everywhere without fragments
_QUERY_FLAGS = 0x0120  # RD, AD
_OPT = struct.pack("!BHHIH", 0, 41, _PAYLOAD, 0, 0)
_MAX_CHAIN = 16


class Malformed(Exception):
    """These bytes are no DNS message."""


class Question:
    """One question as it goes over the wire; an answer is one to it only when `answered_by` says so."""

    __slots__ = ("_asked", "ident", "name", "rtype", "wire")

    def __init__(self, name: str, rtype: str, ident: int, edns: bool = True) -> None:
        self.name = name
        self.rtype = rtype
        self.ident = ident
        self._asked = _encoded(name) + struct.pack("!HH", NAMES[rtype], 1)
        head = struct.pack("!HHHHHH", ident, _QUERY_FLAGS, 1, 0, 0, int(edns))
        self.wire = head + self._asked + (_OPT if edns else b"")

    def answered_by(self, data: bytes) -> bool:
        """Right ID, a response, to this very question: anything else is somebody's guess."""
        if len(data) < 12 or data[:2] != self.wire[:2] or not data[2] & 0x80:
            return False
        if data[4:6] == b"\0\1":
            asked = data[12 : 12 + len(self._asked)]
            return asked.lower() == self._asked.lower()
        # A server that did not understand the question does not repeat it.
        return data[4:6] == b"\0\0" and data[3] & 15 in (FORMERR, NOTIMP)

    @property
    def end(self) -> int:
        """Where it ends in an answer that repeats it."""
        return 12 + len(self._asked)

    @staticmethod
    def truncated(data: bytes) -> bool:
        return bool(data[2] & 2)

    @staticmethod
    def rcode(data: bytes) -> int:
        return data[3] & 15


def _encoded(name: str) -> bytes:
    labels = name.encode("ascii").split(b".") if name and name != "." else []
    return b"".join(bytes((len(label),)) + label for label in labels) + b"\0"


class Parsed(NamedTuple):
    """What an answer says. Without `answer` there is no such record; `alias` is then where to ask on, if anywhere.

    `wrong` names what was left out: ("MX", "bad..host"); `broken` that a record could not be read at all.
    `negative_ttl` is how long "there is none" holds.
    """

    rcode: int
    answer: Answer | None = None
    alias: str = ""
    negative_ttl: int = 0
    wrong: tuple[tuple[str, str], ...] = ()
    broken: bool = False


def parse(data: bytes, question: Question) -> Parsed:
    """The answer to a question. Malformed."""
    if data[3] & 15 in (NOERROR, NXDOMAIN) and data[4:8] == b"\0\1\0\0":
        seconds = lifetime(data, question.end)
        if seconds is not None:
            return Parsed(data[3] & 15, None, "", seconds)
    plain = records(data, question.end, NAMES[question.rtype]) if data[4:6] == b"\0\1" else None
    if plain is not None:
        return _plain(question, plain, bool(data[3] & 0x20))
    return _whole(data, question)


def _plain(question: Question, plain: Plain, validated: bool) -> Parsed:
    """The answer of an ordinary message."""
    rows = [_PLAIN[question.rtype](record) for record in plain.records]
    return _answered(question.rtype, question.name.removesuffix("."), plain.ttl, rows, validated)


def _answered(
    rtype: str, name: str, ttl: int, rows: Iterable[tuple[object, str, str]], validated: bool, broken: bool = False
) -> Parsed:
    """Of rows of (record, the host name in it that must be a valid one, text)."""
    found: list[object] = []
    texts: list[str] = []
    wrong: list[tuple[str, str]] = []
    for record, host, text in rows:
        if host and not valid_name(host.encode("ascii", "replace")):
            wrong.append((rtype, host))
            continue
        found.append(record)
        texts.append(f"{name}. {ttl} IN {rtype} {text}")
    answer = Answer(tuple(found), validated, ttl, name, tuple(texts)) if found else None
    return Parsed(NOERROR, answer, "", 0, tuple(wrong), broken)


def _whole(data: bytes, question: Question) -> Parsed:
    """Any other message, by dnspython. Malformed."""
    try:
        message = dns.message.from_wire(data, ignore_trailing=True, continue_on_error=True)
    except (dns.exception.DNSException, ValueError, IndexError) as error:
        raise Malformed(str(error) or type(error).__name__) from error
    rcode = int(message.rcode())
    if rcode not in (NOERROR, NXDOMAIN):
        return Parsed(rcode)
    wanted = dns.rdatatype.from_text(question.rtype)
    owner, ttl, found = _followed(message, dns.name.from_text(question.name), wanted)
    broken = bool(getattr(message, "errors", ()))
    if found is None:
        alias = _text(owner) if owner != dns.name.from_text(question.name) else ""
        negative = _negative_ttl(message)
        if negative:
            ttl = min(ttl, negative) if ttl else negative
        # The chain ends here when the server that sent it says so.
        known = rcode == NXDOMAIN or negative
        return Parsed(rcode, None, "" if known else alias, ttl if known else 0, (), broken)
    validated = bool(message.flags & dns.flags.AD)
    convert = _CONVERT[question.rtype]
    rows = [(*convert(rdata), rdata.to_text()) for rdata in found]
    seconds = min(ttl, found.ttl) if ttl else found.ttl
    return _answered(question.rtype, _text(owner), seconds, rows, validated, broken)


def _followed(
    message: dns.message.Message, owner: dns.name.Name, wanted: dns.rdatatype.RdataType
) -> tuple[dns.name.Name, int, dns.rrset.RRset | None]:
    """Where the CNAMEs of this message lead: last name, smallest lifetime (0: no CNAME), records there."""
    inside = dns.rdataclass.IN  # records of another class have no meaning here
    answers = {(rrset.name, rrset.rdtype): rrset for rrset in message.answer if rrset.rdclass == inside}
    ttl = 0
    for _ in range(_MAX_CHAIN):
        found = answers.get((owner, wanted))
        if found is not None:
            return owner, ttl, found
        alias = answers.get((owner, dns.rdatatype.CNAME))
        if alias is None:
            break
        ttl = min(ttl, alias.ttl) if ttl else alias.ttl
        owner = alias[0].target
    return owner, ttl, None


def _negative_ttl(message: dns.message.Message) -> int:
    """RFC 2308: the SOA says how long; without one the answer is not to be kept."""
    for rrset in message.authority:
        if rrset.rdtype == dns.rdatatype.SOA:
            return min(int(rrset.ttl), int(rrset[0].minimum))
    return 0


def _text(name: dns.name.Name) -> str:
    return "" if name == dns.name.root else name.to_text(omit_final_dot=True)


# Each gives the record, and the host name in it that must be a valid one.


def _mx(rdata: Any) -> tuple[object, str]:
    host = _text(rdata.exchange)
    return MX(rdata.preference, host), host


def _srv(rdata: Any) -> tuple[object, str]:
    host = _text(rdata.target)
    return SRV(rdata.priority, rdata.weight, rdata.port, host), host


def _target(rdata: Any) -> tuple[object, str]:
    host = _text(rdata.target)
    return host, host


_CONVERT: dict[str, Callable[[Any], tuple[object, str]]] = {
    "A": lambda rdata: (Address(socket.AF_INET, rdata.address), ""),
    "AAAA": lambda rdata: (Address(socket.AF_INET6, rdata.address), ""),
    "MX": _mx,
    "SRV": _srv,
    "NS": _target,
    "CNAME": _target,
    "PTR": _target,
    "TXT": lambda rdata: (printable(b"".join(rdata.strings), utf8=True), ""),
    "TLSA": lambda rdata: (TLSA(rdata.usage, rdata.selector, rdata.mtype, rdata.cert), ""),
}


# The same from a plain answer, with the text.
_PLAIN: dict[str, Callable[[Any], tuple[object, str, str]]] = {
    "A": lambda address: (Address(socket.AF_INET, address), "", address),
    "AAAA": lambda address: (Address(socket.AF_INET6, address), "", address),
    "MX": lambda mx: (MX(*mx), mx[1], f"{mx[0]} {mx[1]}."),
    "NS": lambda host: (host, host, f"{host}."),
    "PTR": lambda host: (host, host, f"{host}."),
}


def reverse_name(address: str) -> str:
    """The name that holds an address's PTR record; ValueError for what is no address."""
    try:
        return dns.reversename.from_address(address).to_text(omit_final_dot=True)
    except dns.exception.DNSException as error:
        raise ValueError(f"bad address: {address}") from error
