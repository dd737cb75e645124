"""Peers of the rooms that take mail in: a cleanup that remembers, a rewriter with a table, a resolver with a zone."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, fail, succeed

from pytwfix.contracts.cleanup import Committed, Origin
from pytwfix.contracts.dns import MX, Address, Answer, ClientNames, DnsError, NoData, NoSuchName
from pytwfix.contracts.rewriting import CLASS_ALIAS, CLASS_DEFAULT, CLASS_LOCAL, Resolved
from pytwfix.contracts.verification import OK, Verified
from pytwfix.mail.envelope import Envelope, Recipient


class MemoryTransaction:
    """ITransaction. `ended` is "", "committed" or "aborted"; set `error` to make the commit fail."""

    def __init__(self, queue_id: str, origin: Origin, error: Exception | None) -> None:
        self.queue_id = queue_id
        self.origin = origin
        self.envelope = Envelope(queue_id=queue_id)
        self.recipients: list[Recipient] = []
        self.actions: list[tuple[str, str]] = []
        self.content = b""
        self.pieces: list[tuple[bytes, bool]] = []  # and whether the caller says that they are tidy
        self.ended = ""
        self.error = error
        self.from_ = b""

    def sender(self, address: bytes) -> Deferred[None]:
        self.from_ = address
        return succeed(None)

    def recipient(self, recipient: Recipient) -> Deferred[None]:
        self.recipients.append(recipient)
        return succeed(None)

    def action(self, name: str, argument: str = "") -> None:
        self.actions.append((name, argument))

    def body(self, data: bytes, tidy: bool = False) -> Deferred[None] | None:
        self.content += data
        self.pieces.append((data, tidy))
        return None

    def extract_recipients(self, resent: bool = False) -> None:
        """Not for smtpd."""

    def commit(self) -> Deferred[Committed]:
        if self.error is not None:
            self.ended = "aborted"
            return fail(self.error)
        self.ended = "committed"
        return succeed(Committed(self.queue_id, len(self.content)))

    def abort(self, reason: str = "") -> None:
        self.ended = "aborted"


class MemoryCleanup:
    """ICleanup: `mails` in the order in which they were begun, named Q1, Q2, ..."""

    def __init__(self) -> None:
        self.mails: list[MemoryTransaction] = []
        self.error: Exception | None = None

    def begin(self, origin: Origin) -> Deferred[MemoryTransaction]:
        mail = MemoryTransaction(f"Q{len(self.mails) + 1}", origin, self.error)
        self.mails.append(mail)
        return succeed(mail)


class TableRewriter:
    """IRewriter of example.com: domains to classes; addresses to whole answers in `special`."""

    def __init__(self, classes: dict[bytes, int], special: dict[bytes, Resolved] | None = None) -> None:
        self.classes = classes
        self.special = special or {}

    def rewrite(self, context: str, address: bytes) -> Deferred[bytes]:
        return succeed(address if b"@" in address else address + b"@example.com")

    def resolve(self, sender: bytes, address: bytes, verify: bool = False) -> Deferred[Resolved]:
        if address in self.special:
            return succeed(self.special[address])
        domain = address.rpartition(b"@")[2].lower()
        known = CLASS_LOCAL if b"@" not in address else self.classes.get(domain, CLASS_DEFAULT)
        if known == CLASS_ALIAS:  # as the real one has it
            return succeed(Resolved("error", "5.1.1 User unknown in virtual alias table", address, known))
        return succeed(Resolved("smtp", domain.decode(), address, known))


class ZoneResolver:
    """IResolver: (name, type) to a list of records, or to the DnsError to fail with. What is not there is NXDOMAIN."""

    def __init__(self, zone: dict[tuple[str, str], Any] | None = None) -> None:
        self.zone = zone or {}
        self.asked: list[tuple[str, str]] = []

    def _ask(self, name: str, rtype: str) -> Deferred[Answer]:
        self.asked.append((name, rtype))
        found = self.zone.get((name, rtype))
        if isinstance(found, DnsError):
            return fail(found)
        if found is None:
            known = any(one == name for one, _ in self.zone)
            return fail((NoData if known else NoSuchName)(name, rtype, f"{name} {rtype}: not found"))
        return succeed(Answer(tuple(found), False, 60, name))

    def mx(self, name: str) -> Deferred[Answer]:
        return self._ask(name, "MX")

    def addresses(self, name: str, family: int) -> Deferred[Answer]:
        return self._ask(name, "A" if family == 2 else "AAAA")

    def txt(self, name: str) -> Deferred[Answer]:
        return self._ask(name, "TXT")

    def ns(self, name: str) -> Deferred[Answer]:
        return self._ask(name, "NS")


def a(address: str) -> Address:
    return Address(2, address)


def mx(host: str) -> MX:
    return MX(10, host)


class StaticNames:
    """INativeNames: addresses to names; others have none."""

    def __init__(self, names: dict[str, str] | None = None) -> None:
        self.names = names or {}

    def client(self, address: str) -> Deferred[ClientNames]:
        name = self.names.get(address)
        return succeed(ClientNames(name, name, 2, 2) if name else ClientNames("unknown", "unknown", 5, 5))


class StaticVerifier:
    """IVerifier: the same answer to every question."""

    def __init__(self, status: int = OK, text: str = "") -> None:
        self.answer = Verified(status, text)
        self.asked = 0

    def query(self, address: bytes) -> Deferred[Verified]:
        self.asked += 1
        return succeed(self.answer)


class RoomyStore:
    """IQueueStore, as far as disk space is concerned."""

    def __init__(self, free: int = 1 << 40) -> None:
        self.free = free

    def free_space(self) -> int:
        return self.free


class FlushedQueue:
    """IQueue: remembers what ETRN asked for."""

    def __init__(self) -> None:
        self.sites: list[str] = []

    def flush(self, sites: list[str] | None = None) -> Deferred[None]:
        self.sites += sites or []
        return succeed(None)
