"""hypothesis on ipc: whatever comes over the wire, the answer is a value or Malformed, and nothing else."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.contracts.delivery import DeliveryRequest
from pytwfix.ipc import failures, servers, values
from pytwfix.ipc.frames import Malformed, Reader, Writer
from pytwfix.mail.envelope import Client, Envelope, Recipient
from tests.kit.channels import Pair
from tests.unit.ipc.test_proxies import Recorder

WORDS = st.text(max_size=20)
OCTETS = st.binary(max_size=20)
NUMBERS = st.integers(-(2**40), 2**40)
PLAIN = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.floats(allow_nan=False) | WORDS | OCTETS,
    lambda inner: st.lists(inner, max_size=9).map(tuple) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=20,
)
RECIPIENTS = st.builds(Recipient, OCTETS, OCTETS, OCTETS, NUMBERS, NUMBERS, st.booleans())
CLIENTS = st.builds(Client, *[WORDS] * 12)
ENVELOPES = st.builds(
    Envelope, WORDS, OCTETS, st.lists(RECIPIENTS, max_size=3), st.floats(allow_nan=False), NUMBERS,
    client=CLIENTS, origin=CLIENTS, dsn_envid=OCTETS, attributes=st.dictionaries(WORDS, OCTETS, max_size=3),
    force_expired=st.booleans(),
)  # fmt: skip


class Wire(SynchronousTestCase):
    """The stream."""

    @given(st.lists(PLAIN, max_size=5), st.integers(1, 50))
    def test_messages(self, messages: list[Any], size: int) -> None:
        """What is written is read."""
        data = Writer().frames(messages)[0] * 2
        reader = Reader()
        found = [one for at in range(0, len(data), size) for one in reader.feed(data[at : at + size])]
        self.assertEqual(found, messages * 2)

    @given(st.binary(max_size=200))
    def test_anything(self, data: bytes) -> None:
        try:
            Reader().feed(data)
        except Malformed:
            pass

    @given(st.lists(PLAIN | st.lists(PLAIN, max_size=6).map(lambda rest: (1, *rest)), max_size=5))
    def test_a_channel(self, messages: list[Any]) -> None:
        """A channel serves it, answers with an error, or hangs up."""
        served = {**servers.queue(Recorder()), **servers.reports(Recorder()), **servers.verifier(Recorder())}  # type: ignore[arg-type]
        pair = Pair(served)
        pair.wires[0].write(Writer().frames(messages)[0])
        pair.pump()


class Values(SynchronousTestCase):
    """The codecs."""

    @given(ENVELOPES)
    def test_envelopes(self, envelope: Envelope) -> None:
        """RF-5."""
        data = Writer().frames([values.pack_envelope(envelope)])[0]
        self.assertEqual(values.unpack_envelope(Reader().feed(data)[0]), envelope)

    @given(PLAIN)
    def test_anything(self, value: Any) -> None:
        request = DeliveryRequest("active", "4XyZ", "smtp", "x", Envelope(), [Recipient(b"a")])
        for unpack in (
            values.unpack_envelope, values.unpack_request, values.unpack_reports, values.unpack_recipient,
            values.unpack_verified, failures.unpack_failure, lambda packed: values.unpack_result(packed, request),
        ):  # fmt: skip
            try:
                unpack(value)
            except Malformed:
                pass
