"""A collection of real mails comes through unharmed: see tests/integration/corpus.py."""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from tests.integration.corpus import Journey, collection, difference, split
from tests.kit.mailsystem import INLINE, POSTFIX, missing


class CorpusTests(SynchronousTestCase):
    """Once through the inline system; other modes by hand."""

    def test_collection(self) -> None:
        """CL-*, SE-*, VI-1: three clients, two ends."""
        mails = collection()
        if not mails:
            self.skipTest("no collection of mails is installed")
        mode = POSTFIX if os.environ.get("PYTWFIX_TEST_SYSTEM") == POSTFIX else INLINE
        if missing(mode):
            self.skipTest(missing(mode))
        report = Journey(mode, mails).run()
        self.assertTrue(report.good, str(report))
        self.assertEqual(report.arrived, report.sent)


class ComparisonTests(SynchronousTestCase):
    """What the comparison sees."""

    sent = b"Subject: s\r\n\tfolded\r\nX-One: 1\r\n\r\nbody\r\n"

    def test_same(self) -> None:
        self.assertEqual(difference(self.sent, b"Received: x\r\n" + self.sent), "")

    def test_changed(self) -> None:
        for came in (
            self.sent.replace(b"folded", b"folded "), self.sent + b"\r\n", b"X-New: n\r\n" + self.sent,
            self.sent.replace(b"X-One: 1\r\n", b""), self.sent.replace(b"X-One: 1\r\n", b"X-One: 1\r\nX-New: n\r\n"),
        ):  # fmt: skip
            self.assertNotEqual(difference(self.sent, came), "", came)

    def test_header_without_end(self) -> None:
        self.assertEqual(split(b"A: 1\r\nno field\r\nx\r\n"), ([b"A: 1\r\n"], b"no field\r\nx\r\n"))
