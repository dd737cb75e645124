"""From the queue manager to a delivery agent and back (QM-7, ST-2, ST-6)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from pytwfix.mail.envelope import Envelope, Recipient
from pytwfix.mail.status import Dsn

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from pytwfix.contracts.queue import IMessage

# Flags of a request.
SUCCESS_REPORT = 1  # the sender was told of a delay and wants to know of success (confirm_delay_cleared)
VERIFY_ONLY = 2  # deliver nothing, report what would be done (sendmail -bv, probes)
RECORD = 4  # record what was done for a report to the sender
PROBE = 8  # the outcome goes to the verify service
FLUSHED = 16  # asked for by postqueue -f
BUSY = 32  # mail for this destination comes without a pause: a connection is worth keeping (SM-10)


@dataclass(slots=True)
class Times:
    """When things happened, seconds since the epoch, 0 for not yet: delays=A/B/C/D of the log line (LG-10)."""

    arrival: float = 0.0
    active: float = 0.0  # entered the active queue
    handoff: float = 0.0  # given to the agent
    connected: float = 0.0  # the agent has a session (EHLO, TLS done)
    reuse: int = 0  # how often the session was used, counting this one


@dataclass(slots=True)
class DeliveryRequest:
    """Deliver one message to these recipients, which share transport and nexthop."""

    queue: str  # where the file is: active
    queue_id: str
    transport: str  # name of the service in master.cf
    nexthop: str
    envelope: Envelope  # its recipients may be more, or none: `recipients` below counts
    recipients: list[Recipient]
    times: Times = field(default_factory=Times)
    flags: int = 0
    message: IMessage | None = None  # in the same process: saves opening the file again
    override: Dsn | None = None  # the retry and error agents: what to say instead of parsing nexthop


@dataclass(slots=True)
class DeliveryResult:
    """What became of a request. The agent has logged, reported and marked each recipient itself.

    `deferred` are the recipients that stay in the queue. `dead` says that the destination as a whole did not answer
    (connection or handshake), which is negative feedback for its concurrency (SC-3). `recorded` says that something
    is or may be in the bounce, defer or trace log; False spares the queue manager from looking.
    """

    deferred: list[Recipient] = field(default_factory=list)
    dead: Dsn | None = None
    transport_dead: Dsn | None = None
    recorded: bool = True


class IDeliveryAgent(Protocol):
    """One delivery service. The Deferred never fails for what a peer or a mailbox does."""

    def deliver(self, request: DeliveryRequest) -> Deferred[DeliveryResult]: ...


class IDeliveryAgents(Protocol):
    """All delivery services of master.cf by name, wherever they run."""

    def agent(self, transport: str) -> IDeliveryAgent | None:
        """None: there is no such service (`unknown mail transport`)."""

    def limit(self, transport: str) -> int:
        """The service's process limit: deliveries at once (0: no limit)."""
