"""The message that a notice is about: its content, or its header alone (DS-1; RFC 3461 section 4.3). CRLF line ends."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytwfix.bounce import log
from pytwfix.contracts.queue import ACTIVE, DEFERRED, NoSuchMessage, QueueError

if TYPE_CHECKING:
    from pytwfix.contracts.host import IHost
    from pytwfix.contracts.queue import IMessage

_END = re.compile(rb"(?:\A|\r\n)\r\n")
_HEADER = re.compile(rb"[!-9;-~]+[ \t]*:")
_MESSAGE_ID = re.compile(rb"^message-id[ \t]*:[ \t]*((?:[^\r\n]|\r\n[ \t])*)", re.IGNORECASE | re.MULTILINE)
_MOST_HEADER = 1 << 20


class Original:
    """`content` as it may be attached; `message_id` for threads; `sender` is the message's own, who is not told what a
    list's owner is. `there` is false when the file cannot be read."""

    __slots__ = ("content", "header", "message_id", "sender", "there")

    def __init__(self, header: bytes, content: bytes, there: bool = True, sender: bytes | None = None) -> None:
        self.header = header
        self.content = content
        self.there = there
        self.sender = sender
        found = _MESSAGE_ID.search(header)
        self.message_id = b" ".join(found.group(1).split()) if found else b""


async def read_original(host: IHost, queue_id: str, whole: bool) -> Original:
    """Without `whole` only the header is read. A message that cannot be read is told from the log alone."""
    try:
        message = await _open(host, queue_id)
        try:
            return await _read(message, whole)
        finally:
            message.close()
    except (QueueError, OSError) as error:
        log.no_original(host.log, queue_id, str(error) or type(error).__name__)
        return Original(b"", b"", False)


async def _open(host: IHost, queue_id: str) -> IMessage:
    store = host.peers.store
    try:
        return await store.open(ACTIVE, queue_id, lock=False)
    except NoSuchMessage:
        return await store.open(DEFERRED, queue_id, lock=False)


async def _read(message: IMessage, whole: bool) -> Original:
    pieces: list[bytes] = []
    header: bytes | None = None
    async for piece in message.body():
        pieces.append(piece)
        if header is None:
            data = b"".join(pieces) if len(pieces) > 1 else piece
            header = _header_of(data)
            if header is not None and not whole:
                break
    data = b"".join(pieces)
    return Original(data if header is None else header, data, sender=message.envelope.sender)


def _header_of(data: bytes) -> bytes | None:
    """The header with its last line end; None when its end has not been seen."""
    if not _HEADER.match(data) and len(data) >= 2:
        return b""
    end = _END.search(data)
    if end is not None:
        return data[: end.end() - 2]
    return data if len(data) > _MOST_HEADER else None
