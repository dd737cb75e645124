"""Forwarded mail: one new message for each sender, with what aliases and .forward files gave (LO-1, LO-8)."""

from __future__ import annotations

from pytwfix.contracts.cleanup import MAP, ITransaction, Origin
from pytwfix.contracts.delivery import DeliveryRequest
from pytwfix.contracts.host import IHost
from pytwfix.deliver.local.report import without_success
from pytwfix.deliver.local.target import Target
from pytwfix.mail.dates import mail_date
from pytwfix.mail.envelope import Recipient
from pytwfix.settings.common import CommonSettings


class Forwarding:
    """Collects recipients by sender. Errback of `send`: MailError."""

    def __init__(self, host: IHost, request: DeliveryRequest, top: Recipient) -> None:
        self._host = host
        self._request = request
        self._top = top
        self._new: dict[bytes, list[Recipient]] = {}
        self._seen: set[tuple[bytes, bytes]] = set()

    def add(self, target: Target, address: bytes) -> bool:
        """Whether it was not there yet."""
        key = (target.sender, address.lower())
        if key in self._seen:
            return False
        self._seen.add(key)
        top = self._top
        orcpt = b"" if target.owned else top.orcpt
        recipient = Recipient(address, target.original or address, orcpt, without_success(top.notify))
        self._new.setdefault(target.sender, []).append(recipient)
        return True

    @property
    def senders(self) -> list[bytes]:
        """One new message each."""
        return list(self._new)

    async def send(self, sender: bytes, delivered_to: bytes, body: bytes) -> str:
        """The new queue ID. `body` has LF line ends; `delivered_to` in internal form, b"" for no such header."""
        envelope = self._request.envelope
        origin = Origin(MAP, envelope.client, envelope.origin, rewrite_context=envelope.rewrite_context)
        origin.source = origin.service = "local"
        origin.arrival = self._host.now()
        transaction = await self._host.peers.cleanup.begin(origin)
        try:
            return await self._fill(transaction, sender, delivered_to, body)
        except BaseException as error:
            transaction.abort(str(error))
            raise

    async def _fill(self, transaction: ITransaction, sender: bytes, delivered_to: bytes, body: bytes) -> str:
        self._options(transaction)
        await transaction.sender(sender)
        for recipient in self._new[sender]:
            await transaction.recipient(recipient)
        for piece in (self._headers(transaction.queue_id, delivered_to), body):
            waiting = transaction.body(piece.replace(b"\n", b"\r\n"))
            if waiting is not None:
                await waiting
        return (await transaction.commit()).queue_id

    def _options(self, transaction: ITransaction) -> None:
        """What the sender asked for goes along, as with Postfix even where a list's owner has taken his place. What the
        content is encoded in is for its new receiver to see."""
        old, new = self._request.envelope, transaction.envelope
        new.sendopts, new.log_ident = old.sendopts, old.log_ident
        new.dsn_envid, new.dsn_ret = old.dsn_envid, old.dsn_ret

    def _headers(self, queue_id: str, delivered_to: bytes) -> bytes:
        common = self._host.settings(CommonSettings)
        date = mail_date(self._host.now())
        lines = f"Received: by {common.myhostname} ({common.mail_name})\n\tid {queue_id}; {date}\n".encode()
        return lines + (b"Delivered-To: %s\n" % delivered_to if delivered_to else b"")
