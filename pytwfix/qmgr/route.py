"""Transport and next hop of a recipient (INVENTORY QM-5, CA-10).

A redirect stands for all recipients, a content filter for their destinations; else the rewriter says where an address
goes. Then come reasons not to deliver: the message was expired by hand, the transport waits to be asked, there are
probes enough. These go to the retry service, which tells the reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from twisted.internet.defer import Deferred

from pytwfix.contracts.delivery import PROBE
from pytwfix.contracts.rewriting import CLASS_LOCAL, Resolved
from pytwfix.mail.envelope import Envelope, Recipient

if TYPE_CHECKING:
    from pytwfix.contracts.rewriting import IRewriter
    from pytwfix.qmgr.configuration import Configuration
    from pytwfix.qmgr.message import Message

RETRY, ERROR = "retry", "error"
NULL_RECIPIENT = "5.1.3 null recipient address"
EXPIRED = "4.7.0 message is administratively expired"
DEFERRED_TRANSPORT = "4.3.2 deferred transport"
UNRESOLVED = "4.3.0 address resolver failure"
TOO_MANY_PROBES = "4.3.2 Too many address verification requests"


class Route(NamedTuple):
    """`discard`: a notice about a notice, which ends here."""

    transport: str
    nexthop: str
    discard: bool = False


def redirected(envelope: Envelope, todo: list[Recipient]) -> list[Recipient]:
    """The one recipient of a message that was redirected, in the place of the first."""
    if not todo:
        return todo
    first = todo[0]
    return [Recipient(envelope.redirect, first.original or first.address, first.orcpt, first.notify, first.offset)]


def ask(rewriter: IRewriter, message: Message, recipient: Recipient) -> Deferred[Resolved]:
    """Where the address goes."""
    return rewriter.resolve(message.envelope.sender, recipient.address, bool(message.flags & PROBE))


def route(config: Configuration, message: Message, recipient: Recipient, resolved: Resolved, probes: int) -> Route:
    """What becomes of the answer; the recipient's address gets its final form."""
    transport, nexthop, address, flags = resolved
    if address:
        recipient.address = address
    if flags & CLASS_LOCAL and _double_bounce(config, recipient.address):
        return Route(transport, nexthop, True)
    if message.envelope.force_expired:
        return Route(RETRY, EXPIRED)
    if transport in config.defer_transports and not message.flushed:
        return Route(RETRY, DEFERRED_TRANSPORT)
    if message.flags & PROBE and probes > config.probe_limit:
        return Route(RETRY, TOO_MANY_PROBES)
    return Route(transport, nexthop)


def filtered(config: Configuration, message: Message, recipient: Recipient) -> Route | None:
    """The route of a recipient for which the rewriter is not asked, or None."""
    if not recipient.address:
        return Route(ERROR, NULL_RECIPIENT)
    destination = message.envelope.content_filter
    if not destination or message.flags & PROBE:
        return None
    if message.envelope.force_expired:
        return Route(RETRY, EXPIRED)
    transport, _, nexthop = destination.partition(":")
    domain = recipient.address.rpartition(b"@")[2].decode("utf-8", "replace")
    if transport in config.defer_transports and not message.flushed:
        return Route(RETRY, DEFERRED_TRANSPORT)
    return Route(transport, nexthop or config.filter_nexthop or domain)


def _double_bounce(config: Configuration, address: bytes) -> bool:
    return address.rpartition(b"@")[0].lower() == config.double_bounce
