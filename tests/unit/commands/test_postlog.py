"""postlog(1)."""

from __future__ import annotations

import io
import os
import sys
from contextlib import redirect_stderr

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.commands import postlog
from tests.unit.commands.test_sendmail import Input


class PostLog(SynchronousTestCase):
    def setUp(self) -> None:
        self.directory = os.path.abspath(self.mktemp())
        os.makedirs(self.directory)
        with open(self.directory + "/main.cf", "w", encoding="ascii") as file:
            file.write(f"maillog_file = {self.directory}/log\n")

    def lines(self, *words: str, text: bytes = b"") -> list[str]:
        self.patch(sys, "stdin", Input(text))
        self.patch(os, "environ", {})
        self.assertEqual(0, postlog.main(["-c", self.directory, *words]))
        with open(self.directory + "/log", encoding="utf-8") as file:
            return [line.split(" ", 4)[-1] for line in file.read().replace("  ", " ").splitlines()]

    def test_words(self) -> None:
        """PL-2: text from the command line, with tag and priority."""
        self.assertEqual([f"postfix/postlog[{os.getpid()}]: a b"], self.lines("a", "b"))
        self.assertEqual(f"mytag[{os.getpid()}]: warning: x", self.lines("-t", "mytag", "-p", "warn", "x")[-1])

    def test_input(self) -> None:
        """PL-2: else each line of standard input, made printable."""
        lines = self.lines("-p", "fatal", text=b"one\ntwo\x07\n")
        self.assertEqual(["fatal: one", "fatal: two?"], [line.split(": ", 1)[1] for line in lines])

    def test_mistake(self) -> None:
        said = io.StringIO()
        with redirect_stderr(said):
            error = self.assertRaises(SystemExit, postlog.main, ["-p", "loud", "x"])
        self.assertEqual((1, "postlog: fatal: unknown logging priority: loud\n"), (error.code, said.getvalue()))
