"""Large lists and single mails at the same time: how long one waits for the other, on a virtual clock.

The bound follows from SC-6. A list has slots from the beginning: the loan of 3 counts twice by the discount of 50 %, so
the first single mails overtake at once. After that one slot is earned by 5 deliveries of the list, and one single mail
costs one. A single mail that finds no other waiting therefore waits for at most 5 deliveries of the list, and for the
end of one that is under way. Nobody looks for a job to overtake for a second after none was found (SEARCH): that
second is part of the bound.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.qmgr.transport import SEARCH
from tests.kit.simulating import Simulation

COST = 5
PROCESSES = 100
SECONDS = 1.0  # a delivery


def people(count: int, domains: int, mark: str = "x") -> list[bytes]:
    return [b"u%d@%s%d.example" % (number, mark.encode(), number % domains) for number in range(count)]


class Fairness(SynchronousTestCase):
    def bound(self, ahead: int = 0) -> float:
        """Seconds: `ahead` single mails are served first, and the list earns a slot for each of them."""
        return SEARCH + SECONDS * (1 + (ahead + 1) * (COST + 1) / PROCESSES)

    def test_large_list(self) -> None:
        """SC-2, SC-6, SC-7: a list of 100,000 keeps no single mail longer than the slots that it must earn."""
        simulation = Simulation(PROCESSES, SECONDS, default_destination_recipient_limit="1")
        simulation.mail(0, "LIST", *people(100_000, 400))
        singles = [f"S{number}" for number in range(60)]
        for number, queue_id in enumerate(singles):
            simulation.mail(7.3 + number * 11.7, queue_id, b"one@single%d.example" % number)
        simulation.run(simulation.gone("LIST", *singles))
        self.assertLessEqual(max(map(simulation.waited, singles)), self.bound())
        self.assertEqual(len(simulation.agent.starts["LIST"]), 100_000)
        self.assertEqual(simulation.agent.most, PROCESSES)
        self.assertLess(simulation.world.host.clock.seconds(), 1.1 * 100_000 * SECONDS / PROCESSES)

    def burst(self, cost: int) -> list[float]:
        """How long 300 single mails wait that come when 200 deliveries of the list have begun."""
        simulation = Simulation(
            PROCESSES, SECONDS, default_destination_recipient_limit="1", default_delivery_slot_cost=str(cost)
        )
        simulation.mail(0, "LIST", *people(10_000, 400))
        singles = [f"S{number}" for number in range(300)]
        for number, queue_id in enumerate(singles):
            simulation.mail(1.5, queue_id, b"one@single%d.example" % number)
        simulation.run(simulation.gone("LIST", *singles))
        self.assertEqual(simulation.passed("S0") // PROCESSES, 0)
        return sorted(map(simulation.waited, singles))

    def test_burst(self) -> None:
        """SC-6: of many single mails at once each costs the list a slot, no more and no less."""
        saved = 200 // COST + 3
        for number, waited in enumerate(self.burst(COST)):
            self.assertLessEqual(waited, self.bound(max(number - saved, 0)), number)
            self.assertGreaterEqual(waited, (number - saved - PROCESSES) * COST / PROCESSES * SECONDS, number)

    def test_slot_cost(self) -> None:
        """SC-6: dearer slots let single mails wait longer."""
        self.assertGreater(self.burst(4 * COST)[-1], 2 * self.bound(300))

    def test_several_lists(self) -> None:
        """SC-6, SC-7: behind several lists it is the same, and each list is delivered whole."""
        simulation = Simulation(PROCESSES, SECONDS, default_destination_recipient_limit="1")
        lists = [f"L{number}" for number in range(4)]
        for number, queue_id in enumerate(lists):
            simulation.mail(number * 20, queue_id, *people(10_000, 200, f"l{number}d"))
        singles = [f"S{number}" for number in range(40)]
        for number, queue_id in enumerate(singles):
            simulation.mail(5.3 + number * 9.1, queue_id, b"one@single%d.example" % number)
        simulation.run(simulation.gone(*lists, *singles))
        self.assertLessEqual(max(map(simulation.waited, singles)), self.bound())
        self.assertEqual([len(simulation.agent.starts[one]) for one in lists], [10_000] * 4)

    def test_small_list(self) -> None:
        """SC-6: a list too small to be overtaken (fewer than 3 times 5 deliveries) is served first."""
        simulation = Simulation(1, SECONDS, default_destination_recipient_limit="1")
        simulation.mail(0, "LIST", *people(14, 14))
        simulation.mail(0.5, "S", b"one@single.example")
        simulation.run(simulation.gone("LIST", "S"))
        self.assertEqual(simulation.passed("S"), 13)

    def test_without_overtaking(self) -> None:
        """SC-6: default_delivery_slot_cost = 0 serves mail as it came; this is what the rule saves the others."""
        simulation = Simulation(
            PROCESSES, SECONDS, default_destination_recipient_limit="1", default_delivery_slot_cost="0"
        )
        simulation.mail(0, "LIST", *people(5_000, 400))
        simulation.mail(10.5, "S", b"one@single.example")
        simulation.run(simulation.gone("LIST", "S"))
        self.assertGreater(simulation.waited("S"), 30)
