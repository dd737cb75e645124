"""Mail for cleanup, as smtpd and pickup bring it."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from pytwfix.cleanup.service import CleanupService
from pytwfix.cleanup.transaction import Transaction
from pytwfix.contracts.cleanup import FILTER, MAP, Committed, Origin
from pytwfix.mail.envelope import Client, Recipient
from pytwfix.mail.errors import MailError
from pytwfix.rewrite.service import RewriteService
from tests.kit.host import MemoryHost
from tests.kit.store import KeptReports, MemoryMessage, MemoryStore, WokenQueue

MAIN = {
    "compatibility_level": "3.6",
    "myhostname": "mx.lab.example",
    "mydomain": "lab.example",
    "myorigin": "lab.example",
    "mydestination": "lab.example, localhost",
    "inet_interfaces": "127.0.0.1",
}


def now(deferred: Deferred[Any]) -> Any:
    """The result of what is done at once; a failure is raised."""
    out: list[Any] = []
    deferred.addBoth(out.append)
    assert out, "not done"
    if isinstance(out[0], Failure):
        raise out[0].value  # type: ignore[misc]
    return out[0]


class Mailer:
    """A cleanup with a store in memory, and the way to give it a mail."""

    def __init__(self, main: dict[str, str] | None = None, admitting: bool = False) -> None:
        self.host = MemoryHost({**MAIN, **(main or {})}, service="cleanup", program="cleanup")
        self.store = MemoryStore()
        self.queue = WokenQueue(admitting)
        self.reports = KeptReports()
        peers = self.host.peers
        peers.store, peers.queue, peers.reports = self.store, self.queue, self.reports
        peers.rewriter = RewriteService(self.host)
        self.cleanup = CleanupService(self.host)
        peers.cleanup = self.cleanup

    def begin(
        self, context: str = "remote", flags: int = FILTER | MAP, protocol: str = "ESMTP", service: str = "smtpd"
    ) -> Transaction:
        client = Client("client.example", "192.0.2.1", "25", "cli.example", protocol)
        source = "client.example[192.0.2.1]" if protocol else "local"
        if not protocol:
            client = Client()
        origin = Origin(flags, client, rewrite_context=context, source=source, service=service)
        transaction: Transaction = now(self.cleanup.begin(origin))
        return transaction

    def send(
        self,
        content: bytes,
        sender: bytes = b"s@x.example",
        recipients: tuple[bytes, ...] = (b"u@x.example",),
        piece: int = 0,
        **options: Any,
    ) -> Committed:
        """One mail; MailError when it is refused. `piece`: how much of the content comes at once."""
        transaction = self.begin(**options)
        now(transaction.sender(sender))
        for recipient in recipients:
            now(transaction.recipient(Recipient(recipient)))
        size = piece or len(content) or 1
        for at in range(0, len(content), size):
            waiting = transaction.body(content[at : at + size])
            if waiting is not None:
                now(waiting)
        committed: Committed = now(transaction.commit())
        return committed

    def refused(self, content: bytes, **options: Any) -> str:
        """The reply to a mail that is refused."""
        try:
            self.send(content, **options)
        except MailError as error:
            return error.reply.line()
        raise AssertionError("accepted")

    def mail(self, queue: str = "incoming") -> MemoryMessage:
        """The one mail in a queue."""
        return self.store.only(queue)

    @property
    def recipients(self) -> list[bytes]:
        return [recipient.address for recipient in self.mail().envelope.recipients]

    @property
    def lines(self) -> list[str]:
        return self.host.log.lines
