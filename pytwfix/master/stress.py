"""When all processes that serve a port have as many clients as they may: Postfix's warning, and stress (MA-7).

`switch` is called with the service and True when it gets its settings with stress, and with False when it has had room
for 1000 seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytwfix.contracts.host import ILog

CALM = 1000.0
_ADVICE = "to avoid this condition, increase the process count in master.cf or reduce the service time per client"
_README = "see https://www.postfix.org/STRESS_README.html for examples of stress-adapting configuration settings"


class _State:
    __slots__ = ("full", "stressed", "timer", "warned")

    def __init__(self) -> None:
        self.full: set[object] = set()
        self.stressed = False
        self.warned = -CALM
        self.timer: Any = None


class Stress:
    """`clock` has seconds and callLater."""

    def __init__(self, clock: Any, log: ILog, switch: Callable[[str, bool], None]) -> None:
        self._clock = clock
        self._log = log
        self._switch = switch
        self._states: dict[str, _State] = {}

    def report(self, who: object, service: str, full: bool, serving: int, words: tuple[str, str, int]) -> None:
        """One of `serving` processes has no room left, or has some again. `words`: name, address, limit."""
        state = self._states.setdefault(service, _State())
        if not full:
            state.full.discard(who)
            if state.stressed and state.timer is None:
                state.timer = self._clock.callLater(CALM, self._calm, service)
            return
        state.full.add(who)
        if len(state.full) < serving:
            return
        if state.timer is not None:
            state.timer.cancel()
            state.timer = None
        self._warn(state, words)
        if not state.stressed:
            state.stressed = True
            self._switch(service, True)

    def gone(self, who: object) -> None:
        """A process has ended: it is full no more."""
        for service, state in self._states.items():
            if who in state.full:
                self.report(who, service, False, 1, ("", "", 0))

    def stressed(self) -> list[str]:
        """For a process that starts."""
        return [service for service, state in self._states.items() if state.stressed]

    def _calm(self, service: str) -> None:
        state = self._states[service]
        state.timer = None
        state.stressed = False
        self._switch(service, False)

    def _warn(self, state: _State, words: tuple[str, str, int]) -> None:
        now = self._clock.seconds()
        if now - state.warned < CALM:
            return
        state.warned = now
        name, address, limit = words
        self._log.warning(
            f'service "{name}" ({address}) has reached its process limit "{limit}": '
            "new clients may experience noticeable delays"
        )
        self._log.warning(_ADVICE)
        self._log.warning(_README)

    def stop(self) -> None:
        for state in self._states.values():
            if state.timer is not None:
                state.timer.cancel()
                state.timer = None
