"""What a room logs with (LG-16, SV-7)."""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.logs.destinations import CRITICAL, ERROR, INFO, WARNING
from pytwfix.logs.service import ServiceLog


class Written:
    """A destination that remembers."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, int, str]] = []

    def write(self, tag: str, level: int, text: str) -> None:
        self.lines.append((tag, level, text))

    def flush(self) -> None: ...
    def reopen(self) -> None: ...


class ServiceLogs(SynchronousTestCase):
    def setUp(self) -> None:
        self.written = Written()
        self.asked: list[bool] = []
        self.log = ServiceLog(self.written, "postfix/smtpd", lambda: self.asked.append(True))

    def test_levels(self) -> None:
        """LG-16: the word before the text, and the priority for syslog. SV-7: the tag."""
        for say in (self.log.info, self.log.warning, self.log.error, self.log.fatal):
            say("x\ny")
        tag = f"postfix/smtpd[{os.getpid()}]: "
        self.assertEqual(self.written.lines, [
            (tag, INFO, "x?y"), (tag, WARNING, "warning: x?y"), (tag, ERROR, "error: x?y"),
            (tag, CRITICAL, "fatal: x?y"),
        ])  # fmt: skip
        self.assertEqual(len(self.asked), 4)
        self.assertEqual(self.log.name, "postfix/smtpd")

    def test_failure(self) -> None:
        """LG-16: an exception that nobody expected is one line, with where it comes from."""
        try:
            raise KeyError("a\nb")
        except KeyError as error:
            self.log.failure("session", error)
        ((_, level, text),) = self.written.lines
        self.assertEqual(level, ERROR)
        self.assertTrue(text.startswith("error: session: KeyError: 'a\\nb' (test_service.py:"), text)
        self.assertNotIn("\n", text)
