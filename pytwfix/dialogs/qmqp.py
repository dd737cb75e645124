"""QMQP as a pure machine (QD-1): one netstring that holds netstrings: the message, the sender, the recipients.

    L:  l:message,  l:sender,  l:recipient,  l:recipient,  ...  ,

`receive` takes bytes and gives events: `Content` in pieces with CRLF line ends, `Sender`, `Recipient`, `End`. QmqpError
says what is wrong and during what; `activity` is what is going on when the client leaves or falls silent.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from pytwfix.dialogs.lines import Normalizer

HEADER = "receiving QMQP packet header"
CONTENT = "receiving message content"
SENDER = "receiving sender address"
RECIPIENT = "receiving recipient address"
_NEXT = {HEADER: CONTENT, CONTENT: SENDER, SENDER: RECIPIENT, RECIPIENT: RECIPIENT}
_MAX_DIGITS = 10
_ADDRESS_LIMIT = 2048
_FORMAT, _TOO_LONG = "netstring format error", "netstring length exceeds storage limit"


class QmqpError(Exception):
    """The client breaks the rules; the text has no `while ...`."""


class Content(NamedTuple):
    data: bytes


class Sender(NamedTuple):
    address: bytes


class Recipient(NamedTuple):
    address: bytes


class End(NamedTuple):
    """All is here."""


Event: TypeAlias = "Content | Sender | Recipient | End"


class QmqpServer:
    """One connection, one mail. `size_limit` is that of the message; 0 for none."""

    __slots__ = ("_buffer", "_left", "_lines", "_open", "_size_limit", "activity", "ended")

    def __init__(self, size_limit: int) -> None:
        self._size_limit = size_limit
        self._buffer = bytearray()
        self._left = 0  # of the outer netstring
        self._open = -1  # what is still to come of an inner one; -1 between two
        self._lines = Normalizer(False)
        self.activity = HEADER
        self.ended = False

    def receive(self, data: bytes) -> list[Event]:
        self._buffer += data
        events: list[Event] = []
        while not self.ended and self._step(events):
            pass
        return events

    def _step(self, events: list[Event]) -> bool:
        """Use what can be used; False when more is needed."""
        if self.activity == HEADER:
            return self._begin()
        if self._open < 0:
            return self._next(events)
        return self._content(events) if self.activity == CONTENT else self._address(events)

    def _begin(self) -> bool:
        size = self._length(0)
        if size is None:
            return False
        self._left = size[0]
        self.activity = CONTENT
        return True

    def _length(self, limit: int) -> tuple[int, int] | None:
        """A netstring's length, and how many bytes said so; None when it is not complete."""
        buffer = self._buffer
        colon = buffer.find(b":", 0, _MAX_DIGITS + 1)
        digits = bytes(buffer[: colon if colon >= 0 else _MAX_DIGITS + 1])
        if digits and not digits.isdigit():
            raise QmqpError(_FORMAT)
        if colon < 0:
            if len(digits) > _MAX_DIGITS:
                raise QmqpError(_TOO_LONG)
            return None
        if not digits:
            raise QmqpError(_FORMAT)
        size = int(digits)
        if limit and size > limit:
            raise QmqpError(_TOO_LONG)
        del buffer[: colon + 1]
        return size, colon + 1

    def _next(self, events: list[Event]) -> bool:
        """The length of the next inner netstring, or the end of the outer one."""
        if not self._left and self.activity == RECIPIENT:
            return self._finish(events)
        found = self._length(self._size_limit if self.activity == CONTENT else _ADDRESS_LIMIT)
        if found is None:
            return False
        size, used = found
        self._left -= used + size + 1
        if self._left < 0:
            raise QmqpError(_FORMAT)
        self._open = size
        return True

    def _finish(self, events: list[Event]) -> bool:
        if not self._buffer:
            return False
        if self._buffer[:1] != b",":
            raise QmqpError(_FORMAT)
        self.ended = True
        events.append(End())
        return False

    def _content(self, events: list[Event]) -> bool:
        raw = bytes(self._buffer[: self._open])
        del self._buffer[: len(raw)]
        self._open -= len(raw)
        data = self._lines.feed(raw)
        if not self._open and self._buffer:
            data += self._lines.finish()
        if data:
            events.append(Content(data))
        return self._closed()

    def _closed(self) -> bool:
        """Past the comma of an inner netstring."""
        if self._open or not self._buffer:
            return False
        if self._buffer[:1] != b",":
            raise QmqpError(_FORMAT)
        del self._buffer[:1]
        self._open = -1
        self.activity = _NEXT[self.activity]
        return True

    def _address(self, events: list[Event]) -> bool:
        if len(self._buffer) <= self._open:
            return False
        address = bytes(self._buffer[: self._open])
        del self._buffer[: self._open]
        self._open = 0
        event = Sender(address) if self.activity == SENDER else Recipient(address)
        self._closed()
        events.append(event)
        return True
