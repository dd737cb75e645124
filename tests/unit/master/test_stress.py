"""master/stress.py: MA-7."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.master.stress import CALM, Stress
from tests.kit.host import MemoryLog

WORDS = ("smtp", "25", 100)


class Stressed(SynchronousTestCase):
    """MA-7: a warning, stress on, and off again after 1000 seconds of calm."""

    def setUp(self) -> None:
        self.clock, self.log = Clock(), MemoryLog()
        self.switched: list[tuple[str, bool]] = []
        self.stress = Stress(self.clock, self.log, lambda service, yes: self.switched.append((service, yes)))

    def report(self, who: str, full: bool) -> None:
        self.stress.report(who, "smtp/inet", full, 2, WORDS)

    def test_all_are_full(self) -> None:
        """One of two processes has room: nothing happens."""
        self.report("a", True)
        self.assertEqual((self.switched, self.log.lines), ([], []))
        self.report("b", True)
        self.assertEqual(self.switched, [("smtp/inet", True)])
        self.assertEqual(self.stress.stressed(), ["smtp/inet"])
        self.assertEqual(
            self.log.lines[0],
            'warning: service "smtp" (25) has reached its process limit "100": '
            "new clients may experience noticeable delays",
        )
        self.assertEqual(len(self.log.lines), 3)

    def test_calm(self) -> None:
        self.report("a", True)
        self.report("b", True)
        self.report("a", False)
        self.clock.advance(CALM - 1)
        self.assertEqual(len(self.switched), 1)
        self.clock.advance(1)
        self.assertEqual(self.switched[1:], [("smtp/inet", False)])
        self.assertEqual(self.stress.stressed(), [])

    def test_again(self) -> None:
        """Full again before it was calm: no second warning within 1000 seconds, and stress stays."""
        for who in ("a", "b"):
            self.report(who, True)
        for _ in range(3):
            self.report("a", False)
            self.clock.advance(300)
            self.report("a", True)
        self.assertEqual((len(self.switched), len(self.log.lines)), (1, 3))
        self.clock.advance(200)
        self.report("b", False)
        self.report("b", True)
        self.assertEqual(len(self.log.lines), 6)

    def test_a_dead_process(self) -> None:
        for who in ("a", "b"):
            self.report(who, True)
        self.stress.gone("a")
        self.clock.advance(CALM)
        self.assertEqual(self.switched[1:], [("smtp/inet", False)])

    def test_stop(self) -> None:
        for who in ("a", "b"):
            self.report(who, True)
        self.report("a", False)
        self.stress.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])
