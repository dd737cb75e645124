"""Records of maildrop files, and what they say."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.accept.pickup import records
from pytwfix.accept.pickup.dropfile import DropFile, sanitized
from pytwfix.accept.pickup.dropname import SUBMITTER

R = records.record


def mail(*envelope: bytes, text: tuple[bytes, ...] = (b"Subject: x", b"", b"b"), extra: bytes = b"") -> bytes:
    return b"".join(envelope) + R(b"M", b"") + records.lines(text) + R(b"X", b"") + extra + R(b"E", b"")


class Records(SynchronousTestCase):
    def test_lengths(self) -> None:
        """RF-1: seven bits an octet, low ones first."""
        self.assertEqual(b"N\x00", R(b"N", b""))
        self.assertEqual(b"N\x80\x01" + b"x" * 128, R(b"N", b"x" * 128))

    def test_long_lines(self) -> None:
        """RF-3: a long line is split, and put together again."""
        drop = DropFile(mail(R(b"S", b"s"), R(b"R", b"r"), text=(b"y" * 5000, b"z")))
        self.assertEqual(b"y" * 5000 + b"\r\nz\r\n", b"".join(drop.content()))

    def test_pointer(self) -> None:
        """RF-2: a pointer leads elsewhere; a circle ends."""
        behind = R(b"R", b"two") + R(b"E", b"")
        start = R(b"S", b"s") + R(b"p", b"%15d" % 0)
        data = start + R(b"p", b"%15d" % (len(start) + 17)) + behind
        self.assertEqual([b"S", b"R", b"E"], [kind for kind, _ in records.parse(data)])
        circle = R(b"S", b"s") + R(b"p", b"%15d" % 0)
        self.assertRaises(ValueError, list, records.parse(circle))
        self.assertRaises(ValueError, list, records.parse(R(b"p", b"what")))

    @settings(max_examples=200, deadline=None)
    @given(st.binary(max_size=60))
    def test_garbage(self, data: bytes) -> None:
        """Bytes that are no records are a ValueError, whatever they are."""
        for read in (lambda: DropFile(data), lambda: sanitized(data, 1)):
            try:
                read()
            except ValueError:
                continue

    @settings(max_examples=50, deadline=None)
    @given(st.lists(st.tuples(st.sampled_from([b"S", b"R", b"A"]), st.binary(max_size=300)), max_size=8))
    def test_round_trip(self, items: list[tuple[bytes, bytes]]) -> None:
        data = b"".join(R(kind, value) for kind, value in items) + R(b"E", b"")
        self.assertEqual([*items, (b"E", b"")], list(records.parse(data)))


class DropFiles(SynchronousTestCase):
    def test_submission(self) -> None:
        """RF-3, RF-5: sender, name, recipients with what they ask for."""
        drop = DropFile(
            mail(
                records.attribute("encoding", b"8bit"),
                R(b"F", b"Joe"),
                R(b"S", b"joe"),
                records.attribute("notify_flags", b"6"),
                R(b"R", b"a@b"),
                R(b"R", b"c@d"),
                extra=R(b"R", b"e@f"),
            )
        )
        self.assertEqual(
            (b"joe", b"Joe", "8bit", False), (drop.sender, drop.full_name, drop.text("encoding"), drop.requeued)
        )
        self.assertEqual([(b"a@b", 6), (b"c@d", 0), (b"e@f", 0)], [(r.address, r.notify) for r in drop.recipients])

    def test_requeued(self) -> None:
        """PS-21: a queue file has done recipients, original names and a client."""
        drop = DropFile(
            mail(
                R(b"C", b"%15d" % 1),
                R(b"T", b"1700000000 5"),
                records.attribute("log_ident", b"ABC"),
                R(b"S", b"s@x"),
                records.attribute("log_client_name", b"client"),
                R(b"O", b"list"),
                R(b"D", b"gone@x"),
                R(b"O", b"list"),
                R(b"R", b"left@x"),
            )
        )
        self.assertTrue(drop.requeued)
        self.assertEqual([(b"left@x", b"list")], [(r.address, r.original) for r in drop.recipients])
        self.assertEqual(("client", 1700000000.0), (drop.client().name, drop.arrival))

    def test_no_sense(self) -> None:
        """PK-1: no sender, no end, a number that is none."""
        for data in (mail(R(b"R", b"r")), R(b"S", b"s"), R(b"S", b"s") + R(b"M", b"") + R(b"E", b""),
                     mail(R(b"S", b"s"), records.attribute("notify_flags", b"x"), R(b"R", b"r"))):  # fmt: skip
            self.assertRaises(ValueError, DropFile, data)

    def test_sanitized(self) -> None:
        """PD-1: an ordinary user may not say everything, and not who he is."""
        data = mail(
            R(b"C", b"x"), records.attribute(SUBMITTER, b"0"), records.attribute("sasl_username", b"root"),
            records.attribute("encoding", b"8bit"), R(b"S", b"s"), R(b"R", b"r"),
        )  # fmt: skip
        drop = DropFile(sanitized(data, 1000))
        self.assertEqual((1000, False, ""), (drop.number(SUBMITTER), drop.requeued, drop.text("sasl_username")))
        self.assertEqual("8bit", drop.text("encoding"))
        for bad in (
            mail(R(b"S", b"s"), R(b"L", b"a:b")),
            mail(R(b"S", b"s"), R(b">", b"x")),
            R(b"S", b"s") + R(b"E", b""),
        ):
            self.assertRaises(ValueError, sanitized, bad, 1000)
