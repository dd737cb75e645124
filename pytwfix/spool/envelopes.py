"""An envelope as records of a queue file, and back (INVENTORY RF-1, RF-2, RF-4, RF-5).

`front` is what stands before the content: T, attributes, S, recipients. `tail` is what content inspection added, which
stands behind it: filter, redirect, encoding, more recipients. `EnvelopeReader` takes records of either place, in the
forms of older Postfix too. Pure. CorruptMessage for what makes no sense.
"""

from __future__ import annotations

from functools import lru_cache

from pytwfix.contracts.queue import CorruptMessage
from pytwfix.mail.envelope import Client, Envelope, Recipient
from pytwfix.spool import records
from pytwfix.spool.records import attribute, record

# Attributes of the session, in the order in which Postfix writes them. The first group is what a filter forwarded by
# XFORWARD, or else the same as the second one, which is the session itself.
_LOGGED = (
    (b"log_client_name", "name"),
    (b"log_client_address", "address"),
    (b"log_client_port", "port"),
    (b"log_message_origin", ""),
    (b"log_helo_name", "helo"),
    (b"log_protocol_name", "protocol"),
)
_SESSION = (
    (b"client_name", "name"),
    (b"reverse_client_name", "reverse_name"),
    (b"client_address", "address"),
    (b"client_port", "port"),
    (b"server_address", "server_address"),
    (b"server_port", "server_port"),
    (b"helo_name", "helo"),
    (b"protocol_name", "protocol"),
    (b"client_address_type", "address_type"),
)
_SASL = (
    (b"sasl_method", "sasl_method"),
    (b"sasl_username", "sasl_username"),
    (b"sasl_sender", "sasl_sender"),
)
_CLIENT_FIELDS = dict(_SESSION + _SASL)
_ORIGIN_FIELDS = dict(_LOGGED)
_NONE: dict[str, bytes] = {}  # the attributes of all messages that have none of their own: nobody changes it
_NOBODY = Client()  # the origin of all messages that have none of their own: nobody changes it
_NOTIFY_SHIFT = 1  # of NOTIFY bits among the flags of the size record


def size_record(size: int, offset: int, count: int, flags: int, length: int, sendopts: int) -> bytes:
    """The C record: six numbers of fixed width, so that it can be written last."""
    return b"C\x5f%15d %15d %15d %15d %15d %15d" % (size, offset, count, flags, length, sendopts)


SIZE_RECORD_LENGTH = len(size_record(0, 0, 0, 0, 0, 0))
FLAGS_OFFSET = 2 + 3 * 16  # of the flags in a file that begins with a size record


def flags_of(envelope: Envelope) -> int:
    """Flags of the size record: the queue manager's own, and every kind of report that some recipient asks for."""
    flags = envelope.flags
    for recipient in envelope.recipients:
        if recipient.notify:
            flags |= recipient.notify << _NOTIFY_SHIFT
    return flags


def front(envelope: Envelope) -> bytes:
    """All records before the recipients but the size record."""
    seconds = int(envelope.arrival)
    out = [record(records.TIME, b"%d %d" % (seconds, (envelope.arrival - seconds) * 1_000_000))]
    out.append(attribute(b"create_time", b"%d" % seconds))
    if envelope.log_ident:
        out.append(attribute(b"log_ident", envelope.log_ident.encode()))
    out.append(attribute(b"rewrite_context", envelope.rewrite_context.encode()))
    if envelope.dsn_envid:
        out.append(attribute(b"envelope_id", envelope.dsn_envid))
    if envelope.dsn_ret:
        out.append(attribute(b"ret_flags", b"%d" % envelope.dsn_ret))
    if envelope.full_name:
        out.append(record(records.FULL_NAME, envelope.full_name))
    out.append(record(records.SENDER, envelope.sender))
    if envelope.trace_flags:
        out.append(attribute(b"trace_flags", b"%d" % envelope.trace_flags))
    if envelope.encoding:
        out.append(attribute(b"encoding", envelope.encoding.encode()))
    _sessions(envelope, out)
    for name, value in envelope.attributes.items():
        out.append(attribute(name.encode(), value))
    if envelope.verp:
        out.append(record(records.VERP, envelope.verp.encode()))
    if envelope.warn_time > 0:
        out.append(record(records.WARN, b"%15d" % envelope.warn_time))
    return b"".join(out)


def _sessions(envelope: Envelope, out: list[bytes]) -> None:
    client = envelope.client
    for name, field in _SASL:
        if value := getattr(client, field):
            out.append(attribute(name, value.encode("utf-8", "surrogateescape")))
    logged = envelope.origin if envelope.origin.address else client
    if logged.address:
        _session(logged, _LOGGED, out)
    if client.address:
        _session(client, _SESSION, out)


def _session(client: Client, names: tuple[tuple[bytes, str], ...], out: list[bytes]) -> None:
    for name, field in names:
        text: str = getattr(client, field) if field else f"{client.name}[{client.address}]"
        if text:
            value = text.encode("utf-8", "surrogateescape")
            size = len(name) + 1 + len(value)
            out.append(b"A%c%b=%b" % (size, name, value) if size < 128 else attribute(name, value))


def recipients(those: list[Recipient], position: int) -> bytes:
    """Their records, to be written at `position`; fills in their offsets."""
    out = []
    for recipient in those:
        before = b""
        if recipient.notify:
            before = attribute(b"notify_flags", b"%d" % recipient.notify)
        if recipient.orcpt:
            before += attribute(b"dsn_orig_rcpt", recipient.orcpt)
        if recipient.original:
            before += record(records.ORIGINAL, recipient.original)
        recipient.offset = position + len(before)
        text = before + record(records.DONE if recipient.done else records.RECIPIENT, recipient.address)
        out.append(text)
        position += len(text)
    return b"".join(out)


def tail(envelope: Envelope) -> bytes:
    """What is decided while the content is looked at, behind the X record; without recipients and E."""
    out = []
    if envelope.content_filter:
        out.append(record(records.FILTER, envelope.content_filter.encode()))
    if envelope.redirect:
        out.append(record(records.REDIRECT, envelope.redirect))
    if envelope.encoding:
        out.append(attribute(b"encoding", envelope.encoding.encode()))
    return b"".join(out)


class EnvelopeReader:
    """Fills an envelope from records in file order."""

    def __init__(self, queue_id: str) -> None:
        self.envelope = Envelope(queue_id=queue_id, origin=_NOBODY, attributes=_NONE)
        self.count = -1  # of recipients, as the size record says
        self.data_size = -1  # from the content's begin to the X record; -1: there is no size record
        self.data_offset = -1
        self.warn_offset = -1
        self.trace_offset = -1
        self.has_sender = False
        self._logged = Client()
        self._original = b""
        self._orcpt = b""
        self._notify = 0

    def take(self, kind: int, data: bytes, offset: int) -> None:
        """One record, and where in the file it begins. CorruptMessage when its data makes no sense."""
        if kind == 0x41:  # A
            self._attribute(data, offset)
        elif kind == 0x52:  # R
            self._recipient(data, offset, False)
        elif kind == 0x44:  # D
            self._recipient(data, offset, True)
        elif kind == 0x4F:  # O
            self._original = data
        else:
            taker = _TAKERS.get(kind)
            if taker is not None:
                taker(self, data, offset)

    def finish(self) -> Envelope:
        """The envelope, when all records have come. CorruptMessage when what every mail has is missing."""
        envelope = self.envelope
        if not self.has_sender or not envelope.arrival:
            raise CorruptMessage("no sender or arrival time")
        origin, client = self._logged, envelope.client
        same = (origin.name, origin.address, origin.port, origin.helo, origin.protocol) == (
            client.name, client.address, client.port, client.helo, client.protocol)  # fmt: skip
        if not same:
            envelope.origin = origin
        if envelope.log_ident and envelope.log_ident != envelope.queue_id:
            envelope.origin_ident = envelope.log_ident
        else:
            envelope.log_ident = envelope.log_ident and envelope.queue_id
        return envelope

    def _recipient(self, address: bytes, offset: int, done: bool) -> None:
        original = address if self._original == address else self._original
        self.envelope.recipients.append(Recipient(address, original, self._orcpt, self._notify, offset, done))
        self._original = self._orcpt = b""
        self._notify = 0

    def _attribute(self, data: bytes, offset: int) -> None:
        name, equals, value = data.partition(b"=")
        if not equals:
            raise CorruptMessage("malformed attribute")
        field = _CLIENT_FIELDS.get(name)
        if field is not None:
            setattr(self.envelope.client, field, _shared(value))
            return
        field = _ORIGIN_FIELDS.get(name)
        if field is not None:
            if field:
                setattr(self._logged, field, _shared(value))
            return
        if name == b"notify_flags":
            self._notify = number(value)
        elif name == b"dsn_orig_rcpt":
            self._orcpt = value
        elif not self._message_attribute(name, value, offset):
            self.envelope.attributes = {**self.envelope.attributes, _shared(name): value}

    def _message_attribute(self, name: bytes, value: bytes, offset: int) -> bool:
        envelope = self.envelope
        if name == b"log_ident":
            envelope.log_ident = _text(value)
        elif name == b"rewrite_context":
            envelope.rewrite_context = _shared(value)
        elif name == b"encoding":
            envelope.encoding = _shared(value)
        elif name == b"envelope_id":
            envelope.dsn_envid = value
        elif name == b"ret_flags":
            envelope.dsn_ret = number(value)
        elif name == b"trace_flags":
            envelope.trace_flags = number(value)
            self.trace_offset = offset
        elif name == b"sendopts":
            envelope.sendopts = number(value)
        elif name != b"create_time":
            return False
        return True

    def _size(self, data: bytes, offset: int) -> None:
        numbers = [number(text) for text in data.split()]
        if len(numbers) < 2 or min(numbers) < 0:
            raise CorruptMessage("malformed size record")
        numbers += [0] * (6 - len(numbers))
        self.data_size, self.data_offset, self.count, flags, _, sendopts = numbers[:6]
        self.envelope.size = self.data_size
        self.envelope.content_offset = self.data_offset
        self.envelope.flags = flags
        self.envelope.sendopts = sendopts

    def _time(self, data: bytes, offset: int) -> None:
        parts = data.split()
        if not parts:
            raise CorruptMessage("malformed arrival time")
        self.envelope.arrival = number(parts[0]) + (number(parts[1]) / 1_000_000 if len(parts) > 1 else 0)

    def _sender(self, data: bytes, offset: int) -> None:
        self.envelope.sender = data
        self.has_sender = True

    def _warn(self, data: bytes, offset: int) -> None:
        when = number(data)
        self.envelope.warn_time = when if when >= 0 else -1.0
        self.warn_offset = offset if when > 0 else -1

    def _full_name(self, data: bytes, offset: int) -> None:
        self.envelope.full_name = data

    def _filter(self, data: bytes, offset: int) -> None:
        self.envelope.content_filter = _text(data)

    def _redirect(self, data: bytes, offset: int) -> None:
        self.envelope.redirect = data

    def _verp(self, data: bytes, offset: int) -> None:
        self.envelope.verp = _text(data)

    def _ret(self, data: bytes, offset: int) -> None:
        self.envelope.dsn_ret = number(data)

    def _envid(self, data: bytes, offset: int) -> None:
        self.envelope.dsn_envid = data

    def _take_orcpt(self, data: bytes, offset: int) -> None:
        self._orcpt = data

    def _take_notify(self, data: bytes, offset: int) -> None:
        self._notify = number(data)

    def _cancelled(self, data: bytes, offset: int) -> None:
        """A recipient that was taken back."""
        self._original = self._orcpt = b""
        self._notify = 0


_TAKERS = {
    ord(records.SIZE): EnvelopeReader._size,
    ord(records.TIME): EnvelopeReader._time,
    ord(records.SENDER): EnvelopeReader._sender,
    ord(records.WARN): EnvelopeReader._warn,
    ord(records.FULL_NAME): EnvelopeReader._full_name,
    ord(records.FILTER): EnvelopeReader._filter,
    ord(records.REDIRECT): EnvelopeReader._redirect,
    ord(records.VERP): EnvelopeReader._verp,
    ord(records.DSN_RET): EnvelopeReader._ret,
    ord(records.DSN_ENVID): EnvelopeReader._envid,
    ord(records.DSN_ORCPT): EnvelopeReader._take_orcpt,
    ord(records.DSN_NOTIFY): EnvelopeReader._take_notify,
    ord(records.CANCELLED): EnvelopeReader._cancelled,
}


def number(text: bytes) -> int:
    """A decimal number of a record. CorruptMessage when it is none."""
    try:
        return int(text)
    except ValueError:
        raise CorruptMessage(f"bad number: {text[:40]!r}") from None


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


@lru_cache(2000)
def _shared(value: bytes) -> str:
    """The text of what many messages have in common: they wait by ten thousands, and should not have each their own."""
    return _text(value)
