"""What restrictions look at, and how they answer (SD-23, SD-24, SD-32 to SD-34).

A check returns DUNNO (ask the next), OK (stop this list), or the `Reply` that refuses. `State.reject` makes such a
reply: it adapts the enhanced status, honours warn_if_reject and defer_if_reject, and logs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from twisted.internet.defer import Deferred

from pytwfix.accept.smtpd import log
from pytwfix.mail.reply import Reply

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from pytwfix.accept.smtpd.client import Connected
    from pytwfix.accept.smtpd.configuration import Configuration
    from pytwfix.contracts.host import IHost
    from pytwfix.contracts.rewriting import Resolved
    from pytwfix.mail.envelope import Client

DUNNO, OK = 0, 1

Verdict: TypeAlias = "int | Reply"
Answer: TypeAlias = "Verdict | Awaitable[Verdict]"

# Words for what is refused (SD-34).
CLIENT = "Client host"
REVERSE = "Unverified Client host"
HELO = "Helo command"
SENDER = "Sender address"
RECIPIENT = "Recipient address"
ETRN = "Etrn command"
DATA = "Data command"
END_OF_DATA = "End-of-data"
CERTIFICATE = "Client certificate"
LOGIN = "SASL login name"

# Status details x.1.y that speak of an address, as they must read for a sender and for a recipient.
_FOR_SENDER = {"1": "7", "2": "8", "3": "7", "4": "7", "5": "0", "6": "7", "9": "0"}
_FOR_RECIPIENT = {"7": "3", "8": "2"}


def shown(text: str, utf8: bool) -> str:
    """What may stand in a reply: other characters become blanks (SD-24)."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(char if char == "\n" or (char.isprintable() and (utf8 or char.isascii())) else " " for char in text)


CONFIGURATION_ERROR = Reply(451, "4.3.5", "Server configuration error")


class Deferral(NamedTuple):
    """What a DEFER_IF_* remembers for later."""

    code: int
    dsn: str
    text: str


class Subject(NamedTuple):
    """What a list is about: generic restrictions refuse this."""

    name: str
    kind: str


class State:
    """One client's session as checks see it. Addresses are in internal form; None: not known yet."""

    __slots__ = (
        "actions",
        "client",
        "config",
        "connections",
        "deferred_if_permit",
        "deferred_if_reject",
        "depth",
        "discard",
        "etrn",
        "hangup",
        "helo",
        "hold",
        "host",
        "improper",
        "instance",
        "origin",
        "protocol",
        "queue_id",
        "recipient",
        "recipients",
        "resolved",
        "sasl_sender",
        "sender",
        "size",
        "smtputf8",
        "stage",
        "subject",
        "tls",
        "told",
        "unlisted",
        "warn",
    )

    def __init__(self, host: IHost, config: Configuration, client: Connected) -> None:
        self.host = host
        self.config = config
        self.client = client
        self.helo = ""
        self.protocol = "SMTP"
        self.stage = "CONNECT"
        self.tls: log.Tls | None = None
        self.origin: Client | None = None
        self.improper = False
        self.told: set[str] = set()  # what is logged once a session
        self.hangup = False
        self.depth = 0
        self.connections = 0  # of this client at once, as far as it is counted
        self.warn = False
        self.unlisted = False  # what is refused is an address that is not among ours, or that has no way
        self.etrn = b""
        self.instance = ""
        self.subject = Subject("", CLIENT)
        self.deferred_if_reject: Deferral | None = None
        self.deferred_if_permit: Deferral | None = None
        self.reset()

    def reset(self) -> None:
        """A new transaction."""
        self.sender: bytes | None = None
        self.sasl_sender = ""
        self.recipient: bytes | None = None
        self.recipients = 0
        self.size = 0
        self.smtputf8 = False
        self.queue_id = ""
        self.discard = False
        self.hold = False
        self.actions: list[tuple[str, str]] = []
        self.resolved: dict[tuple[bytes, bytes], Resolved] = {}

    # Verdicts.

    def reject(self, code: int, dsn: str, text: str, kind: str = "") -> Verdict:
        """Refuse with this; `kind` adapts an address status to what it is about (SD-33)."""
        if kind:
            dsn = self.adapted(dsn, kind)
        dsn = f"{code // 100}{dsn[1:]}"
        text = shown(text, self.config.smtputf8)
        deferral = self.deferred_if_reject
        if deferral is not None and code >= 500 and not self.warn:
            code, dsn, text = deferral
        reply = Reply(code, dsn, text, hangup=code in (421, 521))
        if self.config.soft_bounce:
            reply = reply.softened()
        if self.warn:
            log.reject(self, "reject_warning", reply.line())
            return DUNNO
        log.reject(self, "reject", reply.line())
        return reply

    def refuse(self, subject: Subject, code: int, dsn: str, text: str) -> Verdict:
        """`reject` in the usual words: <name>: Class rejected: text."""
        dsn = self.adapted(dsn, subject.kind)
        return self.reject(code, dsn, f"<{subject.name}>: {subject.kind} rejected: {text}")

    @property
    def deferred_anyway(self) -> bool:
        """Whether it comes to a deferral whatever the rest of a list says (SD-23)."""
        return self.deferred_if_reject is not None and self.deferred_if_permit is not None

    def tempfail(self, at_once: bool, code: int, dsn: str, text: str) -> Verdict:
        """It could not be found out: as a `*_tempfail_action` says."""
        return self.reject(code, dsn, text) if at_once else self.defer_if_permit(code, dsn, text)

    def defer_if_permit(self, code: int, dsn: str, text: str) -> Verdict:
        """A 4xx in place of a permit that comes later (SD-23)."""
        if self.warn:
            log.reject(self, "reject_warning", Reply(code, dsn, text).line())
        elif self.deferred_if_permit is None:
            self.deferred_if_permit = Deferral(code, dsn, text)
        return DUNNO

    def defer_if_reject(self, code: int, dsn: str, text: str) -> Verdict:
        """A 4xx in place of a reject that comes later."""
        if self.deferred_if_reject is None:  # warn_if_reject does not weaken it
            self.deferred_if_reject = Deferral(code, dsn, text)
        return DUNNO

    def misconfigured(self) -> Verdict:
        """The postmaster's mistake: 451, whatever warn_if_reject says."""
        log.reject(self, "reject", CONFIGURATION_ERROR.line())
        return CONFIGURATION_ERROR

    def lookup_failed(self, subject: Subject) -> Verdict:
        """A table or the resolver does not answer."""
        reply = Reply(451, "4.3.0", f"<{subject.name}>: Temporary lookup failure")
        log.reject(self, "reject", reply.line())
        return reply

    def adapted(self, dsn: str, kind: str) -> str:
        """An address status made to fit what it is about: 5.1.1 says nothing of a sender (SD-33)."""
        if dsn[1:4] != ".1.":
            return dsn
        detail = dsn[4:]
        if kind == SENDER:
            new = f"{dsn[:4]}{_FOR_SENDER.get(detail, detail)}"
        elif kind == RECIPIENT:
            new = f"{dsn[:4]}{_FOR_RECIPIENT.get(detail, detail)}"
        else:
            new = f"{dsn[0]}.0.0"
        if new != dsn:
            log.status_mapped(self.host.log, dsn, kind, new)
        return new

    # What several checks ask for.

    async def resolve(self, address: bytes, back: bool = False) -> Resolved:
        """Where an address goes, with what its domain lacks; asked once a transaction. `back`: it is the sender's, to
        whom the recipient would answer."""
        key = address, (self.recipient if back else self.sender) or b""
        resolved = self.resolved.get(key)
        if resolved is None:
            rewriter = self.host.peers.rewriter
            whole = await rewriter.rewrite("local", address)
            resolved = self.resolved[key] = await rewriter.resolve(key[1], whole)
        return resolved

    async def pause(self, seconds: float) -> None:
        """Let time pass."""
        done: Deferred[None] = Deferred()
        self.host.call_later(seconds, done.callback, None)
        await done

    # Subjects.

    @property
    def namaddr(self) -> str:
        return self.client.namaddr

    def client_subject(self) -> Subject:
        return Subject(self.client.namaddr, CLIENT)

    def helo_subject(self) -> Subject:
        return Subject(self.helo, HELO)

    def sender_subject(self) -> Subject:
        return Subject(self.text(self.sender or b""), SENDER)

    def recipient_subject(self) -> Subject:
        return Subject(self.text(self.recipient or b""), RECIPIENT)

    def text(self, address: bytes) -> str:
        """An address for replies and log lines: without SMTPUTF8 other bytes than ASCII are not shown."""
        if address.isascii():
            return address.decode("ascii")
        return address.decode("utf-8", "replace") if self.config.smtputf8 else address.decode("latin-1")


async def awaited(answer: Answer) -> Verdict:
    """The verdict, whether it was there or not."""
    return answer if isinstance(answer, (int, Reply)) else await answer
