"""One page by HTTPS, for what mail needs of the web: MTA-STS policies to fetch (RFC 8461 section 3.3), reports on TLS
to post (RFC 8460 section 5.4).

The name is looked up by our own resolver. The certificate must be for the name and by a known authority; nothing is
redirected; a page has a greatest size, and all of it a time limit.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any, NamedTuple

from OpenSSL import SSL
from service_identity import VerificationError
from twisted.internet.defer import Deferred, succeed
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP6ClientEndpoint, wrapClientTLS
from twisted.internet.protocol import Protocol
from twisted.internet.ssl import Certificate, optionsForClientTLS, trustRootFromCertificates
from twisted.web.client import Agent, ResponseDone
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgentEndpointFactory, IBodyProducer
from zope.interface import implementer

from pytwfix.contracts.dns import Address, DnsError

if TYPE_CHECKING:
    from pytwfix.contracts.host import IHost

PORT = 443


class Posting(NamedTuple):
    """What is sent to a web server, its media type, and the port, 0 for the usual one."""

    data: bytes
    kind: str
    port: int = 0


class Page(NamedTuple):
    """`kind` is the media type without its parameters, lower case."""

    status: int
    kind: str
    body: bytes


class NoPage(Exception):
    """There is none; the text says why, in a few words. `untrusted`: there was no TLS that is good enough."""

    def __init__(self, text: str, untrusted: bool = False) -> None:
        super().__init__(text)
        self.untrusted = untrusted


@implementer(IAgentEndpointFactory)
class _Endpoints:
    """To one address of the host, whatever is asked for."""

    def __init__(self, reactor: Any, address: Address, port: int, name: str, trust: Any, timeout: float) -> None:
        kind = TCP6ClientEndpoint if address.family == socket.AF_INET6 else TCP4ClientEndpoint
        options = optionsForClientTLS(name, trustRoot=trust)
        self._endpoint = wrapClientTLS(options, kind(reactor, address.address, port, timeout))

    def endpointForURI(self, uri: Any) -> Any:
        return self._endpoint


@implementer(IBodyProducer)
class _Sent:
    """What is posted, in one piece."""

    def __init__(self, data: bytes) -> None:
        self.length = len(data)
        self._data = data

    def startProducing(self, consumer: Any) -> Deferred[None]:
        consumer.write(self._data)
        return succeed(None)

    def stopProducing(self) -> None:
        """All of it is gone already."""

    pauseProducing = resumeProducing = stopProducing


class _Body(Protocol):
    """Gathers a page; `done` fires with it, or with NoPage when it is too long or cut off."""

    def __init__(self, limit: int) -> None:
        self.done: Deferred[bytes] = Deferred(lambda _: self._stop())
        self._limit = limit
        self._pieces: list[bytes] = []
        self._size = 0

    def dataReceived(self, data: bytes) -> None:
        self._size += len(data)
        if self._size <= self._limit:
            self._pieces.append(data)
        else:
            self._pieces.clear()
            self._stop()

    def _stop(self) -> None:
        transport: Any = self.transport
        if transport is not None:
            transport.abortConnection()

    def connectionLost(self, reason: Any = None) -> None:
        if self.done.called:
            return
        if self._size > self._limit:
            self.done.errback(NoPage(f"more than {self._limit} bytes"))
        elif reason is not None and reason.check(ResponseDone):
            self.done.callback(b"".join(self._pieces))
        else:
            self.done.errback(NoPage("the connection was lost"))


async def fetch(host: IHost, name: str, path: str, timeout: float, limit: int, authorities: bytes = b"") -> Page:
    """`name` is a host name in ASCII; `authorities` are certificates in PEM, none for those of the system; `limit` in
    bytes. NoPage."""
    return await _page(host, name, path, None, timeout, limit, authorities)


async def post(
    host: IHost, name: str, path: str, posting: Posting, timeout: float, limit: int, authorities: bytes = b""
) -> Page:
    """As `fetch`, with something to send; `limit` is for the answer."""
    return await _page(host, name, path, posting, timeout, limit, authorities)


async def _page(
    host: IHost, name: str, path: str, posting: Posting | None, timeout: float, limit: int, authorities: bytes
) -> Page:
    trouble = NoPage("it has no address")
    for address in (await _addresses(host, name))[:2]:
        try:
            return await _asked(host, address, name, path, posting, timeout, limit, authorities)
        except NoPage as error:
            trouble = error
    raise trouble


async def _addresses(host: IHost, name: str) -> list[Address]:
    found: list[Address] = []
    problem: DnsError | None = None
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            answer = await host.resolver.addresses(name, family)
        except DnsError as error:
            problem = problem or error
            continue
        found += [one for one in answer.records if isinstance(one, Address)]
    if not found and problem is not None:
        raise NoPage(problem.text)
    return found


async def _asked(
    host: IHost,
    address: Address,
    name: str,
    path: str,
    posting: Posting | None,
    timeout: float,
    limit: int,
    authorities: bytes,
) -> Page:
    reactor: Any = host.reactor
    port = (posting.port if posting is not None else 0) or PORT
    endpoints = _Endpoints(reactor, address, port, name, _trust(authorities), timeout)
    agent = Agent.usingEndpointFactory(reactor, endpoints)
    url = f"https://{name}{f':{port}' if posting is not None and posting.port else ''}{path}".encode("ascii")
    end = host.monotonic() + timeout
    try:
        asked = _request(agent, url, posting)
        response = await asked.addTimeout(timeout, reactor, _late)
        body = _Body(limit)
        response.deliverBody(body)
        data = await body.done.addTimeout(max(0.01, end - host.monotonic()), reactor, _late)
    except NoPage:
        raise
    except Exception as error:
        cause = _cause(error)
        raise NoPage(_reason(cause), isinstance(cause, (VerificationError, SSL.Error))) from None
    kind = (response.headers.getRawHeaders(b"content-type") or [b""])[0].decode("ascii", "replace")
    return Page(response.code, kind.partition(";")[0].strip().lower(), data)


def _request(agent: Any, url: bytes, posting: Posting | None) -> Deferred[Any]:
    fields = {b"User-Agent": [b"pytwfix"]}
    asked: Deferred[Any]
    if posting is None:
        asked = agent.request(b"GET", url, Headers(fields))
    else:
        fields[b"Content-Type"] = [posting.kind.encode("ascii")]
        asked = agent.request(b"POST", url, Headers(fields), _Sent(posting.data))
    return asked


def _trust(authorities: bytes) -> Any:
    if not authorities:
        return None
    mark = b"-----END CERTIFICATE-----"
    parts = [part + mark for part in authorities.split(mark)[:-1]]
    return trustRootFromCertificates([Certificate.loadPEM(part[part.index(b"-----BEGIN") :]) for part in parts])


def _late(_result: object, timeout: float) -> Any:
    raise NoPage(f"no answer in {timeout:.0f} seconds")


def _cause(error: BaseException) -> BaseException:
    """The first cause of a failure that Twisted has wrapped."""
    reasons = getattr(error, "reasons", None)
    return _cause(reasons[0].value) if reasons else error


def _reason(error: BaseException) -> str:
    if isinstance(error, VerificationError):
        return "the certificate is for another name"
    if isinstance(error, SSL.Error) and error.args and error.args[0]:  # [(library, function, reason), ...]
        return str(error.args[0][0][-1])
    return str(error) or type(error).__name__
