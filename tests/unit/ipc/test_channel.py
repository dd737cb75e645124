"""pytwfix.ipc.channel and link: calls, casts and cancellation over one connection."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.contracts.queue import NoSuchMessage
from pytwfix.ipc import channel
from pytwfix.ipc.failures import Busy, Gone, RemoteFailure
from pytwfix.ipc.frames import Malformed
from pytwfix.ipc.link import Link
from tests.kit.channels import Pair


class Calls(SynchronousTestCase):
    """HOUSE 3: a proxy's calls."""

    def test_answered_at_once(self) -> None:
        """What a handler returns, and what its Deferred has fired with already."""
        pair = Pair({1: lambda a, b: a + b, 2: lambda: succeed(b"x")})
        first, second = pair.near.call(1, 2, 3), pair.near.call(2)
        pair.pump()
        self.assertEqual((self.successResultOf(first), self.successResultOf(second)), (5, b"x"))

    def test_answered_later_and_out_of_order(self) -> None:
        waiting: list[Deferred[str]] = [Deferred(), Deferred()]
        pair = Pair({1: lambda at: waiting[at]})
        asked = [pair.near.call(1, 0), pair.near.call(1, 1)]
        pair.pump()
        waiting[1].callback("second")
        pair.pump()
        self.assertNoResult(asked[0])
        self.assertEqual(self.successResultOf(asked[1]), "second")
        waiting[0].callback("first")
        pair.pump()
        self.assertEqual(self.successResultOf(asked[0]), "first")

    def test_batches(self) -> None:
        """HOUSE 5: what is ready in one turn goes in one write, the answers too."""
        pair = Pair({1: lambda at: at})
        asked = [pair.near.call(1, at) for at in range(100)]
        self.assertEqual(pair.pump(), 2)
        self.assertEqual([self.successResultOf(one) for one in asked], list(range(100)))

    def test_any_size_of_piece(self) -> None:
        pair = Pair({1: lambda text: text[::-1]}, piece=3)
        asked = pair.near.call(1, "abc" * 100)
        pair.pump()
        self.assertEqual(self.successResultOf(asked), "cba" * 100)

    def test_both_directions(self) -> None:
        """The one who is asked may ask back before it answers."""
        pair = Pair(asked={2: lambda text: text.upper()})
        pair.far._served = {1: lambda text: pair.far.call(2, text).addCallback(lambda back: back + "!")}
        asked = pair.near.call(1, "x")
        pair.pump()
        self.assertEqual(self.successResultOf(asked), "X!")

    def test_read(self) -> None:
        """`read` makes the value; what it cannot read ends the connection."""
        pair = Pair({1: lambda: (1, 2)})
        asked = pair.near.call(1, read=list)
        pair.pump()
        self.assertEqual(self.successResultOf(asked), [1, 2])

        def refuse(_value: Any) -> None:
            raise Malformed("no")

        asked = pair.near.call(1, read=refuse)
        pair.pump()
        self.failureResultOf(asked, Gone)
        self.assertTrue(pair.wires[0].closed)
        self.assertEqual(pair.log.lines, ["error: malformed message from the far process: no"])

    def test_casts(self) -> None:
        """Nobody waits; a failure is logged where it happened when no contract knows it."""
        told: list[str] = []
        pair = Pair({1: told.append, 2: lambda: 1 // 0})
        pair.near.cast(1, "a")
        pair.near.cast(2)
        pair.near.cast(1, "b")
        pair.pump()
        self.assertEqual(told, ["a", "b"])
        self.assertIn("ZeroDivisionError", pair.log.lines[0])

    def test_errors(self) -> None:
        """Errors of contracts arrive as they are, others as a RemoteFailure with a line in the log."""
        pair = Pair({1: lambda: fail(NoSuchMessage("gone")), 2: lambda: 1 // 0})
        first, second = pair.near.call(1), pair.near.call(2)
        pair.pump()
        self.failureResultOf(first, NoSuchMessage)
        self.failureResultOf(second, RemoteFailure)
        self.assertEqual(len(pair.log.lines), 1)

    def test_cancelled(self) -> None:
        """Whoever no longer wants the answer says so, and the work is given up."""
        ended: list[object] = []
        working: Deferred[None] = Deferred(ended.append)
        pair = Pair({1: lambda: working})
        asked = pair.near.call(1)
        pair.pump()
        asked.cancel()
        self.failureResultOf(asked, CancelledError)
        pair.pump()
        self.assertEqual(ended, [working])
        self.assertEqual(pair.near.waiting, 0)

    def test_too_late(self) -> None:
        """SV-5: every call has a time limit, ipc_timeout or its own; an answer after it is dropped."""
        working: list[Deferred[str]] = [Deferred(), Deferred()]
        pair = Pair({1: lambda at: working[at]}, patience=100)
        first, second = pair.near.call(1, 0), pair.near.call(1, 1, limit=1000)
        pair.pump()
        for _ in range(4):
            pair.clock.advance(30)
        self.failureResultOf(first, Gone)
        self.assertNoResult(second)
        working[0].addErrback(lambda _: None)
        working[1].callback("x")
        pair.pump()
        self.assertEqual(self.successResultOf(second), "x")

    def test_unknown_method(self) -> None:
        pair = Pair()
        asked = pair.near.call(99)
        pair.pump()
        self.assertTrue(pair.wires[1].closed)
        pair.lose()
        self.failureResultOf(asked, Gone)

    def test_malformed_messages(self) -> None:
        """The connection ends, with a line in the log."""
        for message in (b"x", (), (1,), ("a", 1), (1, "a")):
            pair = Pair()
            pair.wires[0].write(pair.near._writer.frames([message])[0])
            pair.pump()
            self.assertTrue(pair.wires[1].closed, message)


class Ends(SynchronousTestCase):
    """HOUSE 3: when the peer goes."""

    def test_gone(self) -> None:
        """What waits fails, and the owner is told; what comes after fails at once."""
        pair = Pair({1: lambda: Deferred()})
        asked = pair.near.call(1)
        pair.pump()
        pair.lose()
        self.assertEqual(self.failureResultOf(asked, Gone).value.reason, "the far process is gone")
        self.assertEqual(pair.gone, [pair.near, pair.far])
        self.failureResultOf(pair.near.call(1), Gone)
        pair.near.cast(1)
        self.assertFalse(pair.near.up)
        self.assertEqual(pair.clock.getDelayedCalls(), [])

    def test_work_goes_on(self) -> None:
        """A delivery that was begun is finished, though nobody waits for it now."""
        working: Deferred[str] = Deferred()
        pair = Pair({1: lambda: working})
        asked = pair.near.call(1)
        pair.pump()
        pair.lose()
        self.failureResultOf(asked, Gone)
        working.callback("done")
        self.assertEqual(self.successResultOf(working), None)

    def test_stop(self) -> None:
        """What is ready is sent first."""
        told: list[int] = []
        pair = Pair({1: told.append})
        pair.near.cast(1, 5)
        pair.near.stop()
        pair.pump()
        self.assertEqual(told, [5])
        self.assertTrue(pair.wires[0].closed)


class Bounds(SynchronousTestCase):
    """Memory is bounded."""

    def test_too_many_requests(self) -> None:
        self.patch(channel, "MOST_SERVED", 3)
        pair = Pair({1: lambda: Deferred()})
        asked = [pair.near.call(1) for _ in range(5)]
        pair.pump()
        for one in asked[:3]:
            self.assertNoResult(one)
        for one in asked[3:]:
            self.failureResultOf(one, Busy)

    def test_a_peer_that_does_not_read(self) -> None:
        """Nothing is written while the transport is full; beyond a bound calls fail and casts are dropped."""
        self.patch(channel, "MOST_WAITING", 3)
        told: list[int] = []
        pair = Pair({1: told.append})
        pair.near.pauseProducing()
        for at in range(5):
            pair.near.cast(1, at)
        pair.pump()
        self.assertEqual(pair.wires[0].written, [])
        self.failureResultOf(pair.near.call(1, 9), Busy)
        self.assertEqual(pair.log.lines, ["warning: the far process does not listen"])
        pair.near.resumeProducing()
        pair.pump()
        self.assertEqual(told, [0, 1, 2])

    def test_unsendable(self) -> None:
        """A value that cannot travel fails its own call."""
        pair = Pair({1: lambda value: value, 2: lambda: object()})
        bad, good, answer = pair.near.call(1, object()), pair.near.call(1, 1), pair.near.call(2)
        pair.pump()
        self.failureResultOf(bad, Gone)
        self.failureResultOf(answer, Gone)
        self.assertEqual(self.successResultOf(good), 1)


class Links(SynchronousTestCase):
    """A Link outlives the process at its other end."""

    def test_away(self) -> None:
        """Calls fail, casts are kept for the process that comes."""
        told: list[int] = []
        link = Link("queue")
        self.failureResultOf(link.call(1, 0), Gone)
        link.cast(1, 7)
        pair = Pair({1: told.append})
        link.attach(pair.near)
        link.cast(1, 8)
        pair.pump()
        self.assertEqual(told, [7, 8])

    def test_the_next_one(self) -> None:
        first, second = Pair({1: lambda: "first"}), Pair({1: lambda: "second"})
        link = Link("queue")
        link.attach(first.near)
        link.attach(second.near)
        link.detach(first.near)
        asked = link.call(1)
        second.pump()
        self.assertEqual(self.successResultOf(asked), "second")
        link.detach(second.near)
        self.failureResultOf(link.call(1), Gone)
