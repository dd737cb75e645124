"""postdrop(1)."""

from __future__ import annotations

import io
import os
import sys
from contextlib import redirect_stderr, redirect_stdout

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.accept.pickup import records
from pytwfix.commands import postdrop
from pytwfix.commands.submission import SubmitError
from pytwfix.settings.snapshot import Snapshot
from tests.unit.commands.test_sendmail import Input

MAIL = b"".join(
    records.record(kind, value) for kind, value in ((b"S", b"s"), (b"R", b"r"), (b"M", b""), (b"X", b""), (b"E", b""))
)


class PostDrop(SynchronousTestCase):
    def setUp(self) -> None:
        self.directory = self.mktemp()
        os.makedirs(self.directory)
        with open(self.directory + "/main.cf", "w", encoding="ascii"):
            pass

    def run_it(self, data: bytes, *words: str, error: SubmitError | None = None) -> tuple[int, str, str]:
        def submit(config: Snapshot, data: bytes) -> str:
            if error is not None:
                raise error
            return "ABC"

        self.patch(postdrop, "submit", submit)
        self.patch(sys, "stdin", Input(data))
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            try:
                code = postdrop.main(["-c", self.directory, *words])
            except SystemExit as stop:
                code = int(stop.code or 0)
        return code, out.getvalue(), err.getvalue()

    def test_taken(self) -> None:
        """PD-1: the queue ID and the status are told as attributes."""
        words = ["protocol", "postdrop_protocol", "queue_id", "ABC", "", "status", "0", "reason", "", "", ""]
        for options in ((), ("-r",), ("-r", "extra")):
            self.assertEqual(words, self.run_it(MAIL, *options)[1].split("\0"))

    def test_given_up(self) -> None:
        """PD-1: records without the last one are no mail, and no error."""
        for data in (b"", MAIL[:-2]):
            self.assertEqual((0, "", ""), self.run_it(data))

    def test_malformed(self) -> None:
        """PD-1: what is no mail, and records that nobody may hand in."""
        for data in (b"hello\n", MAIL[:-1], records.record(b"S", b"s") + records.record(b"L", b"a:b")):
            code, _, said = self.run_it(data)
            self.assertEqual(1, code)
            self.assertIn(f"postdrop: fatal: uid={os.getuid()}: malformed input\n", said)

    def test_not_taken(self) -> None:
        """SE-3: the exit code is what the daemon says."""
        code, _, said = self.run_it(MAIL, error=SubmitError("not allowed", 77))
        self.assertEqual((77, "postdrop: fatal: not allowed\n"), (code, said))
