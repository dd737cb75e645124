"""From an accepted envelope and content to a durable queue file (CL-1, CL-2, SD-9)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from pytwfix.mail.envelope import Client, Envelope, Recipient

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from pytwfix.contracts.milters import IMilters

# What cleanup is to do with a mail (bits).
FILTER = 1  # header_checks, body_checks, milters apply
MAP = 2  # canonical, virtual, masquerade, automatic bcc apply
BOUNCE = 4  # cleanup bounces what it refuses, for submitters that do not wait (pickup)
MILTER = 8
SMTP_REPLY = 16  # the reason may be an SMTP reply
HOLD = 32
DISCARD = 64
SMTPUTF8_AUTODETECT = 128
INTERNAL = 256  # a notice or a probe of our own


@dataclass(slots=True)
class Origin:
    """Where a mail comes from and how it is to be treated."""

    flags: int = FILTER | MAP
    client: Client = field(default_factory=Client)
    origin: Client = field(default_factory=Client)  # from XFORWARD
    origin_ident: str = ""
    rewrite_context: str = "local"
    source: str = ""  # for log lines: "client.example[192.0.2.1]", "local"
    service: str = ""  # who submits: smtpd, pickup, bounce, local, ...
    arrival: float = 0.0
    milters: IMilters | None = None  # of the SMTP session, if it has any (contracts/milters.py)


@dataclass(slots=True)
class Committed:
    """A mail that is safe on disk, or that was discarded on purpose (then it has no file)."""

    queue_id: str
    size: int
    discarded: bool = False


class ITransaction(Protocol):
    """One mail on its way in. Calls come in this order: `sender`, then recipients and options, then `body` any number
    of times, then `extracted` recipients, then `commit`; or `abort` at any point. Errback: MailError."""

    @property
    def queue_id(self) -> str:
        """Known from the start."""

    @property
    def envelope(self) -> Envelope:
        """For named attributes and options (dsn_envid, dsn_ret, encoding, sendopts, verp, trace_flags, full_name ...),
        to be set before the first `body`."""

    def sender(self, address: bytes) -> Deferred[None]: ...
    def recipient(self, recipient: Recipient) -> Deferred[None]:
        """Rewritten, expanded and written; `recipient.address` is what the client said, in internal form."""

    def action(self, name: str, argument: str = "") -> None:
        """What an access table decided: "filter", "hold", "redirect", "bcc", "prepend" (a header line), "discard"."""

    def body(self, data: bytes, tidy: bool = False) -> Deferred[None] | None:
        """Content with CRLF line ends, in pieces of any size. A Deferred asks the caller to wait before the next.
        `tidy`: the caller has seen that no CR and no LF of this piece stands alone."""

    def extract_recipients(self, resent: bool = False) -> None:
        """Take recipients from the headers (sendmail -t)."""

    def commit(self) -> Deferred[Committed]:
        """Durable when it fires. MailError: the reply to give; nothing is left behind."""

    def abort(self, reason: str = "") -> None:
        """Forget it; logs `removed (canceled)` when the ID was told to anyone (CL-11)."""


class ICleanup(Protocol):
    """Lives in the process of whoever submits mail: there is no hop on the way to the queue."""

    def begin(self, origin: Origin) -> Deferred[ITransaction]:
        """Errback: MailError (no space, queue unwritable)."""


