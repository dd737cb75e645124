"""What a maildrop file says (INVENTORY PK-1, PD-1, RF-3, RF-4, RF-5).

Files come from sendmail(1) by way of the daemon or of root, and, after `postsuper -r`, from the queue itself: those
have queue file records that others may not use. Pure. ValueError for a file that makes no sense.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytwfix.accept.pickup import records
from pytwfix.accept.pickup.dropname import SUBMITTER
from pytwfix.mail.envelope import Client, Recipient

_ALLOWED = frozenset(
    (
        b"encoding",
        b"envelope_id",
        b"ret_flags",
        b"notify_flags",
        b"dsn_orig_rcpt",
        b"trace_flags",
        b"sendopts",
        b"rewrite_context",
    )
)
_CLIENT = {
    "log_client_name": "name",
    "log_client_address": "address",
    "log_client_port": "port",
    "log_helo_name": "helo",
    "log_protocol_name": "protocol",
}


class DropFile:
    """One mail. `content` gives pieces with CRLF line ends."""

    def __init__(self, data: bytes) -> None:
        self.sender: bytes | None = None
        self.recipients: list[Recipient] = []
        self.full_name = b""
        self.verp: str | None = None
        self.attributes: dict[str, bytes] = {}
        self.requeued = False
        self.arrival = 0.0
        self._data = data
        self._pieces: list[bytes] = []
        self._original = b""
        self._read()

    def _read(self) -> None:
        part = records.ENVELOPE_TYPES
        text: list[bytes] = []
        for kind, value in records.parse(self._data):
            if kind == records.CONTENT:
                part = records.CONTENT_TYPES
            elif kind == records.EXTRACTED:
                part = records.EXTRACTED_TYPES
            elif part is records.CONTENT_TYPES and kind in (records.NORMAL, records.CONTINUED):
                text.append(value + b"\r\n" if kind == records.NORMAL else value)
            elif part is not records.CONTENT_TYPES:
                self._envelope(kind, value)
        if part is not records.EXTRACTED_TYPES:
            raise ValueError("message has no end")
        if self.sender is None:
            raise ValueError("message has no sender")
        self._pieces = text

    def _envelope(self, kind: bytes, value: bytes) -> None:
        if kind == records.SENDER:
            self.sender = value
        elif kind == records.RECIPIENT:
            self._recipient(value)
        elif kind == records.DONE:
            self._forget()
        elif kind == records.ORIGINAL:
            self._original = value
        elif kind == records.FULLNAME:
            self.full_name = value
        elif kind == records.VERP:
            self.verp = value.decode("ascii", "replace")
        elif kind == records.ATTRIBUTE:
            name, _, text = value.partition(b"=")
            self.attributes[name.decode("ascii", "replace")] = text
        elif kind == records.SIZE:
            self.requeued = True
        elif kind == records.TIME:
            self.arrival = float(_number(value.split(b" ")[0]))

    def _recipient(self, address: bytes) -> None:
        attributes = self.attributes
        notify = _number(attributes.pop("notify_flags", b"0"))
        orcpt = attributes.pop("dsn_orig_rcpt", b"")
        self.recipients.append(Recipient(address, self._original or address, orcpt, notify))
        self._original = b""

    def _forget(self) -> None:
        """A recipient that was delivered to."""
        self.attributes.pop("notify_flags", None)
        self.attributes.pop("dsn_orig_rcpt", None)
        self._original = b""

    def number(self, name: str) -> int:
        """A numeric attribute, 0 when it is missing."""
        return _number(self.attributes.get(name, b"0"))

    def text(self, name: str) -> str:
        return self.attributes.get(name, b"").decode("utf-8", "replace")

    def client(self) -> Client:
        """Where a requeued mail came from at first."""
        return Client(**{field: self.text(name) for name, field in _CLIENT.items() if name in self.attributes})

    def content(self, size: int = 1 << 16) -> Iterator[bytes]:
        """The content in pieces of about `size` octets."""
        piece: list[bytes] = []
        length = 0
        for line in self._pieces:
            piece.append(line)
            length += len(line)
            if length >= size:
                yield b"".join(piece)
                piece, length = [], 0
        if piece:
            yield b"".join(piece)


def _number(text: bytes) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"bad number: {text[:30]!r}") from None


def sanitized(data: bytes, uid: int) -> bytes:
    """A submission with nothing in it that an ordinary user may not say, and with who says it. ValueError."""
    out = [records.attribute(SUBMITTER, b"%d" % uid)]
    part = records.ENVELOPE_TYPES
    for kind, value in records.parse(data):
        if kind not in part:
            raise ValueError(f"uid={uid}: unexpected record type: {kind[0]}")
        if kind == records.CONTENT:
            part = records.CONTENT_TYPES
        elif kind == records.EXTRACTED:
            part = records.EXTRACTED_TYPES
        if kind == records.SIZE or (kind == records.ATTRIBUTE and value.partition(b"=")[0] not in _ALLOWED):
            continue
        out.append(records.record(kind, value))
    if part is not records.EXTRACTED_TYPES:
        raise ValueError(f"uid={uid}: malformed input")
    return b"".join(out)
