"""A queue manager under load on a virtual clock: deliveries that take their time, mails that come at set moments."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred

from pytwfix.contracts.delivery import DeliveryRequest, DeliveryResult
from pytwfix.contracts.queue import ACTIVE
from tests.kit.scheduling import World


class SteadyAgent:
    """IDeliveryAgent: each delivery takes `seconds` and succeeds. Only `starts` are kept: by queue ID, all times.

    `after` is, for each delivery by queue ID, how many deliveries the agent had begun before.
    """

    def __init__(self, world: World, seconds: float) -> None:
        self._world = world
        self.seconds = seconds
        self.begun = self.busy = self.most = 0
        self.starts: dict[str, list[float]] = {}
        self.after: dict[str, list[int]] = {}

    def deliver(self, request: DeliveryRequest) -> Deferred[DeliveryResult]:
        self.starts.setdefault(request.queue_id, []).append(self._world.host.clock.seconds())
        self.after.setdefault(request.queue_id, []).append(self.begun)
        self.begun += 1
        self.busy += 1
        self.most = max(self.most, self.busy)
        done: Deferred[DeliveryResult] = Deferred()
        self._world.host.call_later(self.seconds, self._end, request, done)
        return done

    def _end(self, request: DeliveryRequest, done: Deferred[DeliveryResult]) -> None:
        self.busy -= 1
        for recipient in request.recipients:
            recipient.done = True
        done.callback(DeliveryResult(recorded=False))


class Simulation:
    """A World whose smtp has `processes` deliveries at once of `seconds` each.

    `came` says for each queue ID when it was handed over, and how many deliveries had begun by then.
    """

    def __init__(self, processes: int, seconds: float, **main: str) -> None:
        self.world = World(start=True, **main)
        self.agent = SteadyAgent(self.world, seconds)
        self.world.agents.agents["smtp"] = self.agent  # type: ignore[assignment]
        self.world.agents.limits["smtp"] = processes
        self.came: dict[str, tuple[float, int]] = {}

    def mail(self, at: float, queue_id: str, *to: bytes) -> None:
        """A mail for these recipients comes at `at` seconds."""

        def come() -> None:
            self.came[queue_id] = (self.world.host.clock.seconds(), self.agent.begun)
            self.world.mail(queue_id, *to)

        self.world.host.call_later(at, come)

    def run(self, until: Callable[[], bool]) -> None:
        """One event after the other, each at its own time, until `until` is true."""
        clock = self.world.host.clock
        while not until():
            moment = min(call.getTime() for call in clock.getDelayedCalls())
            clock.advance(max(moment - clock.seconds(), 0))
            self.world.host.work.clear()

    def gone(self, *queue_ids: str) -> Callable[[], bool]:
        """Whether these mails are delivered."""
        left = set(queue_ids)

        def over() -> bool:
            while left:
                one = next(iter(left))
                if one not in self.came or one in self.world.store.queues.get(ACTIVE, {}):
                    return False
                left.remove(one)
            return True

        return over

    def waited(self, queue_id: str) -> float:
        """Seconds from the hand-over to the first delivery."""
        return self.agent.starts[queue_id][0] - self.came[queue_id][0]

    def passed(self, queue_id: str) -> int:
        """How many deliveries of others began in that time."""
        return self.agent.after[queue_id][0] - self.came[queue_id][1]
