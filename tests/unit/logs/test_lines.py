"""The text of a log line (LG-16, LG-17, SV-7)."""

from __future__ import annotations

import os
import time

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.logs.lines import Stamp, clean, tag


class Lines(SynchronousTestCase):
    def test_stamp(self) -> None:
        """LG-17: day padded with a space, the host's first label; made anew when the second changes."""
        stamp = Stamp("mx.example.com")
        when = time.mktime((2026, 1, 5, 3, 4, 5, 0, 0, -1))
        self.assertEqual(stamp(when), "Jan  5 03:04:05 mx ")
        self.assertIs(stamp(when + 0.9), stamp(when))
        self.assertEqual(stamp(when + 1), "Jan  5 03:04:06 mx ")

    def test_tag(self) -> None:
        """SV-7: syslog_name, program and process ID."""
        self.assertEqual(tag("postfix/submission", "smtpd"), f"postfix/submission/smtpd[{os.getpid()}]: ")

    def test_clean(self) -> None:
        """LG-16: what a peer sends starts no line of its own."""
        self.assertEqual(clean("from=<a@b>, é"), "from=<a@b>, é")
        self.assertEqual(clean("a\nb\r\x1b[1m\x00\udcff"), "a?b??[1m??")

    def test_longest(self) -> None:
        """LG-16: a running 3.7 writes 2,000 octets of a text and no more."""
        self.assertEqual("x" * 2000, clean("x" * 2000))
        self.assertEqual("x" * 2000, clean("x" * 2001))
        self.assertEqual("é" * 1000, clean("é" * 1500))
        self.assertEqual("x" + "é" * 999 + "?", clean("x" + "é" * 1500))
