"""main.cf (MC-1, MC-2, MC-9)."""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.settings.kinds import SettingsError
from pytwfix.settings.maincf import config_directory, parse_main, read_main


class TestParse(SynchronousTestCase):
    def test_lines(self) -> None:
        """MC-1: comments, blank lines, continuation, white space, the last of a name."""
        found = parse_main(
            "# comment\n\nmydestination = a.example,\n# inside\n\n   # too\n\tb.example  \nrelayhost=\n"
            "x = a # not a comment\ny = p=q\r\n"
        )
        self.assertEqual(
            found.values,
            {"mydestination": "a.example,\tb.example", "relayhost": "", "x": "a # not a comment", "y": "p=q"},
        )
        self.assertEqual(found.lines["mydestination"], 3)
        self.assertEqual(found.warnings, [])

    def test_overriding(self) -> None:
        """MC-1: a repeated name is warned about when the value changes, with the line where it begins."""
        found = parse_main("a = x\na = y\n z\na = q\nb = 1\nb = 1\n", "main.cf")
        self.assertEqual(found.values["a"], "q")
        self.assertEqual(
            found.warnings,
            ["main.cf, line 2: overriding earlier entry: a=x", "main.cf, line 4: overriding earlier entry: a=y z"],
        )

    def test_errors(self) -> None:
        """MC-2: file and line are named."""
        for text, message in (
            ("a = 1\nrelayhost\n", "m, line 2: missing '=' after attribute name: \"relayhost\""),
            ("my destination=x\n", "m, line 1: missing '=' after attribute name: \"my destination=x\""),
            ("x = 1\n\n= value\n", 'm, line 3: missing attribute name: "= value"'),
            ("d\n  a\n  b = c\n", "m, line 1: missing '=' after attribute name: \"d  a  b = c\""),
        ):
            self.assertEqual(str(self.assertRaises(SettingsError, parse_main, text, "m")), message)

    def test_stray(self) -> None:
        """MC-2: white space before the first line: the line counts for nothing, with a warning."""
        found = parse_main("\n  a = 1\nb = 2\n", "m")
        self.assertEqual(found.values, {"b": "2"})
        self.assertEqual(found.warnings, ['m: logical line must not start with whitespace: "  a = 1"'])


class TestRead(SynchronousTestCase):
    def test_directory(self) -> None:
        """MC-9: config_directory is the one that was asked for; bytes that are no UTF-8 survive."""
        folder = self.mktemp()
        os.makedirs(folder)
        with open(os.path.join(folder, "main.cf"), "wb") as file:
            file.write(b"config_directory = /elsewhere\nx = \xff\n")
        found = read_main(folder)
        self.assertEqual(found.values["config_directory"], folder)
        self.assertEqual(found.values["x"].encode("utf-8", "surrogateescape"), b"\xff")

    def test_missing(self) -> None:
        """A file that is not there."""
        error = self.assertRaises(SettingsError, read_main, "/nonexistent")
        self.assertEqual(str(error), "open /nonexistent/main.cf: No such file or directory")

    def test_which(self) -> None:
        """MC-9: -c, MAIL_CONFIG, the default."""
        self.assertEqual(config_directory("/a", {"MAIL_CONFIG": "/b"}), "/a")
        self.assertEqual(config_directory(None, {"MAIL_CONFIG": "/b"}), "/b")
        self.assertEqual(config_directory(None, {}), "/etc/postfix")
