"""keeper/attempts.py"""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.contracts.asuser import AsUserError, MailboxWrite
from pytwfix.keeper.attempts import Attempts

LOCKED = AsUserError("locked", "somebody has it")


class AttemptsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.attempts = Attempts(self.clock.callLater)
        self.asked: list[tuple[str, Deferred[int]]] = []

    def write(self, name: str, path: str = "/box") -> Deferred[int]:
        def once() -> Deferred[int]:
            done: Deferred[int] = Deferred()
            self.asked.append((name, done))
            return done

        return self.attempts.write(once, MailboxWrite(path, b"", lock_attempts=2, lock_delay=1))

    def names(self) -> list[str]:
        return [name for name, _done in self.asked]

    def test_in_turn(self) -> None:
        """LO-4: two deliveries of ours to one mbox follow each other, and others do not wait."""
        first, second, other = self.write("first"), self.write("second"), self.write("other", "/another")
        self.assertEqual(self.names(), ["first", "other"])
        self.asked[0][1].callback(0)
        self.successResultOf(first)
        self.assertEqual(self.names(), ["first", "other", "second"])
        self.asked[2][1].callback(0)
        self.successResultOf(second)
        self.assertNoResult(other)

    def test_locked(self) -> None:
        """LO-4: a lock of somebody else is waited for, without holding up the next; then it is given up."""
        first, second = self.write("first"), self.write("second")
        self.asked[0][1].errback(LOCKED)
        self.assertEqual(self.names(), ["first", "second"])
        self.asked[1][1].callback(0)
        self.successResultOf(second)
        self.clock.advance(1)
        self.assertEqual(self.names(), ["first", "second", "first"])
        self.asked[2][1].errback(LOCKED)
        self.assertIs(self.failureResultOf(first).value, LOCKED)

    def test_maildir(self) -> None:
        """A Maildir takes many at once."""
        self.write("first", "/box/")
        self.write("second", "/box/")
        self.assertEqual(self.names(), ["first", "second"])
