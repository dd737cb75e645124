"""Configuration directories that an ordinary user may name, and the words of a real Postfix for others (MC-9)."""

from __future__ import annotations

import io
import os
from contextlib import redirect_stderr

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.commands import postdrop, postlog, postqueue, sendmail
from pytwfix.commands.directories import refusal
from pytwfix.settings import maincf


class Directories(SynchronousTestCase):
    def setUp(self) -> None:
        """A default configuration and another one, both root's."""
        self.default, self.other = (os.path.abspath(self.mktemp()) for _ in "ab")
        for path in (self.default, self.other):
            os.makedirs(path)
        self.write("compatibility_level = 3.6\n")
        self.patch(maincf, "DEFAULT_DIRECTORY", self.default)
        self.patch(os, "geteuid", lambda: os.stat(self.other).st_uid + 4711)
        advice = f'"alternate_config_directories = {self.other}" or "multi_instance_directories = {self.other}"'
        self.refused = (
            f"unauthorized configuration directory name: {self.other}",
            f"specify {advice} in {self.default}/main.cf",
        )

    def write(self, text: str) -> None:
        with open(self.default + "/main.cf", "w", encoding="ascii") as file:
            file.write(text)

    def test_listed(self) -> None:
        """MC-9: either list, in the default main.cf, word for word."""
        self.assertEqual(refusal(self.other), self.refused)
        for name in ("alternate_config_directories", "multi_instance_directories"):
            self.write(f"dir = {self.other}\n{name} = /x, $dir\n")
            self.assertIsNone(refusal(self.other))
            self.assertIn(f"{self.other}/", (refusal(self.other + "/") or ("",))[0])

    def test_free(self) -> None:
        """MC-9: the default directory; root; a directory of one's own; no default main.cf."""
        self.assertIsNone(refusal(""))
        self.assertIsNone(refusal(self.default))
        os.unlink(self.default + "/main.cf")
        self.assertIsNone(refusal(self.other))
        self.write("")
        for uid in (0, os.stat(self.other).st_uid):
            self.patch(os, "geteuid", lambda uid=uid: uid)
            self.assertIsNone(refusal(self.other))

    def test_commands(self) -> None:
        """MC-9: postqueue 69, postdrop and postlog 1, sendmail 75."""
        for main, words, code in (
            (postqueue.main, ["-c", self.other, "-p"], 69),
            (postdrop.main, ["-c", self.other], 1),
            (postlog.main, ["-c", self.other, "x"], 1),
            (sendmail.main, ["-C", self.other, "x@y.example"], 75),
        ):
            said = io.StringIO()
            with redirect_stderr(said):
                error = self.assertRaises(SystemExit, main, words)
            program = main.__module__.rpartition(".")[2]
            self.assertEqual(error.code, code)
            self.assertEqual(
                said.getvalue(), f"{program}: error: {self.refused[0]}\n{program}: fatal: {self.refused[1]}\n"
            )
