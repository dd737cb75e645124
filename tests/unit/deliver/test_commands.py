"""What exit statuses and output of commands become; their environment."""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.contracts.asuser import AsUserError, CommandResult
from pytwfix.deliver.commands import environment, false_success, not_run, verdict


class VerdictTests(SynchronousTestCase):
    def end(self, status: int, output: bytes = b"", timed_out: bool = False) -> tuple[str, str]:
        dsn = verdict(CommandResult(status, output, timed_out), "/bin/x")
        return dsn.status, dsn.reason

    def test_sysexits(self) -> None:
        """LO-5: each status of sysexits.h."""
        expected = {
            64: "5.3.0", 65: "5.6.0", 66: "5.3.0", 67: "5.1.1", 68: "5.1.2", 69: "5.3.0", 70: "5.3.0", 71: "4.3.0",
            72: "5.3.0", 73: "5.2.0", 74: "5.3.0", 75: "4.3.0", 76: "5.5.0", 77: "5.7.0", 78: "5.3.5",
        }  # fmt: skip
        self.assertEqual({status: self.end(status)[0] for status in expected}, expected)
        self.assertEqual(self.end(67), ("5.1.1", "user unknown"))
        self.assertEqual(self.end(73), ("5.2.0", "can't create user output file"))

    def test_output(self) -> None:
        """LO-5: output is added on one line, its end a space as Postfix has it."""
        self.assertEqual(self.end(67, b"a\nb\n"), ("5.1.1", "user unknown. Command output: a b "))
        self.assertEqual(self.end(67, b"  lead\na\tb\x01c\n\n")[1], "user unknown. Command output:   lead a b_c  ")

    def test_other_ends(self) -> None:
        """LO-5: other statuses, signals, the time limit."""
        self.assertEqual(self.end(42), ("5.3.0", 'Command died with status 42: "/bin/x"'))
        self.assertEqual(
            self.end(-9, b"about to die\n"),
            ("4.3.0", 'Command died with signal 9: "/bin/x". Command output: about to die '),
        )
        self.assertEqual(
            self.end(-9, b"slow\n", True), ("5.3.0", 'Command time limit exceeded: "/bin/x". Command output: slow ')
        )

    def test_diagnosis(self) -> None:
        """DS-1: the Diagnostic-Code is what the command said, else what its end means."""
        for result, text in (
            (CommandResult(67, b""), "user unknown"),
            (CommandResult(67, b" out put \n"), "out put"),
            (CommandResult(69, b"5.7.1 my text\n"), "my text"),
            (CommandResult(99, b""), "unknown mail system error 99"),
            (CommandResult(-9, b""), "internal software error"),
            (CommandResult(0, b"", True), "internal software error"),
        ):
            dsn = verdict(result, "/bin/x")
            self.assertEqual((dsn.dtype, dsn.dtext), ("x-unix", text))
        self.assertEqual(verdict(CommandResult(0, b"x"), "/bin/x").dtype, "")

    def test_false_success(self) -> None:
        """LO-5: a status of success with a failure is worth a warning."""
        self.assertEqual(false_success(CommandResult(75, b"2.7.7 yes\n")), "2.7.7")
        for result in (CommandResult(0, b"2.7.7 x"), CommandResult(75, b"4.1.1 x"), CommandResult(-9, b"2.1.1 x")):
            self.assertEqual(false_success(result), "")

    def test_status_in_output(self) -> None:
        """LO-5: X.Y.Z at the beginning of the output decides; success cannot be claimed by a command that failed."""
        self.assertEqual(self.end(75, b"5.7.9 go away\n"), ("5.7.9", "go away "))
        self.assertEqual(self.end(67, b"4.2.9 later please\n"), ("4.2.9", "later please "))
        self.assertEqual(self.end(1, b"2.1.0 fine\n"), ("5.0.0", "fine "))
        self.assertEqual(self.end(0, b"5.1.1 odd\n"), ("2.0.0", "5.1.1 odd"))

    def test_not_started(self) -> None:
        """LO-5: a command that is not there waits for who corrects it."""
        dsn = not_run(AsUserError("missing", "execvp /bin/x: No such file or directory"), "local")
        text = "temporary failure. Command output: local: fatal: execvp /bin/x: No such file or directory "
        self.assertEqual((dsn.status, dsn.reason), ("4.3.0", text))


class EnvironmentTests(SynchronousTestCase):
    def test_clean(self) -> None:
        """SV-6, LO-5: PATH, what export_environment names or sets, and nothing else."""
        self.patch(os, "environ", {"TZ": "UTC", "LANG": "C", "SECRET": "x"})
        export = "TZ MAIL_CONFIG LANG SECRET, FOO=bar { A = b c }"
        found = environment(export, "TZ LANG=C", {"USER": "u\0v"}, "/etc/pytwfix")
        self.assertEqual(
            found,
            {
                "PATH": "/usr/bin:/bin",
                "TZ": "UTC",
                "LANG": "C",
                "MAIL_CONFIG": "/etc/pytwfix",
                "FOO": "bar",
                "A": "b c",
                "USER": "uv",
            },
        )
