"""What a transport table's value says (transport(5); INVENTORY TR-4). Pure."""

from __future__ import annotations

UNDELIVERABLE = "Address is undeliverable"


def split_transport(text: str) -> tuple[str, str]:
    """`smtp:[host]:25` is ("smtp", "[host]:25"); without a colon the whole is the transport."""
    transport, _, nexthop = text.strip().partition(":")
    return transport.strip(), nexthop.strip()


def apply(value: str, transport: str, nexthop: str, domain: str) -> tuple[str, str]:
    """`transport` and `nexthop` after the table's `value`: what it leaves out stays, but a transport without next hop
    goes to the recipient's own domain."""
    given, hop = split_transport(value)
    if given:
        transport, nexthop = given, hop or domain
    elif hop:
        nexthop = hop
    if given in ("error", "retry") and not hop:
        nexthop = UNDELIVERABLE
    return transport, nexthop
