"""Which services of a process have as many sessions as they may have (MA-7): `tell` hears of each change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


class Fullness:
    """Hears what a service's ports hear."""

    def __init__(self, tell: Callable[[str, bool], None]) -> None:
        self._tell = tell
        self._watched: set[str] = set()

    def watch(self, hosts: Mapping[str, Any]) -> None:
        """Those of the hosts that have ports and are not watched yet."""
        for name, host in hosts.items():
            if host.full is not None and name not in self._watched:
                self._watched.add(name)
                host.full = self._telling(name, host.full)

    def forget(self, name: str) -> None:
        """The service is gone; one of that name may come again."""
        self._watched.discard(name)

    def _telling(self, name: str, full: Callable[[bool], None]) -> Callable[[bool], None]:
        def tell(yes: bool) -> None:
            full(yes)
            self._tell(name, yes)

        return tell
