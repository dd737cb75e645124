"""Templates of notices (DS-2, PC-2); the warnings are those of a real Postfix 3.7."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.bounce.templates import TemplateError, Templates, parse_templates
from pytwfix.settings.snapshot import Snapshot

FILE = """\
# comment
failure_template = <<EOF
Charset: utf-8
From: MAILER-DAEMON (Mail Delivery System)
Subject: No luck: $myhostname
Postmaster-Subject: Copy

Sorry, $mydomain. ${delay_warning_time_hours} hours. $maximal_queue_lifetime_days days
EOF
"""


class TestParse(SynchronousTestCase):
    def test_headers_and_text(self) -> None:
        """DS-2: four headers, an empty line, the text; the other templates stay as they are."""
        found = parse_templates(FILE, "t")
        self.assertEqual(found.warnings, [])
        self.assertEqual(found.failure.charset, "utf-8")
        self.assertEqual(found.failure.sender, "MAILER-DAEMON (Mail Delivery System)")
        self.assertEqual(found.failure.subject, "No luck: $myhostname")
        self.assertEqual(found.failure.postmaster_subject, "Copy")
        self.assertEqual(len(found.failure.lines), 1)
        self.assertEqual(found.delay.source(), Templates().delay.source())

    def test_no_headers(self) -> None:
        """Text that begins at once, and text that begins at the first line that is no header."""
        found = parse_templates("failure_template = <<E\nNo header\nE\nsuccess_template = foo\n", "t")
        self.assertEqual(found.failure.lines, ["No header"])
        self.assertEqual(found.failure.subject, "Undelivered Mail Returned to Sender")
        self.assertEqual(found.success.lines, ["foo"])
        found = parse_templates("delay_template = <<E\nFrom: a\n b\n\nc\nE\n", "t")
        self.assertEqual((found.delay.sender, found.delay.lines), ("a", [" b", "", "c"]))

    def test_ignored(self) -> None:
        """A template with an error is ignored, with a warning."""
        for text, warning in (
            ("failure_template = <<E\nX: a\n\nx\nE\n", 't: unknown "X" header label in failure template'),
            ("failure_template = <<E\nSubject:\n\nx\nE\n", 't: empty "Subject" header value in failure template'),
            ("delay_template = <<E\n\nE\n", "t: missing message text in delay template"),
            ("foo_template = <<E\nx\nE\n", "t, line 4: unknown template name: foo_template"),
        ):
            found = parse_templates(text, "t")
            self.assertEqual(found.warnings, [warning + " -- ignoring this template"])
            self.assertEqual(found.source(), Templates().source())

    def test_no_end(self) -> None:
        """A missing end marker."""
        found = parse_templates("failure_template = <<EOF\nSubject: x\n\nbody\n", "t")
        self.assertEqual(found.failure.lines, ["body"])
        self.assertEqual(found.warnings, ['t, line 5: missing "EOF" end marker'])

    def test_no_assignment(self) -> None:
        """A line that is none."""
        error = self.assertRaises(TemplateError, parse_templates, "a = b\nbogus\n", "t")
        self.assertEqual(str(error), "t, line 2: missing '=' after attribute name: \"bogus\"")


class TestExpand(SynchronousTestCase):
    def expanded(self, values: dict[str, str], text: str = FILE) -> tuple[list[str], list[str]]:
        warnings: list[str] = []
        lines = parse_templates(text, "t").failure.expanded(Snapshot(values), warnings.append)
        return lines, warnings

    def test_times(self) -> None:
        """DS-2: parameters in other units, cut to whole ones."""
        lines, warnings = self.expanded({"mydomain": "d.example", "delay_warning_time": "119m"})
        self.assertEqual(lines, ["Sorry, d.example. 1 hours. 5 days"])
        self.assertEqual(warnings, [])

    def test_bad_units(self) -> None:
        """A result of 0 or of 1000 and more is warned about; 0h is 0 and no reason to warn."""
        _lines, warnings = self.expanded({"delay_warning_time": "30m"})
        self.assertEqual(
            warnings,
            [
                't: zero result in failure template conversion of parameter "delay_warning_time_hours"',
                'please reduce time unit "hours" of "delay_warning_time_hours" in failure template',
                "for instructions see the bounce(5) manual",
            ],
        )
        _lines, warnings = self.expanded({"delay_warning_time": "1000h"})
        self.assertIn('excessive result "1000"', warnings[0])
        self.assertEqual(self.expanded({"delay_warning_time": "0"})[1], [])

    def test_undefined(self) -> None:
        """A name that nobody knows."""
        text = "failure_template = <<E\na $nosuch\nE\n"
        error = self.assertRaises(TemplateError, self.expanded, {}, text)
        self.assertEqual(str(error), "t: undefined $name in failure template: a $nosuch")

    def test_builtin(self) -> None:
        """PC-2: the built-in texts name this host."""
        text = Templates().expanded(Snapshot({"myhostname": "h.example"}), lambda warning: None)
        self.assertIn("expanded_failure_text = <<EOF\nThis is the mail system at host h.example.\n", text)
        self.assertEqual(text.count("<<EOF\n"), 4)
