"""public/showq: the listing for a real Postfix's postqueue (INVENTORY PQ-2, SV-2): attribute lists with NUL behind each
name and value, an empty name behind each list, an empty list at the end. Read in a thread, sent as it is taken."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from twisted.internet.protocol import Factory

from pytwfix.master.outflow import Outflow
from pytwfix.settings.common import CommonSettings
from pytwfix.showq.listing import list_queues
from pytwfix.spool.paths import QueuePaths

if TYPE_CHECKING:
    from pytwfix.master.host import ServiceHost

_PIECE = 200


class Listing(Outflow):
    """One reader. Whatever it sends is not looked at."""

    def __init__(self, host: ServiceHost) -> None:
        super().__init__()
        self._host = host

    def connectionMade(self) -> None:
        super().connectionMade()
        self._host.background(self._send(), "listing of the queue")

    async def _send(self) -> None:
        cfg = self._host.settings(CommonSettings)
        messages = list_queues(QueuePaths(cfg.queue_directory, cfg.hash_queue_names, cfg.hash_queue_depth))
        data = encoded([("protocol", "mail_queue_list_protocol")])
        while data and not self.gone:
            self.write(data)
            await self.room()
            data = await self._host.threads.run(_piece, messages)
        self.write(b"\0")
        self.finish()


def factory(host: ServiceHost) -> Any:
    """Serves public/showq."""
    made: Any = Factory()
    made.noisy = False
    made.buildProtocol = lambda _address: Listing(host)
    return made


def _piece(messages: Iterator[dict[str, Any]]) -> bytes:
    return b"".join(encoded(_attributes(one)) for one in islice(messages, _PIECE))


def _attributes(message: dict[str, Any]) -> list[tuple[str, str]]:
    found = [
        ("queue_name", message["queue_name"]),
        ("queue_id", message["queue_id"]),
        ("time", str(message["arrival_time"])),
        ("size", str(message["message_size"])),
        ("forced_expire", str(int(message["forced_expire"]))),
        ("sender", message["sender"]),
    ]
    for recipient in message["recipients"]:
        reason = recipient.get("delay_reason") or recipient.get("bounce_reason") or ""
        found += [("recipient", recipient["address"]), ("reason", reason)]
    return found


def encoded(attributes: list[tuple[str, str]]) -> bytes:
    """One attribute list on the wire."""
    text = "".join(f"{name}\0{value}\0" for name, value in attributes)
    return text.encode("utf-8", "surrogateescape") + b"\0"
