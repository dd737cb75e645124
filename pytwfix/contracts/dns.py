"""Name service: typed answers, typed failures (SM-3, SD-36, SD-46)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred


class DnsError(Exception):
    """A question has no answer. `text` is as Postfix words it:
    "Host or domain name not found. Name service error for name=x type=MX: Host not found, try again". `ttl` is how many
    seconds the name server says that it stays so; 0: it does not say."""

    def __init__(self, name: str, rtype: str, text: str) -> None:
        super().__init__(text)
        self.name = name
        self.rtype = rtype
        self.text = text
        self.ttl = 0


class NoSuchName(DnsError):
    """NXDOMAIN."""


class NoData(DnsError):
    """The name exists, but has no record of this type."""


class TryAgain(DnsError):
    """SERVFAIL, timeout, refused."""


class BadAnswer(DnsError):
    """The record or the name is malformed."""


class MX(NamedTuple):
    preference: int
    host: str


class SRV(NamedTuple):
    priority: int
    weight: int
    port: int
    host: str


class TLSA(NamedTuple):
    usage: int
    selector: int
    mtype: int
    data: bytes

    def text(self) -> str:
        """As zone files have it: `3 1 1 0d6f...`."""
        return f"{self.usage} {self.selector} {self.mtype} {self.data.hex()}"


class Address(NamedTuple):
    """`family` is socket.AF_INET or AF_INET6."""

    family: int
    address: str


class Answer(NamedTuple):
    """`records` in the server's order; `validated` is the AD bit; `ttl` in seconds; `name` after CNAMEs."""

    records: tuple[object, ...]
    validated: bool
    ttl: int
    name: str
    texts: tuple[str, ...] = ()


class SearchList(NamedTuple):
    """The domains in which a host is looked for; a name with at least `ndots` dots is tried as it is first."""

    domains: tuple[str, ...]
    ndots: int = 1


class IResolver(Protocol):
    """DNS. Names are ASCII (A-labels) without a trailing dot. Errback: DnsError. A null MX is MX(0, "")."""

    def mx(self, name: str) -> Deferred[Answer]: ...
    def addresses(self, name: str, family: int) -> Deferred[Answer]: ...
    def tlsa(self, name: str) -> Deferred[Answer]: ...
    def txt(self, name: str) -> Deferred[Answer]: ...
    def ptr(self, address: str) -> Deferred[Answer]: ...
    def srv(self, name: str) -> Deferred[Answer]: ...
    def ns(self, name: str) -> Deferred[Answer]: ...
    def cname(self, name: str) -> Deferred[Answer]: ...
    def search_list(self) -> Deferred[SearchList]:
        """As resolv.conf has it; only net/dnssearch.py uses it, for smtp_dns_resolver_options."""


class ClientNames(NamedTuple):
    """What an address is called (SD-46): `name` forward-confirmed or "unknown"; `reverse` the PTR name or "unknown";
    the statuses are 2 (fine), 4 (try again) or 5 (none); `warning` is a line to log or ""."""

    name: str
    reverse: str
    name_status: int
    reverse_status: int
    warning: str = ""


class INativeNames(Protocol):
    """The system's own name service (/etc/hosts, nss), in a bounded pool of threads."""

    def client(self, address: str) -> Deferred[ClientNames]: ...
    def addresses(self, name: str) -> Deferred[Answer]: ...
