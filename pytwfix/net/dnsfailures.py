"""Failures of name service in Postfix's words (SM-3, SD-36)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytwfix.contracts.dns import Answer, BadAnswer, DnsError, NoData, NoSuchName, TryAgain
from pytwfix.net.dnswire import FORMERR, NOERROR, NXDOMAIN, Parsed

if TYPE_CHECKING:
    Outcome = Answer | DnsError

_NOT_FOUND = "Host or domain name not found. "
_WORDS = {
    NoSuchName: "Host not found",
    NoData: "Host found but no data record of requested type",
    TryAgain: "Host not found, try again",
    BadAnswer: "Non-recoverable error",
}
MALFORMED = "Malformed or unexpected name server reply"


def none(parsed: Parsed, name: str, rtype: str) -> tuple[DnsError, int]:
    """There is none: the failure, and how long it holds."""
    made = error(_kind(parsed.rcode), name, rtype)
    made.ttl = parsed.negative_ttl
    return made, parsed.negative_ttl


def _kind(rcode: int) -> type[DnsError]:
    if rcode == NOERROR:
        return NoData
    if rcode == NXDOMAIN:
        return NoSuchName
    return BadAnswer if rcode == FORMERR else TryAgain


def error(kind: type[DnsError], name: str, rtype: str, words: str = "") -> DnsError:
    head = "" if words else _NOT_FOUND
    return kind(name, rtype, f"{head}Name service error for name={name} type={rtype}: {words or _WORDS[kind]}")


def invalid(name: str, rtype: str) -> NoSuchName:
    return NoSuchName(name, rtype, f"{_NOT_FOUND}Name service error for {name}: invalid host or domain name")


def renamed(outcome: Outcome, name: str) -> Outcome:
    """A failure behind a CNAME is told by the name that was asked for."""
    if isinstance(outcome, Answer) or outcome.name == name:
        return outcome
    return copy(outcome, name)


def copy(old: DnsError, name: str = "") -> DnsError:
    """One of its own for everyone: raising one again and again would make its traceback grow. `name`: by another."""
    text = old.text.replace(f"name={old.name} ", f"name={name} ", 1) if name else old.text
    new = type(old)(name or old.name, old.rtype, text)
    new.ttl = old.ttl
    return new
