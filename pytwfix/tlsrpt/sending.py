"""Reports on their way: by mail through cleanup, or to a web server (RFC 8460 sections 3, 5.3 to 5.6).

A mail is done when it is queued: the queue sees to the rest, and the header `TLS-Required: no` lets it go to servers
whose TLS is just what the report is about. A web server that does not take it is asked again every hour for a day.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pytwfix.contracts.cleanup import INTERNAL, MAP, MILTER, Origin
from pytwfix.mail.envelope import REQUIRETLS_HEADER, Recipient
from pytwfix.mail.errors import MailError
from pytwfix.mail.hostnames import valid_name
from pytwfix.tlsrpt import log
from pytwfix.tlsrpt.message import MEDIA_TYPE, Packed, address_of, written

if TYPE_CHECKING:
    from pytwfix.contracts.cleanup import ITransaction
    from pytwfix.contracts.host import IHost
    from pytwfix.mail.tlsrpt import Sender
    from pytwfix.tlsrpt.settings import ReportSettings
    from pytwfix.tlsrpt.shelf import Shelf, Waiting

AGAIN = 3600.0  # seconds after which a place is tried again
_ANSWER = 65536  # bytes that a web server may say


class _NotSent(Exception):
    """`last`: it makes no sense to try again."""

    def __init__(self, text: str, last: bool = False) -> None:
        super().__init__(text)
        self.last = last


class Sending:
    """What is sent with one set of settings."""

    def __init__(self, host: IHost, cfg: ReportSettings, sender: Sender, shelf: Shelf) -> None:
        self._host = host
        self._cfg = cfg
        self._sender = sender
        self._shelf = shelf

    async def send(self, waiting: Waiting) -> None:
        """To all places where it has not been. OSError: the disk does not work."""
        threads = self._host.threads
        try:
            data = await threads.run(self._shelf.packed, waiting.name)
        except FileNotFoundError:
            await threads.run(self._shelf.sent, waiting.name)
            return
        packed = Packed(data, waiting.name, waiting.domain, waiting.begin)
        left: list[str] = []
        for place in waiting.places:
            if not await self._to(place, packed, waiting.limit):
                left.append(place)
        if left:
            later = waiting._replace(places=tuple(left), due=self._host.now() + AGAIN)
            await threads.run(self._shelf.wait, later)
        else:
            await threads.run(self._shelf.sent, waiting.name)

    async def _to(self, place: str, packed: Packed, limit: float) -> bool:
        """Whether this place is done with."""
        out = self._host.log
        try:
            if place.lower().startswith("mailto:"):
                await self._mail(address_of(place), packed)
            else:
                await self._post(place, packed)
                log.posted(out, packed.domain, place)
        except _NotSent as problem:
            last = problem.last or self._host.now() + AGAIN > limit
            log.not_sent(out, packed.domain, place, str(problem), last)
            return last
        return True

    # By mail.

    async def _mail(self, to: bytes, packed: Packed) -> None:
        if not to:
            raise _NotSent("not an address", last=True)
        flags = INTERNAL | MAP | MILTER  # a mail filter may sign it, as section 3 asks
        origin = Origin(flags, rewrite_context="local", source="local", service="tlsrpt", arrival=self._host.now())
        try:
            transaction = await self._host.peers.cleanup.begin(origin)
            try:
                await self._fill(transaction, to, packed)
                committed = await transaction.commit()
            except BaseException as error:
                transaction.abort(str(error))
                raise
        except MailError as error:
            raise _NotSent(error.reason or error.reply.line()) from None
        log.mailed(self._host.log, committed.queue_id, packed.domain)

    async def _fill(self, transaction: ITransaction, to: bytes, packed: Packed) -> None:
        transaction.envelope.sendopts |= REQUIRETLS_HEADER
        await transaction.sender(self._cfg.pytwfix_tlsrpt_sender.encode("utf-8", "surrogateescape"))
        await transaction.recipient(Recipient(to, to))
        waiting = transaction.body(written(packed, to, self._sender, transaction.queue_id, self._host.now()))
        if waiting is not None:
            await waiting

    # To a web server.

    async def _post(self, place: str, packed: Packed) -> None:
        from pytwfix.net.https import NoPage, Posting, post  # brings the web client of Twisted

        cfg, host = self._cfg, self._host
        name, port, path = web_place(place)
        if not name:
            raise _NotSent("not a place on the web", last=True)
        posting = Posting(packed.data, MEDIA_TYPE, port)
        try:
            authorities = await host.secret(cfg.pytwfix_tlsrpt_CAfile) if cfg.pytwfix_tlsrpt_CAfile else b""
            page = await post(host, name, path, posting, cfg.pytwfix_tlsrpt_timeout, _ANSWER, authorities)
        except (NoPage, OSError, ValueError) as error:
            raise _NotSent(str(error)) from None
        if not 200 <= page.status < 300:
            raise _NotSent(f"HTTP status {page.status}")


def web_place(uri: str) -> tuple[str, int, str]:
    """(host name, port or 0 for the usual one, path and query) of an https: URI. No name: it is none for us, as one
    with a user's name or with an address in place of a name."""
    try:
        parts = urlsplit(uri)
        name, port = parts.hostname or "", parts.port or 0
    except ValueError:
        return "", 0, ""
    if parts.scheme != "https" or "@" in parts.netloc or not valid_name(name.encode("utf-8", "replace")):
        return "", 0, ""
    return name, port, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
