"""anvil counts (AN-1, LG-14)."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.anvil.service import AnvilService
from pytwfix.contracts.counters import MESSAGE
from tests.kit.host import MemoryHost


class Anvil(SynchronousTestCase):
    def setUp(self) -> None:
        self.host = MemoryHost(program="anvil", service="anvil")
        self.anvil = AnvilService(self.host)
        self.anvil.startService()

    def connect(self, client: str = "192.0.2.1") -> tuple[int, int]:
        return self.successResultOf(self.anvil.connect("smtp", client))

    def test_connections(self) -> None:
        """AN-1: at once, and in this time unit."""
        self.assertEqual((1, 1), self.connect())
        self.assertEqual((2, 2), self.connect())
        self.anvil.disconnect("smtp", "192.0.2.1")
        self.assertEqual((2, 3), self.connect())
        self.assertEqual((1, 1), self.connect("192.0.2.2"))
        self.host.clock.advance(60)
        self.assertEqual((3, 1), self.connect())

    def test_events(self) -> None:
        """SD-47."""
        for number in (1, 2, 3):
            self.assertEqual(number, self.successResultOf(self.anvil.event("smtp", "192.0.2.1", MESSAGE)))
        self.assertEqual(3, self.successResultOf(self.anvil.peek("smtp", "192.0.2.1", MESSAGE)))
        self.host.clock.advance(61)
        self.assertEqual(0, self.successResultOf(self.anvil.peek("smtp", "192.0.2.1", MESSAGE)))

    def test_forgets(self) -> None:
        self.connect()
        self.connect("192.0.2.2")
        self.anvil.disconnect("smtp", "192.0.2.2")
        self.host.clock.advance(61)
        self.assertEqual(["smtp:192.0.2.1"], list(self.anvil._clients))

    def test_statistics(self) -> None:
        """LG-14: the peaks every ten minutes, nothing when there is nothing to say."""
        self.connect()
        self.connect()
        self.host.clock.advance(600)
        rate, count, size = self.host.log.lines
        self.assertRegex(rate, r"^statistics: max connection rate 2/60s for \(smtp:192.0.2.1\) at \w{3} [ \d]\d \d\d:")
        self.assertRegex(count, r"^statistics: max connection count 2 for \(smtp:192.0.2.1\) at ")
        self.assertRegex(size, r"^statistics: max cache size 1 at ")
        self.host.log.lines.clear()
        self.host.clock.advance(600)
        self.assertEqual([], self.host.log.lines)
