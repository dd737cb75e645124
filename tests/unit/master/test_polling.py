"""master/polling.py, on reactors of their own."""

from __future__ import annotations

import os
from typing import Any

from twisted.internet.epollreactor import EPollReactor
from twisted.internet.selectreactor import SelectReactor
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.master.polling import streamline


class _Reader:
    """One end of a pipe."""

    def __init__(self, reactor: Any) -> None:
        self.reactor = reactor
        self.fd, self.other = os.pipe()
        self.read: list[bytes] = []
        self.lost: list[object] = []
        self.fails = self.fails_at_end = False

    def fileno(self) -> int:
        return self.fd

    def logPrefix(self) -> str:
        return "reader"

    def doRead(self) -> None:
        if self.fails:
            raise ValueError("in doRead")
        self.read.append(os.read(self.fd, 100))

    def connectionLost(self, reason: object) -> None:
        self.lost.append(reason)
        if self.fails_at_end:
            raise KeyError("in connectionLost")

    def close(self) -> None:
        os.close(self.fd)
        os.close(self.other)


class Polling(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor: Any = EPollReactor()
        self.addCleanup(self.reactor._poller.close)
        streamline(self.reactor)

    def reader(self) -> _Reader:
        reader = _Reader(self.reactor)
        self.addCleanup(reader.close)
        self.reactor.addReader(reader)
        return reader

    def test_read(self) -> None:
        reader = self.reader()
        os.write(reader.other, b"a")
        self.reactor.doIteration(1)
        self.assertEqual([b"a"], reader.read)
        self.reactor.doIteration(0)
        self.assertEqual([b"a"], reader.read)

    def test_failure_in_reading(self) -> None:
        """It is logged, and ends this one alone."""
        bad, good = self.reader(), self.reader()
        bad.fails = True
        for one in (bad, good):
            os.write(one.other, b"a")
        self.reactor.doIteration(1)
        self.assertEqual(1, len(self.flushLoggedErrors(ValueError)))
        self.assertEqual((1, [b"a"]), (len(bad.lost), good.read))

    def test_failure_at_the_end(self) -> None:
        """Twisted catches it with its log context; so the loop does here."""
        bad, good = self.reader(), self.reader()
        bad.fails = bad.fails_at_end = True
        for one in (bad, good):
            os.write(one.other, b"a")
        self.reactor.doIteration(1)
        self.assertEqual(1, len(self.flushLoggedErrors(ValueError)))
        self.assertEqual(1, len(self.flushLoggedErrors(KeyError)))
        self.assertEqual([b"a"], good.read)

    def test_other_reactors(self) -> None:
        """They stay what they are."""
        other = SelectReactor()
        streamline(other)
        self.assertNotIn("doIteration", vars(other))
        for reader in list(other._internalReaders):
            reader.connectionLost(None)  # type: ignore[arg-type]
