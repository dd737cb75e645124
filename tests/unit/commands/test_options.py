"""Options as getopt(3) takes them."""

from __future__ import annotations

import io
from contextlib import redirect_stderr

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.commands.options import parse


class Parse(SynchronousTestCase):
    def test_taken(self) -> None:
        self.assertEqual(([("-c", "d"), ("-v", "")], ["w", "-v"]), parse("p", ["-cd", "-v", "w", "-v"], "c:v", "u", 1))
        self.assertEqual(([], ["-v"]), parse("p", ["--", "-v"], "c:v", "u", 1))

    def test_wrong(self) -> None:
        """PQ-1, PS-20: the words are those of getopt(3), the end is the command's own."""
        for words, text in (
            (["-v", "-c"], "p: option requires an argument -- 'c'\np: fatal: usage: u\n"),
            (["-z"], "p: invalid option -- 'z'\np: fatal: usage: u\n"),
            (["--help"], "p: invalid option -- '-'\np: fatal: usage: u\n"),
        ):
            said = io.StringIO()
            with redirect_stderr(said), self.assertRaises(SystemExit) as stop:
                parse("p", words, "c:v", "usage: u", 69)
            self.assertEqual((69, text), (stop.exception.code, said.getvalue()))
