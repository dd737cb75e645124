"""trivial-rewrite: the form of addresses, and where they go (TR-1 to TR-6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

# Flags of a resolved address: its class (AD-1), and what was noticed.
ROUTED = 1  # there is an @, % or ! left in the local part (TR-6)
FAILED = 2  # a table did not answer: try again later
ERROR = 4  # the transport is error
CLASS_LOCAL = 256
CLASS_ALIAS = 512
CLASS_VIRTUAL = 1024
CLASS_RELAY = 2048
CLASS_DEFAULT = 4096
CLASS_FINAL = CLASS_LOCAL | CLASS_ALIAS | CLASS_VIRTUAL
CLASS_MASK = CLASS_FINAL | CLASS_RELAY | CLASS_DEFAULT


class Resolved(NamedTuple):
    """Where an address goes. `recipient` in internal form."""

    transport: str
    nexthop: str
    recipient: bytes
    flags: int


class IRewriter(Protocol):
    """Answers are cached by the room itself where that is right; callers just ask."""

    def rewrite(self, context: str, address: bytes) -> Deferred[bytes]:
        """Internal form in and out; `context` is "local" or "remote" (or "inval": no domain is appended)."""

    def resolve(self, sender: bytes, address: bytes, verify: bool = False) -> Deferred[Resolved]:
        """`verify` uses the address_verify_* overrides. A failing table gives FAILED, not an errback."""
