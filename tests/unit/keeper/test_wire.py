"""Frames between the agents and the keeper."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.contracts.asuser import AsUserError, CommandResult, CommandRun, FileRead, MailboxWrite
from pytwfix.keeper import wire


class FrameTests(SynchronousTestCase):
    def test_any_cut(self) -> None:
        """However the stream is cut, the same frames come out."""
        frames = [wire.Frame(n, wire.WRITE, 8, 8, b"x" * n * 7) for n in range(1, 6)]
        stream = b"".join(frame.encode() for frame in frames)
        for size in (1, 3, 17, 1000):
            parser = wire.Frames()
            found = [f for at in range(0, len(stream), size) for f in parser.feed(stream[at : at + size])]
            self.assertEqual(found, frames)

    def test_length_that_cannot_be(self) -> None:
        self.assertRaises(ValueError, wire.Frames().feed, b"\xff" * wire.HEAD.size)

    def test_requests(self) -> None:
        """LO-4, LO-5, LO-6: what is packed is what comes out, bytes in names included."""
        write = MailboxWrite(
            "/a\udcff/",
            b"d\xff",
            ["flock"],
            size_limit=7,
            hostname="h",
            lock_required=False,
            strict_owner=False,
            create_directory="/var/mail",
        )
        self.assertEqual(wire.unpack_write(wire.pack_write(write)), write)
        run = CommandRun(["a", "b\udcff"], {"X": "y"}, b"\x00", 1.5, "/d", "/c", 9, 10)
        self.assertEqual(wire.unpack_run(wire.pack_run(run)), run)
        read = FileRead("/f", 10, False)
        self.assertEqual(wire.unpack_read(wire.pack_read(read)), read)

    def test_answers(self) -> None:
        result = CommandResult(-9, b"o\xff", True)
        self.assertEqual(wire.unpack_answer(wire.RUN, wire.pack_answer(result)), result)
        self.assertIsNone(wire.unpack_answer(wire.WRITE, wire.pack_answer(None)))
        self.assertEqual(wire.unpack_answer(wire.READ, wire.pack_answer(b"x")), b"x")
        error = wire.unpack_error(wire.pack_error(AsUserError("denied", "no")))
        self.assertEqual((error.kind, error.text), ("denied", "no"))

    def test_wrong_types(self) -> None:
        """HOUSE 3: values of other kinds than expected are refused before anything is done with them."""
        good = CommandRun(["a"], {"X": "y"}, b"", 1.5)
        for bad in (
            CommandRun([], {}, b""),
            CommandRun([1], {}, b""),  # type: ignore[list-item]
            CommandRun(["a\0b"], {}, b""),
            CommandRun(["a"], {"X": 1}, b""),  # type: ignore[dict-item]
            CommandRun(["a"], {}, b"", "soon"),  # type: ignore[arg-type]
        ):
            self.assertRaises(ValueError, wire.unpack_run, wire.pack_run(bad))
        self.assertEqual(wire.unpack_run(wire.pack_run(good)), good)
        self.assertRaises(ValueError, wire.unpack_write, wire.pack_write(MailboxWrite(7, b"")))  # type: ignore[arg-type]
        self.assertRaises(ValueError, wire.unpack_read, wire.pack_run(good))

    def test_rubbish(self) -> None:
        """A body that is no msgpack list is a ValueError, not something else."""
        for body in (b"", b"\xc1", b"\x01", b"\x93\x01"):
            self.assertRaises(ValueError, wire.unpack_read, body)
