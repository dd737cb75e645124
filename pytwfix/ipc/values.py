"""How the values of contracts and mail travel: each as a flat tuple that msgpack knows (HOUSE 5).

`pack_x` makes it, `unpack_x` takes it apart and raises Malformed when the kinds are not right: a process that talks to
the network is not trusted with more than what its calls say. NamedTuples are tuples already.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, TypeVar

from pytwfix.contracts.delivery import DeliveryRequest, DeliveryResult, Times
from pytwfix.contracts.reports import Report
from pytwfix.contracts.verification import Verified
from pytwfix.ipc.frames import Malformed
from pytwfix.mail.envelope import Client, Envelope, Recipient
from pytwfix.mail.status import Dsn

T = TypeVar("T")
Packed = tuple[Any, ...]
_recipient = attrgetter("address", "original", "orcpt", "notify", "offset", "done")
_client = attrgetter(
    "name", "address", "port", "helo", "protocol", "reverse_name", "address_type", "server_address", "server_port",
    "sasl_method", "sasl_username", "sasl_sender",
)  # fmt: skip
_times = attrgetter("arrival", "active", "handoff", "connected", "reuse")
# The fields of an envelope in the order in which they are declared, without recipients, clients and attributes.
_envelope = attrgetter(
    "queue_id", "sender", "arrival", "size", "encoding", "rewrite_context", "log_ident", "origin_ident", "dsn_envid",
    "dsn_ret", "sendopts", "trace_flags", "content_filter", "redirect", "verp", "full_name", "warn_time",
    "content_offset", "flags", "force_expired",
)  # fmt: skip
_NUMBER = (int, float)
_RECIPIENT = (bytes, bytes, bytes, int, int, bool)
_STRINGS = frozenset((str,))
_ENVELOPE = (
    str, bytes, _NUMBER, int, str, str, str, str, bytes, int, int, int, str, bytes, str, bytes, _NUMBER, int, int, bool,
)  # fmt: skip
_NOBODY = Client()


def typed(values: object, *kinds: type | tuple[type, ...]) -> Packed:
    """`values` when they are a tuple of these kinds; Malformed."""
    if type(values) is not tuple or len(values) != len(kinds) or not all(map(isinstance, values, kinds)):
        raise Malformed("value of a wrong kind")
    return values


def sequence(values: object, unpack: Callable[[Any], T]) -> list[T]:
    """A list of values that `unpack` reads."""
    if type(values) is not tuple:
        raise Malformed("not a list")
    return [unpack(value) for value in values]


def pack_recipient(value: Recipient) -> Packed:
    packed: Packed = _recipient(value)
    return packed


def unpack_recipient(values: Any) -> Recipient:
    if type(values) is not tuple or tuple(map(type, values)) != _RECIPIENT:
        raise Malformed("recipient")
    return Recipient(*values)


def pack_client(value: Client) -> Packed:
    """() for nobody in particular."""
    return () if value == _NOBODY else _client(value)


def unpack_client(values: Any) -> Client:
    if values == ():
        return Client()
    if type(values) is not tuple or len(values) != 12 or not _STRINGS.issuperset(map(type, values)):
        raise Malformed("client")
    return Client(*values)


def pack_envelope(value: Envelope, recipients: bool = True) -> Packed:
    """`recipients` False: without them, for who gets a list of his own."""
    return (
        _envelope(value),
        [_recipient(one) for one in value.recipients] if recipients else (),
        pack_client(value.client),
        pack_client(value.origin),
        value.attributes,
    )


def unpack_envelope(values: Any) -> Envelope:
    fields, recipients, client, origin, attributes = typed(values, tuple, tuple, tuple, tuple, dict)
    fields = typed(fields, *_ENVELOPE)
    made = Envelope(fields[0], fields[1], [unpack_recipient(one) for one in recipients], *fields[2:7])
    made.client, made.origin = unpack_client(client), unpack_client(origin)
    (
        made.origin_ident, made.dsn_envid, made.dsn_ret, made.sendopts, made.trace_flags, made.content_filter,
        made.redirect, made.verp, made.full_name, made.warn_time, made.content_offset, made.flags, made.force_expired,
    ) = fields[7:]  # fmt: skip
    if attributes:
        if not all(type(name) is str and type(value) is bytes for name, value in attributes.items()):
            raise Malformed("attributes")
        made.attributes = attributes
    return made


def unpack_dsn(values: Any) -> Dsn:
    if type(values) is not tuple or len(values) != 7 or not _STRINGS.issuperset(map(type, values)):
        raise Malformed("dsn")
    return Dsn(*values)


def _unpack_dsn_or_none(values: Any) -> Dsn | None:
    return None if values is None else unpack_dsn(values)


def pack_report(value: Report) -> Packed:
    return (_recipient(value.recipient), value.dsn, value.relay, value.when)


def unpack_report(values: Any) -> Report:
    recipient, dsn, relay, when = typed(values, tuple, tuple, str, _NUMBER)
    return Report(unpack_recipient(recipient), unpack_dsn(dsn), relay, when)


def pack_reports(values: list[Report]) -> list[Packed]:
    return [pack_report(value) for value in values]


def unpack_reports(values: Any) -> list[Report]:
    return sequence(values, unpack_report)


def pack_times(value: Times) -> Packed:
    packed: Packed = _times(value)
    return packed


def unpack_times(values: Any) -> Times:
    return Times(*typed(values, _NUMBER, _NUMBER, _NUMBER, _NUMBER, int))


def pack_request(value: DeliveryRequest) -> Packed:
    """Without the message in hand: who gets it opens the file through a store of his own."""
    return (
        value.queue,
        value.queue_id,
        value.transport,
        value.nexthop,
        pack_envelope(value.envelope, recipients=False),
        [_recipient(one) for one in value.recipients],
        _times(value.times),
        value.flags,
        value.override,
    )


def unpack_request(values: Any) -> DeliveryRequest:
    kinds = (str, str, str, str, tuple, tuple, tuple, int, object)
    queue, queue_id, transport, nexthop, envelope, recipients, times, flags, override = typed(values, *kinds)
    return DeliveryRequest(
        queue,
        queue_id,
        transport,
        nexthop,
        unpack_envelope(envelope),
        [unpack_recipient(one) for one in recipients],
        unpack_times(times),
        flags,
        None,
        _unpack_dsn_or_none(override),
    )


def pack_result(value: DeliveryResult, request: DeliveryRequest) -> Packed:
    """Recipients that stay by their place in the request, so that the asker gets his own objects back."""
    places = {id(one): at for at, one in enumerate(request.recipients)}
    stay = [at for one in value.deferred if (at := places.get(id(one), -1)) >= 0]
    return (stay, value.dead, value.transport_dead, value.recorded)


def unpack_result(values: Any, request: DeliveryRequest) -> DeliveryResult:
    """Recipients of `request` that do not stay are marked as done."""
    stay, dead, transport_dead, recorded = typed(values, tuple, object, object, bool)
    recipients = request.recipients
    if not all(type(at) is int and 0 <= at < len(recipients) for at in stay):
        raise Malformed("recipient that was not asked for")
    kept = frozenset(stay)
    for at, recipient in enumerate(recipients):
        if at not in kept:
            recipient.done = True
    deferred = [recipients[at] for at in stay]
    return DeliveryResult(deferred, _unpack_dsn_or_none(dead), _unpack_dsn_or_none(transport_dead), recorded)


def unpack_verified(values: Any) -> Verified:
    return Verified(*typed(values, int, str))
