"""Who sends what to whom: the envelope as it travels between rooms and lies in queue files (QM-7, RF-5)."""

from __future__ import annotations

from dataclasses import dataclass, field

# Flags of Envelope.sendopts: what next hops must be able to do (RF-1).
SMTPUTF8_REQUESTED = 1
SMTPUTF8_HEADER = 2
SMTPUTF8_SENDER = 4
SMTPUTF8_RECIPIENT = 8
REQUIRETLS_HEADER = 16
REQUIRETLS_ESMTP = 32
SMTPUTF8_ANY = SMTPUTF8_REQUESTED | SMTPUTF8_HEADER | SMTPUTF8_SENDER | SMTPUTF8_RECIPIENT

# Bits of Envelope.trace_flags, as queue files hold them ("trace_flags" attribute): reports about the delivery itself.
TRACE_VERIFY_ONLY = 512  # sendmail -bv: report what would be done
TRACE_RECORD = 1024  # sendmail -v: report what was done
TRACE_PROBE = 256  # an address verification probe: the answer goes to the verify service


@dataclass(slots=True)
class Recipient:
    """One recipient of a queued message.

    `offset` is the place of its R record in the queue file (-1: not in a file yet); `notify` holds NOTIFY bits
    (0: not given); `orcpt` is "type;address" as decoded from xtext or b"".
    """

    address: bytes
    original: bytes = b""
    orcpt: bytes = b""
    notify: int = 0
    offset: int = -1
    done: bool = False


@dataclass(slots=True)
class Client:
    """Where a mail came from, as logs, milters, XFORWARD and delivery agents want it. Unknown is ""."""

    name: str = ""
    address: str = ""
    port: str = ""
    helo: str = ""
    protocol: str = ""
    reverse_name: str = ""
    address_type: str = ""
    server_address: str = ""
    server_port: str = ""
    sasl_method: str = ""
    sasl_username: str = ""
    sasl_sender: str = ""


@dataclass(slots=True)
class Envelope:
    """All of a queued message but its content.

    Times are seconds since the epoch. `size` is the content's bytes as Postfix counts them; `attributes` are
    named attributes of the queue file (RF-5) that have no field here.
    """

    queue_id: str = ""
    sender: bytes = b""
    recipients: list[Recipient] = field(default_factory=list)
    arrival: float = 0.0
    size: int = 0
    encoding: str = ""  # "", "7bit", "8bit"
    rewrite_context: str = "local"  # local or remote
    log_ident: str = ""
    client: Client = field(default_factory=Client)  # of the session that brought it
    origin: Client = field(default_factory=Client)  # as a filter forwarded it (XFORWARD): for logs and the next filter
    origin_ident: str = ""  # queue ID before a filter (XFORWARD IDENT)
    dsn_envid: bytes = b""
    dsn_ret: int = 0
    sendopts: int = 0
    trace_flags: int = 0
    content_filter: str = ""  # "transport:nexthop" or ""
    redirect: bytes = b""
    verp: str = ""
    full_name: bytes = b""
    warn_time: float = 0.0  # when a delay notice is due; 0: none, -1: it was sent
    content_offset: int = 0  # of the first record of the content
    flags: int = 0  # queue manager flags of the size record
    force_expired: bool = False
    attributes: dict[str, bytes] = field(default_factory=dict)
